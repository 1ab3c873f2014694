//! Counts and areas under way: how many wait, how many agents of each pool are busy.

use router_core::Micros;

use crate::sums::{FlowSums, Sums};
use crate::waiting::Contact;

/// A number that changes in time, and the area under it.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    height: u64,
    since: Micros,
    area: u64,
    square_area: u64,
}

impl Level {
    fn reach(&mut self, at: Micros) {
        let strip = self.height * (at - self.since);
        self.area += strip;
        self.square_area += strip * self.height;
        self.since = at;
    }

    fn up(&mut self, at: Micros) {
        self.reach(at);
        self.height += 1;
    }

    fn down(&mut self, at: Micros) {
        self.reach(at);
        self.height -= 1;
    }

    /// The areas since the last time they were taken.
    fn take(&mut self, at: Micros) -> (u64, u64) {
        self.reach(at);
        let areas = (self.area, self.square_area);
        (self.area, self.square_area) = (0, 0);
        areas
    }
}

/// The meter of one play.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    now: Micros,
    started: Micros,
    waiting: Level,
    busy: Vec<Level>,
    /// Pool by the agent's position.
    pools: Vec<usize>,
    flows: Vec<FlowSums>,
    luck: [f64; 3],
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Drawn {
    Gap,
    Talk,
    Patience,
}

impl Meter {
    pub(crate) fn new(flows: usize, pools: &[usize]) -> Self {
        let count = pools.iter().max().map_or(0, |last| last + 1);
        Self {
            now: 0,
            started: 0,
            waiting: Level::default(),
            busy: vec![Level::default(); count],
            pools: pools.to_vec(),
            flows: vec![FlowSums::default(); flows],
            luck: [0.0; 3],
        }
    }

    pub(crate) const fn waiting(&self) -> u64 {
        self.waiting.height
    }

    pub(crate) fn arrived(&mut self, at: Micros, flow: usize) {
        self.now = at;
        self.waiting.up(at);
        self.flows[flow].arrived += 1;
    }

    pub(crate) fn blocked(&mut self, at: Micros, contact: &Contact) {
        self.waiting.down(at);
        self.flows[contact.flow].blocked += 1;
    }

    pub(crate) fn answered(
        &mut self,
        at: Micros,
        contact: &Contact,
        at_once: bool,
        within_us: &[Micros; 2],
    ) {
        self.waiting.down(at);
        self.flows[contact.flow].answer(at - contact.at, at_once, within_us);
    }

    pub(crate) fn abandoned(&mut self, at: Micros, contact: &Contact, within_us: &[Micros; 2]) {
        self.now = at;
        self.waiting.down(at);
        self.flows[contact.flow].abandon(at - contact.at, within_us);
    }

    /// Something was drawn; what is more than its mean is luck.
    pub(crate) fn drawn(&mut self, what: Drawn, duration: Micros, mean: f64) {
        self.luck[what as usize] += duration as f64 / mean - 1.0;
    }

    /// An agent, by its position, has a contact from here on.
    pub(crate) fn taken(&mut self, at: Micros, position: usize) {
        self.busy[self.pools[position]].up(at);
    }

    /// An agent has none any more.
    pub(crate) fn freed(&mut self, at: Micros, position: usize) {
        self.now = at;
        self.busy[self.pools[position]].down(at);
    }

    /// What has happened since the last stretch.
    pub(crate) fn stretch(&mut self) -> Sums {
        let (waiting_us, waiting_square_us) = self.waiting.take(self.now);
        let now = self.now;
        let empty = vec![FlowSums::default(); self.flows.len()];
        let sums = Sums {
            time_us: now - self.started,
            flows: std::mem::replace(&mut self.flows, empty),
            waiting_us,
            waiting_square_us,
            busy_us: self.busy.iter_mut().map(|pool| pool.take(now).0).collect(),
            luck: std::mem::take(&mut self.luck),
        };
        self.started = now;
        sums
    }
}
