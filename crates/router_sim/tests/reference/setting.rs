//! The one-channel centre in which the references happened.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Order, QueueConfig, Requirement, SkillLevel,
};
use router_sim::SimContact;

pub const VOICE: u32 = 1;

/// A configuration with one exclusive channel that connects at once.
pub fn config(order: Order, queues: Vec<QueueConfig>, agents: Vec<AgentConfig>) -> Config {
    Config {
        order,
        miss_limit: 0,
        channels: vec![ChannelConfig {
            exclusive: true,
            ..ChannelConfig::new(VOICE)
        }],
        skills: queues.iter().map(|queue| queue.id).collect(),
        queues,
        agents,
        ..Config::default()
    }
}

pub fn level(skill: u32, level: u8) -> SkillLevel {
    SkillLevel { skill, level }
}

/// A queue that needs the skill of its own number.
pub fn queue(id: u32, wrap_up_us: u64) -> QueueConfig {
    QueueConfig {
        requires: Requirement::all_of(&[level(id, 1)]),
        rank_skill: id,
        wrap_up_us,
        ..QueueConfig::new(id)
    }
}

pub fn agent(id: u32, skills: Vec<SkillLevel>) -> AgentConfig {
    AgentConfig {
        skills,
        capacity: vec![ChannelUnits {
            channel: VOICE,
            units: 1,
        }],
        ..AgentConfig::new(id)
    }
}

pub fn contact(arrive_us: u64, queue: u32) -> SimContact {
    SimContact {
        arrive_us,
        channel: VOICE,
        queue,
        service_us: None,
        patience_us: None,
        head_start_us: 0,
        weight: 1,
        requires: Vec::new(),
    }
}
