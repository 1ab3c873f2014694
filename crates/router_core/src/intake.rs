//! What channels say: a contact has come in, has left, is connected, could not be connected.

use crate::config::{MAX_HEAD_START_US, MAX_REQUIREMENT, MAX_WEIGHT, SkillLevel};
use crate::contact::{Contact, Ended, KnownKey, Stage, Step, assert_move};
use crate::event::{BlockedCause, EndedBy, Event, QueuedCause, WithdrawnCause};
use crate::flow::Idle;
use crate::ids::{ArrivalKey, ChannelId, ContactId, QueueId};
use crate::offer::How;
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::time::Micros;
use crate::view::{ContactState, Outcome};

/// The fields of `arrive`.
pub(crate) struct Request {
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) queue: QueueId,
    pub(crate) head_start_us: Micros,
    pub(crate) weight: u32,
    pub(crate) requires: Vec<SkillLevel>,
}

impl Router {
    pub(crate) fn arrive(&mut self, request: Request) -> Result<u64, Rejection> {
        if self.setup.channel(request.channel).is_none() {
            return refuse(Code::UnknownChannel, request.channel);
        }
        if let Some(known) = self.keys.get(request.key) {
            return Ok(known.contact);
        }
        self.validate_place(request.queue, request.head_start_us)?;
        if !(1..=MAX_WEIGHT).contains(&request.weight) {
            return refuse(Code::BadWeight, request.weight);
        }
        self.validate_requirement(&request.requires)?;
        if self.contacts.len() >= self.limits.max_contacts as usize {
            return refuse(Code::TooManyContacts, self.limits.max_contacts);
        }
        Ok(self.admit(request))
    }

    /// The queue and the head start of an arrival or a transfer.
    pub(crate) fn validate_place(
        &self,
        queue: QueueId,
        head_start_us: Micros,
    ) -> Result<(), Rejection> {
        if self.setup.queue(queue).is_none() {
            return refuse(Code::UnknownQueue, queue);
        }
        if head_start_us > MAX_HEAD_START_US {
            return refuse(Code::BadHeadStart, head_start_us);
        }
        Ok(())
    }

    /// A contact's own requirement.
    pub(crate) fn validate_requirement(&self, requires: &[SkillLevel]) -> Result<(), Rejection> {
        if requires.len() > MAX_REQUIREMENT {
            return refuse(Code::BadRequirement, requires.len() as u64);
        }
        let mut last = 0;
        for need in requires {
            if !self.setup.knows_skill(need.skill) {
                return refuse(Code::UnknownSkill, need.skill);
            }
            if !(1..=100).contains(&need.level) {
                return refuse(Code::BadLevel, need.level);
            }
            if need.skill <= last {
                return refuse(Code::BadRequirement, need.skill);
            }
            last = need.skill;
        }
        Ok(())
    }

    /// A valid arrival: it is queued, or blocked where there is neither room nor an agent.
    fn admit(&mut self, request: Request) -> ContactId {
        let Request {
            channel,
            key,
            queue,
            weight,
            ..
        } = request;
        let (at, id) = (self.now, self.next_contact);
        self.next_contact += 1;
        self.keys.insert(KnownKey { key, contact: id });
        self.emit(Event::Arrived {
            at,
            contact: id,
            channel,
            key,
            queue,
            weight,
        });
        let (class, requires) = self.class_for(queue, channel, weight, request.requires);
        if let Some(cause) = self.no_room(queue, class) {
            self.emit(Event::Blocked {
                at,
                contact: id,
                channel,
                queue,
                cause,
            });
            assert_move(Stage::New, Step::Block, Stage::Over);
            let (outcome, last_agent) = (Outcome::Blocked, 0);
            self.ended.insert(Ended {
                id,
                channel,
                key,
                outcome,
                last_agent,
                ended_at: at,
            });
            return id;
        }
        assert_move(Stage::New, Step::Queue, Stage::Waiting);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.floor.add_contact(class);
        let request = Request {
            requires,
            ..request
        };
        self.contacts
            .insert(Contact::new(id, request, at, sequence, class));
        self.enter_stage(id, ContactState::Waiting);
        self.emit_queued(id, QueuedCause::Arrival);
        id
    }

    /// Why an arrival must be blocked, if it must.
    fn no_room(&mut self, queue: QueueId, class: u32) -> Option<BlockedCause> {
        let limit = self.setup.queue(queue)?.max_waiting;
        let cause = if reached(self.queues.of(queue).waiting, limit) {
            BlockedCause::QueueFull
        } else if reached(self.queues.waiting(), self.setup.config.max_waiting) {
            BlockedCause::SiteFull
        } else {
            return None;
        };
        self.place_agents();
        self.floor.best_agent(class, &[]).is_none().then_some(cause)
    }

