//! Plays a command file that `python -m tests.storm --file` wrote, without Python, and prints the
//! hash chain over results, events and state that it comes to: the oracle's must be the same.
//!
//! In the file each command is its time (u64), its length (u32, both big-endian) and its MessagePack
//! array; length 0 means that only time passes.

use std::process::ExitCode;

use router_core::{Limits, Router};
use router_wire::{EventIndex, decode_command};

const HEAD: usize = 12;
/// The core's own invariants are asserted this often: they look at everything.
const CHECK_EVERY: usize = 100;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: storm FILE");
        return ExitCode::from(2);
    };
    match std::fs::read(&path) {
        Ok(file) => {
            println!("{:016x}", chain(&file));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn chain(file: &[u8]) -> u64 {
    let mut router = Router::new(Limits::default());
    let (mut chain, mut rest, mut steps) = (0, file, 0);
    while let Some((head, tail)) = rest.split_first_chunk::<HEAD>() {
        let at = u64::from_be_bytes(head[..8].try_into().expect("eight bytes"));
        let length = u32::from_be_bytes(head[8..].try_into().expect("four bytes"));
        let (body, after) = tail.split_at(length as usize);
        rest = after;
        chain = step(&mut router, at, body, chain);
        steps += 1;
        if steps % CHECK_EVERY == 0 {
            router.check();
        }
    }
    chain
}

fn step(router: &mut Router, at: u64, body: &[u8], chain: u64) -> u64 {
    let mut happened = Vec::new();
    let (code, value) = if body.is_empty() {
        router.advance(at, &mut happened);
        (0, 0)
    } else {
        let command = decode_command(body).expect("the file holds whole commands");
        match router.apply(at, command, &mut happened) {
            Ok(value) => (0, value),
            Err(rejection) => (u16::from(rejection.code), rejection.detail),
        }
    };
    let mut events = EventIndex::with_capacity(happened.len());
    happened.iter().for_each(|event| events.push(event));
    let mut chain = mix(mix(chain ^ u64::from(code)) ^ value);
    for word in events.bytes().chunks(8) {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        chain = mix(chain ^ u64::from_be_bytes(padded));
    }
    mix(chain ^ router.state_hash())
}

/// The finaliser of SplitMix64, as in `state_hash`.
const fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
