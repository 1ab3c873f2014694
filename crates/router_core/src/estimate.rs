//! How long a waiting contact will go on waiting: its position, and a wait as mean, median and
//! ninetieth percentile. Written down whole in docs/en/estimates.md.
//!
//! 1. Only agents count who could hold the contact as its steps have relaxed it, are not excluded
//!    from it, are ready, not leaving and not locked, whatever they hold; a stealth agent only if no
//!    human is at work for it. Whom it prefers plays no part. Without any there is no estimate.
//! 2. b of an agent = waiting contacts of all queues that it could hold (but for those that wait for
//!    the agents that they prefer, and for whom a choice runs) and would be offered before this one; a, "ahead" = the least b
//!    of all these agents.
//! 3. h = the queue's mean handle time. n of an agent = how many such contacts it holds at once.
//!    R = `(a + 1) * sum over the agents of n * ((1 << 48) / (b + 1)) >> 16`: the rate times h, in
//!    2^-32.
//! 4. g = `abandoned * h / waited_us`: what of a waiting contact abandons within h, in 2^-32.
//! 5. The i-th contact takes `(h << 64) / (R + i * g)`; raw = their sum for i = 0..=a, `>> 32`.
//!    From 256 terms on, blocks of as many terms as came before (the last one of what is left) are
//!    cut into 16 parts, each counted as so many times the term in its middle (rounded down to
//!    half a term). Between 1 microsecond and a week.
//! 6. mean = `raw * actual_us / estimated_us`; P50 and P90 = mean times the quantiles (see
//!    calibration.rs).
//! 7. A contact that is queued, newly or by a transfer, and still waits after its command becomes
//!    its queue's open sample if there is none. It stops being it when it is changed, abandons or
//!    is released, and is scored when it is engaged.

use std::cmp::Ordering;

use crate::calibration::{Calibration, HEAVIEST, LONGEST, Sample};
use crate::check::{Sound, hold};
use crate::class::{AgentClass, Floor};
use crate::contact::{Contact, Place, Stage};
use crate::event::Event;
use crate::ids::{ChannelId, ContactId, QueueId};
use crate::queue::Queues;
use crate::router::Router;
use crate::time::Micros;
use crate::view::Estimate;

/// So many terms are summed one by one.
const EXACT: u64 = 256;
/// Parts of a block of terms.
const PARTS: u64 = 16;

/// What decides how fast a contact comes nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    /// Contacts before it.
    ahead: u64,
    /// The rate at which it comes nearer, times the mean handle time, in 2^-32.
    rate: u128,
}

impl Pace {
    /// The wait before calibration; `abandonment` per handle time and contact, in 2^-32.
    fn wait(self, handle_time: Micros, abandonment: u128) -> Micros {
        let term = |twice: u64| {
            let left = abandonment * u128::from(twice) / 2;
            (u128::from(handle_time) << 64) / (self.rate + left)
        };
        let terms = self.ahead + 1;
        let sum = if abandonment == 0 {
            u128::from(terms) * term(0)
        } else {
            let exact: u128 = (0..terms.min(EXACT)).map(|i| term(2 * i)).sum();
            exact
                + blocks(terms)
                    .map(|(from, to)| u128::from(to - from) * term(from + to - 1))
                    .sum::<u128>()
        };
        u64::try_from(sum >> 32)
            .unwrap_or(LONGEST)
            .clamp(1, LONGEST)
    }
}

/// The parts, from and to, of the terms that are not summed one by one.
fn blocks(terms: u64) -> impl Iterator<Item = (u64, u64)> {
    let starts = std::iter::successors(Some(EXACT), |start| Some(start * 2));
    let blocks = starts
        .take_while(move |start| *start < terms)
        .flat_map(move |start| {
            let length = start.min(terms - start);
            (0..PARTS).map(move |part| {
                let bound = |part| start + length * part / PARTS;
                (bound(part), bound(part + 1))
            })
        });
    blocks.filter(|(from, to)| from < to)
}

/// How many of each class stand before one contact, as far as they have been counted.
///
/// Where no agent's level decides, they are the same for all agents. On a large floor agents of a hundred
/// classes have the same thousand rivals: counting each once takes microseconds instead of milliseconds.
struct Counted {
    /// By contact class; empty where every agent counts anew.
    counts: Vec<u32>,
}

