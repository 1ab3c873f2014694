//! An agent's lease is lost: nobody stands behind its desk any more.
//!
//! 1. What needs a desk goes back: offers and invitations are taken back, connecting contacts and the
//!    engaged ones of instant channels return to their old places, at once and for anybody who is
//!    eligible. A contact that others are in goes to whoever joined first, and what the agent has
//!    joined it leaves.
//! 2. What goes on without a desk stays: engaged contacts whose channel connects the two itself, until
//!    that channel says that they are over, and wrap-ups until their deadlines.
//! 3. Whoever is gone has no after-contact work: a contact that goes back frees its units at once.
//! 4. Then the agent leaves, as if it had signed out. Where it leaves already and there is nothing to
//!    take, nothing happens: a lease is lost once.

use crate::agent::{Declares, Standing};
use crate::event::{EndedBy, Event, QueuedCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId};
use crate::rejection::Rejection;
use crate::router::Router;
use crate::view::ContactState;

impl Router {
    pub(crate) fn lose_lease(&mut self, agent: AgentId) -> Result<(), Rejection> {
        if !self.takes_effect(agent, Declares::LeaseLost)? {
            return Ok(());
        }
        let known = self.agents.of(agent);
        let was = known.standing();
        let (in_hand, joined) = (known.contacts.clone(), known.joined.clone());
        let at_desk = in_hand.into_iter().filter(|&id| self.needs_a_desk(id));
        let at_desk: Vec<ContactId> = at_desk.collect();
        if was == Standing::Leaving && at_desk.is_empty() && joined.is_empty() {
            return Ok(());
        }
        let alone = at_desk.iter().copied().filter(|&id| self.is_alone(id));
        let event = Event::LeaseLost {
            at: self.now,
            agent,
            contacts: alone.collect(),
        };
        self.emit(event);
        self.take_back_all(agent);
        for id in at_desk {
            self.take_from(agent, id);
        }
        for id in joined {
            self.leaves(agent, id, EndedBy::Engine);
        }
        if was != Standing::Leaving {
            self.go_out(agent);
        }
        Ok(())
    }

    /// Whether a contact in hand cannot go on while nobody is at the desk.
    fn needs_a_desk(&self, id: ContactId) -> bool {
        self.contacts.get(id).is_some_and(|contact| {
            let channel = self.setup.channel(contact.channel);
            let is_talked = matches!(contact.state, ContactState::Engaged { .. });
            !is_talked || channel.is_some_and(|channel| channel.instant)
        })
    }

    /// Whether it is engaged, and nobody else is in it.
    fn is_alone(&self, id: ContactId) -> bool {
        self.contacts.get(id).is_some_and(|contact| {
            let is_talked = matches!(contact.state, ContactState::Engaged { .. });
            is_talked && contact.several().participants.is_empty()
        })
    }

    fn take_from(&mut self, agent: AgentId, id: ContactId) {
        let contact = self.live(id);
        if let ContactState::Connecting { deadline, .. } = contact.state {
            let timer = contact.timer;
            self.timers.cancel(deadline, timer);
            self.back_from_connecting(id, EndedBy::Engine);
        } else if !self.hand_over(agent, id) {
            self.give_back(id);
        }
    }

    /// An engaged contact goes back to its old place, as if it had never been taken; but they have
    /// talked, and whoever was invited is no longer.
    fn give_back(&mut self, id: ContactId) {
        let was = self.in_hand(id);
        let (now, every) = (self.now, self.announce_us(id));
        if was.has_company {
            self.dissolve(id, EndedBy::Engine);
        }
        let contact = self.live(id);
        contact.passed_on_by = 0;
        contact.announce_every(every, now);
        let slot = self.agents.slot_of(was.agent);
        let engaged = now.saturating_sub(was.since);
        let holder = self.agents.in_slot(slot);
        holder.drop_contact(id);
        holder.counters.talked(engaged);
        holder.give_back(was.channel, was.units);
        self.calibrations.handled(was.queue, engaged);
        self.send_back(id, QueuedCause::LeaseLost);
        self.release_at(slot, was.agent, Idle::Starts);
    }
}
