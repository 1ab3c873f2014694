//! Erlang B, C, A and M/M/n/K with and without patience (erlang_cases.csv). Waits, p_wait and
//! p_abandon are over admitted contacts, those answered at once included.

use router_core::{NO_LIMIT, Order};
use router_sim::{Centre, Flow, FlowSums, Law, Sums};

use crate::centre::{config, equal_agents, poisson};
use crate::files::{Line, number, read};
use crate::long;
use crate::table::{Case, Figure, Measure, figures, outside, play_all, too_rare, wide};

/// The mean gap between arrivals; everything else in proportion, so that microseconds are fine.
const GAP_US: f64 = 1e6;

struct Erlang {
    name: String,
    lambda: f64,
    mu: f64,
    agents: usize,
    theta: f64,
    trunks: Option<f64>,
    bound: f64,
    line: Line,
}

impl Erlang {
    fn new(line: Line) -> Self {
        let of = |name| number(&line, name).unwrap_or_else(|| panic!("{name} is empty"));
        Self {
            name: line["case"].clone(),
            lambda: of("lambda"),
            mu: of("mu"),
            agents: of("n") as usize,
            theta: of("theta"),
            trunks: number(&line, "K"),
            bound: of("T"),
            line,
        }
    }

    /// Offered load per agent.
    fn load(&self) -> f64 {
        self.lambda / self.mu / self.agents as f64
    }

    /// Contacts that come in while the centre forgets where it was, by a factor e.
    fn memory(&self) -> f64 {
        let talks = self.lambda / self.mu;
        let queue = self.load() / (1.0 - self.load().sqrt()).powi(2);
        let queue = if self.theta > 0.0 {
            queue.min(self.lambda / self.theta)
        } else {
            queue
        };
        let loss = self.trunks == Some(self.agents as f64);
        if loss { talks } else { talks.max(queue) }
    }

    /// Microseconds in the case's own unit of time.
    fn unit_us(&self) -> f64 {
        GAP_US * self.lambda
    }

    fn centre(&self, load_factor: f64) -> Centre {
        let room = self
            .trunks
            .map_or(NO_LIMIT, |trunks| trunks as u32 - self.agents as u32);
        let patience = Law::Exponential(self.unit_us() / self.theta);
        let flow = Flow {
            patience: (self.theta > 0.0).then_some(patience),
            ..poisson(1, GAP_US / load_factor)
        };
        Centre {
            config: config(Order::Longest, 1, &equal_agents(self.agents), room),
            flows: vec![flow],
            service: Law::Exponential(self.unit_us() / self.mu),
            pools: vec![0; self.agents],
            within_us: [(self.bound * self.unit_us()).round() as u64; 2],
            seed: 1,
        }
    }

    fn figures(&self, target: f64) -> Vec<Figure> {
        let (unit_us, agents) = (self.unit_us(), self.agents as f64);
        measures(unit_us, agents)
            .into_iter()
            .filter_map(|(name, measure)| {
                let expected = number(&self.line, name)?;
                // Where nobody can hang up there is nothing to divide by.
                Some(Figure {
                    name: name.to_owned(),
                    expected,
                    rounding: 0.0,
                    expected_error: 0.0,
                    target,
                    share: !name.starts_with("mean_"),
                    measure,
                })
            })
            .collect()
    }

    fn case(&self, load_factor: f64, precision: f64, most: u64) -> Case {
        let memory = self.memory().max(50.0);
        let target = if self.load() < 0.9 - 1e-9 { 0.03 } else { 0.10 };
        Case {
            name: self.name.clone(),
            centre: self.centre(load_factor),
            figures: self.figures(target * precision),
            warm_up: (12.0 * memory) as u64 + 1_000,
            batch: (20.0 * memory) as u64,
            most,
        }
    }
}

