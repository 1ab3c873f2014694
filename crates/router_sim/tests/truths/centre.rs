//! Centres as queueing theory has them: agents with one place, contacts that connect at once.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, DAY, NO_LIMIT, Order, QueueConfig, SECOND,
    SkillLevel, Strategy,
};
use router_sim::{Flow, Law};

pub const VOICE: u32 = 1;

/// Queue q needs skill q, and ranks agents by it.
pub fn config(order: Order, queues: u32, skills_of: &[Vec<SkillLevel>], room: u32) -> Config {
    let queue = |id| QueueConfig {
        id,
        requires: vec![SkillLevel {
            skill: id,
            level: 1,
        }],
        rank_skill: id,
        max_waiting: NO_LIMIT,
        offer_timeout_us: 20 * SECOND,
        wrap_up_us: 0,
        strategy: Strategy::LongestIdle,
    };
    let agent = |(at, skills): (usize, &Vec<SkillLevel>)| AgentConfig {
        id: at as u32 + 1,
        skills: skills.clone(),
        capacity: vec![ChannelUnits {
            channel: VOICE,
            units: 1,
        }],
        share: 100,
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
        channels: vec![ChannelConfig {
            id: VOICE,
            exclusive: true,
            instant: true,
            connect_timeout_us: SECOND,
        }],
        skills: (1..=queues).collect(),
        reasons: Vec::new(),
        queues: (1..=queues).map(queue).collect(),
        agents: skills_of.iter().enumerate().map(agent).collect(),
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
