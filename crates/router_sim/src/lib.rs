//! A pure virtual-time driver over the routing core: a day of contacts in well under a second.
//!
//! 1. A day is a fresh router; it ends when nothing is left to happen.
//! 2. At equal times: agents become free (in the order in which they answered), sign in, sign out,
//!    contacts arrive, customers hang up.
//! 3. Every offer is accepted, and every connection made, in the same instant, before anything else.
//! 4. Patience is the customer's: the driver sends `abandon`. Wrap-up is the core's.

//!
//! A [`Play`] is endless instead: arrivals, talks and patience are drawn from seeded streams, and
//! [`Batches`] says how sure its figures are.

mod batches;
mod day;
mod forecast;
mod law;
mod meter;
mod play;
mod sums;
mod waiting;

pub use batches::{Batches, Estimate, Ratio, student_quantile};
pub use day::Refused;
pub use forecast::Accuracy;
pub use law::{Law, Stream};
pub use play::{Centre, Flow, Play};
use router_core::{AgentId, ChannelId, Config, Event, Micros, QueueId, SkillLevel};
pub use sums::{FlowSums, Sums};

/// One contact of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimContact {
    /// When it comes in.
    pub arrive_us: Micros,
    /// Where from.
    pub channel: ChannelId,
    /// Where it waits.
    pub queue: QueueId,
    /// How long it talks; `None` = [`Workload::reached_talk_us`].
    pub service_us: Option<Micros>,
    /// How long it waits before it hangs up; `None` = endless.
    pub patience_us: Option<Micros>,
    /// Its head start.
    pub head_start_us: Micros,
    /// The units that it takes.
    pub weight: u32,
    /// What it needs beyond the queue's own requirement.
    pub requires: Vec<SkillLevel>,
}

/// One duty interval of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Who.
    pub agent: AgentId,
    /// From when.
    pub sign_in_us: Micros,
    /// Until when; `None` = to the end of the day.
    pub sign_out_us: Option<Micros>,
}

/// A day's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The router's configuration.
    pub config: Config,
    /// Contacts, by `arrive_us`; equal times keep their order.
    pub contacts: Vec<SimContact>,
    /// Duty intervals.
    pub duty: Vec<Duty>,
    /// How long a contact without a service time talks when it is reached.
    pub reached_talk_us: Micros,
}

/// What became of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// An agent answered.
    Served = 0,
    /// The customer hung up.
    Abandoned = 1,
    /// There was no room.
    Blocked = 2,
    /// The day ended first.
    Unserved = 3,
}

/// What became of one contact; same index as in [`Workload::contacts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What became of it.
    pub outcome: Outcome,
    /// How long it waited: 0 when blocked or unserved.
    pub wait_us: Micros,
    /// Who answered; 0 = nobody.
    pub agent: AgentId,
}

/// A day's results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One row per contact.
    pub rows: Vec<Row>,
    /// Commands that were fed.
    pub commands: u64,
    /// Events that came out.
    pub events: u64,
    /// The router's clock at the end.
    pub ended_at_us: Micros,
    /// The router's state hash at the end.
    pub state_hash: u64,
}

/// Runs a day.
///
/// # Panics
/// When the router refuses something, as [`try_run_with`] would report: a configuration, an agent
/// on duty or a contact that is not valid.
#[must_use]
pub fn run(workload: &Workload) -> Report {
    run_with(workload, &mut |_| {})
}

/// Runs a day and shows every event to `sink`, in order.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn run_with(workload: &Workload, sink: &mut dyn FnMut(&Event)) -> Report {
    try_run_with(workload, sink).unwrap_or_else(|refused| panic!("{refused}"))
}

/// Runs a day and shows every event to `sink`, in order.
///
/// # Errors
/// The first thing that the router refuses.
pub fn try_run_with(workload: &Workload, sink: &mut dyn FnMut(&Event)) -> Result<Report, Refused> {
    day::Day::new(workload, sink).run()
}
