//! Paidui's load generator: the customers and agents of a flood over real sockets, in one loop.
//!
//! A flood speaks the gateway's frames as any plugin and any edge does: contacts come over a
//! connection for each channel, agents share at most [`MAX_EDGES`] connections, and each contact
//! lives its whole life: arrival, offer, acceptance, connection, end, end of wrap-up. Two loads:
//! [`Load::Open`], where each contact comes at its planned time whether or not the site keeps up and
//! each latency begins at that time, and [`Load::Saturated`], where so many come that some always wait.
//!
//! Patience, misses and declines belong to the crowd in `loadtest/`; here everybody is prompt, and
//! the client is cheap enough not to be what is measured.

mod asking;
mod crowd;
mod drive;
mod hearing;
mod histogram;
mod ledger;
mod link;
mod settings;
mod skim;
#[cfg(test)]
mod tests;

pub use drive::flood;
pub use histogram::Histogram;
pub use ledger::{Ledger, Progress};
pub use settings::{Address, Agent, Load, MAX_EDGES, Planned, Plugin, Queue, Settings};

/// Why a flood could not be played to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}
