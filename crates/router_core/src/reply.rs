//! Deadlines for a reply: channels on which nobody may write to the customer after some time.
//!
//! 1. A margin before it, a waiting contact goes to tier 1, unless it stands there or before.
//! 2. From then on it may be offered to nobody: it is withdrawn. An open offer and a connection stay
//!    until they end; a contact that would come back to its place by that is withdrawn instead.
//! 3. Once somebody is engaged, only the channel knows until when it may be answered.

use crate::contact::{Contact, Step};
use crate::event::{EndedBy, Event, WithdrawnCause};
use crate::ids::ContactId;
use crate::router::Router;
use crate::time::Micros;

impl Router {
    /// When the deadline of a waiting contact changes something.
    pub(crate) fn reply_due(&self, contact: &Contact) -> Option<Micros> {
        let reply_by = contact.reply_by()?;
        let lifted_at = reply_by.saturating_sub(self.setup.config.reply_margin_us);
        Some(if contact.tier > 1 {
            lifted_at
        } else {
            reply_by
        })
    }

    /// A contact that stands in no line at the moment is lifted, if it is time.
    pub(crate) fn lift(&mut self, id: ContactId) {
        let at = self.now;
        let Some(contact) = self.contacts.get(id) else {
            return;
        };
        let (due, reply_by) = (self.reply_due(contact), contact.reply_by());
        let Some(reply_by) = reply_by.filter(|&by| by > at && due.is_some_and(|due| due <= at))
        else {
            return;
        };
        let contact = self.live(id);
        contact.tier = 1;
        let event = Event::Lifted {
            at,
            contact: id,
            channel: contact.channel,
            queue: contact.queue,
            tier: contact.tier,
            reply_by,
        };
        self.emit(event);
    }

    /// Withdraws a waiting contact that may no longer be offered; true when it was one.
    pub(crate) fn end_late(&mut self, id: ContactId) -> bool {
        let at = self.now;
        let contact = self.live(id);
        let is_late = contact.reply_by().is_some_and(|by| by <= at);
        if is_late {
            let gone = Event::Withdrawn {
                at,
                contact: id,
                channel: contact.channel,
                queue: contact.queue,
                agent: 0,
                by: EndedBy::Deadline,
            };
            self.leave_unserved(id, WithdrawnCause::Released, Step::Withdraw, gone);
        }
        is_late
    }
}
