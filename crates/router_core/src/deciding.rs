//! What follows every mutation: waiting contacts notice it, then the dirty agents and contacts
//! choose.
//!
//! 1. Agents first, in the order in which they were touched; one who is touched meanwhile joins them.
//! 2. Then contacts, in the order of their turns. Whoever comes free while they choose has been
//!    passed over by every one of them in turn, so nobody looks again; but for those who were kept for
//!    a contact that has got another agent (`reserving.rs`).
//! 3. Then the rules by which contacts leave their queues (`overflow.rs`); whoever has moved by them
//!    notices it, and so on, until nobody moves.

use crate::ids::{ContactId, OfferId};
use crate::router::Router;

/// Whether matching stops in the middle of a choice, for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Never,
    /// Before this offer, and before those that the same choice makes with it.
    Before(OfferId),
    Reached,
}

impl Router {
    /// What follows every mutation.
    pub(crate) fn decide(&mut self) {
        loop {
            self.passes();
            self.reserve_pass();
            self.match_dirty();
            let nothing = self.entered.is_empty() && !self.somebody_left;
            if nothing || self.halt == Halt::Reached || !self.overflow_pass() {
                return;
            }
        }
    }

    /// Gives the dirty agents their contacts, then the dirty contacts their agents; and once more
    /// while agents have come free who were kept for one of those.
    #[inline]
    fn match_dirty(&mut self) {
        if !self.floor.capped.is_empty() {
            self.pace_queues();
        }
        self.reservations.freed.clear();
        // Half of all commands leave nothing to match.
        if self.dirty.agents.is_empty() && self.dirty.contacts.is_empty() {
            return;
        }
        loop {
            self.match_once();
            if self.halt == Halt::Reached || self.reservations.freed.is_empty() {
                return;
            }
            let freed = self.reservations.freed.drain(..);
            freed.for_each(|agent| self.dirty.agent(agent));
        }
    }

    #[inline(never)]
    fn match_once(&mut self) {
        let mut next = 0;
        // An agent whose offer is taken by one who auto-accepts joins them.
        while let Some(&agent) = self.dirty.agents.get(next) {
            next += 1;
            while let Some(contact) = self.best_contact(agent) {
                self.make_offer(contact, agent);
                if self.halt == Halt::Reached {
                    return;
                }
            }
            self.rejoin(next);
        }
        let mut contacts = std::mem::take(&mut self.dirty.contacts);
        if contacts.len() > 1 {
            self.sort_by_turn(&mut contacts);
        }
        for id in contacts.drain(..) {
            if let Some(agent) = self.best_agent(id) {
                self.make_offer(id, agent);
                if self.halt == Halt::Reached {
                    return;
                }
            }
        }
        self.dirty.contacts = contacts;
        // Whoever has come free since then has been passed over by every contact in turn.
        self.dirty.agents.clear();
    }

    /// Agents who were kept until just now and have had their turn join the rest.
    fn rejoin(&mut self, next: usize) {
        for agent in self.reservations.freed.drain(..) {
            if !self.dirty.agents[next..].contains(&agent) {
                self.dirty.agents.push(agent);
            }
        }
    }

    /// Those of them that wait, each once, in the order of their turns.
    fn sort_by_turn(&self, contacts: &mut Vec<ContactId>) {
        let waiting = contacts.iter().filter_map(|&id| self.contacts.get(id));
        let waiting = waiting.filter(|contact| contact.waits());
        let mut turns: Vec<_> = waiting
            .map(|contact| (self.floor.turn_of(contact, &self.queues), contact.id))
            .collect();
        turns.sort_unstable();
        turns.dedup();
        contacts.clear();
        contacts.extend(turns.into_iter().map(|(_, id)| id));
    }
}
