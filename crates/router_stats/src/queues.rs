//! What happens to queues: when they were open, and which contacts they sent elsewhere.

use router_core::{HoursState, Micros, QueueId};

use crate::ledger::Ledger;
use crate::rows::{OverflowRow, QueueHoursRow};

/// The rows of queues.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// By the queue's number.
    pub(crate) hours: Ledger<QueueHoursRow>,
    /// Each final at once.
    pub(crate) overflows: Ledger<OverflowRow>,
    last_overflow: u64,
}

impl Queues {
    /// Begins an interval, and ends the one before.
    pub(crate) fn changed(&mut self, queue: QueueId, state: HoursState, at: Micros, seq: u64) {
        self.end(queue, at, seq);
        let row = QueueHoursRow {
            queue,
            started_at: at,
            state: match state {
                HoursState::Open => "open",
                HoursState::Closing => "closing",
                HoursState::Closed => "closed",
            },
            seq,
            ended_at: None,
        };
        self.hours.add(queue.into(), row);
    }

    /// Ends the intervals of queues that are configured no more; one that comes back is open.
    pub(crate) fn keep_only(&mut self, queues: &[QueueId], at: Micros, seq: u64) {
        for key in self.hours.keys() {
            let queue = key as QueueId;
            if !queues.contains(&queue) {
                self.end(queue, at, seq);
            }
        }
    }

    /// Notes that a contact was sent elsewhere; the row gets its number here.
    pub(crate) fn overflowed(&mut self, row: OverflowRow) {
        self.last_overflow += 1;
        self.overflows.add_final(&OverflowRow {
            overflow: self.last_overflow,
            ..row
        });
    }

    fn end(&mut self, queue: QueueId, at: Micros, seq: u64) {
        let key = queue.into();
        if self.hours.get(key).is_some() {
            let row = self.hours.change(key);
            (row.ended_at, row.seq) = (Some(at), seq);
            self.hours.close(key);
        }
    }
}
