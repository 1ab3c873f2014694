//! Deadlines. Equal ones fire in the order in which they were set.

use crate::ids::{AgentId, ChoiceId, ContactId, OfferId};
use crate::pages::Pages;
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
    /// The contact's waiting changes something.
    Wake(ContactId),
    /// The contact is to wait from now on.
    Begin(ContactId),
    /// Nobody chose an agent.
    Choice(ChoiceId),
}

/// A timer that runs.
#[derive(Clone, Copy, Debug)]
struct Live {
    deadline: Micros,
    number: u64,
    timer: Timer,
}

impl Live {
    const fn is_before(&self, other: &Self) -> bool {
        self.deadline < other.deadline
            || self.deadline == other.deadline && self.number < other.number
    }
}

/// Children of a place in the heap.
const ARITY: usize = 4;

/// All live deadlines: a heap, the earliest first, and where in it each number stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Live>,
    places: Pages,
    last_number: u64,
}

impl Timers {
    /// Sets a deadline; the timer's number.
    pub(crate) fn set(&mut self, deadline: Micros, timer: Timer) -> u64 {
        self.last_number += 1;
        self.add(Live {
            deadline,
            number: self.last_number,
            timer,
        });
        self.last_number
    }

    pub(crate) fn cancel(&mut self, deadline: Micros, number: u64) {
        let place = self.places.find(number);
        debug_assert!(
            place.is_some_and(|place| self.heap[place].deadline == deadline),
            "a cancelled timer was live"
        );
        if let Some(place) = place {
            self.take(place);
        }
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Micros> {
        self.heap.first().map(|live| live.deadline)
    }

    /// Takes the first timer whose deadline is not after `at`.
    #[inline]
    pub(crate) fn pop_due(&mut self, at: Micros) -> Option<(Micros, u64, Timer)> {
        if self.next()? > at {
            return None;
        }
        let live = self.take(0);
        Some((live.deadline, live.number, live.timer))
    }

    /// The timers whose deadline is not after `at`.
    pub(crate) fn due(&self, at: Micros) -> impl Iterator<Item = (Micros, Timer)> {
        let due = self.heap.iter().filter(move |live| live.deadline <= at);
        due.map(|live| (live.deadline, live.timer))
    }

    pub(crate) const fn last_number(&self) -> u64 {
        self.last_number
    }

    pub(crate) const fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn get(&self, deadline: Micros, number: u64) -> Option<Timer> {
        let live = &self.heap[self.places.find(number)?];
        (live.deadline == deadline).then_some(live.timer)
    }

    /// From a snapshot: the timer as it was; false when its number is taken or too high.
    pub(crate) fn put_back(&mut self, deadline: Micros, number: u64, timer: Timer) -> bool {
        let right = number <= self.last_number && self.places.find(number).is_none();
        if right {
            self.add(Live {
                deadline,
                number,
                timer,
            });
        }
        right
    }

    /// From a snapshot: the highest number ever given.
    pub(crate) fn count_from(last_number: u64) -> Self {
        Self {
            last_number,
            ..Self::default()
        }
    }

    fn add(&mut self, live: Live) {
        let place = self.heap.len();
        self.heap.push(live);
        self.places.insert(live.number, place);
        self.rise(place, live);
    }

    /// Takes out whoever stands at a place; the last one fills it.
    fn take(&mut self, place: usize) -> Live {
        let gone = self.heap[place];
        self.places.remove(gone.number);
        if let Some(last) = self.heap.pop()
            && last.number != gone.number
        {
            self.rise(place, last);
            if self.heap[place].number == last.number {
                self.sink(place, last);
            }
        }
        gone
    }

    /// Puts a timer at a place that is free, or as far before it as it belongs.
    fn rise(&mut self, mut place: usize, live: Live) {
        let from = place;
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = self.heap[parent];
            if !live.is_before(&above) {
                break;
            }
            self.stand(place, above);
            place = parent;
        }
        if place != from || self.heap[place].number != live.number {
            self.stand(place, live);
        }
    }

    /// Moves a timer as far behind its place as it belongs.
    fn sink(&mut self, mut place: usize, live: Live) {
        let from = place;
        loop {
            let first = place * ARITY + 1;
            let end = (first + ARITY).min(self.heap.len());
            let mut children = first..end;
            let Some(mut least) = children.next() else {
                break;
            };
            for child in children {
                if self.heap[child].is_before(&self.heap[least]) {
                    least = child;
                }
            }
            let below = self.heap[least];
            if !below.is_before(&live) {
                break;
            }
            self.stand(place, below);
            place = least;
        }
        if place != from {
            self.stand(place, live);
        }
    }

    fn stand(&mut self, place: usize, live: Live) {
        self.heap[place] = live;
        self.places.set(live.number, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_map() {
        let (mut timers, mut plain) = (Timers::default(), BTreeMap::new());
        for step in 0..20_000_u64 {
            let deadline = step + mix(step) % 600;
            let number = timers.set(deadline, Timer::Retry(step));
            plain.insert((deadline, number), step);
            if !mix(step ^ 7).is_multiple_of(3) {
                let some = plain.range((step + mix(step ^ 9) % 600, 0)..).next();
                if let Some((&(deadline, number), &contact)) = some {
                    assert_eq!(timers.get(deadline, number), Some(Timer::Retry(contact)));
                    timers.cancel(deadline, number);
                    plain.remove(&(deadline, number));
                }
            }
            while let Some((due, number, timer)) = timers.pop_due(step) {
                assert_eq!(timer, Timer::Retry(plain[&(due, number)]));
                assert_eq!(plain.pop_first().map(|(key, _)| key), Some((due, number)));
            }
            assert_eq!(timers.next(), plain.first_key_value().map(|(key, _)| key.0));
            assert_eq!(timers.len(), plain.len());
        }
    }
}
