//! When queues work.
//!
//! 1. A queue is open until it is told otherwise; a new configuration keeps what it was told.
//! 2. Of a closed queue nothing is eligible: its contacts keep their places, open offers stay open.
//!    The matching does not see its classes.
//! 3. Nobody gets into a queue that is not open. An arrival there goes elsewhere or is blocked.

use std::collections::BTreeSet;

use crate::class::{ClassKey, Floor};
use crate::config::HoursState;
use crate::contact::Place;
use crate::demand::Asks;
use crate::event::Event;
use crate::hash::Fold;
use crate::ids::{ContactId, QueueId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::setup::Setup;

/// A queue that is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotOpen {
    pub(crate) queue: QueueId,
    pub(crate) state: HoursState,
}

/// All queues that are not open, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours {
    pub(crate) not_open: Vec<NotOpen>,
}

impl Hours {
    #[inline]
    pub(crate) fn of(&self, queue: QueueId) -> HoursState {
        if self.not_open.is_empty() {
            return HoursState::Open;
        }
        let found = self.not_open.binary_search_by_key(&queue, |one| one.queue);
        found.map_or(HoursState::Open, |at| self.not_open[at].state)
    }

    fn set(&mut self, queue: QueueId, state: HoursState) {
        self.not_open.retain(|one| one.queue != queue);
        if state != HoursState::Open {
            let at = self.not_open.partition_point(|one| one.queue < queue);
            self.not_open.insert(at, NotOpen { queue, state });
        }
    }

    /// A queue that is configured anew is open.
    pub(crate) fn configure(&mut self, setup: &Setup) {
        self.not_open.retain(|one| setup.queue(one.queue).is_some());
    }

    /// What it adds to the state hash.
    pub(crate) fn hash(&self) -> u64 {
        let words = |one: &NotOpen| [u64::from(one.queue), one.state as u64];
        let hashes = self
            .not_open
            .iter()
            .map(|one| Fold::new(17).words(words(one)).end());
        hashes.fold(0, u64::wrapping_add)
    }
}

impl Floor {
    /// The classes of a queue.
    pub(crate) fn classes_of(&self, queue: QueueId) -> impl Iterator<Item = u32> + '_ {
        let from = ClassKey {
            queue,
            channel: 0,
            weight: 0,
            step: 0,
            reserved: false,
            choosing: false,
            beyond: false,
            asks: Asks::default(),
        };
        let classes = self.by_key.range(from..);
        let own = classes.take_while(move |(key, _)| key.queue == queue);
        own.map(|(_, &class)| class)
    }

    /// A queue's waiting contacts, in no order that matters.
    pub(crate) fn waiting_in(
        &self,
        queue: QueueId,
    ) -> impl Iterator<Item = (Place, ContactId)> + '_ {
        let classes = self.classes_of(queue);
        classes.flat_map(|class| self.contacts[class as usize].waiting.iter())
    }

    /// From now on nothing of a queue is eligible, or everything that would be.
    pub(crate) fn set_still(&mut self, queue: QueueId, still: bool) {
        if self.still.is_empty() {
            self.callable = self.nonempty.clone();
        }
        let changes = if still {
            self.still.insert(queue)
        } else {
            self.still.remove(&queue)
        };
        if !changes {
            return;
        }
        let classes: Vec<u32> = self.classes_of(queue).collect();
        for class in classes {
            let class = class as usize;
            self.heads[class].still = still;
            let callable = !still && self.nonempty.has(class);
            self.callable.set(class, callable);
        }
    }
}

impl Router {
    /// A queue opens, takes nobody new, or closes.
    pub(crate) fn set_hours(&mut self, queue: QueueId, state: HoursState) -> Result<(), Rejection> {
        if self.setup.queue(queue).is_none() {
            return refuse(Code::UnknownQueue, queue);
        }
        let was = self.hours.of(queue);
        if was == state {
            return Ok(());
        }
        self.hours.set(queue, state);
        let at = self.now;
        self.emit(Event::HoursChanged { at, queue, state });
        self.still(queue);
        if state == HoursState::Closed {
            self.overflow_closed(queue);
        } else if was == HoursState::Closed {
            let waiting = self.floor.waiting_in(queue).map(|(_, id)| id);
            self.dirty.contacts.extend(waiting);
        }
        Ok(())
    }

    /// Whether nothing of a queue is eligible.
    pub(crate) fn is_still(&self, queue: QueueId) -> bool {
        self.hours.of(queue) == HoursState::Closed || self.is_paced_out(queue)
    }

    /// Tells the matching whether anything of a queue is eligible.
    pub(crate) fn still(&mut self, queue: QueueId) {
        let still = self.is_still(queue);
        self.floor.set_still(queue, still);
    }

    /// The same of every queue.
    pub(crate) fn still_all(&mut self) {
        let known = self.floor.still.iter().copied();
        let told = self.hours.not_open.iter().map(|one| one.queue);
        let capped = self.floor.capped.iter().copied();
        let queues: BTreeSet<QueueId> = known.chain(told).chain(capped).collect();
        for queue in queues {
            self.still(queue);
        }
    }
}
