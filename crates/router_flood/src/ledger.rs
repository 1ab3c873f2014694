//! The client's own books: what it was promised, what became of it, how long it took.

use std::collections::BTreeMap;

use crate::histogram::Histogram;

/// What a flood found. Latencies begin at the moment at which something was *meant* to be sent.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Arrival -> offer heard by the agent, for contacts that were offered in the instant of queueing.
    pub arrival_offer_idle: Histogram,
    /// Arrival -> offer, the wait for an agent included.
    pub arrival_offer: Histogram,
    /// An agent's end (or end of wrap-up) -> its next offer, of a contact that had waited before.
    pub freed_offer: Histogram,
    /// Command -> acknowledged.
    pub ack: Histogram,
    /// Arrival -> the customer hears that an agent has answered.
    pub answered: Histogram,
    /// How late this program was with an arrival.
    pub late: Histogram,
    /// Arrivals that were sent.
    pub arrivals: u64,
    /// Of these, meant for the measured window.
    pub arrivals_measured: u64,
    /// Lives that are over on both sides: ended, and wrapped up.
    pub lifecycles: u64,
    /// Of these, in the measured window.
    pub lifecycles_measured: u64,
    /// Arrivals whose acknowledgement was heard: from there on none may be lost.
    pub acknowledged: u64,
    /// Contacts that ended after a talk.
    pub served: u64,
    /// Contacts that were turned away.
    pub blocked: u64,
    /// Contacts that ended otherwise.
    pub otherwise: u64,
    /// Offers that nobody answered in time.
    pub expired: u64,
    /// Talks and wrap-ups that were cut short because the flood was over.
    pub hurried: u64,
    /// Contacts that ended twice, or that two agents have accepted.
    pub doubled: u64,
    /// Acknowledged contacts that never ended.
    pub missing: u64,
    /// Some of them.
    pub missing_contacts: Vec<u64>,
    /// Commands that were refused, by the command's kind and the code.
    pub refused: BTreeMap<(&'static str, u16), u64>,
    /// Frames that were refused before the journal and sent again later.
    pub busy: u64,
    /// Answered within the service level's 20 s, of those who arrived in the window.
    pub answered_in_time: u64,
}

/// What happened until now: for whoever watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// The run's time; the measured window begins at `from_us`.
    pub at_us: u64,
    /// Arrivals sent.
    pub arrivals: u64,
    /// Lives over.
    pub lifecycles: u64,
    /// Contacts that are there.
    pub live: u64,
    /// Commands without an answer.
    pub unanswered: u64,
    /// p99 of freed -> next offer until now.
    pub freed_offer_p99_us: Option<u64>,
}
