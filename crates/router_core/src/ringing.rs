//! Offers to several agents at once, and which offers a choice makes.
//!
//! 1. Whoever was chosen is offered the contact first; under `RingAll` then every other eligible
//!    agent in the strategy's order, up to the queue's limit.
//! 2. An agent who auto-accepts does so inside its offer; nobody is offered the contact after it.
//! 3. The contact is offered while one of its offers is open; its state names the smallest.
//! 4. The first to accept has the contact; the other offers are withdrawn as taken.

use crate::config::Strategy;
use crate::contact::Step;
use crate::deciding::Halt;
use crate::event::{Event, WithdrawnCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId, OfferId};
use crate::offer::{Offer, Purpose};
use crate::router::Router;
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::ContactState;

impl Router {
    /// Proposes a waiting contact to the agent who was chosen, and under `RingAll` to others; under
    /// `Outside` somebody is asked first.
    pub(crate) fn make_offer(&mut self, id: ContactId, agent: AgentId) {
        let contact = self.contacts.get(id);
        let home = contact.map_or(0, |contact| contact.queue);
        let Some(queue) = self.setup.queue(home) else {
            return;
        };
        let (ring_limit, timeout) = (queue.ring_limit, queue.offer_timeout_us);
        match queue.strategy {
            Strategy::RingAll => {}
            Strategy::Outside => {
                let timeout = queue.choice_timeout_us;
                self.want_choice(id, timeout);
                return;
            }
            _ => {
                if !self.halts(1) {
                    self.offer_to(id, agent, timeout);
                    self.pace_after_offer(home);
                }
                return;
            }
        }
        let agents = self.rung(id, agent, ring_limit as usize);
        if self.halts(agents.len() as u64) {
            return;
        }
        for agent in agents {
            self.offer_to(id, agent, timeout);
        }
        self.pace_after_offer(home);
    }

    /// Whether the contact's queue rings everybody.
    pub(crate) fn rings_all(&self, id: ContactId) -> bool {
        let contact = self.contacts.get(id);
        let queue = contact.and_then(|contact| self.setup.queue(contact.queue));
        queue.is_some_and(|queue| queue.strategy == Strategy::RingAll)
    }

    /// Who is offered the contact, in order: nobody behind an agent who auto-accepts.
    fn rung(&mut self, id: ContactId, chosen: AgentId, limit: usize) -> Vec<AgentId> {
        let eligible = self.first_agents(id, limit);
        let others = eligible.into_iter().filter(|&agent| agent != chosen);
        let mut agents: Vec<AgentId> = std::iter::once(chosen).chain(others).collect();
        agents.truncate(limit);
        let auto = |agent: &AgentId| {
            let known = self.agents.get(*agent);
            known.is_some_and(|agent| self.auto_accepts(agent.position))
        };
        let at_once = agents.iter().position(auto);
        agents.truncate(at_once.map_or(limit, |at| at + 1));
        agents
    }

    /// The first eligible agents for a waiting contact, in order.
    pub(crate) fn first_agents(&mut self, id: ContactId, limit: usize) -> Vec<AgentId> {
        self.place_agents();
        let Some(contact) = self.contacts.get(id) else {
            return Vec::new();
        };
        let eligible = if contact.preferred_until().is_some() {
            self.eligible_preferred(contact, limit)
        } else {
            let passed_over = contact.passed_over();
            self.floor
                .eligible_agents(contact.class, passed_over, limit)
        };
        let eligible = self.with_kept(contact, eligible, limit);
        #[cfg(debug_assertions)]
        self.assert_eligible_agents(contact, &eligible, limit);
        eligible
    }

    fn auto_accepts(&self, position: u32) -> bool {
        let config = self.setup.config.agents.get(position as usize);
        config.is_some_and(|config| config.auto_accept)
    }

    /// Whether one of the next so many offers is the one to stop before.
    pub(crate) const fn halts(&mut self, offers: u64) -> bool {
        if let Halt::Before(offer) = self.halt
            && offer >= self.next_offer
            && offer < self.next_offer + offers
        {
            self.halt = Halt::Reached;
        }
        matches!(self.halt, Halt::Reached)
    }

    /// Puts an offer of either purpose on the table.
    pub(crate) fn open_offer(
        &mut self,
        contact: ContactId,
        agent: AgentId,
        purpose: Purpose,
        timeout: Micros,
    ) -> (OfferId, Micros) {
        let (id, deadline) = (self.next_offer, self.now + timeout);
        self.next_offer += 1;
        let timer = self.timers.set(deadline, Timer::Offer(id));
        self.offers.insert(Offer {
            id,
            contact,
            agent,
            deadline,
            purpose,
            timer,
        });
        (id, deadline)
    }

    /// One offer to serve.
    pub(crate) fn offer_to(&mut self, id: ContactId, agent: AgentId, timeout: Micros) {
        if self.setup.config.reserve_after_us != 0 {
            self.note_passed(id, agent);
        }
        let at = self.now;
        let (offer, deadline) = self.open_offer(id, agent, Purpose::Serve, timeout);
        let slot = self.slot_of(id);
        let contact = self.live_at(slot);
        let (channel, queue, weight) = (contact.channel, contact.queue, contact.weight);
        if contact.waits() {
            let offered = ContactState::Offered { offer, agent };
            self.go_at(slot, Step::Offer, offered);
            if self.queued.0 == id {
                self.queued.0 = 0;
            }
        } else {
            contact.several_mut().ringing.push(offer);
        }
        let holder = self.agents.of(agent);
        holder.offers.push(offer);
        holder.counters.receives();
        holder.last_offer = offer;
        holder.hold(channel, weight);
        let position = holder.position;
        self.tenant_gets(queue, position);
        self.emit(Event::OfferMade {
            at,
            offer,
            contact: id,
            channel,
            queue,
            agent,
            deadline,
            config: self.configurations,
        });
        if self.auto_accepts(position) {
            self.take(offer);
        }
    }

    /// A contact's offer has closed: its state names the smallest that is left.
    pub(crate) fn stop_ringing(&mut self, id: ContactId, closed: OfferId) {
        if self
            .contacts
            .get(id)
            .is_none_or(|contact| contact.several.is_none())
        {
            return;
        }
        let contact = self.live(id);
        let ContactState::Offered { offer, .. } = contact.state else {
            unreachable!("a contact with an open offer is offered");
        };
        let several = contact.several_mut();
        several.ringing.retain(|&open| open != closed);
        if offer != closed || several.ringing.is_empty() {
            return;
        }
        let next = several.ringing.remove(0);
        let agent = self.offers.get(next).map_or(0, |offer| offer.agent);
        self.live(id).state = ContactState::Offered { offer: next, agent };
    }

    /// One agent has the contact: the others are asked no longer.
    pub(crate) fn withdraw_others(&mut self, id: ContactId) {
        let contact = self.contacts.get(id);
        if contact.is_none_or(|contact| contact.several.is_none()) {
            return;
        }
        for offer in self.open_offers(id) {
            let agent = self.withdraw(offer, WithdrawnCause::Taken).agent;
            self.release(agent, Idle::GoesOn);
        }
    }
}