impl Counted {
    const NOT_YET: u32 = u32::MAX;

    fn nothing(floor: &Floor) -> Self {
        let classes = if floor.by_level {
            0
        } else {
            floor.contacts.len()
        };
        Self {
            counts: vec![Self::NOT_YET; classes],
        }
    }

    fn of(&mut self, class: usize, count: impl FnOnce() -> usize) -> u64 {
        let Some(known) = self.counts.get_mut(class) else {
            return count() as u64;
        };
        if *known == Self::NOT_YET {
            *known = count() as u32;
        }
        u64::from(*known)
    }
}

impl Floor {
    /// How many waiting contacts an agent of a class would be offered before this one.
    fn before(
        &self,
        contact: &Contact,
        agents: usize,
        queues: &Queues,
        counted: &mut Counted,
    ) -> u64 {
        let own = contact.class as usize;
        let rank = (self.heads[own].priority, self.part(own, agents, queues));
        let rivals = self.agents[agents].row.both(&self.nonempty);
        let counts = rivals.map(|index| {
            counted.of(index, || {
                let theirs = (self.heads[index].priority, self.part(index, agents, queues));
                self.before_in(index, contact, theirs.cmp(&rank))
            })
        });
        counts.sum()
    }

    /// How many contacts of a class stand before this one, where their queues compare so.
    fn before_in(&self, index: usize, contact: &Contact, queues: Ordering) -> usize {
        let (own, place) = (&self.heads[contact.class as usize], contact.place());
        let (tier, time, sequence) = match queues {
            Ordering::Less => (place.tier + 1, i64::MIN, 0),
            Ordering::Equal => {
                let time = place.time + own.allowance_us - self.heads[index].allowance_us;
                (place.tier, time, place.sequence)
            }
            Ordering::Greater => (place.tier, i64::MIN, 0),
        };
        let bound = Place {
            tier,
            time,
            sequence,
        };
        self.contacts[index].waiting.rank(&(bound, 0))
    }
}

impl AgentClass {
    /// How many contacts of a weight one of these agents holds at once.
    fn places_for(&self, channel: u32, weight: u32) -> u64 {
        let lane = self.lane(channel).map(|lane| &self.lanes[lane]);
        lane.map_or(0, |lane| {
            if lane.exclusive {
                1
            } else {
                u64::from(lane.units / weight)
            }
        })
    }
}

impl Router {
    /// How fast a waiting contact comes nearer; `None` when nobody works who could serve it.
    fn pace(&self, contact: &Contact) -> Option<Pace> {
        let floor = &self.floor;
        let class = &floor.contacts[contact.class as usize];
        let excluded = contact.excludes();
        let (mut ahead, mut shares) = (u64::MAX, 0);
        let mut counted = Counted::nothing(floor);
        for index in class.row.both(&floor.manned) {
            if floor.is_hidden(index, class, excluded) {
                continue;
            }
            let agents = &floor.agents[index];
            let excluded = excluded.iter().filter_map(|id| self.agents.get(*id));
            let excluded = excluded.filter(|agent| agents.present.contains(&agent.position));
            let working = (agents.present.len() - excluded.count()) as u64;
            if working == 0 {
                continue;
            }
            let before = floor.before(contact, index, &self.queues, &mut counted);
            let places = working * agents.places_for(class.key.channel, class.key.weight);
            shares += u128::from((1_u64 << 48) / (before + 1)) * u128::from(places);
            ahead = ahead.min(before);
        }
        (shares > 0).then(|| Pace {
            ahead,
            rate: (u128::from(ahead + 1) * shares) >> 16,
        })
    }

    /// How long a waiting contact will go on waiting; `None` when it does not wait, or nobody works
    /// who could serve it.
    #[must_use]
    pub fn estimate(&self, contact: ContactId) -> Option<Estimate> {
        let contact = self
            .contacts
            .get(contact)
            .filter(|contact| contact.waits())?;
        let known = self.calibrations.of(contact.queue)?;
        let (ahead, sample) = self.sample_of(contact, known)?;
        Some(Estimate {
            position: self.floor.position(contact),
            ahead,
            mean_us: sample.mean_us,
            p50_us: known.quantile(sample.mean_us, 50),
            p90_us: sample.p90_us,
        })
    }

