//! The slow checks of hours and overflow.

use crate::check::{Sound, hold};
use crate::config::HoursState;
use crate::router::Router;

impl Router {
    /// Only configured queues are told not to be open, and the matching knows of which nothing is
    /// eligible.
    pub(crate) fn audit_hours(&self) -> Sound {
        let told = &self.hours.not_open;
        let ascend = told.is_sorted_by(|a, b| a.queue < b.queue);
        hold(ascend, "queues that are not open ascend", 0_u64)?;
        for one in told {
            let right = self.setup.queue(one.queue).is_some() && one.state != HoursState::Open;
            hold(right, "a queue that is not open is configured", one.queue)?;
        }
        for &queue in &self.floor.still {
            hold(self.is_still(queue), "a still queue is known", queue)?;
        }
        for queue in &self.setup.config.queues {
            let known = self.floor.still.contains(&queue.id);
            hold(known == self.is_still(queue.id), "a still queue", queue.id)?;
        }
        for (key, &class) in &self.floor.by_key {
            let index = class as usize;
            let still = self.floor.still.contains(&key.queue);
            hold(
                self.floor.heads[index].still == still,
                "a still class",
                class,
            )?;
            let callable = self.floor.nonempty.has(index) && !still;
            let right = self.floor.still.is_empty() || self.floor.callable.has(index) == callable;
            hold(right, "a class is callable", class)?;
        }
        let settled = self.entered.is_empty() && !self.somebody_left;
        hold(settled, "who gets into a queue is looked at", 0_u64)
    }
}
