//! Domains: parts of a site that work by themselves, and agents whom several of them share.
//!
//! 1. Agents and contacts may use their own domain's queues and those that a contract opens to them.
//!    Who may not is not able, whatever else holds.
//! 2. A freed agent who is shared, by its domain and the contracts alone, takes from the domain that
//!    was given the least, then from the one with the lower number; only then turns are compared.
//! 3. An offer to such an agent gives its contact's domain 1,000,000 / share.
//! 4. A domain that had nobody waiting cannot have saved up: it begins with what the least of the
//!    others who wait was given.

use crate::bits::Bits;
use crate::class::Floor;
use crate::config::SITE_SHARE;
use crate::hash::Fold;
use crate::ids::{AgentId, ContactId, DomainId, QueueId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::setup::Setup;

/// What an offer gives a domain with a share of 1.
const OFFER: u64 = 1_000_000;

/// What shared agents were offered of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) domain: DomainId,
    pub(crate) given: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) domain: DomainId,
    share: u32,
    pub(crate) given: u64,
    /// Counted only where there are several.
    pub(crate) waiting: u32,
}

/// Domain 0 and the configured ones, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    pub(crate) all: Vec<Tenant>,
}

impl Default for Tenants {
    fn default() -> Self {
        Self {
            all: vec![tenant(0, SITE_SHARE)],
        }
    }
}

const fn tenant(domain: DomainId, share: u32) -> Tenant {
    Tenant {
        domain,
        share,
        given: 0,
        waiting: 0,
    }
}

impl Tenants {
    #[inline]
    pub(crate) const fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    fn place(&self, domain: DomainId) -> Option<usize> {
        let found = self.all.binary_search_by_key(&domain, |one| one.domain);
        found.ok()
    }

    pub(crate) fn given(&self, domain: DomainId) -> u64 {
        self.place(domain).map_or(0, |place| self.all[place].given)
    }

    /// Who is there now keeps what it was given; nobody waits yet.
    pub(crate) fn configure(&mut self, setup: &Setup) {
        let domains = setup.config.domains.iter();
        let domains = domains.map(|domain| (domain.id, domain.share));
        let all = std::iter::once((0, SITE_SHARE)).chain(domains);
        self.all = all
            .map(|(domain, share)| Tenant {
                given: self.given(domain),
                ..tenant(domain, share)
            })
            .collect();
    }

    /// One of the domain's contacts waits no longer.
    fn leave(&mut self, domain: DomainId) {
        if let Some(place) = self.place(domain) {
            self.all[place].waiting -= 1;
        }
    }

    /// Counts without any effect on what was given.
    pub(crate) fn count(&mut self, domain: DomainId) {
        if let Some(place) = self.place(domain) {
            self.all[place].waiting += 1;
        }
    }

    /// One more of the domain's contacts waits.
    fn enter(&mut self, domain: DomainId) {
        let Some(place) = self.place(domain) else {
            return;
        };
        let first = self.all[place].waiting == 0;
        if first {
            let others = self.all.iter().filter(|one| one.waiting > 0);
            if let Some(least) = others.map(|one| one.given).min() {
                let given = &mut self.all[place].given;
                *given = least.max(*given);
            }
        }
        self.all[place].waiting += 1;
    }

    /// A shared agent is offered one of the domain's contacts.
    fn give(&mut self, domain: DomainId) {
        if let Some(place) = self.place(domain) {
            let tenant = &mut self.all[place];
            tenant.given = tenant.given.saturating_add(OFFER / u64::from(tenant.share));
        }
    }

    /// The domains with somebody waiting, in the order in which a shared agent looks at them.
    pub(crate) fn in_turn(&self) -> Vec<DomainId> {
        let waiting = self.all.iter().filter(|one| one.waiting > 0);
        let mut turns: Vec<_> = waiting.map(|one| (one.given, one.domain)).collect();
        turns.sort_unstable();
        turns.into_iter().map(|(_, domain)| domain).collect()
    }

