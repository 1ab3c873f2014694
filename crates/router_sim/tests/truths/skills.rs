//! Skills and order: what is known exactly of two pools, hunts, head starts and idle time, and what
//! Wallace and Whitt published of six types.

use router_core::{DAY, NO_LIMIT, Order, SkillLevel, Strategy};
use router_sim::{Centre, Flow, Law, Play, Sums};

use crate::centre::{config, equal_agents, poisson, skills};
use crate::files::{Line, number, read};
use crate::long;
use crate::table::{Case, Figure, Measure, figures, outside, play_all, too_rare};

/// Microseconds in a mean service time.
const UNIT_US: f64 = 1e7;

fn figure(name: String, expected: f64, digits: i32, measure: Measure) -> Figure {
    Figure {
        share: name.starts_with("occ") || name.starts_with('p'),
        name,
        expected,
        rounding: 0.5 * 0.1_f64.powi(digits),
        expected_error: 0.0,
        target: if long() { 0.03 } else { 0.10 },
        measure,
    }
}

fn case(name: &str, centre: Centre, figures: Vec<Figure>) -> Case {
    Case {
        name: name.to_owned(),
        centre,
        figures,
        warm_up: 20_000,
        batch: 4_000,
        most: if long() { 20_000_000 } else { 300_000 },
    }
}

fn busy(pool: usize, agents: f64) -> Measure {
    Measure::mean(
        move |s| s.busy_us[pool] as f64,
        move |s| s.time_us as f64 * agents,
    )
}

fn mean_wait(flow: usize) -> Measure {
    Measure::mean(
        move |s| s.flows[flow].wait_us() as f64 / UNIT_US,
        move |s| s.flows[flow].resolved() as f64,
    )
}

/// The lines of skills_exact.csv for one model.
fn exact(model: &str, parameters: &str) -> Vec<Line> {
    let mut lines = read("skills_exact.csv");
    lines.retain(|line| {
        line["model"].starts_with(model) && line["parameters"].starts_with(parameters)
    });
    assert!(!lines.is_empty(), "{model} {parameters}");
    lines
}

/// Two pools of five; pool 1 takes type 2 only when no type 1 waits, type 2 prefers pool 2.
fn n_model() -> Case {
    let flow = |queue, rate: f64| Flow {
        patience: Some(Law::Exponential(UNIT_US / 0.5)),
        ..poisson(queue, UNIT_US / rate)
    };
    let mut agents = vec![skills(&[(1, 100), (2, 99)]); 5];
    agents.extend(vec![skills(&[(2, 100)]); 5]);
    let centre = Centre {
        config: config(Order::AgentLevel, 2, &agents, NO_LIMIT),
        flows: vec![flow(1, 4.0), flow(2, 5.0)],
        service: Law::Exponential(UNIT_US),
        pools: [[0; 5], [1; 5]].concat(),
        within_us: [0; 2],
        seed: 1,
    };
    let figures = exact(
        "N-model",
        "{'l1': 4.0, 'l2': 5.0, 'n1': 5, 'n2': 5, 'mu': 1.0, 'th': 0.5}",
    );
    let figures = figures.iter().map(|line| {
        let name = line["measure"].clone();
        let flow = usize::from(name.ends_with('2'));
        let through = move |s: &Sums| s.flows[flow].resolved() as f64;
        let measure = match name.trim_end_matches(['1', '2']) {
            "p_wait" => Measure::mean(move |s| s.flows[flow].waited as f64, through),
            "ab" => Measure::mean(move |s| s.flows[flow].abandoned as f64, through),
            "w" => mean_wait(flow),
            "occ" => busy(flow, 5.0),
            other => panic!("measure {other}"),
        };
        figure(name, number(line, "exact").expect("exact"), 9, measure)
    });
    case("N-model", centre, figures.collect())
}

/// The first idle agent in the order of the list: as a strategy, or by a level of its own for each.
fn hunt(model: &str, agents: usize, load: f64, strategy: Strategy) -> Case {
    let by_level = strategy != Strategy::TopDown;
    let level = |at: usize| if by_level { 100 - at as u8 } else { 100 };
    let levels: Vec<_> = (0..agents).map(|at| skills(&[(1, level(at))])).collect();
    let order = if by_level {
        Order::AgentLevel
    } else {
        Order::Longest
    };
    let mut config = config(order, 1, &levels, NO_LIMIT);
    config.queues[0].strategy = strategy;
    let centre = Centre {
        config,
        flows: vec![poisson(1, UNIT_US / load)],
        service: Law::Exponential(UNIT_US),
        pools: (0..agents).collect(),
        within_us: [0; 2],
        seed: 1,
    };
    let name = format!("linear hunt (first idle in list order) in {model}");
    let figures = exact(&name, "a=")
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            let expected = number(&line, "exact").expect("exact");
            figure(line["measure"].clone(), expected, 9, busy(at, 1.0))
        });
    case(&format!("{name}, {strategy:?}"), centre, figures.collect())
}

/// Longer than anybody waits, so that head starts are strict priorities. A test says so.
const STRICT_US: u64 = 3 * DAY;

