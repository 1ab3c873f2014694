//! Configurations before anybody has asked for anything: what `..QueueConfig::new(1)` fills in.
//!
//! The values are those of a configuration file that says nothing.

use crate::config::{
    AgentConfig, ChannelConfig, Config, NO_LIMIT, Order, QUEUE_WRAP_UP, QueueConfig, Strategy,
};
use crate::demand::Requirement;
use crate::ids::{AgentId, ChannelId, QueueId};
use crate::time::{DAY, SECOND};

impl Default for Config {
    /// Nobody is there, and nowhere to go.
    fn default() -> Self {
        Self {
            order: Order::Longest,
            miss_limit: 3,
            retry_after_us: 5 * SECOND,
            max_waiting: NO_LIMIT,
            key_retention_us: 7 * DAY,
            memory_us: 600 * SECOND,
            seed: 0,
            domains: Vec::new(),
            reserve_after_us: 20 * SECOND,
            reply_margin_us: 60 * SECOND,
            channels: Vec::new(),
            skills: Vec::new(),
            reasons: Vec::new(),
            targets: Vec::new(),
            queues: Vec::new(),
            agents: Vec::new(),
            contracts: Vec::new(),
            names: Vec::new(),
            hash: [0; 32],
        }
    }
}

impl ChannelConfig {
    /// A chat: several at a time, connected by accepting.
    pub const fn new(id: ChannelId) -> Self {
        Self {
            id,
            exclusive: false,
            instant: true,
            connect_timeout_us: 10 * SECOND,
            interruptible: false,
            domain: 0,
        }
    }

    /// Voice: nothing beside it, and connected only when somebody says so.
    pub const fn voice(id: ChannelId) -> Self {
        Self {
            exclusive: true,
            instant: false,
            ..Self::new(id)
        }
    }
}

impl QueueConfig {
    /// A queue that asks nothing of its agents.
    pub fn new(id: QueueId) -> Self {
        Self {
            id,
            requires: Requirement::default(),
            rank_skill: 0,
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
            choice_timeout_us: SECOND / 5,
        }
    }
}

impl AgentConfig {
    /// An agent who can do nothing and has room for nothing.
    pub const fn new(id: AgentId) -> Self {
        Self {
            id,
            skills: Vec::new(),
            capacity: Vec::new(),
            share: 100,
            stealth: false,
            auto_accept: false,
            wrap_up_us: QUEUE_WRAP_UP,
            domain: 0,
        }
    }
}
