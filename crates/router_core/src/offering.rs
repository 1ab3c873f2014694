//! Offers come and go: made, accepted, declined, expired, withdrawn.

use crate::contact::Step;
use crate::event::{Event, InvitationEnd, QueuedCause, WithdrawnCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId, OfferId, ReasonId};
use crate::offer::{How, LATE, Offer, Purpose};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::timer::Timer;
use crate::view::ContactState;

impl Router {
    /// Takes an open offer off the table; the contact's stage, and that the agent has it no longer,
    /// are the caller's business.
    pub(crate) fn close(&mut self, id: OfferId, how: How) -> Offer {
        let offer = self
            .offers
            .remove(id)
            .expect("an offer that closes is open");
        if how != How::Expired {
            self.timers.cancel(offer.deadline, offer.timer);
        }
        self.remember_offer(&offer, how);
        match offer.purpose {
            Purpose::Serve => self.stop_ringing(offer.contact, id),
            Purpose::Join => {
                let invitations = &mut self.live(offer.contact).several_mut().invitations;
                invitations.retain(|&open| open != id);
            }
        }
        offer
    }

    /// The open offer of an agent; `None` = it was answered so before.
    fn answerable(
        &self,
        agent: AgentId,
        offer: OfferId,
        same: How,
    ) -> Result<Option<Purpose>, Rejection> {
        if let Some(open) = self.offers.get(offer).filter(|open| open.agent == agent) {
            return Ok(Some(open.purpose));
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
        match self.answerable(agent, offer, How::Accepted)? {
            Some(Purpose::Serve) => self.take(offer),
            Some(Purpose::Join) => self.join(offer),
            None => {}
        }
        Ok(())
    }

    /// The agent has accepted: the contact is in its hands.
    pub(crate) fn take(&mut self, offer: OfferId) {
        let at = self.now;
        let Offer {
            contact: id, agent, ..
        } = self.close(offer, How::Accepted);
        let holder = self.agents.of(agent);
        holder.drop_offer(offer);
        holder.misses = 0;
        holder.counters.accepts();
        if holder.has_nothing_in_hand() {
            holder.counters.idled(at.saturating_sub(holder.idle_since));
        }
        holder.add_contact(id);
        let channel = self.contacts.get(id).map_or(0, |contact| contact.channel);
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
        let (instant, timeout) = (config.instant, config.connect_timeout_us);
        // Only what is interruptible lets an exclusive contact come beside it, now that it rings no more.
        if config.interruptible {
            self.dirty.agent(agent);
        }
        self.withdraw_others(id);
        if instant {
            self.engage(agent, id);
            return;
        }
        let deadline = at + timeout;
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
    }

    pub(crate) fn decline(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        reason: ReasonId,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        self.validate_reason(reason)?;
        match self.answerable(agent, offer, How::Declined)? {
            Some(Purpose::Serve) => self.refuse_offer(offer, reason),
            Some(Purpose::Join) => self.uninvite(offer, InvitationEnd::Declined),
            None => {}
        }
        Ok(())
    }

    fn refuse_offer(&mut self, offer: OfferId, reason: ReasonId) {
        let at = self.now;
        let Offer {
            contact: id, agent, ..
        } = self.close(offer, How::Declined);
        let channel = self.live(id).channel;
        self.agents.of(agent).drop_offer(offer);
        self.emit(Event::OfferDeclined {
            at,
            offer,
            contact: id,
            channel,
            agent,
            reason,
        });
        self.unanswered(agent, id, Idle::Starts);
    }

    /// The deadline of an offer has come.
    pub(crate) fn expire(&mut self, offer: OfferId) {
        if self.purpose_of(offer) == Purpose::Join {
            self.uninvite(offer, InvitationEnd::Expired);
            return;
        }
        let at = self.now;
        let Offer {
            contact: id, agent, ..
        } = self.close(offer, How::Expired);
        let channel = self.live(id).channel;
        self.agents.of(agent).drop_offer(offer);
        self.emit(Event::OfferExpired {
            at,
            offer,
            contact: id,
            channel,
            agent,
        });
        if self.rings(id) || self.rings_all(id) {
            self.unanswered(agent, id, Idle::GoesOn);
            return;
        }
        let limit = self.setup.config.miss_limit;
        let holder = self.agents.of(agent);
        holder.misses = holder.misses.saturating_add(1);
        let misses = holder.misses;
        if limit > 0 && misses >= limit && !holder.locked {
            self.agents.coming_or_going(agent).locked = true;
            self.emit(Event::AgentLocked { at, agent, misses });
        }
        self.unanswered(agent, id, Idle::Starts);
    }

    /// What declined and expired have in common.
    fn unanswered(&mut self, agent: AgentId, id: ContactId, idle: Idle) {
        let now = self.now;
        let contact = self.live(id);
        contact.add_attempted(agent);
        let wishes = contact.wishes();
        wishes.unanswered = wishes.unanswered.saturating_add(1);
        let (channel, weight) = (contact.channel, contact.weight);
        let holder = self.agents.of(agent);
        holder.give_back(channel, weight);
        if idle == Idle::Starts {
            holder.idle_since = now;
        }
        self.release(agent, idle);
        if self.back_unless_rings(id, QueuedCause::OfferEnded) {
            self.overflow_unanswered(id);
        }
    }

    /// Takes an open offer back; the contact stays where it is until the caller moves it.
    pub(crate) fn withdraw(&mut self, offer: OfferId, cause: WithdrawnCause) -> Offer {
        let at = self.now;
        let closed = self.close(offer, How::Withdrawn);
        let (id, agent) = (closed.contact, closed.agent);
        let contact = self.live(id);
        let (channel, weight) = (contact.channel, contact.weight);
        let holder = self.agents.of(agent);
        holder.drop_offer(offer);
        holder.give_back(channel, weight);
        self.emit(Event::OfferWithdrawn {
            at,
            offer,
            contact: id,
            channel,
            agent,
            cause,
        });
        closed
    }

    /// Takes back offers and invitations, one after the other; a contact goes back with its last.
    pub(crate) fn take_back(
        &mut self,
        offers: Vec<OfferId>,
        cause: WithdrawnCause,
        queued: QueuedCause,
    ) {
        for offer in offers {
            match self.purpose_of(offer) {
                Purpose::Serve => {
                    let id = self.withdraw(offer, cause).contact;
                    self.back_unless_rings(id, queued);
                }
                Purpose::Join => self.uninvite(offer, InvitationEnd::Withdrawn),
            }
        }
    }

    /// Whether the contact waits again.
    fn back_unless_rings(&mut self, id: ContactId, cause: QueuedCause) -> bool {
        let waits = !self.rings(id);
        waits && self.send_back(id, cause)
    }

    fn purpose_of(&self, offer: OfferId) -> Purpose {
        let open = self.offers.get(offer);
        open.map_or(Purpose::Serve, |open| open.purpose)
    }
}
