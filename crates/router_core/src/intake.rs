//! What channels say: a contact has come in, has left, is connected, could not be connected.

use crate::class::ClassKey;
use crate::config::{HoursState, MAX_HEAD_START_US, MAX_WEIGHT};
use crate::contact::{Contact, Stage, Step, assert_move};
use crate::demand::{Asks, Demand, Terms};
use crate::event::{EndedBy, Event, QueuedCause, WithdrawnCause};
use crate::flow::{Idle, queued};
use crate::ids::{AgentId, ArrivalKey, ChannelId, ContactId, DomainId, QueueId};
use crate::offer::How;
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::time::Micros;
use crate::view::ContactState;

/// The fields of `arrive`.
pub(crate) struct Request {
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) queue: QueueId,
    pub(crate) head_start_us: Micros,
    pub(crate) weight: u32,
    pub(crate) demand: Demand,
    pub(crate) terms: Terms,
}

impl Router {
    pub(crate) fn arrive(&mut self, request: Request) -> Result<u64, Rejection> {
        let Some(channel) = self.setup.channel(request.channel) else {
            return refuse(Code::UnknownChannel, request.channel);
        };
        let domain = channel.domain;
        if let Some(contact) = self.known(&request.key) {
            return Ok(contact);
        }
        self.validate_place(domain, request.queue, request.head_start_us, false)?;
        if !(1..=MAX_WEIGHT).contains(&request.weight) {
            return refuse(Code::BadWeight, request.weight);
        }
        self.validate_demand(&request.demand)?;
        self.validate_terms(&request.terms)?;
        if self.contacts.len() >= self.limits.max_contacts as usize {
            return refuse(Code::TooManyContacts, self.limits.max_contacts);
        }
        Ok(self.admit(request))
    }

    /// The contact that an arrival key belongs to, live or over.
    pub(crate) fn known(&self, key: &ArrivalKey) -> Option<ContactId> {
        self.keys.find(key, |id| {
            let live = self.contacts.get(id).map(|contact| &contact.key);
            let key_of = live.or_else(|| self.ended.get(id).map(|ended| &ended.key));
            key_of == Some(key)
        })
    }

    /// The queue and the head start of an arrival, a transfer or a change, from a domain; `gets_in` =
    /// only an open queue will do.
    pub(crate) fn validate_place(
        &self,
        domain: DomainId,
        queue: QueueId,
        head_start_us: Micros,
        gets_in: bool,
    ) -> Result<(), Rejection> {
        if self.setup.queue(queue).is_none() {
            return refuse(Code::UnknownQueue, queue);
        }
        self.validate_domain(domain, queue)?;
        if gets_in && self.hours.of(queue) != HoursState::Open {
            return refuse(Code::QueueClosed, queue);
        }
        if head_start_us > MAX_HEAD_START_US {
            return refuse(Code::BadHeadStart, head_start_us);
        }
        Ok(())
    }

    /// A valid arrival: it is queued, or blocked where there is neither room nor an agent, or
    /// scheduled. Where the queue is not open a rule of the queue leads it elsewhere, or it is blocked.
    fn admit(&mut self, mut request: Request) -> ContactId {
        let Request {
            channel,
            key,
            queue,
            weight,
            terms,
            ..
        } = request;
        let (at, id) = (self.now, self.next_contact);
        self.next_contact += 1;
        self.keys.insert(&key, id);
        self.emit(Event::Arrived {
            at,
            contact: id,
            channel,
            key,
            queue,
            weight,
        });
        let tier = self.setup.queue(queue).map_or(2, |queue| queue.tier);
        let enqueued_at = self.place_of(terms.place).unwrap_or(at);
        let later = terms.not_before > at;
        let door = if later {
            Some((queue, QueuedCause::Scheduled))
        } else {
            self.at_the_door(id, &request, enqueued_at)
        };
        let Some((queue, cause)) = door else {
            return id;
        };
        request.queue = queue;
        let class = self.class_for(queue, channel, weight, &mut request.demand);
        let mut contact = Contact::new(id, request, at, self.next_sequence, class);
        contact.tier = tier;
        contact.enqueued_at = enqueued_at;
        if later {
            self.schedule(contact, terms.not_before);
            return id;
        }
        if cause == QueuedCause::Overflow {
            contact.wishes().hops = 1;
        } else if let Some(cause) = self.no_room(&contact) {
            self.block(id, channel, key, queue, enqueued_at, cause);
            return id;
        }
        assert_move(Stage::New, Step::Queue, Stage::Waiting);
        self.next_sequence += 1;
        let class = contact.class;
        let every = self.setup.queue(queue).map_or(0, |queue| queue.announce_us);
        contact.announce_every(every, at);
        let event = queued(&contact, at, cause);
        self.floor.add_contact(class);
        let slot = self.contacts.insert(contact);
        self.enter_stage_at(slot, ContactState::Waiting);
        self.emit(event);
        self.use_place(terms.place);
        if terms.place == 0 {
            self.queued = (id, queue);
        }
        self.note_entered(id, class);
        id
    }