    /// The live contact of a channel; `None` = it is over and still remembered.
    fn on_channel(
        &self,
        channel: ChannelId,
        contact: ContactId,
    ) -> Result<Option<ContactState>, Rejection> {
        if self.setup.channel(channel).is_none() {
            return refuse(Code::UnknownChannel, channel);
        }
        if let Some(live) = self
            .contacts
            .get(contact)
            .filter(|live| live.channel == channel)
        {
            return Ok(Some(live.state));
        }
        match self
            .ended
            .get(contact)
            .filter(|ended| ended.channel == channel)
        {
            Some(_) => Ok(None),
            None => refuse(Code::UnknownContact, contact),
        }
    }

    pub(crate) fn abandon(&mut self, channel: ChannelId, id: ContactId) -> Result<(), Rejection> {
        let Some(state) = self.on_channel(channel, id)? else {
            return Ok(());
        };
        let (at, contact, queue) = (self.now, id, self.live(id).queue);
        let gone = Event::Abandoned {
            at,
            contact,
            channel,
            queue,
        };
        match state {
            ContactState::Engaged { agent, .. } => self.end_engaged(agent, id, EndedBy::Customer),
            _ => self.leave_unserved(id, WithdrawnCause::Abandoned, Step::Abandon, gone),
        }
        Ok(())
    }

    /// A contact is over before anyone was engaged: its customer left, or a supervisor released it.
    pub(crate) fn leave_unserved(
        &mut self,
        id: ContactId,
        cause: WithdrawnCause,
        step: Step,
        gone: Event,
    ) {
        let contact = self.live(id);
        let (channel, weight, timer) = (contact.channel, contact.weight, contact.timer);
        match contact.state {
            ContactState::Waiting => {
                self.emit(gone);
                self.finish(id, step, 0);
            }
            ContactState::Offered { offer, agent } => {
                self.withdraw(offer, cause);
                self.emit(gone);
                self.finish(id, step, 0);
                self.release(agent, Idle::GoesOn);
            }
            ContactState::Connecting { agent, deadline } => {
                self.timers.cancel(deadline, timer);
                self.emit(gone);
                self.finish(id, step, agent);
                let holder = self.agents.of(agent);
                holder.drop_contact(id);
                holder.give_back(channel, weight);
                self.release(agent, Idle::GoesOn);
            }
            ContactState::Engaged { .. } => unreachable!("an engaged contact is served"),
        }
    }

    pub(crate) fn connected(&mut self, channel: ChannelId, id: ContactId) -> Result<(), Rejection> {
        match self.on_channel(channel, id)? {
            Some(ContactState::Engaged { .. }) => Ok(()),
            Some(ContactState::Connecting { agent, deadline }) => {
                let timer = self.live(id).timer;
                self.timers.cancel(deadline, timer);
                self.engage(agent, id);
                Ok(())
            }
            _ => refuse(Code::WrongState, id),
        }
    }

    pub(crate) fn connect_failed(
        &mut self,
        channel: ChannelId,
        id: ContactId,
    ) -> Result<(), Rejection> {
        let Some(ContactState::Connecting { deadline, .. }) = self.on_channel(channel, id)? else {
            return refuse(Code::WrongState, id);
        };
        let timer = self.live(id).timer;
        self.timers.cancel(deadline, timer);
        self.back_from_connecting(id, EndedBy::Customer);
        Ok(())
    }

    /// A connecting contact goes back to its place; its timer is off already.
    pub(crate) fn back_from_connecting(&mut self, id: ContactId, by: EndedBy) {
        let at = self.now;
        let contact = self.live(id);
        let ContactState::Connecting { agent, .. } = contact.state else {
            unreachable!("a connecting timer runs only while connecting");
        };
        contact.add_attempted(agent);
        let (channel, weight) = (contact.channel, contact.weight);
        self.emit(Event::ConnectFailed {
            at,
            contact: id,
            channel,
            agent,
            by,
        });
        let holder = self.agents.of(agent);
        holder.drop_contact(id);
        holder.give_back(channel, weight);
        self.release(agent, Idle::GoesOn);
        self.send_back(id, QueuedCause::ConnectFailed);
    }

    /// Customer and agent are talking.
    pub(crate) fn engage(&mut self, agent: u32, id: ContactId) {
        let at = self.now;
        let channel = self.live(id).channel;
        self.go(
            id,
            Step::Connect,
            ContactState::Engaged { agent, since: at },
        );
        self.emit(Event::Engaged {
            at,
            contact: id,
            channel,
            agent,
        });
    }

    /// An offer has ended; how is remembered for a late answer.
    pub(crate) fn remember_offer(&mut self, offer: &crate::offer::Offer, how: How) {
        let crate::offer::Offer {
            id, contact, agent, ..
        } = *offer;
        let closed_at = self.now;
        self.closed.insert(crate::offer::ClosedOffer {
            id,
            contact,
            agent,
            how,
            closed_at,
        });
        if self.closed.len() > self.limits.max_remembered_offers as usize {
            self.closed.forget_oldest();
        }
    }
}

fn reached(waiting: u32, limit: u32) -> bool {
    limit != crate::config::NO_LIMIT && waiting >= limit
}
