//! What supervisors do with contacts: change what they wait for, release them, as the engine may.

use crate::class::ClassKey;
use crate::command::KEEP_HEAD_START;
use crate::contact::{Stage, Step, assert_move};
use crate::demand::{Asks, Requirement};
use crate::event::{EndedBy, Event, WithdrawnCause};
use crate::ids::{ContactId, QueueId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::time::Micros;
use crate::view::ContactState;

impl Router {
    /// A waiting contact gets another queue (0 = keep), head start or requirement (`None` = keep).
    pub(crate) fn change(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Option<Requirement>,
    ) -> Result<(), Rejection> {
        let Some(contact) = self.contacts.get(id) else {
            let code = match self.ended.get(id) {
                Some(_) => Code::WrongState,
                None => Code::UnknownContact,
            };
            return refuse(code, id);
        };
        if !contact.waits() {
            return refuse(Code::WrongState, id);
        }
        let queue = if queue == 0 { contact.queue } else { queue };
        let head_start_us = match head_start_us {
            KEEP_HEAD_START => contact.head_start_us,
            given => given,
        };
        let (domain, gets_in) = (self.setup.domain_of(contact.queue), queue != contact.queue);
        self.validate_place(domain, queue, head_start_us, gets_in)?;
        if let Some(requires) = &requires {
            self.setup.validate_requirement(requires)?;
        }
        let asked = &self.floor.contacts[contact.class as usize]
            .key
            .asks
            .requires;
        let same = queue == contact.queue
            && head_start_us == contact.head_start_us
            && requires.as_ref().is_none_or(|requires| requires == asked);
        if !same {
            self.put_elsewhere(id, queue, head_start_us, requires);
        }
        Ok(())
    }

    /// A waiting contact takes its new place. It goes on waiting: whom it has attempted and when
    /// it asks again stay as they are, and whom it prefers, but within their capacity. Only
    /// another queue begins with its first step.
    fn put_elsewhere(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Option<Requirement>,
    ) {
        let at = self.now;
        let mut key = self.leave_line(id);
        if let Some(requires) = requires {
            key.asks = Asks::new(requires, std::mem::take(&mut key.asks.prefers));
        }
        let contact = self.live(id);
        contact.head_start_us = head_start_us;
        if let Some(wishes) = contact.wishes.as_mut() {
            wishes.beyond_capacity = false;
        }
        let channel = contact.channel;
        self.stand_elsewhere(id, queue, key, Step::Change);
        self.emit(Event::Changed {
            at,
            contact: id,
            channel,
            queue,
            head_start_us,
        });
    }

    /// A waiting contact that has left its class stands in a queue, another one as a rule.
    pub(crate) fn stand_elsewhere(
        &mut self,
        id: ContactId,
        queue: QueueId,
        key: ClassKey,
        step: Step,
    ) {
        let contact = self.live(id);
        let (from, stage) = (contact.queue, contact.stage());
        assert_move(stage, step, Stage::Waiting);
        contact.queue = queue;
        self.end_choice(id);
        if queue != from {
            self.get_in(id);
            self.tenant_leaves(from);
            self.tenant_enters(queue);
        }
        self.calibrations.close(from, id);
        self.queues.leave(from, stage);
        self.queues.enter(queue, Stage::Waiting);
        self.enter_line(id, key);
        if queue != from {
            self.set_wake(id);
            let class = self.live(id).class;
            self.note_entered(id, class);
        }
    }

    /// Ends a contact, whatever is being done with it; one that is over already stays as it is. The
    /// engine leaves engaged ones to their agents.
    pub(crate) fn release_contact(&mut self, id: ContactId, by: EndedBy) -> Result<(), Rejection> {
        let Some(contact) = self.contacts.get(id) else {
            return match self.ended.get(id) {
                Some(_) => Ok(()),
                None => refuse(Code::UnknownContact, id),
            };
        };
        let gone = Event::Withdrawn {
            at: self.now,
            contact: id,
            channel: contact.channel,
            queue: contact.queue,
            agent: contact.connecting_agent(),
            by,
        };
        match contact.state {
            // Whose plugin is gone is still the agent's: it may have accepted in between.
            ContactState::Engaged { .. } if by == EndedBy::Engine => {
                return refuse(Code::WrongState, id);
            }
            ContactState::Engaged { agent, .. } => self.end_engaged(agent, id, by),
            _ => self.leave_unserved(id, WithdrawnCause::Released, Step::Withdraw, gone),
        }
        Ok(())
    }
}
