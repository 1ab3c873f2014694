//! How contacts leave a queue by its own rules: to another queue, or out of the site.
//!
//! 1. The first rule in the list that holds and whose destination takes the contact wins. A queue
//!    takes it that is open, not full, and free to contacts of the queue's domain; a target always
//!    does.
//! 2. `size`, `estimate` and `no_agent` are looked at once a contact has got into a queue and the
//!    match of the same decision has left it there; `wait` when it falls due (`wake.rs`), or there
//!    and then if it had before; `closed` at an arrival and when the queue closes; `no_answer` when
//!    an offer of the contact has come back; `no_agent` also when an agent has left.
//! 3. In another queue a contact keeps its place, and what it asks for; steps and unanswered offers
//!    count from 0.
//! 4. A contact overflows [`MAX_HOPS`] times in its life, so that two queues cannot play ball.
//! 5. Whoever has moved is looked at again, and so is where it has moved to: decide, overflow, decide
//!    until nobody moves.

use crate::config::{HoursState, MAX_HOPS, Overflow, OverflowTo, OverflowWhen, QueueConfig};
use crate::contact::{Contact, Place, Step};
use crate::door::reached;
use crate::event::{Event, QueuedCause};
use crate::ids::{ContactId, QueueId};
use crate::router::Router;
use crate::time::Micros;

impl QueueConfig {
    pub(crate) fn has_rule(&self, when: OverflowWhen) -> bool {
        self.overflow.iter().any(|rule| rule.when == when)
    }
}

impl Contact {
    /// How often it has overflowed.
    pub(crate) fn hops(&self) -> u8 {
        self.wishes.as_ref().map_or(0, |wishes| wishes.hops)
    }

    /// Offers of it that were declined or expired since it got into its queue.
    pub(crate) fn unanswered(&self) -> u32 {
        self.wishes.as_ref().map_or(0, |wishes| wishes.unanswered)
    }

    /// When a rule about waiting falls due; `None` = it is about something else, or was looked at.
    pub(crate) fn due_of(&self, rule: &Overflow) -> Option<Micros> {
        let looked_at = self.wishes.as_ref().map_or(0, |wishes| wishes.looked_at);
        let due = self.enqueued_at + rule.threshold;
        let pending = rule.when == OverflowWhen::Wait && due > looked_at;
        (pending && self.hops() < MAX_HOPS).then_some(due)
    }
}

impl Router {
    /// When the first rule about waiting falls due.
    pub(crate) fn next_overflow(&self, contact: &Contact) -> Option<Micros> {
        let queue = self.setup.queue(contact.queue)?;
        let dues = queue.overflow.iter().map(|rule| contact.due_of(rule));
        dues.flatten().min()
    }

    /// Whether a rule's destination takes a contact.
    fn takes(&self, from: QueueId, rule: &Overflow) -> bool {
        match rule.to_kind {
            OverflowTo::Target => true,
            OverflowTo::Queue => self.setup.queue(rule.to).is_some_and(|queue| {
                let from = self.setup.domain_of(from);
                let full = reached(self.queues.of(rule.to).waiting, queue.max_waiting);
                self.hours.of(rule.to) == HoursState::Open
                    && !full
                    && self.setup.may_use(from, queue)
            }),
        }
    }

    /// The rule that applies to a contact, of those that hold.
    fn rule_for(&self, contact: &Contact, holds: impl Fn(&Overflow) -> bool) -> Option<Overflow> {
        if contact.hops() >= MAX_HOPS {
            return None;
        }
        let rules = &self.setup.queue(contact.queue)?.overflow;
        let mut rules = rules.iter();
        rules
            .find(|rule| self.takes(contact.queue, rule) && holds(rule))
            .copied()
    }

    /// The rule that applies to an arrival at a queue that is not open.
    pub(crate) fn rule_at_the_door(&self, queue: QueueId) -> Option<Overflow> {
        let full = reached(self.queues.waiting(), self.setup.config.max_waiting);
        let leads = |rule: &&Overflow| {
            let room = rule.to_kind == OverflowTo::Target || !full;
            rule.when == OverflowWhen::Closed && room && self.takes(queue, rule)
        };
        let rules = &self.setup.queue(queue)?.overflow;
        rules.iter().find(leads).copied()
    }

