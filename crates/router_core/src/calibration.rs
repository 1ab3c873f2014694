//! What a queue has learnt about its waits: decayed sums, and how its estimates came out.
//!
//! Written down whole in docs/en/estimates.md. All numbers are integers, division truncates. A
//! duration that enters a sum is cut to a week. ONE is 2^32, a sample's weight.
//!
//! 1. Every new sample first takes what its sums hold times 998/1000 (`x * 998 / 1000`).
//! 2. Handling, once an engagement is over: `handle_us += duration`, `handled += ONE`. Its first
//!    sample is the configured `expected_handle_us`.
//! 3. Waiting, once a contact is engaged, has abandoned or was released: `waited_us += wait`,
//!    `abandoned += ONE` if it abandoned. Whoever was engaged without a wait is no sample. It
//!    starts as if ten contacts had waited `expected_handle_us` each and been served.
//! 4. One contact of a queue at a time is the open sample: its estimate is remembered. Scored when
//!    it is engaged: `actual_us += wait`, `estimated_us += raw estimate`; before the first of them
//!    both are ten times its raw estimate. The bucket of `wait / mean` gets ONE times the sample's
//!    weight, `ahead + 1` but at most 1,000: while it waits no other contact can be the sample, so
//!    without the weight those who wait in long lines would count too little.
//! 5. Bucket b of 64 begins at the ratio 2^((b-32)/8), but bucket 0 at 0; the last ends at 16,
//!    where greater ratios are counted too. At first ten of them hold ONE each: the middle of the
//!    tenths of an exponential wait.
//! 6. A quantile lies in the first bucket with which the weights reach its share of all, as far
//!    between the bucket's ends as the missing weight is of the bucket's.

use crate::config::QueueConfig;
use crate::hash::Fold;
use crate::ids::{ContactId, QueueId};
use crate::time::{DAY, Micros};

/// A sample's weight.
const ONE: u64 = 1 << 32;
/// The longest duration that enters a sum, and the longest wait that is announced.
pub(crate) const LONGEST: Micros = 7 * DAY;
/// What decayed weights of one each cannot go beyond: 1 / (1 - .998), the priors, and room.
const MOST_SAMPLES: u64 = 520;
/// How many contacts a new queue is taken to have served as expected.
const PRIOR: u64 = 10;
/// Queues with smaller numbers are found without a search.
const LISTED: QueueId = if cfg!(debug_assertions) { 3 } else { 1 << 16 };
/// The most that one sample weighs in the buckets.
pub(crate) const HEAVIEST: u64 = 1_000;
const BUCKETS: usize = 64;
/// Where the middles of the tenths of an exponential distribution with mean 1 lie.
const PRIOR_BUCKETS: [usize; PRIOR as usize] = [0, 11, 17, 22, 26, 29, 32, 35, 39, 44];
/// 2^(e/8) * 2^32, truncated.
const EIGHTHS: [u64; 8] = [
    4_294_967_296,
    4_683_695_047,
    5_107_605_667,
    5_569_883_475,
    6_074_000_999,
    6_623_745_058,
    7_223_245_205,
    7_877_004_751,
];

/// The lower ends of the buckets, in 2^-32, and the upper end of the last.
const BOUNDS: [u64; BUCKETS + 1] = {
    let mut bounds = [0; BUCKETS + 1];
    let mut bucket = 1;
    while bucket <= BUCKETS {
        bounds[bucket] = (EIGHTHS[bucket % 8] << (bucket / 8)) >> 4;
        bucket += 1;
    }
    bounds
};

/// Times 998/1000, truncated; no sum is above 2^51.
const fn decayed(sum: u64) -> u64 {
    sum * 998 / 1_000
}

/// The contact whose estimate is remembered, and the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) contact: ContactId,
    /// Before calibration.
    pub(crate) raw_us: Micros,
    pub(crate) mean_us: Micros,
    pub(crate) p90_us: Micros,
    /// For how many contacts it stands: itself, and those that were to go before it.
    pub(crate) weight: u64,
}

/// One queue's.
#[derive(Clone, Debug)]
pub(crate) struct Calibration {
    pub(crate) queue: QueueId,
    pub(crate) handle_us: u64,
    pub(crate) handled: u64,
    pub(crate) waited_us: u64,
    pub(crate) abandoned: u64,
    pub(crate) open: Option<Sample>,
    pub(crate) actual_us: u64,
    pub(crate) estimated_us: u64,
    pub(crate) buckets: Vec<u64>,
}

