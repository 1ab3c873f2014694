//! What supervisors do with contacts: change what they wait for, release them.

use crate::command::KEEP_HEAD_START;
use crate::config::SkillLevel;
use crate::contact::{Stage, Step, assert_move};
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
        requires: Option<Vec<SkillLevel>>,
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
        self.validate_place(queue, head_start_us)?;
        if let Some(requires) = &requires {
            self.validate_requirement(requires)?;
        }
        let requires = requires.unwrap_or_else(|| contact.requires.clone());
        let same = queue == contact.queue
            && head_start_us == contact.head_start_us
            && requires == contact.requires;
        if !same {
            self.put_elsewhere(id, queue, head_start_us, requires);
        }
        Ok(())
    }

    /// A waiting contact takes its new place. It goes on waiting: whom it has attempted and when
    /// it asks again stay as they are.
    fn put_elsewhere(
        &mut self,
        id: ContactId,
        queue: QueueId,
        head_start_us: Micros,
        requires: Vec<SkillLevel>,
    ) {
        let at = self.now;
        let contact = self.live(id);
        let (channel, weight) = (contact.channel, contact.weight);
        let (from, old_class, place) = (contact.queue, contact.class, contact.place());
        let stage = contact.stage();
        assert_move(stage, Step::Change, Stage::Waiting);
        self.queues.leave(from, stage);
        self.floor.leave(old_class, place, id);
        let (class, requires) = self.class_for(queue, channel, weight, requires);
        self.floor.drop_contact(old_class);
        self.floor.add_contact(class);
        let contact = self.live(id);
        contact.queue = queue;
        contact.class = class;
        contact.requires = requires;
        contact.head_start_us = head_start_us;
        let place = contact.place();
        // Somebody else may be left to ask now, or nobody.
        let asks = !contact.attempted.is_empty();
        self.queues.enter(queue, Stage::Waiting);
        self.floor.enter(class, place, id);
        self.dirty.contacts.insert((place, id));
        if asks {
            self.watch.add(id);
        }
        self.emit(Event::Changed {
            at,
            contact: id,
            channel,
            queue,
            head_start_us,
        });
    }

    /// Ends a contact, whatever is being done with it; one that is over already stays as it is.
    pub(crate) fn release_contact(&mut self, id: ContactId) -> Result<(), Rejection> {
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
        };
        match contact.state {
            ContactState::Engaged { agent, .. } => self.end_engaged(agent, id, EndedBy::Supervisor),
            _ => self.leave_unserved(id, WithdrawnCause::Released, Step::Withdraw, gone),
        }
        Ok(())
    }
}
