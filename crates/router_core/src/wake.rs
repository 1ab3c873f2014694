//! What waiting changes by itself: a preference ends, steps of the queue come to apply, a deadline
//! for the reply comes near or passes (`reply.rs`), a rule about waiting leads elsewhere, its position
//! is told; or it wants an agent of its own (`reserving.rs`), which is the next decision's business.
//!
//! 1. A waiting contact has one deadline for all of them: the earliest, but not before it was set.
//!    What is due at the same time happens in this order.
//! 2. A step falls due by the time since the contact was queued, and applies only while it waits:
//!    what fell due while it was offered is caught up with after its return.
//! 3. A step never takes anything back, so a contact that is relaxed stays so until it is given
//!    another queue.

use crate::class::{ClassKey, Floor};
use crate::config::{MAX_HEAD_START_US, Step};
use crate::contact::Contact;
use crate::event::{Event, PreferenceOverCause};
use crate::ids::ContactId;
use crate::retry::Watch;
use crate::router::{Dirty, Router};
use crate::time::Micros;
use crate::timer::Timer;

impl Router {
    /// Takes a contact out of its class, to be changed; [`Router::enter_line`] puts it into another.
    pub(crate) fn leave_line(&mut self, id: ContactId) -> ClassKey {
        let contact = self
            .contacts
            .get(id)
            .expect("a contact that changes is live");
        let class = contact.class;
        if contact.waits() {
            self.floor
                .leave(class, contact.place(), id, contact.stands_for());
        }
        self.floor.contacts[class as usize].key.clone()
    }

    /// The class of a live contact is what the key says and what it has become.
    pub(crate) fn enter_line(&mut self, id: ContactId, key: ClassKey) {
        self.classify(id, key);
        if self.live(id).waits() {
            self.stand(id);
        }
    }

    /// Gives a live contact its class, without a place in it.
    pub(crate) fn classify(&mut self, id: ContactId, key: ClassKey) {
        let contact = self.live(id);
        let old = contact.class;
        let key = ClassKey {
            queue: contact.queue,
            step: contact.step(),
            reserved: contact.preferred_until().is_some(),
            choosing: contact.choice() != 0,
            beyond: contact.goes_beyond(),
            ..key
        };
        let asks = key.asks.word;
        let class = self.floor.class_for(key, &self.setup);
        self.floor.drop_contact(old);
        self.floor.add_contact(class);
        let contact = self.live(id);
        contact.class = class;
        contact.asks = asks;
    }

    /// A waiting contact stands in its class, to be looked at; true when its waiting may change
    /// something by itself.
    pub(crate) fn stand(&mut self, id: ContactId) -> bool {
        let contact = self.contacts.get(id).expect("a contact that waits is live");
        let watches = (&mut self.watch, &mut self.hopes);
        stand(contact, &mut self.floor, &mut self.dirty, watches)
    }

    /// The next step of a contact's queue, and when it falls due.
    fn next_step(&self, id: ContactId) -> Option<(Micros, &Step)> {
        let contact = self.contacts.get(id)?;
        let queue = self.setup.queue(contact.queue)?;
        let step = queue.steps.get(usize::from(contact.step()))?;
        Some((contact.enqueued_at + step.after_us, step))
    }

    /// Sets the deadline of a waiting contact, unless it is set for that time already.
    pub(crate) fn set_wake(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get(id).filter(|contact| contact.waits()) else {
            return;
        };
        let step = self.next_step(id).map(|(due, _)| due);
        let reply = self.reply_due(contact);
        let wants = self.wants_from(contact).filter(|&from| from > self.now);
        let rule = self.next_overflow(contact);
        let all = [contact.preferred_until(), step, reply, wants, rule];
        let all = all.into_iter().chain([contact.announce_at()]);
        let earliest = all.flatten().min();
        let wake_at = earliest.map(|due| due.max(self.now));
        if wake_at == contact.wake_at() {
            return;
        }
        self.cancel_wake(id);
        if let Some(due) = wake_at {
            let timer = self.timers.set(due, Timer::Wake(id));
            let wishes = self.live(id).wishes();
            wishes.wake_at = wake_at;
            wishes.wake_timer = timer;
        }
    }

