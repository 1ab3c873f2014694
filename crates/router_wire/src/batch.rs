//! A committed batch through the router: command frames in, results and encoded events out.

use std::collections::BTreeMap;
use std::ops::Range;

use router_core::{Micros, Router};

use crate::fanout::EventIndex;
use crate::frame::{Frames, put_frame};
use crate::message::{VERSION, decode_command};
use crate::writer::{put_array, put_uint};

/// The kind of the control frame that acknowledges.
const ACK_KIND: u64 = 130;

/// What one source has sent: frames that its intake has scanned.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Who.
    pub source: u64,
    /// The number of its first request.
    pub first_request_no: u64,
    /// Command frames, one after the other.
    pub frames: &'a [u8],
}

/// The number of a part's first request, and where its commands stand in the batch.
type Numbered = (u64, Range<usize>);

/// What a batch brought about.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its number in the journal.
    pub seq: u64,
    /// Its time.
    pub at: Micros,
    /// Per command: 0 and the value, or the rejection's code and detail.
    pub results: Vec<(u16, u64)>,
    /// Its events.
    pub events: EventIndex,
    /// Per part: the source, its first request's number, how many commands.
    parts: Vec<(u64, u64, usize)>,
}

/// Applies a committed batch; one without commands advances the clock.
///
/// # Panics
///
/// When a frame cannot be decoded: it was scanned before it was journaled, so memory or disk lie.
pub fn apply_batch(router: &mut Router, seq: u64, at: Micros, parts: &[Part<'_>]) -> Applied {
    // An arrive takes about 40 bytes and has about two events; others take less and have fewer.
    let bytes: usize = parts.iter().map(|part| part.frames.len()).sum();
    let mut applied = Applied {
        seq,
        at,
        results: Vec::with_capacity(bytes / 16),
        events: EventIndex::with_capacity(bytes / 12 + 4),
        parts: Vec::with_capacity(parts.len()),
    };
    let mut happened = Vec::new();
    for part in parts {
        let before = applied.results.len();
        for body in Frames::new(part.frames) {
            let command = body
                .and_then(decode_command)
                .unwrap_or_else(|fault| panic!("batch {seq} cannot be decoded: {fault}"));
            applied
                .results
                .push(match router.apply(at, command, &mut happened) {
                    Ok(value) => (0, value),
                    Err(rejection) => (rejection.code.into(), rejection.detail),
                });
            happened
                .drain(..)
                .for_each(|event| applied.events.push(&event));
        }
        let count = applied.results.len() - before;
        applied
            .parts
            .push((part.source, part.first_request_no, count));
    }
    if applied.results.is_empty() {
        router.advance(at, &mut happened);
        happened.iter().for_each(|event| applied.events.push(event));
    }
    applied
}

impl Applied {
    /// One acknowledgement frame per source, in the order in which the sources first appear.
    #[must_use]
    pub fn acks(&self) -> Vec<(u64, Vec<u8>)> {
        let mut sources: Vec<(u64, Vec<Numbered>)> = Vec::new();
        let mut known: BTreeMap<u64, usize> = BTreeMap::new();
        let mut start = 0;
        for &(source, first, count) in &self.parts {
            let place = *known.entry(source).or_insert_with(|| {
                sources.push((source, Vec::new()));
                sources.len() - 1
            });
            sources[place].1.push((first, start..start + count));
            start += count;
        }
        sources
            .into_iter()
            .map(|(source, parts)| (source, self.ack(&parts)))
            .collect()
    }

    fn ack(&self, parts: &[Numbered]) -> Vec<u8> {
        let count = parts.iter().map(|(_, range)| range.len()).sum();
        let mut out = Vec::with_capacity(24 + count * 16);
        put_frame(&mut out, |out| {
            put_array(out, 4);
            put_uint(out, ACK_KIND);
            put_uint(out, VERSION);
            put_uint(out, self.seq);
            put_array(out, count);
            for (first, range) in parts {
                for (request_no, index) in (*first..).zip(range.clone()) {
                    let (code, value) = self.results[index];
                    put_array(out, 4);
                    [request_no, index as u64, u64::from(code), value]
                        .into_iter()
                        .for_each(|number| put_uint(out, number));
                }
            }
        });
        out
    }
}
