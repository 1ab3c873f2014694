//! The one-channel centre in which the references happened.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, DAY, NO_LIMIT, Order, QUEUE_WRAP_UP,
    QueueConfig, Requirement, SECOND, SkillLevel, Strategy,
};
use router_sim::SimContact;

pub const VOICE: u32 = 1;

/// A configuration with one exclusive channel that connects at once.
pub fn config(order: Order, queues: Vec<QueueConfig>, agents: Vec<AgentConfig>) -> Config {
    Config {
        order,
        miss_limit: 0,
        retry_after_us: 5 * SECOND,
        max_waiting: NO_LIMIT,
        key_retention_us: 7 * DAY,
        memory_us: 600 * SECOND,
        seed: 0,
        domains: Vec::new(),
        reserve_after_us: 0,
        reply_margin_us: 0,
        channels: vec![ChannelConfig {
            id: VOICE,
            exclusive: true,
            instant: true,
            connect_timeout_us: 10 * SECOND,
            interruptible: false,
            domain: 0,
        }],
        skills: queues.iter().map(|queue| queue.id).collect(),
        reasons: Vec::new(),
        targets: Vec::new(),
        queues,
        agents,
        contracts: Vec::new(),
        names: Vec::new(),
        hash: [0; 32],
    }
}

pub fn level(skill: u32, level: u8) -> SkillLevel {
    SkillLevel { skill, level }
}

/// A queue that needs the skill of its own number.
pub fn queue(id: u32, wrap_up_us: u64) -> QueueConfig {
    QueueConfig {
        id,
        requires: Requirement::all_of(&[level(id, 1)]),
        rank_skill: id,
        max_waiting: NO_LIMIT,
        offer_timeout_us: 20 * SECOND,
        wrap_up_us,
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
    }
}

pub fn agent(id: u32, skills: Vec<SkillLevel>) -> AgentConfig {
    AgentConfig {
        id,
        skills,
        capacity: vec![ChannelUnits {
            channel: VOICE,
            units: 1,
        }],
        share: 100,
        stealth: false,
        auto_accept: false,
        wrap_up_us: QUEUE_WRAP_UP,
        domain: 0,
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
