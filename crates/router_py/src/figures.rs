//! Class `Figures`: what a site is watched by, counted here so that Python pays for a batch and not
//! for each event.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use router_core::{ContactState, Event, OverflowTo};
use router_wire::{Frames, decode_event, kind};

use crate::batch::Batch;
use crate::router::Router;

/// Kinds are one byte on the wire, and will be.
const KINDS: usize = 128;
const ENGAGED_KIND: u64 = 75;
const OVERFLOWED_KIND: u64 = 106;

/// Events by kind, refusals by code, waits by queue, of all batches that were counted.
#[pyclass(module = "engine._router")]
pub(crate) struct Figures {
    events: [u64; KINDS],
    refusals: BTreeMap<u16, u64>,
    waits: BTreeMap<u32, Waits>,
}

/// How many waits end at or below each mark and above the one before, and their sum.
struct Waits {
    marks_us: Vec<u64>,
    counts: Vec<u64>,
    sum_us: u64,
}

#[pymethods]
impl Figures {
    /// (queue, rising marks in µs) of every queue whose waits are counted.
    #[new]
    fn new(marks_us: Vec<(u32, Vec<u64>)>) -> Self {
        let waits = marks_us.into_iter().map(|(queue, marks_us)| {
            let counts = vec![0; marks_us.len() + 1];
            (
                queue,
                Waits {
                    marks_us,
                    counts,
                    sum_us: 0,
                },
            )
        });
        Self {
            events: [0; KINDS],
            refusals: BTreeMap::new(),
            waits: waits.collect(),
        }
    }

    /// Counts a batch that has just been applied to `router`.
    ///
    /// Of `overflowed` only those by which the contact is over: it has gone to a place outside. A
    /// contact that is passed on or over within the very batch in which it was engaged has no wait
    /// here: the router does not show any more where it stood.
    fn count(&mut self, router: &Router, batch: &Batch) {
        for body in Frames::new(batch.0.events.bytes()).flatten() {
            let kind = kind(body).unwrap_or_default();
            if kind == OVERFLOWED_KIND && !goes_outside(body) {
                continue;
            }
            if kind == ENGAGED_KIND {
                self.count_wait(router, body);
            }
            if let Some(count) = self.events.get_mut(kind as usize) {
                *count += 1;
            }
        }
        for (code, _) in batch.0.results.iter().filter(|(code, _)| *code != 0) {
            *self.refusals.entry(*code).or_default() += 1;
        }
    }

    /// (kind, how many) of the kinds that have happened.
    fn events(&self) -> Vec<(usize, u64)> {
        let counts = self.events.iter().copied().enumerate();
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// (code, how many) of the refusals that have happened.
    fn refusals(&self) -> Vec<(u16, u64)> {
        self.refusals
            .iter()
            .map(|(code, count)| (*code, *count))
            .collect()
    }

    /// (queue, counts, one more than marks; sum in µs).
    fn waits(&self) -> Vec<(u32, Vec<u64>, u64)> {
        let rows = self.waits.iter();
        rows.map(|(queue, one)| (*queue, one.counts.clone(), one.sum_us))
            .collect()
    }
}

impl Figures {
    fn count_wait(&mut self, router: &Router, body: &[u8]) {
        let Ok(Event::Engaged { at, contact, .. }) = decode_event(body) else {
            return;
        };
        let Some(view) = router.0.contact(contact) else {
            return;
        };
        if !matches!(view.state, ContactState::Engaged { .. }) {
            return;
        }
        if let Some(waits) = self.waits.get_mut(&view.queue) {
            let wait_us = at.saturating_sub(view.enqueued_at);
            let bucket = waits.marks_us.partition_point(|mark_us| *mark_us < wait_us);
            waits.counts[bucket] += 1;
            waits.sum_us += wait_us;
        }
    }
}

fn goes_outside(body: &[u8]) -> bool {
    let outside = OverflowTo::Target;
    matches!(decode_event(body), Ok(Event::Overflowed { to_kind, .. }) if to_kind == outside)
}
