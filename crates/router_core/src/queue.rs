//! How many contacts each queue has in each stage.

use std::collections::BTreeMap;

use crate::contact::Stage;
use crate::ids::QueueId;

/// One queue's live contacts; each counts in exactly one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) waiting: u32,
    pub(crate) offered: u32,
    pub(crate) connecting: u32,
    pub(crate) engaged: u32,
}

impl Counts {
    fn field(&mut self, stage: Stage) -> Option<&mut u32> {
        match stage {
            Stage::Waiting => Some(&mut self.waiting),
            Stage::Offered => Some(&mut self.offered),
            Stage::Connecting => Some(&mut self.connecting),
            Stage::Engaged => Some(&mut self.engaged),
            Stage::New | Stage::Over => None,
        }
    }

    /// For recounting.
    pub(crate) fn add(&mut self, stage: Stage) {
        if let Some(count) = self.field(stage) {
            *count += 1;
        }
    }

    pub(crate) const fn total(&self) -> u32 {
        self.waiting + self.offered + self.connecting + self.engaged
    }
}

/// The counts of all queues that ever had a contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    counts: BTreeMap<QueueId, Counts>,
    waiting: u32,
}

impl Queues {
    pub(crate) fn enter(&mut self, queue: QueueId, stage: Stage) {
        if let Some(count) = self.counts.entry(queue).or_default().field(stage) {
            *count += 1;
        }
        self.waiting += u32::from(stage == Stage::Waiting);
    }

    pub(crate) fn leave(&mut self, queue: QueueId, stage: Stage) {
        if let Some(count) = self.counts.entry(queue).or_default().field(stage) {
            *count -= 1;
        }
        self.waiting -= u32::from(stage == Stage::Waiting);
    }

    pub(crate) fn of(&self, queue: QueueId) -> Counts {
        self.counts.get(&queue).copied().unwrap_or_default()
    }

    /// Waiting contacts in all queues together.
    pub(crate) const fn waiting(&self) -> u32 {
        self.waiting
    }
}
