//! M/GI/100/200+GI as published (whitt2005_published.csv): W. Whitt, "Engineering Solution of a
//! Basic Call-Center Model", Management Science 51 (2005). LN(m, c) has mean m and squared
//! coefficient of variation c: of LN(4,4) no other reading comes near the published figures.

use router_core::Order;
use router_sim::{Centre, Flow, FlowSums, Law, Sums};

use crate::centre::{config, equal_agents, poisson};
use crate::files::{Line, number, read};
use crate::long;
use crate::table::{Case, Figure, Measure, figures, outside, play_all, too_rare};

/// Microseconds in a mean service time; 102 contacts come in.
const UNIT_US: f64 = 1e8;

/// A law as the table writes it.
fn law(letters: &str, mean: f64) -> Law {
    let mean = mean * UNIT_US;
    match letters {
        "M" => Law::Exponential(mean),
        "D" => Law::Fixed(mean),
        "E2" => Law::Erlang { phases: 2, mean },
        "LN(1,1)" => Law::Lognormal { mean, scv: 1.0 },
        "LN(1,4)" => Law::Lognormal { mean, scv: 4.0 },
        "LN(4,4)" => Law::Lognormal { mean, scv: 4.0 },
        other => panic!("law {other}"),
    }
}

/// `M/<service>/100/200+<patience>, mean patience <mean>`, and perhaps how it was found.
fn centre(model: &str) -> Centre {
    let (kinds, mean) = model
        .split_once(", mean patience ")
        .expect("a mean patience");
    let mean = mean
        .split(' ')
        .next()
        .and_then(|mean| mean.parse().ok())
        .expect("a number");
    let (service, patience) = kinds
        .strip_prefix("M/")
        .and_then(|kinds| kinds.split_once("/100/200+"))
        .expect("a hundred agents and room for two hundred");
    let flow = Flow {
        patience: Some(law(patience, mean)),
        ..poisson(1, UNIT_US / 102.0)
    };
    Centre {
        config: config(Order::Longest, 1, &equal_agents(100), 200),
        flows: vec![flow],
        service: law(service, 1.0),
        pools: vec![0; 100],
        within_us: [0.1, 0.2].map(|bound: f64| (bound * UNIT_US).round() as u64),
        seed: 1,
    }
}

fn measure(name: &str) -> Measure {
    type Count = fn(&FlowSums) -> f64;
    let over =
        |of: Count, over: Count| Measure::mean(move |s| of(&s.all()), move |s| over(&s.all()));
    let variance = |squares: Count, plain: Count, over: Count| {
        Measure::Variance(
            Box::new(move |s: &Sums| squares(&s.all()) / UNIT_US / UNIT_US),
            Box::new(move |s: &Sums| plain(&s.all()) / UNIT_US),
            Box::new(move |s: &Sums| over(&s.all())),
        )
    };
    let in_units = |of: Count, count: Count| {
        Measure::mean(move |s| of(&s.all()) / UNIT_US, move |s| count(&s.all()))
    };
    let (served, gone): (Count, Count) = (|f| f.answered as f64, |f| f.abandoned as f64);
    let through: Count = |f| f.resolved() as f64;
    let time = |s: &Sums| s.time_us as f64;
    match name {
        "P(W=0)" => over(|f| (f.resolved() - f.waited) as f64, through),
        "P(A)" => over(gone, through),
        "E[Q]" => Measure::mean(|s| s.waiting_us as f64, time),
        "Var(Q)" => Measure::Variance(
            Box::new(|s| s.waiting_square_us as f64),
            Box::new(|s| s.waiting_us as f64),
            Box::new(time),
        ),
        "E[N]" => Measure::mean(|s| (s.waiting_us + s.all_busy_us()) as f64, time),
        "E[W|S]" => in_units(|f| f.wait_answered_us as f64, served),
        "E[W|A]" => in_units(|f| f.wait_abandoned_us as f64, gone),
        "Var(W|S)" => variance(|f| f.square_answered, |f| f.wait_answered_us as f64, served),
        "Var(W|A)" => variance(|f| f.square_abandoned, |f| f.wait_abandoned_us as f64, gone),
        "P(W<=.1|S)" => over(|f| f.answered_within[0] as f64, served),
        "P(W<=.1|A)" => over(|f| f.abandoned_within[0] as f64, gone),
        "P(W<=.2|S)" => over(|f| f.answered_within[1] as f64, served),
        "P(W<=.2|A)" => over(|f| f.abandoned_within[1] as f64, gone),
        other => panic!("measure {other}"),
    }
}

fn figure(line: &Line) -> Figure {
    let digits = line["value"].split('.').nth(1).map_or(0, str::len);
    Figure {
        name: line["measure"].clone(),
        expected: number(line, "value").expect("a value"),
        // Half a unit of the last printed digit.
        rounding: 0.5 * 0.1_f64.powi(digits as i32),
        expected_error: number(line, "halfwidth95").unwrap_or(0.0) / 1.96,
        target: 0.0,
        share: line["measure"].starts_with("P("),
        measure: measure(&line["measure"]),
    }
}

fn cases(most: u64) -> Vec<Case> {
    let lines = read("whitt2005_published.csv");
    assert_eq!(lines.len(), 156);
    let name = |line: &Line| {
        format!(
            "{}. {}",
            line["table"], line["model (lambda=102, s=100, mean service 1)"]
        )
    };
    let mut names: Vec<String> = lines.iter().map(name).collect();
    names.dedup();
    let case = |case: String| Case {
        centre: centre(case.split_once(". ").expect("a table").1),
        figures: lines
            .iter()
            .filter(|line| name(line) == case)
            .map(figure)
            .collect(),
        warm_up: 50_000,
        batch: 8_000,
        most,
        name: case,
    };
    names.into_iter().map(case).collect()
}

#[test]
fn whitt_2005() {
    // Of a given length, after which our intervals are about as wide as the published ones.
    let most = if long() { 5_000_000 } else { 300_000 };
    let mut cases = cases(most);
    let quick = [
        "M/E2/100/200+E2",
        "M/LN(1,1)/100/200+LN(1,1)",
        "M/D/100/200+E2",
        "M/M/100/200+M, mean patience 1 (exact)",
    ];
    cases.retain(|case| long() || quick.iter().any(|model| case.name.contains(model)));
    let played = play_all(&cases, figures(&cases));
    assert_eq!(outside(&played), [""; 0]);
    assert_eq!(too_rare(&played), [""; 0]);
}
