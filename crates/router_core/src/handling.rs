//! What agents do with engaged contacts: end them, pass them on, wrap up.

use crate::agent::WrapUp;
use crate::config::SkillLevel;
use crate::contact::{Stage, Step, assert_move};
use crate::event::{EndedBy, Event, QueuedCause};
use crate::flow::Idle;
use crate::ids::{AgentId, ContactId, QueueId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::ContactState;

impl Router {
    /// Whether the agent has the contact engaged.
    fn engaged_with(&self, agent: AgentId, contact: ContactId) -> Result<bool, Rejection> {
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
        let at = self.now;
        let contact = self.live(id);
        let (channel, queue, weight) = (contact.channel, contact.queue, contact.weight);
        let engaged_at = contact.engaged_at();
        self.emit(Event::Ended {
            at,
            contact: id,
            channel,
            queue,
            agent,
            by,
        });
        self.finish(id, Step::End, agent);
        self.wrap_up(agent, id, queue, channel, weight, engaged_at);
    }

    /// The contact has left the agent's hands: after-contact work, or free at once.
    fn wrap_up(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        queue: QueueId,
        channel: u32,
        weight: u32,
        engaged_at: Micros,
    ) {
        let at = self.now;
        let lasts = self.setup.queue(queue).map_or(0, |queue| queue.wrap_up_us);
        let holder = self.agents.of(agent);
        holder.drop_contact(contact);
        holder.counters.talked(at.saturating_sub(engaged_at));
        if lasts == 0 {
            self.agents.of(agent).give_back(channel, weight);
            self.release(agent, Idle::Starts);
            return;
        }
        let deadline = at + lasts;
        let timer = self.timers.set(deadline, Timer::WrapUp(agent));
        self.agents.of(agent).wrap_ups.push(WrapUp {
            contact,
            channel,
            weight,
            deadline,
            timer,
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
        let known = self.agents.of(agent);
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
        self.release(agent, Idle::Starts);
    }

    pub(crate) fn transfer(
        &mut self,
        agent: AgentId,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Vec<SkillLevel>,
    ) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if !self.engaged_with(agent, id)? {
            return refuse(Code::UnknownContact, id);
        }
        self.validate_place(queue, head_start_us)?;
        self.validate_requirement(&requires)?;
        let at = self.now;
        let contact = self.live(id);
        let (channel, from_queue, weight) = (contact.channel, contact.queue, contact.weight);
        let engaged_at = contact.engaged_at();
        let to_queue = queue;
        self.emit(Event::Transferred {
            at,
            contact: id,
            channel,
            agent,
            from_queue,
            to_queue,
        });
        self.wrap_up(agent, id, from_queue, channel, weight, engaged_at);
        self.requeue(id, queue, head_start_us, requires, agent);
        Ok(())
    }

    /// A transferred contact stands in its new queue, at a new place, in tier 1.
    fn requeue(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Vec<SkillLevel>,
        from: AgentId,
    ) {
        assert_move(self.leave_stage(id), Step::Transfer, Stage::Waiting);
        let contact = self.live(id);
        let (channel, weight, old_class) = (contact.channel, contact.weight, contact.class);
        let (class, requires) = self.class_for(queue, channel, weight, requires);
        self.floor.drop_contact(old_class);
        self.floor.add_contact(class);
        let (now, sequence) = (self.now, self.next_sequence);
        self.next_sequence += 1;
        let contact = self.live(id);
        contact.queue = queue;
        contact.class = class;
        contact.requires = requires;
        contact.head_start_us = head_start_us;
        contact.tier = 1;
        contact.enqueued_at = now;
        contact.sequence = sequence;
        contact.attempted = vec![from];
        self.enter_stage(id, ContactState::Waiting);
        self.emit_queued(id, QueuedCause::Transfer);
    }
}