    pub(crate) fn cancel_wake(&mut self, id: ContactId) {
        let contact = self.contacts.get_mut(id);
        if let Some(wishes) = contact.and_then(|contact| contact.wishes.as_mut())
            && let Some(due) = wishes.wake_at.take()
        {
            self.timers.cancel(due, wishes.wake_timer);
        }
    }

    /// The deadline has come.
    pub(crate) fn wake(&mut self, id: ContactId) {
        let now = self.now;
        let key = self.leave_line(id);
        let contact = self.live(id);
        contact.wishes().wake_at = None;
        if contact.preferred_until().is_some_and(|until| until <= now) {
            self.end_preference(id, PreferenceOverCause::Deadline);
        }
        while let Some((due, step)) = self.next_step(id)
            && due <= now
        {
            let more = step.head_start_us;
            self.relax(id, more);
        }
        self.lift(id);
        self.enter_line(id, key);
        if self.end_late(id) {
            return;
        }
        if !self.overflow_overdue(id) {
            self.announce(id);
        }
        self.set_wake(id);
    }

    /// One more step applies.
    fn relax(&mut self, id: ContactId, more_head_start_us: Micros) {
        let at = self.now;
        let contact = self.live(id);
        contact.wishes().step += 1;
        contact.head_start_us = (contact.head_start_us + more_head_start_us).min(MAX_HEAD_START_US);
        let event = Event::Relaxed {
            at,
            contact: id,
            channel: contact.channel,
            queue: contact.queue,
            step: contact.step(),
            head_start_us: contact.head_start_us,
        };
        self.emit(event);
    }

    /// A contact no longer waits for whom it prefers; its class is the caller's business.
    pub(crate) fn end_preference(&mut self, id: ContactId, cause: PreferenceOverCause) {
        let at = self.now;
        let contact = self.live(id);
        contact.wishes().preferred_until = None;
        let (channel, queue) = (contact.channel, contact.queue);
        self.hopes.forget(id);
        self.emit(Event::PreferenceOver {
            at,
            contact: id,
            channel,
            queue,
            cause,
        });
    }

    /// A new configuration: nobody is further than its queue's steps go, and deadlines are as it says.
    pub(crate) fn fit_steps(&mut self) {
        self.fit_announcements();
        let steps_of = |queue| self.setup.queue(queue).map_or(0, |queue| queue.steps.len());
        let wakes = |class: u32| self.floor.contacts[class as usize].wakes;
        let all = self.contacts.sorted().into_iter();
        let concerned = all.filter(|one| one.wishes.is_some() || wakes(one.class));
        let concerned: Vec<(ContactId, u8)> = concerned
            .map(|one| (one.id, steps_of(one.queue) as u8))
            .collect();
        for (id, steps) in concerned {
            if self.live(id).step() > steps {
                let key = self.leave_line(id);
                self.live(id).wishes().step = steps;
                self.enter_line(id, key);
            }
            self.set_wake(id);
        }
    }
}

/// [`Router::stand`] for who has the contact in hand.
pub(crate) fn stand(
    contact: &Contact,
    floor: &mut Floor,
    dirty: &mut Dirty,
    (watch, hopes): (&mut Watch, &mut Watch),
) -> bool {
    let Contact { id, class, .. } = *contact;
    floor.enter(class, contact.place(), id, contact.stands_for());
    dirty.contacts.push(id);
    if !contact.attempted.is_empty() {
        watch.add(id);
    }
    if contact.preferred_until().is_some() {
        hopes.add(id);
    }
    contact.wishes.is_some() || floor.contacts[class as usize].wakes
}
