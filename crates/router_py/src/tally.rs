//! What a batch adds to the figures that a site is watched by: counted here, once a batch, so that
//! Python pays for a batch and not for each event.

use std::collections::BTreeMap;

use router_core::{ContactState, Event, OverflowTo, Router};
use router_wire::{Applied, Frames, decode_event, kind};

/// (kind, events), (code, refusals), (queue, what a contact waited until it was engaged).
pub(crate) type Tally = (Vec<(u64, u64)>, Vec<(u16, u64)>, Vec<(u32, u64)>);

/// Kinds are one byte on the wire, and will be.
const KINDS: usize = 128;
const ENGAGED_KIND: u64 = 75;
const OVERFLOWED_KIND: u64 = 106;

/// Counts a batch that has just been applied to `router`.
///
/// Of `overflowed` only those by which the contact is over: it has gone to a place outside.
/// A contact that is passed on or over within the very batch in which it was engaged has no wait
/// here: the router does not show any more where it stood.
pub(crate) fn of(router: &Router, batch: &Applied) -> Tally {
    let mut kinds = [0_u64; KINDS];
    let mut waits = Vec::new();
    for body in Frames::new(batch.events.bytes()).flatten() {
        let kind = kind(body).unwrap_or_default();
        if kind == OVERFLOWED_KIND && !goes_outside(body) {
            continue;
        }
        if let Some(count) = kinds.get_mut(kind as usize) {
            *count += 1;
        }
        if kind == ENGAGED_KIND {
            waits.extend(wait(router, body));
        }
    }
    let mut refusals = BTreeMap::new();
    for (code, _) in batch.results.iter().filter(|(code, _)| *code != 0) {
        *refusals.entry(*code).or_default() += 1;
    }
    let kinds = (0..).zip(kinds).filter(|(_, count)| *count > 0);
    (kinds.collect(), refusals.into_iter().collect(), waits)
}

fn goes_outside(body: &[u8]) -> bool {
    let outside = OverflowTo::Target;
    matches!(decode_event(body), Ok(Event::Overflowed { to_kind, .. }) if to_kind == outside)
}

fn wait(router: &Router, body: &[u8]) -> Option<(u32, u64)> {
    let Ok(Event::Engaged { at, contact, .. }) = decode_event(body) else {
        return None;
    };
    let view = router.contact(contact)?;
    let engaged = matches!(view.state, ContactState::Engaged { .. });
    engaged.then(|| (view.queue, at.saturating_sub(view.enqueued_at)))
}