    /// The class for a demand that begins, and the word for what it asks; takes what the class has.
    pub(crate) fn class_for(
        &mut self,
        queue: QueueId,
        channel: ChannelId,
        weight: u32,
        demand: &mut Demand,
    ) -> (u32, u64) {
        let key = ClassKey {
            queue,
            channel,
            weight,
            step: 0,
            reserved: !demand.preferred.is_empty(),
            choosing: false,
            beyond: demand.beyond_capacity,
            asks: Asks::new(
                std::mem::take(&mut demand.requires),
                std::mem::take(&mut demand.prefers),
            ),
        };
        let word = key.asks.word;
        (self.floor.class_for(key, &self.setup), word)
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
        let live = self.contacts.get(id);
        let (queue, agent) = live.map_or((0, 0), |live| (live.queue, live.connecting_agent()));
        let (at, contact) = (self.now, id);
        let gone = Event::Abandoned {
            at,
            contact,
            channel,
            queue,
            agent,
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
        let at = self.now;
        let contact = self.live(id);
        let (channel, weight, timer) = (contact.channel, contact.weight, contact.timer);
        let (state, queue) = (contact.state, contact.queue);
        let waited = at.saturating_sub(contact.enqueued_at);
        if !matches!(state, ContactState::Scheduled { .. }) {
            let abandoned = step == Step::Abandon;
            self.calibrations.left(queue, id, waited, abandoned);
        }
        match state {
            ContactState::Scheduled { until } => {
                self.timers.cancel(until, timer);
                self.emit(gone);
                self.finish(id, step, 0);
            }
            ContactState::Waiting => {
                self.emit(gone);
                self.finish(id, step, 0);
            }
            ContactState::Offered { .. } => {
                let offers = self.open_offers(id).into_iter();
                let asked: Vec<AgentId> = offers
                    .map(|offer| self.withdraw(offer, cause).agent)
                    .collect();
                self.emit(gone);
                self.finish(id, step, 0);
                for agent in asked {
                    self.release(agent, Idle::GoesOn);
                }
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
            Some(ContactState::Engaged { .. }) | None => Ok(()),
            Some(ContactState::Connecting { agent, deadline }) => {
                let timer = self.live(id).timer;
                self.timers.cancel(deadline, timer);
                self.engage(agent, id);
                Ok(())
            }
            Some(_) => refuse(Code::WrongState, id),
        }
    }

    pub(crate) fn connect_failed(
        &mut self,
        channel: ChannelId,
        id: ContactId,
    ) -> Result<(), Rejection> {
        let Some(state) = self.on_channel(channel, id)? else {
            return Ok(());
        };
        let ContactState::Connecting { deadline, .. } = state else {
            if self.live(id).connect_failed {
                return Ok(());
            }
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
        // Whoever has gone is not to blame, and may be back at once.
        if by != EndedBy::Engine {
            contact.add_attempted(agent);
        }
        contact.connect_failed = true;
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
        let slot = self.slot_of(id);
        let contact = self.live_at(slot);
        let (channel, queue, since) = (contact.channel, contact.queue, contact.enqueued_at);
        contact.connect_failed = false;
        contact.several = None;
        let engaged = ContactState::Engaged { agent, since: at };
        self.go_at(slot, Step::Connect, engaged);
        self.emit(Event::Engaged {
            at,
            contact: id,
            channel,
            agent,
        });
        self.score_wait(id, channel, queue, since);
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