/// Three classes of non-pre-emptive priority (Cobham 1954), ten agents, three Erlang each.
fn cobham() -> Case {
    let flow = |class: u64| Flow {
        head_start_us: (2 - class) * STRICT_US,
        ..poisson(1, UNIT_US / 3.0)
    };
    let centre = Centre {
        config: config(Order::Longest, 1, &equal_agents(10), NO_LIMIT),
        flows: (0..3).map(flow).collect(),
        service: Law::Exponential(UNIT_US),
        pools: vec![0; 10],
        within_us: [0; 2],
        seed: 1,
    };
    let waits = [(0.095_533_1, 7), (0.238_832_7, 7), (1.671_829, 6)];
    let figures = waits
        .into_iter()
        .enumerate()
        .map(|(class, (expected, digits))| {
            figure(
                format!("wait of class {}", class + 1),
                expected,
                digits,
                mean_wait(class),
            )
        });
    case("Cobham", centre, figures.collect())
}

#[test]
fn exact_skills_and_priorities() {
    let cases = [
        n_model(),
        hunt("M/M/3", 3, 2.4, Strategy::LongestIdle),
        hunt("M/M/5", 5, 4.0, Strategy::LongestIdle),
        hunt("M/M/3", 3, 2.4, Strategy::TopDown),
        hunt("M/M/5", 5, 4.0, Strategy::TopDown),
        cobham(),
    ];
    let played = play_all(&cases, figures(&cases));
    assert_eq!(outside(&played), [""; 0]);
    assert_eq!(too_rare(&played), [""; 0]);
}

#[test]
fn head_starts_of_three_days_are_strict() {
    let mut play = Play::new(cobham().centre);
    let waits = play.arrivals(200_000).all().longest_wait_us;
    assert!((100..STRICT_US / 100).contains(&waits), "{waits}");
}

/// The standard deviation of what share of their time a hundred equal agents talk.
fn spread(order: Order, level_of: impl Fn(u8) -> u8) -> f64 {
    let levels: Vec<_> = (0..100).map(|at| skills(&[(1, level_of(at))])).collect();
    let mut play = Play::new(Centre {
        config: config(order, 1, &levels, NO_LIMIT),
        flows: vec![poisson(1, UNIT_US / 90.0)],
        service: Law::Exponential(UNIT_US),
        pools: (0..100).collect(),
        within_us: [0; 2],
        seed: 1,
    });
    play.arrivals(20_000);
    let sums = play.arrivals(200_000);
    let share = |busy: &u64| *busy as f64 / sums.time_us as f64;
    let mean = sums.busy_us.iter().map(share).sum::<f64>() / 100.0;
    let squares = sums.busy_us.iter().map(|busy| (share(busy) - mean).powi(2));
    (squares.sum::<f64>() / 99.0).sqrt()
}

#[test]
fn longest_idle_is_fair() {
    let fair = spread(Order::Longest, |_| 100);
    let unfair = spread(Order::AgentLevel, |at| 100 - at);
    println!("sd of occupancy: {fair:.5}, of a linear hunt {unfair:.5}");
    assert!(fair <= 0.0030, "{fair}");
    assert!(
        unfair > 0.0030,
        "a rule that is not fair must show: {unfair}"
    );
}

/// Twenty agents who can do six things, some better than others, and six queues.
fn versatile(order: Order) -> Play {
    let level = |at: u32, skill: u32| (skill, (1 + (at * 7 + skill * 31) % 100) as u8);
    let can = |at: u32| skills(&[1, 2, 3, 4, 5, 6].map(|skill| level(at, skill)));
    let agents: Vec<Vec<SkillLevel>> = (0..20).map(can).collect();
    Play::new(Centre {
        config: config(order, 6, &agents, NO_LIMIT),
        flows: (1..=6).map(|queue| poisson(queue, UNIT_US / 3.0)).collect(),
        service: Law::Lognormal {
            mean: UNIT_US,
            scv: 1.5,
        },
        pools: vec![0; 20],
        within_us: [0; 2],
        seed: 1,
    })
}

#[test]
fn the_number_in_the_system_does_not_depend_on_the_order_of_service() {
    let (mut longest, mut level) = (versatile(Order::Longest), versatile(Order::AgentLevel));
    let path = |s: &Sums| {
        (
            s.time_us,
            s.waiting_us,
            s.waiting_square_us,
            s.all_busy_us(),
        )
    };
    let (mut one, mut other) = (Sums::default(), Sums::default());
    for _ in 0..200 {
        let (longest, level) = (longest.arrivals(1_000), level.arrivals(1_000));
        assert_eq!(path(&longest), path(&level));
        one.add(&longest);
        other.add(&level);
    }
    one.add(&longest.close());
    other.add(&level.close());
    let (one, other) = (one.all(), other.all());
    assert_eq!(one.answered, 200_000);
    assert_eq!(one.wait_us(), other.wait_us(), "the overall mean wait");
    assert!(one.wait_us() > 0);
    assert!(
        one.square_answered * 1.05 < other.square_answered,
        "in another order all the same"
    );
}
