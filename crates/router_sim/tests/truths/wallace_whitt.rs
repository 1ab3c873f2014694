//! The skill model of R. B. Wallace and W. Whitt, "A staffing algorithm for call centers with
//! skill-based routing", M&SOM 7 (2005): 6 types, 8.25 calls a minute in all, 10 minutes each, 90
//! agents, 30 places to wait, the agent's level first.

use std::path::Path;

use router_core::{Order, SkillLevel};
use router_sim::{Centre, Law};

use crate::centre::{config, poisson, skills};
use crate::files::{number, read};
use crate::long;
use crate::table::{Case, Figure, Measure, Played, Seen, figures, play_all};

/// Microseconds in a minute; one is nothing here.
pub const MINUTE_US: f64 = 1e7;
pub const TYPES: u32 = 6;

/// The agents of a trace's skills file, where level 1 is best and 0 is no skill.
pub fn agents_of(file: &str) -> Vec<Vec<SkillLevel>> {
    let lines = read(&Path::new("traces").join(file).to_string_lossy());
    let agents = lines.iter().map(|line| {
        let level = |kind: u32| {
            let rank = number(line, &format!("level_type{kind}(0=no skill)"))? as u8;
            (rank > 0).then_some((kind + 1, 101 - rank))
        };
        skills(&(0..TYPES).filter_map(level).collect::<Vec<_>>())
    });
    agents.collect()
}

/// Fifteen agents for each type, and what else an agent for it can do, best first.
fn agents_by(also: impl Fn(u32) -> Vec<u32>) -> Vec<Vec<SkillLevel>> {
    let agent = |at: u32| {
        let first = at / 15;
        let mut kinds = vec![first];
        kinds.extend(also(first));
        let ranked = kinds
            .iter()
            .zip(0_u8..)
            .map(|(kind, rank)| (kind + 1, 100 - rank));
        let mut levels: Vec<(u32, u8)> = ranked.collect();
        levels.sort_unstable();
        skills(&levels)
    };
    (0..90).map(agent).collect()
}

/// One of four plays; its figure is the mean wait in minutes over all served.
fn case(name: &str, expected: f64, agents: &[Vec<SkillLevel>], seed: u64) -> Case {
    let flow = |queue| poisson(queue, MINUTE_US * f64::from(TYPES) / 8.25);
    let minutes = Measure::mean(
        |s| s.all().wait_answered_us as f64 / MINUTE_US,
        |s| s.all().answered as f64,
    );
    Case {
        name: format!("{name}, seed {seed}"),
        centre: Centre {
            config: config(Order::AgentLevel, TYPES, agents, 30),
            flows: (1..=TYPES).map(flow).collect(),
            service: Law::Exponential(10.0 * MINUTE_US),
            pools: vec![0; 90],
            within_us: [0; 2],
            seed,
        },
        figures: vec![Figure {
            name: "mean wait, minutes".to_owned(),
            expected,
            rounding: 0.0,
            expected_error: 0.0,
            // As long as it takes: the length is given.
            target: 0.0,
            share: false,
            measure: minutes,
        }],
        warm_up: 50_000,
        batch: if long() { 40_000 } else { 3_000 },
        most: if long() { 5_000_000 } else { 100_000 },
    }
}

struct Model {
    name: &'static str,
    expected: f64,
    agents: Vec<Vec<SkillLevel>>,
}

fn models() -> Vec<Model> {
    let model = |name, expected, agents| Model {
        name,
        expected,
        agents,
    };
    let in_turn = |first: u32| (1..TYPES).map(|next| (first + next) % TYPES).collect();
    let mut models = vec![
        model("2 skills", 0.449, agents_of("ww_skills_k2.csv")),
        // Exact: K90_120_82.5 of erlang_cases.csv.
        model("6 skills", 0.320_932_88, agents_by(in_turn)),
        model("pairs only", 1.35, agents_by(|first| vec![first ^ 1])),
    ];
    if long() {
        models.push(model("1 skill", 2.319, agents_by(|_| Vec::new())));
        models.push(model("3 skills", 0.345, agents_of("ww_skills_k3.csv")));
    }
    models
}

impl Model {
    /// The mean of its plays, and half an interval around it.
    fn pool(&self, played: &[Played]) -> (f64, f64) {
        let own = played
            .iter()
            .filter(|play| play.name.starts_with(&format!("{}, seed", self.name)));
        let seen: Vec<&Seen> = own.map(|play| &play.seen[0]).collect();
        assert_eq!(seen.len(), 4);
        let mean = seen.iter().map(|seen| seen.value).sum::<f64>() / 4.0;
        let squares = seen.iter().map(|seen| seen.half_width.powi(2)).sum::<f64>();
        (mean, squares.sqrt() / 4.0)
    }
}

#[test]
fn two_skills_are_nearly_as_good_as_all() {
    let models = models();
    let plays = |model: &Model| {
        let play = |seed| case(model.name, model.expected, &model.agents, seed);
        (1..=4).map(play).collect::<Vec<Case>>()
    };
    let cases: Vec<Case> = models.iter().flat_map(plays).collect();
    let played = play_all(&cases, figures(&cases));
    // 20 million contacts tell 4 %; fifty times fewer what is 5 times as far off.
    let slack = if long() { 0.04 } else { 0.20 };
    let mut means = Vec::new();
    for model in &models {
        let Model { name, expected, .. } = model;
        let (mean, half_width) = model.pool(&played);
        println!("{name}: {mean:.4} ± {half_width:.4} minutes, expected {expected}");
        assert!((mean / expected - 1.0).abs() <= slack, "{name}: {mean}");
        if *name == "6 skills" {
            assert!((mean - expected).abs() <= half_width, "exact: {mean}");
        }
        means.push(mean);
    }
    let [two, six, pairs, ..] = means[..] else {
        panic!("{means:?}")
    };
    assert!(
        six < two && two < 1.6 * six,
        "two are nearly as good: {means:?}"
    );
    assert!(
        pairs > 2.0 * two,
        "pairs that help only each other are worse: {means:?}"
    );
}
