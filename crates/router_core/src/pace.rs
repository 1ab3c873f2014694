//! How many contacts of a queue may be in hand at once: offered, connecting or engaged, parked ones
//! too. At that number nothing of the queue is eligible, as if it were closed (`hours.rs`).
//!
//! In a match contacts only come into hand. So it is enough to look at the counts before a match,
//! when some may have left, and after every offer.

use crate::config::NO_LIMIT;
use crate::ids::QueueId;
use crate::router::Router;

impl Router {
    /// Where just so many contacts may be in hand: how many are, and may be.
    pub(crate) fn pace_of(&self, queue: QueueId) -> Option<(u32, u32)> {
        let cap = self.setup.queue(queue)?.max_in_hand;
        (cap != NO_LIMIT).then(|| (self.queues.of(queue).in_hand(), cap))
    }

    pub(crate) fn is_paced_out(&self, queue: QueueId) -> bool {
        self.pace_of(queue)
            .is_some_and(|(in_hand, cap)| in_hand >= cap)
    }

    /// Contacts may have left agents' hands: whose queue has room again is looked at.
    pub(crate) fn pace_queues(&mut self) {
        for index in 0..self.floor.capped.len() {
            let queue = self.floor.capped[index];
            let was_still = self.floor.still.contains(&queue);
            self.still(queue);
            if was_still && !self.floor.still.contains(&queue) {
                let waiting = self.floor.waiting_in(queue).map(|(_, id)| id);
                self.dirty.contacts.extend(waiting);
            }
        }
    }

    /// A contact of a queue has come into hand.
    pub(crate) fn pace_after_offer(&mut self, queue: QueueId) {
        if !self.floor.capped.is_empty() && self.is_paced_out(queue) {
            self.floor.set_still(queue, true);
        }
    }
}
