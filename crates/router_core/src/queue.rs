//! How many contacts each queue has in each stage.

use std::collections::BTreeMap;

use crate::contact::Stage;
use crate::ids::QueueId;

/// Queues with smaller numbers are found without a search.
const LISTED: usize = if cfg!(debug_assertions) { 3 } else { 1 << 16 };

/// One queue's live contacts; each counts in exactly one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) waiting: u32,
    pub(crate) offered: u32,
    pub(crate) connecting: u32,
    pub(crate) engaged: u32,
    pub(crate) scheduled: u32,
}

impl Counts {
    fn field(&mut self, stage: Stage) -> Option<&mut u32> {
        match stage {
            Stage::Waiting => Some(&mut self.waiting),
            Stage::Offered => Some(&mut self.offered),
            Stage::Connecting => Some(&mut self.connecting),
            Stage::Engaged => Some(&mut self.engaged),
            Stage::Scheduled => Some(&mut self.scheduled),
            Stage::New | Stage::Over => None,
        }
    }

    /// For recounting.
    pub(crate) fn add(&mut self, stage: Stage) {
        if let Some(count) = self.field(stage) {
            *count += 1;
        }
    }

    /// Offered, connecting or engaged.
    pub(crate) const fn in_hand(&self) -> u32 {
        self.offered + self.connecting + self.engaged
    }

    pub(crate) const fn total(&self) -> u32 {
        self.waiting + self.offered + self.connecting + self.engaged + self.scheduled
    }
}

/// The counts of all queues that ever had a contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    /// By a queue's number: where its counts are, + 1; 0 = it never had a contact.
    places: Vec<u32>,
    /// Those of queues with numbers beyond.
    far: BTreeMap<QueueId, u32>,
    counts: Vec<Counts>,
    waiting: u32,
}

impl Queues {
    pub(crate) fn enter(&mut self, queue: QueueId, stage: Stage) {
        if let Some(count) = self.counts_of(queue).field(stage) {
            *count += 1;
        }
        self.waiting += u32::from(stage == Stage::Waiting);
    }

    pub(crate) fn leave(&mut self, queue: QueueId, stage: Stage) {
        if let Some(count) = self.counts_of(queue).field(stage) {
            *count -= 1;
        }
        self.waiting -= u32::from(stage == Stage::Waiting);
    }

    /// A contact of a queue goes on to another stage.
    pub(crate) fn pass(&mut self, queue: QueueId, from: Stage, to: Stage) {
        let counts = self.counts_of(queue);
        if let Some(count) = counts.field(from) {
            *count -= 1;
        }
        if let Some(count) = counts.field(to) {
            *count += 1;
        }
        self.waiting -= u32::from(from == Stage::Waiting);
        self.waiting += u32::from(to == Stage::Waiting);
    }

    pub(crate) fn of(&self, queue: QueueId) -> Counts {
        let place = self.place(queue);
        place.map_or_else(Counts::default, |place| self.counts[place])
    }

    #[inline]
    fn place(&self, queue: QueueId) -> Option<usize> {
        let place = match self.places.get(queue as usize) {
            Some(place) => *place,
            None => self.far.get(&queue).copied().unwrap_or(0),
        };
        place.checked_sub(1).map(|place| place as usize)
    }

    #[inline]
    fn counts_of(&mut self, queue: QueueId) -> &mut Counts {
        let place = self.place(queue);
        let place = place.unwrap_or_else(|| self.add(queue));
        &mut self.counts[place]
    }

    /// A queue has its first contact.
    #[inline(never)]
    fn add(&mut self, queue: QueueId) -> usize {
        self.counts.push(Counts::default());
        let (number, place) = (queue as usize, self.counts.len() as u32);
        if number >= LISTED {
            self.far.insert(queue, place);
        } else {
            if number >= self.places.len() {
                self.places.resize(number + 1, 0);
            }
            self.places[number] = place;
        }
        self.counts.len() - 1
    }

    /// Waiting contacts in all queues together.
    pub(crate) const fn waiting(&self) -> u32 {
        self.waiting
    }
}
