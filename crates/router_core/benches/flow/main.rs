//! What the core costs. Prints one line of JSON per measurement; `make bench` makes tables of them.
//!
//! `cargo bench -p router_core -- core AGENTS WAITING SIGNATURES [INPUTS [REPLAYS]]`
//! `... -- instructions AGENTS WAITING SIGNATURES [INPUTS]`   under callgrind, `--instr-atstart=no`
//! `... -- side-by-side AGENTS WAITING SIGNATURES INPUTS FILE`   writes the trace that others answer
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark reads the clock"
)]
#![allow(missing_docs)]

mod callgrind;
mod chance;
mod count;
mod figures;
mod floor;
mod naive;
mod setting;
mod side_by_side;

use floor::{Floor, feed};
use setting::Population;

const INPUTS: usize = 500_000;
const REPLAYS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    let number = |index: usize, otherwise: usize| {
        words.get(index).map_or(otherwise, |word| {
            word.parse()
                .unwrap_or_else(|_| panic!("expected a number, not {word:?}"))
        })
    };
    let population = |is_plain: bool| Population {
        agents: number(1, 1_000) as u32,
        waiting: number(2, 1_000) as u32,
        signatures: number(3, 200) as u32,
        is_plain,
    };
    match words.first().map_or("core", String::as_str) {
        "core" => println!(
            "{}",
            figures::core(population(false), number(4, INPUTS), number(5, REPLAYS))
        ),
        "instructions" => instructions(population(false), number(4, 20_000)),
        "side-by-side" => {
            let file = words.get(5).expect("the file to write the trace to");
            side_by_side::run(population(true), number(4, 100_000), file);
        }
        other => panic!("core, instructions or side-by-side, not {other:?}"),
    }
}

/// A fixed piece of a fixed trace, alone between callgrind's switches.
fn instructions(population: Population, inputs: usize) {
    let mut floor = Floor::filled(population);
    let trace = floor.record(inputs);
    let expected = floor.router.state_hash();
    drop(floor);
    // Filled anew: a clone's lists have no room to spare, and would allocate what is there in life.
    let mut router = Floor::filled(population).router;
    let (count, mut out) = (trace.len(), Vec::with_capacity(1_000));
    callgrind::counted(|| {
        for input in trace {
            out.clear();
            feed(&mut router, input, &mut out);
        }
    });
    assert_eq!(router.state_hash(), expected, "the replay agrees");
    println!(r#"{{"what": "instructions", "inputs": {count}}}"#);
}
