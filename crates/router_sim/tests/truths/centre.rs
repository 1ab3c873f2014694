//! Centres as queueing theory has them: agents with one place, contacts that connect at once.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, DAY, NO_LIMIT, Order, QUEUE_WRAP_UP,
    QueueConfig, Requirement, SECOND, SkillLevel, Strategy,
};
use router_sim::{Flow, Law};

pub const VOICE: u32 = 1;

/// Queue q needs skill q, and ranks agents by it.
pub fn config(order: Order, queues: u32, skills_of: &[Vec<SkillLevel>], room: u32) -> Config {
    let queue = |id| QueueConfig {
        id,
        requires: Requirement::all_of(&[SkillLevel {
            skill: id,
            level: 1,
        }]),
        rank_skill: id,
        max_waiting: NO_LIMIT,
        offer_timeout_us: 20 * SECOND,
        wrap_up_us: 0,
        strategy: Strategy::LongestIdle,
        priority: 5,
        service_level_us: 20 * SECOND,
        ratio: 100,
        steps: Vec::new(),
        ring_limit: 50,
        expected_handle_us: 180 * SECOND,
        overflow: Vec::new(),
        tier: 2,
        max_in_hand: NO_LIMIT,
        announce_us: 0,
        domain: 0,
        fallback: Strategy::LongestIdle,
        choice_timeout_us: 200_000,
    };
    let agent = |(at, skills): (usize, &Vec<SkillLevel>)| AgentConfig {
        id: at as u32 + 1,
        skills: skills.clone(),
        capacity: vec![ChannelUnits {
            channel: VOICE,
            units: 1,
        }],
        share: 100,
        stealth: false,
        auto_accept: false,
        wrap_up_us: QUEUE_WRAP_UP,
        domain: 0,
    };
    Config {
        order,
        miss_limit: 0,
        retry_after_us: DAY,
        max_waiting: room,
        // Endless plays: what is over is forgotten at once.
        key_retention_us: 1,
        memory_us: 1,
        seed: 0,
        domains: Vec::new(),
        reserve_after_us: 0,
        reply_margin_us: 0,
        channels: vec![ChannelConfig {
            id: VOICE,
            exclusive: true,
            instant: true,
            connect_timeout_us: SECOND,
            interruptible: false,
            domain: 0,
        }],
        skills: (1..=queues).collect(),
        reasons: Vec::new(),
        targets: Vec::new(),
        queues: (1..=queues).map(queue).collect(),
        agents: skills_of.iter().enumerate().map(agent).collect(),
        contracts: Vec::new(),
        names: Vec::new(),
        hash: [0; 32],
    }
}

/// So many agents who all have the one skill.
pub fn equal_agents(count: usize) -> Vec<Vec<SkillLevel>> {
    vec![skills(&[(1, 100)]); count]
}

/// Skills by number and level.
pub fn skills(levels: &[(u32, u8)]) -> Vec<SkillLevel> {
    let skill = |&(skill, level)| SkillLevel { skill, level };
    levels.iter().map(skill).collect()
}

/// A Poisson stream for a queue, without head start or patience.
pub fn poisson(queue: u32, mean_gap_us: f64) -> Flow {
    Flow {
        channel: VOICE,
        queue,
        head_start_us: 0,
        gap: Law::Exponential(mean_gap_us),
        patience: None,
    }
}