/// The table's columns.
fn measures(unit_us: f64, agents: f64) -> Vec<(&'static str, Measure)> {
    type Count = fn(&FlowSums) -> u64;
    let over = |of: Count, over: Count| {
        Measure::mean(move |s| of(&s.all()) as f64, move |s| over(&s.all()) as f64)
    };
    let wait = |of: Count, over: Count| {
        let units = move |s: &Sums| of(&s.all()) as f64 / unit_us;
        Measure::mean(units, move |s| over(&s.all()) as f64)
    };
    vec![
        ("p_block", over(|f| f.blocked, |f| f.arrived)),
        ("p_wait", over(|f| f.waited, FlowSums::resolved)),
        ("p_abandon", over(|f| f.abandoned, FlowSums::resolved)),
        ("mean_wait_all", wait(FlowSums::wait_us, FlowSums::resolved)),
        (
            "mean_wait_served",
            wait(|f| f.wait_answered_us, |f| f.answered),
        ),
        (
            "mean_wait_abandoned",
            wait(|f| f.wait_abandoned_us, |f| f.abandoned),
        ),
        (
            "mean_queue",
            Measure::mean(|s| s.waiting_us as f64, |s| s.time_us as f64),
        ),
        (
            "occupancy",
            Measure::mean(
                |s| s.all_busy_us() as f64,
                move |s| s.time_us as f64 * agents,
            ),
        ),
        (
            "P(served & W<=T)",
            over(|f| f.answered_within[0], FlowSums::resolved),
        ),
        (
            "P(W<=T | served)",
            over(|f| f.answered_within[0], |f| f.answered),
        ),
    ]
}

fn cases() -> Vec<Erlang> {
    let cases: Vec<Erlang> = read("erlang_cases.csv")
        .into_iter()
        .map(Erlang::new)
        .collect();
    assert_eq!(cases.len(), 53);
    cases
}

/// What a few seconds suffice for: models of every kind, to three times the promised width.
const QUICK: [&str; 15] = [
    "B1_0.5",
    "B5_3",
    "B10_10",
    "B100_90",
    "C1_0.5",
    "C2_1.5",
    "A10_rho0.80",
    "A10_rho0.95",
    "A10_rho1.20",
    "A100_rho0.90",
    "A100_rho1.05",
    "A100_102_th1_T0.2",
    "A99_100_th1_T0.1",
    "GMR50_48",
    "KA90_120_rho1.05",
];

#[test]
fn erlang_table() {
    let (precision, most) = if long() {
        (1.0, 100_000_000)
    } else {
        (3.0, 600_000)
    };
    let mut cases = cases();
    cases.retain(|case| long() || QUICK.contains(&case.name.as_str()));
    // The longest plays last: a run that is cut short has shown the most.
    cases.sort_by(|one, other| one.memory().total_cmp(&other.memory()));
    let cases: Vec<Case> = cases
        .iter()
        .map(|case| case.case(1.0, precision, most))
        .collect();
    let played = play_all(&cases, figures(&cases));
    let (wide, rare) = (wide(&played), too_rare(&played));
    println!("wide: {wide:#?}, too rare: {rare:#?}");
    assert!(long() || wide.is_empty() && rare.is_empty());
    assert_eq!(outside(&played), [""; 0]);
}

/// What the table would not notice it could not prove: three percent more contacts.
#[test]
fn three_percent_more_load_is_noticed() {
    let mut some = cases();
    some.retain(|case| ["B10_10", "C2_1.5", "A99_100_th1_T0.1"].contains(&case.name.as_str()));
    let case = |load_factor: f64| {
        let case = |case: &Erlang| case.case(load_factor, 0.0, 150_000);
        some.iter().map(case).collect::<Vec<Case>>()
    };
    let whole: Vec<Case> = cases().iter().map(|one| one.case(1.0, 1.0, 0)).collect();
    let right = play_all(&case(1.0), figures(&whole));
    assert_eq!(outside(&right), [""; 0]);
    for played in play_all(&case(1.03), figures(&whole)) {
        let name = played.name.clone();
        let noticed = outside(&[played]);
        println!("{noticed:?}");
        assert!(!noticed.is_empty(), "{name}: 3 % more load passes");
    }
}
