//! Explanations as tuples: the shapes that `_router.pyi` promises.

use router_core::Command;
use router_core::explain::{AgentKey, Explanation};
use router_wire::{DecodeError, Frames};

type CheckRow = (&'static str, bool, u32, u64, u64, u64);
type KeyRow = (u32, u8, u32, u8, u64, u64, u32);
pub(crate) type ExplanationRow = (
    bool,
    Vec<CheckRow>,
    KeyRow,
    u32,
    Vec<KeyRow>,
    u32,
    u32,
    u32,
    Vec<u64>,
);

pub(crate) fn row(told: Explanation) -> ExplanationRow {
    let checks = told.checks.iter().map(|one| {
        let name = one.predicate.name();
        (name, one.holds, one.subject, one.has, one.needs, one.held)
    });
    (
        told.eligible,
        checks.collect(),
        key(&told.key),
        told.candidates,
        told.best.iter().map(key).collect(),
        told.agents_ahead,
        told.rivals,
        told.contacts_ahead,
        told.ahead,
    )
}

fn key(one: &AgentKey) -> KeyRow {
    (
        one.agent,
        one.level,
        one.score,
        one.strategy as u8,
        one.number,
        one.idle_since,
        one.position,
    )
}

/// The commands of a batch.
pub(crate) fn commands(frames: &[u8]) -> Result<Vec<Command>, DecodeError> {
    Frames::new(frames)
        .map(|body| body.and_then(router_wire::decode_command))
        .collect()
}
