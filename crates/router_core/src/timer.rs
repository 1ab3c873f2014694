//! Deadlines. Equal ones fire in the order in which they were set.

use std::collections::BTreeMap;

use crate::ids::{AgentId, ContactId, OfferId};
use crate::time::Micros;

/// What falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Nobody answered the offer.
    Offer(OfferId),
    /// The channel did not connect.
    Connecting(ContactId),
    /// The agent's wrap-up with the timer's own number is over.
    WrapUp(AgentId),
    /// The contact's attempted agents may be asked again.
    Retry(ContactId),
}

/// All live deadlines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    live: BTreeMap<(Micros, u64), Timer>,
    last_number: u64,
}

impl Timers {
    /// Sets a deadline; the timer's number.
    pub(crate) fn set(&mut self, deadline: Micros, timer: Timer) -> u64 {
        self.last_number += 1;
        self.live.insert((deadline, self.last_number), timer);
        self.last_number
    }

    pub(crate) fn cancel(&mut self, deadline: Micros, number: u64) {
        let gone = self.live.remove(&(deadline, number));
        debug_assert!(gone.is_some(), "a cancelled timer was live");
    }

    pub(crate) fn next(&self) -> Option<Micros> {
        self.live
            .first_key_value()
            .map(|(&(deadline, _), _)| deadline)
    }

    /// Takes the first timer whose deadline is not after `at`.
    pub(crate) fn pop_due(&mut self, at: Micros) -> Option<(Micros, u64, Timer)> {
        let entry = self
            .live
            .first_entry()
            .filter(|entry| entry.key().0 <= at)?;
        let ((deadline, number), timer) = entry.remove_entry();
        Some((deadline, number, timer))
    }

    pub(crate) const fn last_number(&self) -> u64 {
        self.last_number
    }

    pub(crate) fn len(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn get(&self, deadline: Micros, number: u64) -> Option<Timer> {
        self.live.get(&(deadline, number)).copied()
    }

    /// From a snapshot: the timer as it was; false when its number is taken or too high.
    pub(crate) fn put_back(&mut self, deadline: Micros, number: u64, timer: Timer) -> bool {
        number <= self.last_number && self.live.insert((deadline, number), timer).is_none()
    }

    /// From a snapshot: the highest number ever given.
    pub(crate) const fn count_from(last_number: u64) -> Self {
        Self {
            live: BTreeMap::new(),
            last_number,
        }
    }
}
