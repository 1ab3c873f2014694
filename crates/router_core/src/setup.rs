//! The configuration in force, with its look-ups.

use crate::config::{ChannelConfig, Config, Order, QueueConfig};
use crate::ids::{ChannelId, QueueId, ReasonId, SkillId};

/// The configuration, or an empty one until the first `configure`.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) configured: bool,
}

impl Setup {
    pub(crate) const fn none() -> Self {
        let config = Config {
            order: Order::Longest,
            miss_limit: 0,
            retry_after_us: 1,
            max_waiting: 0,
            key_retention_us: 1,
            memory_us: 1,
            seed: 0,
            channels: Vec::new(),
            skills: Vec::new(),
            reasons: Vec::new(),
            queues: Vec::new(),
            agents: Vec::new(),
            names: Vec::new(),
            hash: [0; 32],
        };
        Self {
            config,
            configured: false,
        }
    }

    pub(crate) fn channel(&self, id: ChannelId) -> Option<&ChannelConfig> {
        let channels = &self.config.channels;
        channels
            .binary_search_by_key(&id, |channel| channel.id)
            .ok()
            .map(|at| &channels[at])
    }

    pub(crate) fn queue(&self, id: QueueId) -> Option<&QueueConfig> {
        let queues = &self.config.queues;
        queues
            .binary_search_by_key(&id, |queue| queue.id)
            .ok()
            .map(|at| &queues[at])
    }

    /// A channel that is no longer configured is not exclusive.
    pub(crate) fn is_exclusive(&self, id: ChannelId) -> bool {
        self.channel(id).is_some_and(|channel| channel.exclusive)
    }

    pub(crate) fn knows_skill(&self, id: SkillId) -> bool {
        self.config.skills.binary_search(&id).is_ok()
    }

    /// 0, "none given", is always known.
    pub(crate) fn knows_reason(&self, id: ReasonId) -> bool {
        id == 0 || self.config.reasons.binary_search(&id).is_ok()
    }

    /// The configuration's hash as it enters the state hash.
    pub(crate) fn hash_word(&self) -> u64 {
        if !self.configured {
            return 0;
        }
        self.config.hash[..8]
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte))
    }
}
