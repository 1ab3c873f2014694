//! The slow checks of domains.

use crate::check::{Sound, hold};
use crate::router::Router;

impl Router {
    /// Every domain counts who waits in its queues, and agents stand among those of their domain.
    pub(crate) fn audit_domains(&self) -> Sound {
        let configured = self.setup.config.domains.iter().map(|domain| domain.id);
        let expected = std::iter::once(0).chain(configured);
        let known = self.tenants.all.iter().map(|one| one.domain);
        hold(known.eq(expected), "every domain is known", 0_u64)?;
        for tenant in &self.tenants.all {
            let queues = self.setup.config.queues.iter();
            let own = queues.filter(|queue| queue.domain == tenant.domain);
            let waiting: u32 = own.map(|queue| self.queues.of(queue.id).waiting).sum();
            let right = !self.tenants.are_several() || tenant.waiting == waiting;
            hold(right, "a domain counts who waits", tenant.domain)?;
        }
        for config in &self.setup.config.agents {
            let Some(agent) = self.agents.get(config.id) else {
                continue;
            };
            let class = &self.floor.agents[self.floor.placed[agent.position as usize].class];
            let right = class.domain == config.domain
                && class.shared == self.setup.is_shared(config.domain);
            hold(right, "an agent is among those of its domain", config.id)?;
        }
        for (key, &class) in &self.floor.by_key {
            let head = &self.floor.heads[class as usize];
            let queue = self.setup.queue(key.queue);
            let right = queue.is_none_or(|queue| queue.domain == head.domain);
            hold(right, "a class is its queue's domain's", class)?;
        }
        Ok(())
    }
}