    /// A queue has closed: whom its rules let go elsewhere, goes.
    pub(crate) fn overflow_closed(&mut self, queue: QueueId) {
        let config = self.setup.queue(queue);
        if !config.is_some_and(|config| config.has_rule(OverflowWhen::Closed)) {
            return;
        }
        let mut waiting: Vec<(Place, ContactId)> = self.floor.waiting_in(queue).collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            self.overflow_if(id, |_, _, rule| rule.when == OverflowWhen::Closed);
        }
    }

    /// A contact has come back unanswered.
    pub(crate) fn overflow_unanswered(&mut self, id: ContactId) {
        self.overflow_if(id, |_, contact, rule| {
            let enough = u64::from(contact.unanswered()) >= rule.threshold;
            rule.when == OverflowWhen::NoAnswer && enough
        });
    }

    /// A contact's deadline has come: rules about waiting that are due are looked at, each once.
    /// Whether it goes.
    pub(crate) fn overflow_overdue(&mut self, id: ContactId) -> bool {
        let now = self.now;
        let next = self
            .contacts
            .get(id)
            .and_then(|contact| self.next_overflow(contact));
        if next.is_none_or(|due| due > now) {
            return false;
        }
        let is_due =
            |contact: &Contact, rule: &Overflow| contact.due_of(rule).is_some_and(|due| due <= now);
        let goes = self.overflow_if(id, |_, contact, rule| is_due(contact, rule));
        if !goes {
            self.live(id).wishes().looked_at = now;
        }
        goes
    }

    /// Looks at a contact that has got into a queue; whether it goes.
    fn overflow_entered(&mut self, id: ContactId) -> bool {
        let now = self.now;
        let goes = self.overflow_if(id, |router, contact, rule| {
            let waiting = u64::from(router.queues.of(contact.queue).waiting);
            match rule.when {
                OverflowWhen::Size => waiting > rule.threshold,
                OverflowWhen::Wait => contact.due_of(rule).is_some_and(|due| due <= now),
                OverflowWhen::Estimate => router
                    .estimate(contact.id)
                    .is_some_and(|estimate| estimate.mean_us > rule.threshold),
                OverflowWhen::NoAgent => !router.has_agent(contact),
                OverflowWhen::Closed | OverflowWhen::NoAnswer => false,
            }
        });
        if goes {
            return true;
        }
        let next = self.contacts.get(id).filter(|contact| contact.waits());
        let next = next.and_then(|contact| self.next_overflow(contact));
        if next.is_some_and(|due| due <= now) {
            self.live(id).wishes().looked_at = now;
            self.set_wake(id);
        }
        false
    }

    /// Moves a waiting contact by the first rule that holds and leads somewhere; whether it goes.
    fn overflow_if(
        &mut self,
        id: ContactId,
        holds: impl Fn(&Self, &Contact, &Overflow) -> bool,
    ) -> bool {
        // Whoever has moved before may have divided the agents anew.
        self.list_present();
        let contact = self.contacts.get(id).filter(|contact| contact.waits());
        let rule =
            contact.and_then(|contact| self.rule_for(contact, |rule| holds(self, contact, rule)));
        if let Some(rule) = rule {
            self.overflow(id, rule);
        }
        rule.is_some()
    }

    /// A waiting contact leaves its queue by a rule.
    fn overflow(&mut self, id: ContactId, rule: Overflow) {
        let at = self.now;
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        let waited = at.saturating_sub(contact.enqueued_at);
        self.emit(Event::Overflowed {
            at,
            contact: id,
            channel,
            queue,
            cause: rule.when,
            to_kind: rule.to_kind,
            to: rule.to,
        });
        let newly = self.queued.0 == id;
        match rule.to_kind {
            OverflowTo::Queue => {
                let key = self.leave_line(id);
                self.live(id).wishes().hops += 1;
                self.stand_elsewhere(id, rule.to, key, Step::Overflow);
                self.emit_queued(id, QueuedCause::Overflow);
                if newly {
                    self.queued.1 = rule.to;
                }
                self.end_late(id);
            }
            OverflowTo::Target => {
                self.calibrations.left(queue, id, waited, false);
                self.finish(id, Step::Overflow, 0);
                if newly {
                    self.queued.0 = 0;
                }
            }
        }
    }

    /// A contact has got into a queue: its rules are looked at after the match.
    pub(crate) fn note_entered(&mut self, id: ContactId, class: u32) {
        if !self.entered.is_empty() {
            self.entered.retain(|&known| known != id);
        }
        if self.floor.contacts[class as usize].overflows {
            self.entered.push(id);
        }
    }

    /// What follows the match: rules about who has got into a queue, and about agents who have left.
    /// True when somebody has moved.
    #[inline(never)]
    pub(crate) fn overflow_pass(&mut self) -> bool {
        let mut moved = false;
        for id in std::mem::take(&mut self.entered) {
            moved |= self.overflow_entered(id);
        }
        if std::mem::take(&mut self.somebody_left) {
            for id in self.waiting_for_agents() {
                moved |= self.overflow_if(id, |router, contact, rule| {
                    rule.when == OverflowWhen::NoAgent && !router.has_agent(contact)
                });
            }
        }
        moved
    }

    /// Who waits in a queue with a rule for the want of agents, by place.
    fn waiting_for_agents(&self) -> Vec<ContactId> {
        let queues = self.setup.config.queues.iter();
        let queues = queues.filter(|queue| queue.has_rule(OverflowWhen::NoAgent));
        let waiting = queues.flat_map(|queue| self.floor.waiting_in(queue.id));
        let mut waiting: Vec<(Place, ContactId)> = waiting.collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether somebody is signed in who could serve the contact, ready or not.
    fn has_agent(&self, contact: &Contact) -> bool {
        let class = &self.floor.contacts[contact.class as usize];
        let has = self.floor.is_staffed(class, contact.excludes());
        debug_assert_eq!(
            has,
            self.naive_has_agent(contact),
            "agents for {}",
            contact.id
        );
        has
    }
}