impl Calibration {
    fn new(queue: &QueueConfig) -> Self {
        let mut buckets = vec![0; BUCKETS];
        for bucket in PRIOR_BUCKETS {
            buckets[bucket] = ONE;
        }
        Self {
            queue: queue.id,
            handle_us: queue.expected_handle_us,
            handled: ONE,
            waited_us: PRIOR * queue.expected_handle_us,
            abandoned: 0,
            open: None,
            actual_us: 0,
            estimated_us: 0,
            buckets,
        }
    }

    /// Whether every sum is one that samples can make.
    pub(crate) fn is_sound(&self) -> bool {
        let sum = |sum| sum <= MOST_SAMPLES * LONGEST;
        let weight = |weight| weight <= MOST_SAMPLES * HEAVIEST * ONE;
        sum(self.handle_us)
            && sum(self.waited_us)
            && sum(self.actual_us)
            && sum(self.estimated_us)
            && (ONE..=MOST_SAMPLES * ONE).contains(&self.handled)
            && self.abandoned <= MOST_SAMPLES * ONE
            && self.buckets.len() == BUCKETS
            && self.buckets.iter().all(|&bucket| weight(bucket))
            && (ONE..=MOST_SAMPLES * HEAVIEST * ONE).contains(&self.buckets.iter().sum())
            && self.open.is_none_or(|open| {
                open.raw_us.max(open.mean_us).max(open.p90_us) <= LONGEST
                    && open.raw_us > 0
                    && (1..=HEAVIEST).contains(&open.weight)
            })
    }

    /// Its part of the state hash.
    fn hash(&self) -> u64 {
        let queue = u64::from(self.queue);
        let open = self.open.map_or([0; 5], |open| {
            [
                open.contact,
                open.raw_us,
                open.mean_us,
                open.p90_us,
                open.weight,
            ]
        });
        Fold::new(16)
            .words([queue, self.handle_us, self.handled])
            .words([self.waited_us, self.abandoned])
            .words(open)
            .words([self.actual_us, self.estimated_us])
            .words(self.buckets.iter().copied())
            .end()
    }

    /// The mean handle time.
    pub(crate) fn handle_time(&self) -> Micros {
        let mean = (u128::from(self.handle_us) << 32) / u128::from(self.handled);
        u64::try_from(mean).unwrap_or(LONGEST).clamp(1, LONGEST)
    }

    /// How many of those who wait abandon in one mean handle time, in 2^-32.
    pub(crate) fn abandonment(&self, handle_time: Micros) -> u128 {
        u128::from(self.abandoned) * u128::from(handle_time) / u128::from(self.waited_us.max(1))
    }

    /// An estimate times what estimates have fallen short by.
    pub(crate) fn calibrated(&self, raw: Micros) -> Micros {
        if self.estimated_us == 0 {
            return raw;
        }
        let mean = u128::from(raw) * u128::from(self.actual_us) / u128::from(self.estimated_us);
        u64::try_from(mean).unwrap_or(LONGEST).min(LONGEST)
    }

    /// What so many of a hundred waits stay within, by an estimate.
    pub(crate) fn quantile(&self, mean: Micros, percent: u64) -> Micros {
        let wanted = self.buckets.iter().sum::<u64>() * percent / 100;
        let mut below = 0;
        let mut ratio = BOUNDS[BUCKETS];
        for (bucket, &weight) in self.buckets.iter().enumerate() {
            if weight > 0 && below + weight >= wanted {
                let (from, to) = (BOUNDS[bucket], BOUNDS[bucket + 1]);
                let part = u128::from(to - from) * u128::from(wanted - below);
                ratio = from + (part / u128::from(weight)) as u64;
                break;
            }
            below += weight;
        }
        let wait = (u128::from(mean) * u128::from(ratio)) >> 32;
        u64::try_from(wait).unwrap_or(LONGEST).min(LONGEST)
    }

    fn handled_one(&mut self, lasted: Micros) {
        self.handle_us = decayed(self.handle_us) + lasted.min(LONGEST);
        self.handled = decayed(self.handled) + ONE;
    }

    fn waited_one(&mut self, waited: Micros, abandoned: bool) {
        self.waited_us = decayed(self.waited_us) + waited.min(LONGEST);
        self.abandoned = decayed(self.abandoned) + if abandoned { ONE } else { 0 };
    }

