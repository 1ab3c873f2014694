//! What is measured, and the lines of JSON that say it.

use std::time::Instant;

use router_core::{Command, Event};

use crate::count::allocations;
use crate::floor::{Floor, Input, Weight, feed};
use crate::setting::Population;

/// What each input cost, in nanoseconds.
pub struct Costs {
    pub nanos: Vec<u32>,
    pub kinds: Vec<&'static str>,
}

impl Costs {
    fn sorted(&self) -> Vec<u32> {
        let mut all = self.nanos.clone();
        all.sort_unstable();
        all
    }

    fn total(&self) -> u64 {
        self.nanos.iter().map(|&ns| u64::from(ns)).sum()
    }

    /// `{"mean": .., "p50": .., ..}`, each input less what reading the clock costs.
    pub fn json(&self, clock: f64) -> String {
        let sorted = self.sorted();
        let at = |share: f64| {
            let ns = sorted[((sorted.len() - 1) as f64 * share) as usize];
            (f64::from(ns) - clock).max(0.0)
        };
        let mean = self.total() as f64 / sorted.len() as f64 - clock;
        format!(
            r#"{{"mean": {mean:.1}, "p50": {:.0}, "p99": {:.0}, "p999": {:.0}, "max": {:.0}}}"#,
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        )
    }

    /// By kind of input: how many, and the mean.
    fn by_kind_json(&self, clock: f64) -> String {
        let mut names = self.kinds.clone();
        names.sort_unstable();
        names.dedup();
        let lines = names.into_iter().map(|name| {
            let of_kind = |(ns, kind): (&u32, &&str)| (*kind == name).then_some(f64::from(*ns));
            let costs = self.nanos.iter().zip(&self.kinds).filter_map(of_kind);
            let (count, sum) = costs.fold((0_u32, 0.0), |(n, sum), ns| (n + 1, sum + ns));
            format!(
                r#""{name}": [{count}, {:.1}]"#,
                sum / f64::from(count) - clock
            )
        });
        format!("{{{}}}", lines.collect::<Vec<_>>().join(", "))
    }
}

impl Costs {
    /// Inputs that make the router choose or let go, as matching counts its events: all but an
    /// acceptance and its connection. How many, their own mean, and the mean when they also bear
    /// the cost of the others.
    fn router_events_json(&self, clock: f64) -> String {
        let is_answer = |kind: &str| matches!(kind, "accept" | "connected");
        let own = self.nanos.iter().zip(&self.kinds);
        let own = own.filter_map(|(&ns, kind)| (!is_answer(kind)).then_some(u64::from(ns)));
        let (count, sum) = own.fold((0_u32, 0), |(count, sum), ns| (count + 1, sum + ns));
        let all = self.total() as f64 - clock * self.nanos.len() as f64;
        format!(
            r#"{{"count": {count}, "own": {:.1}, "bearing_all": {:.1}}}"#,
            sum as f64 / f64::from(count) - clock,
            all / f64::from(count)
        )
    }

