//! Telling waiting contacts where they stand.
//!
//! 1. A queue may say how often: its contacts are told at every such time since they got into it,
//!    but for the first time only when the position is smaller than the one told last.
//! 2. What falls due while a contact is offered is told when it is back; once it is engaged nothing
//!    is due any more.

use crate::contact::Contact;
use crate::event::Event;
use crate::ids::ContactId;
use crate::router::Router;
use crate::time::Micros;

impl Contact {
    /// When its position is told next.
    pub(crate) fn announce_at(&self) -> Option<Micros> {
        self.wishes.as_ref()?.announce_at
    }

    /// It gets into a queue that tells positions so often; 0 = never.
    pub(crate) fn announce_every(&mut self, every: Micros, now: Micros) {
        self.announce_no_more();
        if every > 0 {
            self.wishes().announce_at = Some(now + every);
        }
    }

    pub(crate) fn announce_no_more(&mut self) {
        if let Some(wishes) = &mut self.wishes {
            wishes.announce_at = None;
            wishes.announced = 0;
        }
    }
}

impl Router {
    /// How often contacts of a contact's queue are told; 0 = never.
    pub(crate) fn announce_us(&self, id: ContactId) -> Micros {
        let contact = self.contacts.get(id);
        let queue = contact.and_then(|contact| self.setup.queue(contact.queue));
        queue.map_or(0, |queue| queue.announce_us)
    }

    /// A contact gets into a queue: what counts from there on begins.
    pub(crate) fn get_in(&mut self, id: ContactId) {
        let (now, every) = (self.now, self.announce_us(id));
        let contact = self.live(id);
        if let Some(wishes) = &mut contact.wishes {
            wishes.step = 0;
            wishes.unanswered = 0;
            wishes.looked_at = 0;
        }
        contact.announce_every(every, now);
    }

    /// The last of a wake: what is due is told, if there is something new.
    pub(crate) fn announce(&mut self, id: ContactId) {
        let (at, every) = (self.now, self.announce_us(id));
        let due = self.contacts.get(id).and_then(Contact::announce_at);
        let Some(due) = due.filter(|due| *due <= at && every > 0) else {
            return;
        };
        self.list_present();
        let Some(position) = self.position(id).map(|before| before + 1) else {
            return;
        };
        let estimate = self.estimate(id);
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        let wishes = contact.wishes();
        // The first time after now, as far from then on as they all are from each other.
        wishes.announce_at = Some(due + ((at - due) / every + 1) * every);
        if wishes.announced != 0 && position >= wishes.announced {
            return;
        }
        wishes.announced = position;
        self.emit(Event::AnnouncementDue {
            at,
            contact: id,
            channel,
            queue,
            position,
            p50_us: estimate.map_or(0, |estimate| estimate.p50_us),
            p90_us: estimate.map_or(0, |estimate| estimate.p90_us),
        });
    }

    /// A new configuration: who is told now and was not before, and the other way round.
    pub(crate) fn fit_announcements(&mut self) {
        let all = self.contacts.sorted().into_iter();
        let ids: Vec<ContactId> = all
            .filter(|one| one.waits() || one.is_in_hand() && one.engaged_at() == 0)
            .map(|one| one.id)
            .collect();
        let now = self.now;
        for id in ids {
            let every = self.announce_us(id);
            let contact = self.live(id);
            if every == 0 {
                contact.announce_no_more();
            } else if contact.announce_at().is_none() {
                contact.wishes().announce_at = Some(now + every);
            }
        }
    }
}
