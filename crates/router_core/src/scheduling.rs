//! Arrivals on terms of their own: at the place of an earlier contact, or for later.
//!
//! 1. A contact whose customer left, that was released or overflowed out of the site, has a place
//!    that one other contact may take. It is taken when that contact gets into a queue or goes to a
//!    target, not when it is blocked.
//! 2. A contact for later is scheduled: live, in no line, counted by no limit of a queue. At its time
//!    it is queued, whatever room there is, and everything that counts from queueing begins.
//! 3. Neither tells how long one waits who comes now, so neither is its queue's sample.

use crate::config::MAX_AHEAD_US;
use crate::contact::{Contact, Stage, Step, assert_move};
use crate::demand::Terms;
use crate::event::{Event, QueuedCause};
use crate::ids::ContactId;
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::{ContactState, Outcome};

impl Router {
    /// The terms of an arrival.
    pub(crate) fn validate_terms(&self, terms: &Terms) -> Result<(), Rejection> {
        if *terms == Terms::default() {
            return Ok(());
        }
        let last = self.now + MAX_AHEAD_US;
        if terms.not_before > last {
            return refuse(Code::BadDuration, terms.not_before);
        }
        if terms.reply_by != 0 && !(self.now + 1..=last).contains(&terms.reply_by) {
            return refuse(Code::BadDuration, terms.reply_by);
        }
        if terms.place == 0 {
            return Ok(());
        }
        let ended = self.ended.get(terms.place).filter(|ended| {
            let served = matches!(ended.outcome, Outcome::Served | Outcome::Blocked);
            !served && ended.enqueued_at <= self.now && terms.not_before <= self.now
        });
        match ended {
            None => refuse(Code::BadPlace, terms.place),
            Some(ended) if ended.place_used => refuse(Code::PlaceUsed, terms.place),
            Some(_) => Ok(()),
        }
    }

    /// Since when the contact has stood whose place a new one takes; 0 = none.
    pub(crate) fn place_of(&self, place: ContactId) -> Option<Micros> {
        if place == 0 {
            return None;
        }
        self.ended.get(place).map(|ended| ended.enqueued_at)
    }

    /// The new one stands there now, and nobody else will.
    pub(crate) fn use_place(&mut self, place: ContactId) {
        if place != 0 {
            self.ended.change(place, |ended| ended.place_used = true);
        }
    }

    /// An arrival for later.
    pub(crate) fn schedule(&mut self, mut contact: Contact, until: Micros) {
        assert_move(Stage::New, Step::Schedule, Stage::Scheduled);
        let Contact {
            id, channel, queue, ..
        } = contact;
        contact.enqueued_at = until;
        contact.sequence = 0;
        contact.timer = self.timers.set(until, Timer::Begin(id));
        self.floor.add_contact(contact.class);
        self.contacts.insert(contact);
        self.enter_stage(id, ContactState::Scheduled { until });
        if self.live(id).preferred_until().is_some() {
            self.prefer_until(id, None);
        }
        self.emit(Event::Scheduled {
            at: self.now,
            contact: id,
            channel,
            queue,
            until,
        });
    }

    /// The time of a scheduled contact has come.
    pub(crate) fn begin(&mut self, id: ContactId) {
        let (now, sequence) = (self.now, self.next_sequence);
        self.next_sequence += 1;
        let contact = self.live(id);
        contact.sequence = sequence;
        let wishes = contact.wishes.as_ref();
        let prefers = wishes.filter(|wishes| !wishes.preferred.is_empty());
        if let Some(wait) = prefers.map(|wishes| wishes.preferred_wait_us) {
            self.prefer_until(id, Some(now + wait));
        }
        self.get_in(id);
        self.go(id, Step::Begin, ContactState::Waiting);
        self.emit_queued(id, QueuedCause::Scheduled);
        if !self.end_late(id) {
            let class = self.live(id).class;
            self.note_entered(id, class);
        }
    }

    /// Begins or ends the preference of a contact that does not wait.
    fn prefer_until(&mut self, id: ContactId, until: Option<Micros>) {
        self.live(id).wishes().preferred_until = until;
        let key = self.leave_line(id);
        self.enter_line(id, key);
    }
}
