//! What a stretch of a play amounts to: whole numbers, so that two plays can be compared exactly.

use router_core::Micros;

/// What became of the contacts of one flow. Waits belong to the stretch in which they ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowSums {
    /// Contacts that came in.
    pub arrived: u64,
    /// Of these, found no room.
    pub blocked: u64,
    /// Answered by an agent.
    pub answered: u64,
    /// Hung up.
    pub abandoned: u64,
    /// Answered or hung up, after not having been answered at once.
    pub waited: u64,
    /// Waits of the answered; those answered at once count 0.
    pub wait_answered_us: u64,
    /// Waits of those who hung up.
    pub wait_abandoned_us: u64,
    /// The longest wait of all.
    pub longest_wait_us: Micros,
    /// Squares of the waits of the answered.
    pub square_answered: f64,
    /// Squares of the waits of those who hung up.
    pub square_abandoned: f64,
    /// Answered within each bound.
    pub answered_within: [u64; 2],
    /// Hung up within each bound.
    pub abandoned_within: [u64; 2],
}

impl FlowSums {
    /// Contacts that were admitted and are through with waiting.
    #[must_use]
    pub const fn resolved(&self) -> u64 {
        self.answered + self.abandoned
    }

    /// All waits together.
    #[must_use]
    pub const fn wait_us(&self) -> u64 {
        self.wait_answered_us + self.wait_abandoned_us
    }

    pub(crate) fn answer(&mut self, wait: Micros, at_once: bool, within_us: &[Micros; 2]) {
        self.answered += 1;
        self.waited += u64::from(!at_once);
        self.wait_answered_us += wait;
        self.square_answered += (wait as f64).powi(2);
        self.longest_wait_us = self.longest_wait_us.max(wait);
        for (count, bound) in self.answered_within.iter_mut().zip(within_us) {
            *count += u64::from(wait <= *bound);
        }
    }

    pub(crate) fn abandon(&mut self, wait: Micros, within_us: &[Micros; 2]) {
        self.abandoned += 1;
        self.waited += 1;
        self.wait_abandoned_us += wait;
        self.square_abandoned += (wait as f64).powi(2);
        self.longest_wait_us = self.longest_wait_us.max(wait);
        for (count, bound) in self.abandoned_within.iter_mut().zip(within_us) {
            *count += u64::from(wait <= *bound);
        }
    }

    fn add(&mut self, other: &Self) {
        self.arrived += other.arrived;
        self.blocked += other.blocked;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.waited += other.waited;
        self.wait_answered_us += other.wait_answered_us;
        self.wait_abandoned_us += other.wait_abandoned_us;
        self.longest_wait_us = self.longest_wait_us.max(other.longest_wait_us);
        self.square_answered += other.square_answered;
        self.square_abandoned += other.square_abandoned;
        for bound in 0..2 {
            self.answered_within[bound] += other.answered_within[bound];
            self.abandoned_within[bound] += other.abandoned_within[bound];
        }
    }
}

/// A stretch of a play.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// How long it was.
    pub time_us: u64,
    /// The flows, in the centre's order.
    pub flows: Vec<FlowSums>,
    /// Number waiting, over time.
    pub waiting_us: u64,
    /// Its square, over time.
    pub waiting_square_us: u64,
    /// Busy agents of each pool, over time.
    pub busy_us: Vec<u64>,
    /// How much more than their mean was drawn, in means: gaps, talks, patience. 0 on average,
    /// so that a figure's luck can be told from it.
    pub luck: [f64; 3],
}

impl Sums {
    /// All flows as one.
    #[must_use]
    pub fn all(&self) -> FlowSums {
        let mut all = FlowSums::default();
        self.flows.iter().for_each(|flow| all.add(flow));
        all
    }

    /// Busy agents of all pools, over time.
    #[must_use]
    pub fn all_busy_us(&self) -> u64 {
        self.busy_us.iter().sum()
    }

    /// Lengthens this stretch by the next one.
    pub fn add(&mut self, next: &Self) {
        self.time_us += next.time_us;
        self.waiting_us += next.waiting_us;
        self.waiting_square_us += next.waiting_square_us;
        for (luck, more) in self.luck.iter_mut().zip(next.luck) {
            *luck += more;
        }
        if self.flows.is_empty() {
            self.flows.clone_from(&next.flows);
            self.busy_us.clone_from(&next.busy_us);
            return;
        }
        for (flow, more) in self.flows.iter_mut().zip(&next.flows) {
            flow.add(more);
        }
        for (busy, more) in self.busy_us.iter_mut().zip(&next.busy_us) {
            *busy += more;
        }
    }
}
