//! What agents do with engaged contacts: end them, pass them on, wrap up.

use crate::agent::WrapUp;
use crate::config::QUEUE_WRAP_UP;
use crate::contact::{Stage, Step, assert_move};
use crate::demand::{Demand, Requirement};
use crate::event::{EndedBy, Event, QueuedCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ChannelId, ContactId, QueueId, TargetId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::setup::Setup;
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::ContactState;
use crate::wishes::Wishes;

/// An engaged contact, as it leaves the hands of whoever serves it.
pub(crate) struct InHand {
    pub(crate) contact: ContactId,
    pub(crate) agent: AgentId,
    pub(crate) since: Micros,
    pub(crate) queue: QueueId,
    pub(crate) channel: ChannelId,
    /// What it holds; 0 when it is parked.
    pub(crate) units: u32,
    /// They were taken without asking for room.
    pub(crate) unasked: bool,
    /// Something may have to be dissolved: somebody else is in it, or invited.
    pub(crate) has_company: bool,
}

impl Setup {
    /// The agent's own wrap-up time, or else the queue's.
    fn wrap_up_lasts(&self, position: u32, queue: QueueId) -> Micros {
        let config = self.config.agents.get(position as usize);
        match config.map_or(QUEUE_WRAP_UP, |config| config.wrap_up_us) {
            QUEUE_WRAP_UP => self.queue(queue).map_or(0, |queue| queue.wrap_up_us),
            own => own,
        }
    }
}

impl Router {
    /// Whether the agent has the contact engaged.
    pub(crate) fn engaged_with(
        &self,
        agent: AgentId,
        contact: ContactId,
    ) -> Result<bool, Rejection> {
        match self.contacts.get(contact).map(|live| live.state) {
            Some(ContactState::Engaged { agent: holder, .. }) if holder == agent => Ok(true),
            Some(ContactState::Connecting { agent: holder, .. }) if holder == agent => {
                refuse(Code::WrongState, contact)
            }
            _ => Ok(false),
        }
    }

    fn was_last_with(&self, agent: AgentId, contact: ContactId) -> bool {
        self.ended
            .get(contact)
            .is_some_and(|ended| ended.last_agent == agent)
    }

    pub(crate) fn end(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if self.engaged_with(agent, contact)? {
            self.end_engaged(agent, contact, EndedBy::Agent);
        } else if !self.was_last_with(agent, contact) {
            return refuse(Code::UnknownContact, contact);
        }
        Ok(())
    }

    /// An engaged contact is over.
    pub(crate) fn end_engaged(&mut self, agent: AgentId, id: ContactId, by: EndedBy) {
        let was = self.in_hand(id);
        self.emit(Event::Ended {
            at: self.now,
            contact: id,
            channel: was.channel,
            queue: was.queue,
            agent,
            by,
        });
        if was.has_company {
            self.dissolve(id, by);
        }
        self.finish(id, Step::End, agent);
        self.wrap_up(was);
    }

    /// What an engaged contact is to whoever serves it.
    pub(crate) fn in_hand(&self, id: ContactId) -> InHand {
        let contact = self.contacts.get(id).expect("what is in hand is live");
        let ContactState::Engaged { agent, since } = contact.state else {
            unreachable!("only an engaged contact leaves an agent's hands served");
        };
        InHand {
            contact: id,
            agent,
            since,
            queue: contact.queue,
            channel: contact.channel,
            units: contact.units(),
            unasked: contact.several().unparked || contact.may_exceed(agent),
            has_company: contact.several.is_some(),
        }
    }

    /// The contact has left the agent's hands: after-contact work, or free at once.
    pub(crate) fn wrap_up(&mut self, was: InHand) {
        let at = self.now;
        let InHand {
            contact,
            agent,
            channel,
            units,
            ..
        } = was;
        let slot = self.agents.slot_of(agent);
        let holder = self.agents.in_slot(slot);
        let engaged = at.saturating_sub(was.since);
        holder.drop_contact(contact);
        holder.counters.talked(engaged);
        let lasts = self.setup.wrap_up_lasts(holder.position, was.queue);
        self.calibrations.handled(was.queue, engaged + lasts);
        if lasts == 0 {
            holder.give_back(channel, units);
            self.release_at(slot, agent, Idle::Starts);
            return;
        }
        let deadline = at + lasts;
        let timer = self.timers.set(deadline, Timer::WrapUp(agent));
        holder.wrap_ups.push(WrapUp {
            contact,
            channel,
            weight: units,
            deadline,
            timer,
            unasked: was.unasked,
        });
        self.emit(Event::WrapUpStarted {
            at,
            agent,
            contact,
            channel,
            deadline,
        });
    }

    pub(crate) fn end_wrap_up(
        &mut self,
        agent: AgentId,
        contact: ContactId,
    ) -> Result<(), Rejection> {
        let Some(known) = self.agents.get(agent) else {
            return refuse(Code::UnknownAgent, agent);
        };
        if let Some(wrap) = known
            .wrap_ups
            .iter()
            .find(|wrap| wrap.contact == contact)
            .copied()
        {
            self.timers.cancel(wrap.deadline, wrap.timer);
            self.finish_wrap_up(agent, wrap.timer, EndedBy::Agent);
        } else if !self.was_last_with(agent, contact) {
            return refuse(Code::UnknownContact, contact);
        }
        Ok(())
    }

    /// A wrap-up is over; its timer is off already.
    pub(crate) fn finish_wrap_up(&mut self, agent: AgentId, timer: u64, by: EndedBy) {
        let at = self.now;
        let slot = self.agents.slot_of(agent);
        let known = self.agents.in_slot(slot);
        let index = known.wrap_ups.iter().position(|wrap| wrap.timer == timer);
        let wrap = known
            .wrap_ups
            .remove(index.expect("a wrap-up's timer has its wrap-up"));
        known.give_back(wrap.channel, wrap.weight);
        let WrapUp {
            contact, channel, ..
        } = wrap;
        self.emit(Event::WrapUpEnded {
            at,
            agent,
            contact,
            channel,
            by,
        });
        self.release_at(slot, agent, Idle::Starts);
    }

    pub(crate) fn transfer(
        &mut self,
        agent: AgentId,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        demand: Demand,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if self.was_passed_on_by(agent, id) {
            return Ok(());
        }
        if !self.engaged_with(agent, id)? {
            return refuse(Code::UnknownContact, id);
        }
        let domain = self.domain_of_contact(id);
        self.validate_place(domain, queue, head_start_us, true)?;
        self.validate_demand(&demand)?;
        self.live(id).passed_on_by = agent;
        self.pass_on(id, queue, head_start_us, demand, EndedBy::Agent);
        Ok(())
    }

    /// Whether the agent has transferred the contact before, and nobody has it back by that agent.
    fn was_passed_on_by(&self, agent: AgentId, id: ContactId) -> bool {
        self.contacts.get(id).is_some_and(|contact| {
            let back =
                matches!(contact.state, ContactState::Engaged { agent: by, .. } if by == agent);
            contact.passed_on_by == agent && !back
        })
    }

    /// A supervisor passes an engaged contact on.
    pub(crate) fn move_contact(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Requirement,
    ) -> Result<(), Rejection> {
        self.engaged_anywhere(id)?;
        let domain = self.domain_of_contact(id);
        self.validate_place(domain, queue, head_start_us, true)?;
        self.setup.validate_requirement(&requires)?;
        self.live(id).passed_on_by = 0;
        let demand = Demand {
            requires,
            ..Demand::default()
        };
        self.pass_on(id, queue, head_start_us, demand, EndedBy::Supervisor);
        Ok(())
    }

    /// An engaged contact goes to another queue.
    fn pass_on(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        demand: Demand,
        by: EndedBy,
    ) {
        let was = self.in_hand(id);
        let agent = was.agent;
        self.emit(Event::Transferred {
            at: self.now,
            contact: id,
            channel: was.channel,
            agent,
            from_queue: was.queue,
            to_queue: queue,
            by,
        });
        if was.has_company {
            self.dissolve(id, by);
        }
        self.wrap_up(was);
        self.requeue(id, queue, head_start_us, demand, agent);
    }

    pub(crate) fn transfer_out(
        &mut self,
        agent: AgentId,
        id: ContactId,
        target: TargetId,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if !self.engaged_with(agent, id)? {
            return if self.was_last_with(agent, id) {
                Ok(())
            } else {
                refuse(Code::UnknownContact, id)
            };
        }
        if !self.setup.knows_target(target) {
            return refuse(Code::UnknownTarget, target);
        }
        let at = self.now;
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        self.emit(Event::TransferredOut {
            at,
            contact: id,
            channel,
            queue,
            agent,
            target,
        });
        self.end_engaged(agent, id, EndedBy::Agent);
        Ok(())
    }

    /// A transferred contact stands in its new queue, at a new place, in tier 1.
    fn requeue(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        mut demand: Demand,
        from: AgentId,
    ) {
        assert_move(self.leave_stage(id), Step::Transfer, Stage::Waiting);
        let contact = self.live(id);
        let (channel, weight, old_class) = (contact.channel, contact.weight, contact.class);
        let (class, asks) = self.class_for(queue, channel, weight, &mut demand);
        self.floor.drop_contact(old_class);
        self.floor.add_contact(class);
        let (now, sequence) = (self.now, self.next_sequence);
        self.next_sequence += 1;
        let contact = self.live(id);
        contact.queue = queue;
        contact.class = class;
        contact.asks = asks;
        let hops = contact.hops();
        contact.wishes = Wishes::of(demand, now);
        if hops > 0 {
            contact.wishes().hops = hops;
        }
        contact.head_start_us = head_start_us;
        contact.tier = 1;
        contact.enqueued_at = now;
        contact.sequence = sequence;
        contact.attempted = vec![from];
        self.get_in(id);
        self.enter_stage(id, ContactState::Waiting);
        self.emit_queued(id, QueuedCause::Transfer);
        self.queued = (id, queue);
        self.note_entered(id, class);
    }
}
