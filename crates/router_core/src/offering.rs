//! Offers come and go: made, accepted, declined, expired, withdrawn.

use crate::contact::Step;
use crate::event::{Event, QueuedCause, WithdrawnCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId, OfferId, ReasonId};
use crate::offer::{How, LATE, Offer};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::timer::Timer;
use crate::view::ContactState;

impl Router {
    /// Proposes a waiting contact to an agent with room for it.
    pub(crate) fn make_offer(&mut self, id: ContactId, agent: AgentId) {
        let at = self.now;
        let contact = self.live(id);
        let (channel, queue, weight) = (contact.channel, contact.queue, contact.weight);
        let timeout = self
            .setup
            .queue(queue)
            .map_or(0, |queue| queue.offer_timeout_us);
        let (offer, deadline) = (self.next_offer, at + timeout);
        self.next_offer += 1;
        let timer = self.timers.set(deadline, Timer::Offer(offer));
        self.offers.insert(Offer {
            id: offer,
            contact: id,
            agent,
            deadline,
            timer,
        });
        self.go(id, Step::Offer, ContactState::Offered { offer, agent });
        let holder = self.agents.of(agent);
        holder.offers.push(offer);
        holder.counters.receives();
        holder.last_offer = offer;
        holder.hold(channel, weight);
        self.place_agents();
        self.emit(Event::OfferMade {
            at,
            offer,
            contact: id,
            channel,
            queue,
            agent,
            deadline,
        });
    }

    /// Takes an open offer off the table; the contact and the units are the caller's business.
    fn close(&mut self, id: OfferId, how: How) -> Offer {
        let offer = self
            .offers
            .remove(id)
            .expect("an offer that closes is open");
        if how != How::Expired {
            self.timers.cancel(offer.deadline, offer.timer);
        }
        self.remember_offer(&offer, how);
        self.agents.of(offer.agent).drop_offer(id);
        offer
    }

    /// The open offer of an agent; `None` = it was answered so before.
    fn answerable(
        &self,
        agent: AgentId,
        offer: OfferId,
        same: How,
    ) -> Result<Option<ContactId>, Rejection> {
        if let Some(open) = self.offers.get(offer).filter(|open| open.agent == agent) {
            return Ok(Some(open.contact));
        }
        let closed = self
            .closed
            .get(offer)
            .filter(|closed| closed.agent == agent);
        let Some(closed) = closed else {
            return refuse(Code::UnknownOffer, offer);
        };
        if closed.how == same {
            return Ok(None);
        }
        let late = LATE.iter().find(|(how, _)| *how == closed.how);
        refuse(late.map_or(Code::UnknownOffer, |(_, code)| *code), offer)
    }

    pub(crate) fn accept(&mut self, agent: AgentId, offer: OfferId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        let Some(id) = self.answerable(agent, offer, How::Accepted)? else {
            return Ok(());
        };
        let at = self.now;
        self.close(offer, How::Accepted);
        let holder = self.agents.of(agent);
        holder.misses = 0;
        holder.counters.accepts();
        if holder.has_nothing_in_hand() {
            holder.counters.idled(at.saturating_sub(holder.idle_since));
        }
        holder.add_contact(id);
        let channel = self.live(id).channel;
        self.emit(Event::OfferAccepted {
            at,
            offer,
            contact: id,
            channel,
            agent,
        });
        let config = self
            .setup
            .channel(channel)
            .expect("a live contact's channel is configured");
        if config.instant {
            self.engage(agent, id);
            return Ok(());
        }
        let deadline = at + config.connect_timeout_us;
        let timer = self.timers.set(deadline, Timer::Connecting(id));
        self.go(
            id,
            Step::Accept,
            ContactState::Connecting { agent, deadline },
        );
        self.live(id).timer = timer;
        self.emit(Event::Connecting {
            at,
            contact: id,
            channel,
            agent,
            deadline,
        });
        Ok(())
    }

    pub(crate) fn decline(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        reason: ReasonId,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        self.validate_reason(reason)?;
        let Some(id) = self.answerable(agent, offer, How::Declined)? else {
            return Ok(());
        };
        let at = self.now;
        self.close(offer, How::Declined);
        let channel = self.live(id).channel;
        self.emit(Event::OfferDeclined {
            at,
            offer,
            contact: id,
            channel,
            agent,
            reason,
        });
        self.unanswered(agent, id);
        Ok(())
    }

    /// The deadline of an offer has come.
    pub(crate) fn expire(&mut self, offer: OfferId) {
        let at = self.now;
        let Offer {
            contact: id, agent, ..
        } = self.close(offer, How::Expired);
        let channel = self.live(id).channel;
        self.emit(Event::OfferExpired {
            at,
            offer,
            contact: id,
            channel,
            agent,
        });
        let limit = self.setup.config.miss_limit;
        let holder = self.agents.of(agent);
        holder.misses = holder.misses.saturating_add(1);
        let misses = holder.misses;
        if limit > 0 && misses >= limit && !holder.locked {
            holder.locked = true;
            self.emit(Event::AgentLocked { at, agent, misses });
        }
        self.unanswered(agent, id);
    }

    /// What declined and expired have in common.
    fn unanswered(&mut self, agent: AgentId, id: ContactId) {
        let now = self.now;
        let contact = self.live(id);
        contact.add_attempted(agent);
        let (channel, weight) = (contact.channel, contact.weight);
        let holder = self.agents.of(agent);
        holder.give_back(channel, weight);
        holder.idle_since = now;
        self.release(agent, Idle::Starts);
        self.send_back(id, QueuedCause::OfferEnded);
    }

    /// Takes an open offer back; the contact stays where it is until the caller moves it.
    pub(crate) fn withdraw(&mut self, offer: OfferId, cause: WithdrawnCause) -> ContactId {
        let at = self.now;
        let Offer {
            contact: id, agent, ..
        } = self.close(offer, How::Withdrawn);
        let contact = self.live(id);
        let (channel, weight) = (contact.channel, contact.weight);
        self.agents.of(agent).give_back(channel, weight);
        self.emit(Event::OfferWithdrawn {
            at,
            offer,
            contact: id,
            channel,
            agent,
            cause,
        });
        id
    }

    /// Takes back every open offer of an agent who leaves or pauses.
    pub(crate) fn withdraw_all(&mut self, agent: AgentId) {
        for offer in self.agents.of(agent).offers.clone() {
            let id = self.withdraw(offer, WithdrawnCause::AgentLeft);
            self.send_back(id, QueuedCause::OfferEnded);
        }
    }
}
