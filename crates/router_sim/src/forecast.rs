//! How good the announced waits are: every contact that has to wait is told one when it comes in,
//! and each is held against the wait that followed.
//!
//! Beside the router's estimate stands what Asterisk's queues announce, the exponentially weighted
//! mean of the waits of all who were answered, a quarter for the latest (app_queue.c,
//! `recalc_holdtime`).

use std::collections::BTreeMap;

use router_core::{ContactId, Estimate, Micros, QueueId};

/// What a contact was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    mean_us: f64,
    p90_us: Micros,
    weighted_us: f64,
}

/// Of contacts that were told a wait and answered: sums over them, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// How many.
    pub contacts: f64,
    /// Their waits.
    pub waits: f64,
    /// The squares of their waits.
    pub squares: f64,
    /// The squared errors of the router's estimates.
    pub errors: f64,
    /// The squared errors of the weighted mean of past waits.
    pub weighted_errors: f64,
    /// How many were answered within the ninetieth percentile that was announced.
    pub within_p90: f64,
}

impl std::ops::AddAssign for Accuracy {
    fn add_assign(&mut self, other: Self) {
        self.contacts += other.contacts;
        self.waits += other.waits;
        self.squares += other.squares;
        self.errors += other.errors;
        self.weighted_errors += other.weighted_errors;
        self.within_p90 += other.within_p90;
    }
}

impl Accuracy {
    /// The variance of the waits: the squared error of their mean.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let mean = self.waits / self.contacts;
        self.squares / self.contacts - mean * mean
    }

    /// The mean squared error of the estimates over the variance.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.errors / self.contacts / self.variance()
    }

    /// The same of the weighted mean of past waits.
    #[must_use]
    pub fn weighted_error(&self) -> f64 {
        self.weighted_errors / self.contacts / self.variance()
    }

    /// The share that was answered within the announced ninetieth percentile.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        self.within_p90 / self.contacts
    }
}

/// The forecasts of one play.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forecasts {
    told: BTreeMap<ContactId, Told>,
    /// By queue: the weighted mean of past waits, in microseconds.
    weighted: BTreeMap<QueueId, f64>,
    pub(crate) accuracy: Accuracy,
}

impl Forecasts {
    pub(crate) fn tell(&mut self, contact: ContactId, queue: QueueId, estimate: Estimate) {
        let told = Told {
            mean_us: estimate.mean_us as f64,
            p90_us: estimate.p90_us,
            weighted_us: self.weighted.get(&queue).copied().unwrap_or(0.0),
        };
        self.told.insert(contact, told);
    }

    pub(crate) fn answered(&mut self, contact: ContactId, queue: QueueId, wait_us: Micros) {
        let weighted = self.weighted.entry(queue).or_default();
        *weighted += (wait_us as f64 - *weighted) / 4.0;
        let Some(told) = self.told.remove(&contact) else {
            return;
        };
        let seconds = |us: f64| us / 1e6;
        let wait = seconds(wait_us as f64);
        let sums = &mut self.accuracy;
        sums.contacts += 1.0;
        sums.waits += wait;
        sums.squares += wait * wait;
        sums.errors += (wait - seconds(told.mean_us)).powi(2);
        sums.weighted_errors += (wait - seconds(told.weighted_us)).powi(2);
        sums.within_p90 += f64::from(u8::from(wait_us <= told.p90_us));
    }

    pub(crate) fn gone(&mut self, contact: ContactId) {
        self.told.remove(&contact);
    }
}
