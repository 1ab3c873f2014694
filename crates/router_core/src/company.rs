//! Several agents in one engaged contact: invited, joined, left; and who serves it instead.
//!
//! 1. An invitation is an offer to join: it holds no units, is counted nowhere and stops no offers.
//! 2. Whoever joins holds the contact's weight, beyond its capacity if need be; so does whoever
//!    takes a contact over. A participant has no wrap-up.
//! 3. Whoever serves may leave the contact to the participant who joined first.
//! 4. When the engagement is over, invitations are withdrawn and everybody leaves.

use crate::agent::Standing;
use crate::config::MAX_PARTICIPANTS;
use crate::contact::Step;
use crate::event::{EndedBy, Event, InvitationEnd};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId, OfferId};
use crate::offer::{How, Offer, Purpose};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::several::Participant;
use crate::view::ContactState;

impl Router {
    pub(crate) fn invite(
        &mut self,
        agent: AgentId,
        id: ContactId,
        invitee: AgentId,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if !self.engaged_with(agent, id)? && !self.is_participant(agent, id) {
            return refuse(Code::UnknownContact, id);
        }
        self.validate_agent(invitee)?;
        self.validate_may_serve(invitee, id)?;
        self.validate_at_work(invitee)?;
        if self.is_in(invitee, id) || self.invitation_to(invitee, id).is_some() {
            return refuse(Code::WrongState, invitee);
        }
        let at = self.now;
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        let several = contact.several();
        let company = several.participants.len() + several.invitations.len();
        if company >= MAX_PARTICIPANTS as usize {
            return refuse(Code::TooManyParticipants, MAX_PARTICIPANTS);
        }
        let timeout = self
            .setup
            .queue(queue)
            .map_or(0, |queue| queue.offer_timeout_us);
        let (offer, deadline) = self.open_offer(id, invitee, Purpose::Join, timeout);
        self.live(id).several_mut().invitations.push(offer);
        self.agents.of(invitee).invitations.push(offer);
        self.emit(Event::Invited {
            at,
            offer,
            contact: id,
            channel,
            queue,
            agent,
            invitee,
            deadline,
        });
        Ok(())
    }

    /// The agent is known, signed in and not on the way out.
    fn validate_at_work(&self, agent: AgentId) -> Result<(), Rejection> {
        match self.agents.get(agent).map(crate::agent::Agent::standing) {
            None => refuse(Code::UnknownAgent, agent),
            Some(Standing::Out | Standing::Leaving) => refuse(Code::SignedOut, agent),
            Some(Standing::NotReady | Standing::Ready) => Ok(()),
        }
    }

    fn is_participant(&self, agent: AgentId, id: ContactId) -> bool {
        let contact = self.contacts.get(id);
        contact.is_some_and(|contact| contact.several().has_in(agent))
    }

    /// Whether the agent serves the engaged contact or is a participant of it.
    fn is_in(&self, agent: AgentId, id: ContactId) -> bool {
        let state = self.contacts.get(id).map(|contact| contact.state);
        matches!(state, Some(ContactState::Engaged { agent: by, .. }) if by == agent)
            || self.is_participant(agent, id)
    }

    fn invitation_to(&self, agent: AgentId, id: ContactId) -> Option<OfferId> {
        let mut invitations = self.contacts.get(id)?.several().invitations.iter().copied();
        invitations.find(|&offer| self.offers.get(offer).is_some_and(|o| o.agent == agent))
    }

    /// The invited agent has accepted.
    pub(crate) fn join(&mut self, offer: OfferId) {
        let at = self.now;
        let Offer { contact, agent, .. } = self.close(offer, How::Accepted);
        let joined = self.live(contact);
        let (channel, weight) = (joined.channel, joined.weight);
        let participant = Participant {
            agent,
            joined_at: at,
        };
        joined.several_mut().participants.push(participant);
        let holder = self.agents.of(agent);
        holder.drop_offer(offer);
        holder.add_joined(contact);
        holder.hold(channel, weight);
        self.emit(Event::Joined {
            at,
            contact,
            channel,
            agent,
        });
    }

