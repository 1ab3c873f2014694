//! The configuration in force, with its look-ups.

use crate::config::{ChannelConfig, Config, Contract, Order, QueueConfig};
use crate::ids::{ChannelId, DomainId, QueueId, ReasonId, SkillId, TargetId};

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
            domains: Vec::new(),
            reserve_after_us: 0,
            reply_margin_us: 0,
            channels: Vec::new(),
            skills: Vec::new(),
            reasons: Vec::new(),
            targets: Vec::new(),
            queues: Vec::new(),
            agents: Vec::new(),
            contracts: Vec::new(),
            names: Vec::new(),
            hash: [0; 32],
        };
        Self {
            config,
            configured: false,
        }
    }

    pub(crate) fn channel(&self, id: ChannelId) -> Option<&ChannelConfig> {
        find(&self.config.channels, id, |channel| channel.id)
    }

    pub(crate) fn queue(&self, id: QueueId) -> Option<&QueueConfig> {
        find(&self.config.queues, id, |queue| queue.id)
    }

    /// A channel that is no longer configured is not exclusive.
    pub(crate) fn is_exclusive(&self, id: ChannelId) -> bool {
        self.channel(id).is_some_and(|channel| channel.exclusive)
    }

    /// A channel that is no longer configured is not interruptible.
    pub(crate) fn is_interruptible(&self, id: ChannelId) -> bool {
        self.channel(id)
            .is_some_and(|channel| channel.interruptible)
    }

    pub(crate) fn knows_skill(&self, id: SkillId) -> bool {
        self.config.skills.binary_search(&id).is_ok()
    }

    /// 0, "none given", is always known.
    pub(crate) fn knows_reason(&self, id: ReasonId) -> bool {
        id == 0 || self.config.reasons.binary_search(&id).is_ok()
    }

    pub(crate) fn knows_target(&self, id: TargetId) -> bool {
        self.config.targets.binary_search(&id).is_ok()
    }

    /// 0, the site's own, is always known.
    pub(crate) fn knows_domain(&self, id: DomainId) -> bool {
        let domains = &self.config.domains;
        id == 0
            || domains
                .binary_search_by_key(&id, |domain| domain.id)
                .is_ok()
    }

    /// Whether agents and contacts of a domain may use a queue.
    #[inline]
    pub(crate) fn may_use(&self, domain: DomainId, queue: &QueueConfig) -> bool {
        let contract = Contract {
            queue: queue.id,
            domain,
        };
        domain == queue.domain || self.config.contracts.binary_search(&contract).is_ok()
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

/// Looks an id up where ids ascend: as a rule without gaps, so that the distance from the first
/// one is the place.
fn find<T>(all: &[T], id: u32, id_of: impl Fn(&T) -> u32) -> Option<&T> {
    let guess = id.wrapping_sub(id_of(all.first()?)) as usize;
    let guessed = all.get(guess).filter(|one| id_of(one) == id);
    guessed.or_else(|| {
        let at = all.binary_search_by_key(&id, id_of).ok()?;
        Some(&all[at])
    })
}