    fn close(&mut self, contact: ContactId) -> Option<Sample> {
        self.open.take_if(|open| open.contact == contact)
    }

    fn score(&mut self, sample: Sample, actual: Micros) {
        let actual = actual.min(LONGEST);
        if self.estimated_us == 0 {
            self.actual_us = PRIOR * sample.raw_us;
            self.estimated_us = self.actual_us;
        }
        self.actual_us = decayed(self.actual_us) + actual;
        self.estimated_us = decayed(self.estimated_us) + sample.raw_us;
        let ratio = (u128::from(actual) << 32) / u128::from(sample.mean_us.max(1));
        let ratio = u64::try_from(ratio).unwrap_or(u64::MAX);
        for bucket in &mut self.buckets {
            *bucket = decayed(*bucket);
        }
        let bucket = BOUNDS[1..BUCKETS].partition_point(|bound| *bound <= ratio);
        self.buckets[bucket] += sample.weight * ONE;
    }
}

/// Every configured queue's, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calibrations {
    pub(crate) queues: Vec<Calibration>,
    /// By a queue's number: where its is, + 1; 0 = no such queue. Numbers beyond are searched for.
    places: Vec<u32>,
}

impl Calibrations {
    /// A queue that stays keeps what it has learnt; a new one starts from what it expects.
    pub(crate) fn configure(&mut self, queues: &[QueueConfig]) {
        let mut old = std::mem::take(&mut self.queues).into_iter().peekable();
        for queue in queues {
            while old.next_if(|known| known.queue < queue.id).is_some() {}
            let known = old.next_if(|known| known.queue == queue.id);
            self.queues
                .push(known.unwrap_or_else(|| Calibration::new(queue)));
        }
        self.derive();
    }

    /// Works out what is derived.
    pub(crate) fn derive(&mut self) {
        self.places.clear();
        for (place, known) in self.queues.iter().enumerate() {
            if known.queue < LISTED {
                self.places.resize(known.queue as usize + 1, 0);
                self.places[known.queue as usize] = place as u32 + 1;
            }
        }
    }

    /// Their part of the state hash. They change with nearly every contact, and it is asked for once
    /// in a thousand batches.
    pub(crate) fn hash(&self) -> u64 {
        let hashes = self.queues.iter().map(Calibration::hash);
        hashes.fold(0, u64::wrapping_add)
    }

    #[inline]
    fn place(&self, queue: QueueId) -> Option<usize> {
        match self.places.get(queue as usize) {
            Some(place) => place.checked_sub(1).map(|place| place as usize),
            None => self
                .queues
                .binary_search_by_key(&queue, |known| known.queue)
                .ok(),
        }
    }

    pub(crate) fn of(&self, queue: QueueId) -> Option<&Calibration> {
        self.place(queue).map(|place| &self.queues[place])
    }

    fn of_mut(&mut self, queue: QueueId) -> Option<&mut Calibration> {
        self.place(queue).map(|place| &mut self.queues[place])
    }

    /// An engagement is over, and its wrap-up known.
    pub(crate) fn handled(&mut self, queue: QueueId, lasted: Micros) {
        if let Some(known) = self.of_mut(queue) {
            known.handled_one(lasted);
        }
    }

    /// Somebody is engaged with a contact that has waited; its sample, if it was the open one.
    pub(crate) fn engaged(
        &mut self,
        queue: QueueId,
        contact: ContactId,
        waited: Micros,
    ) -> Option<Sample> {
        let known = self.of_mut(queue)?;
        if waited > 0 {
            known.waited_one(waited, false);
        }
        let sample = known.close(contact)?;
        known.score(sample, waited);
        Some(sample)
    }

    /// A contact that waited has left unserved.
    pub(crate) fn left(
        &mut self,
        queue: QueueId,
        contact: ContactId,
        waited: Micros,
        abandoned: bool,
    ) {
        if let Some(known) = self.of_mut(queue) {
            known.waited_one(waited, abandoned);
            known.close(contact);
        }
    }

    pub(crate) fn open(&mut self, queue: QueueId, sample: Sample) {
        if let Some(known) = self.of_mut(queue) {
            known.open = Some(sample);
        }
    }

    /// Forgets the queue's open sample, if it is this contact.
    pub(crate) fn close(&mut self, queue: QueueId, contact: ContactId) {
        if let Some(known) = self.of_mut(queue) {
            known.close(contact);
        }
    }
}