    /// An invitation is over, and its agent has not joined.
    pub(crate) fn uninvite(&mut self, offer: OfferId, how: InvitationEnd) {
        let at = self.now;
        let closed = match how {
            InvitationEnd::Declined => How::Declined,
            InvitationEnd::Expired => How::Expired,
            InvitationEnd::Withdrawn => How::Withdrawn,
        };
        let Offer { contact, agent, .. } = self.close(offer, closed);
        self.agents.of(agent).drop_offer(offer);
        let channel = self.live(contact).channel;
        self.emit(Event::InvitationOver {
            at,
            offer,
            contact,
            channel,
            agent,
            how,
        });
    }

    pub(crate) fn leave(&mut self, agent: AgentId, id: ContactId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if self.is_participant(agent, id) {
            self.leaves(agent, id, EndedBy::Agent);
            return Ok(());
        }
        self.serves(agent, id)?;
        if !self.hand_over(agent, id) {
            return refuse(Code::WrongState, id);
        }
        Ok(())
    }

    /// Whoever serves a contact leaves it to the participant who joined first; false = nobody has.
    pub(crate) fn hand_over(&mut self, agent: AgentId, id: ContactId) -> bool {
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        let Some(&Participant { agent: to, .. }) = contact.several().participants.first() else {
            return false;
        };
        self.emit(Event::HandedOver {
            at: self.now,
            contact: id,
            channel,
            queue,
            from_agent: agent,
            to_agent: to,
        });
        self.serve_instead(id, to);
        true
    }

    /// A participant is in the contact no longer.
    pub(crate) fn leaves(&mut self, agent: AgentId, id: ContactId, by: EndedBy) {
        let at = self.now;
        let contact = self.live(id);
        let (channel, weight) = (contact.channel, contact.weight);
        let participants = &mut contact.several_mut().participants;
        participants.retain(|one| one.agent != agent);
        let holder = self.agents.of(agent);
        holder.drop_joined(id);
        holder.give_back(channel, weight);
        self.emit(Event::Left {
            at,
            contact: id,
            channel,
            agent,
            by,
        });
        self.release(agent, Idle::Starts);
    }

    /// The engagement is over: nobody is invited any more, and every participant leaves.
    pub(crate) fn dissolve(&mut self, id: ContactId, by: EndedBy) {
        let contact = self.contacts.get(id);
        let Some(several) = contact.and_then(|contact| contact.several.clone()) else {
            return;
        };
        for offer in several.invitations {
            self.uninvite(offer, InvitationEnd::Withdrawn);
        }
        for participant in several.participants {
            self.leaves(participant.agent, id, by);
        }
    }

    pub(crate) fn take_over(&mut self, agent: AgentId, id: ContactId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        let from = self.engaged_anywhere(id)?;
        self.validate_may_serve(agent, id)?;
        self.validate_at_work(agent)?;
        if from == agent {
            return Ok(());
        }
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        self.emit(Event::TakenOver {
            at: self.now,
            contact: id,
            channel,
            queue,
            from_agent: from,
            to_agent: agent,
        });
        if let Some(offer) = self.invitation_to(agent, id) {
            self.uninvite(offer, InvitationEnd::Withdrawn);
        }
        self.serve_instead(id, agent);
        Ok(())
    }

    /// Who serves an engaged contact, for a supervisor.
    pub(crate) fn engaged_anywhere(&self, id: ContactId) -> Result<AgentId, Rejection> {
        match self.contacts.get(id).map(|contact| contact.state) {
            Some(ContactState::Engaged { agent, .. }) => Ok(agent),
            Some(_) => refuse(Code::WrongState, id),
            None if self.ended.get(id).is_some() => refuse(Code::WrongState, id),
            None => refuse(Code::UnknownContact, id),
        }
    }

    /// Another agent serves an engaged contact from now on; whoever did has its wrap-up.
    fn serve_instead(&mut self, id: ContactId, to: AgentId) {
        let since = self.now;
        let was = self.in_hand(id);
        let was_in = self.is_participant(to, id);
        let next = ContactState::Engaged { agent: to, since };
        self.go(id, Step::HandOver, next);
        let contact = self.live(id);
        let weight = contact.weight;
        let several = contact.several_mut();
        several.participants.retain(|one| one.agent != to);
        several.on_hold = false;
        several.parked = false;
        several.unparked = true;
        let holder = self.agents.of(to);
        holder.drop_joined(id);
        holder.add_contact(id);
        if !was_in {
            holder.hold(was.channel, weight);
        }
        self.wrap_up(was);
    }
}
