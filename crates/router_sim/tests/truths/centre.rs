//! Centres as queueing theory has them: agents with one place, contacts that connect at once.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, DAY, Order, QueueConfig, Requirement,
    SkillLevel,
};
use router_sim::{Flow, Law};

pub const VOICE: u32 = 1;

/// Queue q needs skill q, and ranks agents by it.
pub fn config(order: Order, queues: u32, skills_of: &[Vec<SkillLevel>], room: u32) -> Config {
    let queue = |id| QueueConfig {
        requires: Requirement::all_of(&[SkillLevel {
            skill: id,
            level: 1,
        }]),
        rank_skill: id,
        ..QueueConfig::new(id)
    };
    let agent = |(at, skills): (usize, &Vec<SkillLevel>)| AgentConfig {
        skills: skills.clone(),
        capacity: vec![ChannelUnits {
            channel: VOICE,
            units: 1,
        }],
        ..AgentConfig::new(at as u32 + 1)
    };
    Config {
        order,
        miss_limit: 0,
        retry_after_us: DAY,
        max_waiting: room,
        // Endless plays: what is over is forgotten at once.
        key_retention_us: 1,
        memory_us: 1,
        channels: vec![ChannelConfig {
            exclusive: true,
            ..ChannelConfig::new(VOICE)
        }],
        skills: (1..=queues).collect(),
        queues: (1..=queues).map(queue).collect(),
        agents: skills_of.iter().enumerate().map(agent).collect(),
        ..Config::default()
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