    /// The worst few: kind and cost.
    fn worst_json(&self, clock: f64) -> String {
        let mut worst: Vec<(u32, &str)> = self
            .nanos
            .iter()
            .copied()
            .zip(self.kinds.iter().copied())
            .collect();
        worst.sort_unstable_by(|a, b| b.cmp(a));
        let lines = worst
            .iter()
            .take(5)
            .map(|(ns, kind)| format!(r#"["{kind}", {:.0}]"#, f64::from(*ns) - clock));
        format!("[{}]", lines.collect::<Vec<_>>().join(", "))
    }
}

/// The name of an input's kind.
const fn kind(input: &Input) -> &'static str {
    let Input::Apply(_, command) = input else {
        return "timer";
    };
    match command {
        Command::Arrive { .. } => "arrive",
        Command::Abandon { .. } => "abandon",
        Command::Connected { .. } => "connected",
        Command::ConnectFailed { .. } => "connect_failed",
        Command::Ready { .. } => "ready",
        Command::NotReady { .. } => "not_ready",
        Command::Accept { .. } => "accept",
        Command::Decline { .. } => "decline",
        Command::End { .. } => "end",
        Command::EndWrapUp { .. } => "end_wrap_up",
        Command::Transfer { .. } => "transfer",
        _ => "other",
    }
}

/// What one reading of the clock costs: the median of many.
pub fn clock_ns() -> f64 {
    let mut costs: Vec<u64> = Vec::new();
    for _ in 0..1_000 {
        let begun = Instant::now();
        for _ in 0..100 {
            std::hint::black_box(Instant::now());
        }
        costs.push(begun.elapsed().as_nanos() as u64);
    }
    costs.sort_unstable();
    costs[500] as f64 / 101.0
}

/// Everything about one population; a line of JSON.
pub fn core(population: Population, inputs: usize, replays: usize) -> String {
    let mut floor = Floor::filled(population);
    let trace = floor.record(inputs);
    let (expected, kinds) = (floor.router.state_hash(), trace.iter().map(kind).collect());
    drop(floor);
    let clock = clock_ns();
    let mut minima = Costs {
        nanos: vec![u32::MAX; trace.len()],
        kinds,
    };
    let mut raws = Vec::new();
    for _ in 0..replays {
        let mut floor = Floor::filled(population);
        let raw = clocked(&mut floor, &trace);
        assert_eq!(floor.router.state_hash(), expected, "replays agree");
        for (least, &ns) in minima.nanos.iter_mut().zip(&raw.nanos) {
            *least = ns.min(*least);
        }
        raws.push(raw);
    }
    let whole = unclocked(population, &trace);
    let raw = raws.iter().max_by_key(|raw| raw.total()).expect("a replay");
    let Weight {
        bytes_per_agent,
        bytes_per_waiting,
    } = whole.weight;
    let Population {
        agents,
        waiting,
        signatures,
        ..
    } = population;
    format!(
        concat!(
            r#"{{"what": "core", "agents": {}, "waiting": {}, "signatures": {}, "inputs": {}, "#,
            r#""events": {}, "clock_ns": {:.1}, "minima": {}, "raw": {}, "replays": {}, "#,
            r#""raw_ns_per_input": {:.1}, "allocations_per_input": {:.4}, "bytes_per_agent": {:.0}, "#,
            r#""bytes_per_waiting": {:.0}, "router_events": {}, "by_kind": {}, "worst": {}, "#,
            r#""load": "{}"}}"#
        ),
        agents,
        waiting,
        signatures,
        trace.len(),
        whole.events,
        clock,
        minima.json(clock),
        raw.json(clock),
        replays,
        whole.nanos as f64 / trace.len() as f64,
        whole.allocations as f64 / trace.len() as f64,
        bytes_per_agent,
        bytes_per_waiting,
        minima.router_events_json(clock),
        minima.by_kind_json(clock),
        minima.worst_json(clock),
        load()
    )
}

fn clocked(floor: &mut Floor, trace: &[Input]) -> Costs {
    let owned = trace.to_vec();
    let mut nanos = Vec::with_capacity(owned.len());
    let mut out = Vec::with_capacity(1_000);
    let mut last = Instant::now();
    for input in owned {
        out.clear();
        feed(&mut floor.router, input, &mut out);
        let now = Instant::now();
        nanos.push((now - last).as_nanos().min(u128::from(u32::MAX)) as u32);
        last = now;
    }
    Costs {
        nanos,
        kinds: Vec::new(),
    }
}

/// One replay with the clock read twice in all.
struct Whole {
    nanos: u64,
    events: u64,
    allocations: u64,
    weight: Weight,
}

fn unclocked(population: Population, trace: &[Input]) -> Whole {
    let mut floor = Floor::filled(population);
    let owned = trace.to_vec();
    let mut out: Vec<Event> = Vec::with_capacity(1_000);
    let (before, begun) = (allocations(), Instant::now());
    let mut events = 0;
    for input in owned {
        out.clear();
        feed(&mut floor.router, input, &mut out);
        events += out.len() as u64;
    }
    Whole {
        nanos: begun.elapsed().as_nanos() as u64,
        events,
        allocations: allocations() - before,
        weight: floor.weight,
    }
}

/// How busy the machine is.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(1).collect()
}