    /// How many contacts go first, and the estimate.
    fn sample_of(&self, contact: &Contact, known: &Calibration) -> Option<(u64, Sample)> {
        let pace = self.pace(contact)?;
        let handle_time = known.handle_time();
        let raw_us = pace.wait(handle_time, known.abandonment(handle_time));
        let mean_us = known.calibrated(raw_us);
        let sample = Sample {
            contact: contact.id,
            raw_us,
            mean_us,
            p90_us: known.quantile(mean_us, 90),
            weight: (pace.ahead + 1).min(HEAVIEST),
        };
        Some((pace.ahead, sample))
    }

    /// What the command under way has queued, and nobody was offered, becomes its queue's open
    /// sample if there is none.
    pub(crate) fn open_sample(&mut self) {
        let (id, queue) = std::mem::take(&mut self.queued);
        if let Some(known) = self.calibrations.of(queue)
            && known.open.is_none()
            && let Some(contact) = self.contacts.get(id)
            && let Some((_, sample)) = self.sample_of(contact, known)
        {
            self.calibrations.open(queue, sample);
        }
    }

    /// A contact waits no longer: somebody is engaged with it.
    pub(crate) fn score_wait(
        &mut self,
        id: ContactId,
        channel: ChannelId,
        queue: QueueId,
        since: Micros,
    ) {
        let at = self.now;
        let actual_us = at.saturating_sub(since);
        if let Some(sample) = self.calibrations.engaged(queue, id, actual_us) {
            self.emit(Event::EstimateScored {
                at,
                contact: id,
                channel,
                queue,
                estimate_us: sample.mean_us,
                p90_us: sample.p90_us,
                actual_us,
            });
        }
    }
}

/// For `check()`.
impl Router {
    pub(crate) fn audit_calibrations(&self) -> Sound {
        let queues = self.setup.config.queues.iter().map(|queue| queue.id);
        let known = self.calibrations.queues.iter().map(|known| known.queue);
        hold(queues.eq(known), "every queue is calibrated", 0_u64)?;
        for known in &self.calibrations.queues {
            hold(known.is_sound(), "a queue's sums are sums", known.queue)?;
            let Some(open) = known.open else {
                continue;
            };
            let contact = self.contacts.get(open.contact);
            let waits = contact.is_some_and(|contact| {
                contact.queue == known.queue && contact.stage() != Stage::Engaged
            });
            hold(waits, "an open sample waits in its queue", open.contact)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wait, and the sum of all of its terms.
    fn waits(ahead: u64, agents: u128, abandonment: u128) -> (Micros, Micros) {
        let (handle_time, rate) = (180_000_000, agents << 32);
        let terms = (0..=ahead).map(|i| {
            let left = abandonment * u128::from(i);
            (u128::from(handle_time) << 64) / (rate + left)
        });
        let all = terms.sum::<u128>() >> 32;
        let seen = Pace { ahead, rate }.wait(handle_time, abandonment);
        (seen, all.min(u128::from(LONGEST)) as Micros)
    }

    #[test]
    fn the_sum_of_a_short_line_is_exact_and_of_a_long_one_close() {
        let half = u128::from(1_u64 << 31);
        for (ahead, agents, abandonment) in [
            (0, 3, half),
            (17, 100, 0),
            (255, 4, half / 2),
            (256, 4, half / 2),
            (300, 40, 3 * half),
            (5_000, 40, half / 5),
            (1_000_000, 700, half / 2),
        ] {
            let (seen, all) = waits(ahead, agents, abandonment);
            let slack = if ahead < EXACT { 0 } else { all / 5_000 };
            assert!(seen.abs_diff(all) <= slack, "{ahead} ahead: {seen}, {all}");
        }
    }

    #[test]
    fn blocks_are_every_later_term_once() {
        for terms in [1, 256, 257, 271, 511, 512, 513, 1_024, 99_999] {
            let mut next = EXACT.min(terms);
            for (from, to) in blocks(terms) {
                assert_eq!(from, next);
                next = to;
            }
            assert_eq!(next, terms);
        }
    }
}