    /// What it adds to the state hash.
    pub(crate) fn hash(&self) -> u64 {
        let given = self.all.iter().filter(|one| one.given > 0);
        let words = |one: &Tenant| [u64::from(one.domain), one.given];
        let hashes = given.map(|one| Fold::new(18).words(words(one)).end());
        hashes.fold(0, u64::wrapping_add)
    }
}

impl Setup {
    /// Whether a domain may use queues of more than one.
    pub(crate) fn is_shared(&self, domain: DomainId) -> bool {
        if self.config.contracts.is_empty() {
            return false;
        }
        let queues = self.config.queues.iter();
        let usable = queues.filter(|queue| self.may_use(domain, queue));
        let mut domains = usable.map(|queue| queue.domain);
        let first = domains.next();
        domains.any(|domain| Some(domain) != first)
    }

    pub(crate) fn domain_of(&self, queue: QueueId) -> DomainId {
        self.queue(queue).map_or(0, |queue| queue.domain)
    }
}

impl Floor {
    /// Of the classes with somebody who waits and could be offered, those of a domain's queues.
    pub(crate) fn lines_of(&self, domain: DomainId) -> Bits {
        let mut lines = Bits::default();
        let all = self.lines();
        for class in all.both(all) {
            lines.set(class, self.heads[class].domain == domain);
        }
        lines
    }
}

impl Router {
    /// A contact comes to wait in a queue.
    #[inline]
    pub(crate) fn tenant_enters(&mut self, queue: QueueId) {
        if self.tenants.are_several() {
            self.tenants.enter(self.setup.domain_of(queue));
        }
    }

    /// A contact waits in a queue no longer.
    #[inline]
    pub(crate) fn tenant_leaves(&mut self, queue: QueueId) {
        if self.tenants.are_several() {
            self.tenants.leave(self.setup.domain_of(queue));
        }
    }

    /// An agent is offered a contact of a queue.
    pub(crate) fn tenant_gets(&mut self, queue: QueueId, position: u32) {
        if !self.tenants.are_several() {
            return;
        }
        let class = self.floor.placed[position as usize].class;
        if self.floor.agents[class].shared {
            self.tenants.give(self.setup.domain_of(queue));
        }
    }

    /// A new configuration, or a snapshot: who waits is counted anew, and nobody has come.
    pub(crate) fn count_tenants(&mut self) {
        self.tenants.configure(&self.setup);
        if !self.tenants.are_several() {
            return;
        }
        for queue in &self.setup.config.queues {
            for _ in 0..self.queues.of(queue.id).waiting {
                self.tenants.count(queue.domain);
            }
        }
    }

    /// Whoever uses queues of this domain may use that queue.
    pub(crate) fn validate_domain(
        &self,
        domain: DomainId,
        queue: QueueId,
    ) -> Result<(), Rejection> {
        let config = self.setup.queue(queue);
        if config.is_some_and(|config| !self.setup.may_use(domain, config)) {
            return refuse(Code::OtherDomain, queue);
        }
        Ok(())
    }

    /// The domain of the queue that a contact is in.
    pub(crate) fn domain_of_contact(&self, id: ContactId) -> DomainId {
        let contact = self.contacts.get(id);
        contact.map_or(0, |contact| self.setup.domain_of(contact.queue))
    }

    /// An agent's domain may use the queue that a contact is in.
    pub(crate) fn validate_may_serve(
        &self,
        agent: AgentId,
        id: ContactId,
    ) -> Result<(), Rejection> {
        let position = self.agents.get(agent).map(|agent| agent.position as usize);
        let config = position.and_then(|position| self.setup.config.agents.get(position));
        let queue = self.contacts.get(id).map(|contact| contact.queue);
        match (config, queue) {
            (Some(config), Some(queue)) => self.validate_domain(config.domain, queue),
            _ => Ok(()),
        }
    }
}
