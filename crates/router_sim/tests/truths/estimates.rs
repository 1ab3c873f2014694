//! How good estimated waits are, over everybody who had to wait and was answered: squared error over
//! the variance of the waits (1 = no better than the long-run mean), against the exponentially
//! weighted mean of past waits that Asterisk announces, and how many stayed within the P90.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use router_core::{Order, SkillLevel};
use router_sim::{Accuracy, Centre, Flow, Law, Play};

use crate::centre::{config, equal_agents, poisson, skills};
use crate::long;
use crate::wallace_whitt::{MINUTE_US, TYPES, agents_of};

const TALK_US: f64 = 10.0 * MINUTE_US;

/// A kind of traffic, and what is asked of the estimates in it.
struct Shape {
    name: &'static str,
    centre: Centre,
    /// The most that the squared error may be of the variance.
    most: f64,
    /// How many times worse the weighted mean of past waits is, at least.
    better: f64,
}

fn centre(order: Order, agents: &[Vec<SkillLevel>], flows: Vec<Flow>, service: Law) -> Centre {
    let queues = flows.iter().map(|flow| flow.queue).max().unwrap_or(1);
    Centre {
        config: config(order, queues, agents, router_core::NO_LIMIT),
        flows,
        service,
        pools: vec![0; agents.len()],
        within_us: [0; 2],
        seed: 0,
    }
}

/// One flow into queue 1 that offers so much load to so many agents.
fn offered(load: f64, agents: f64) -> Flow {
    poisson(1, TALK_US / (load * agents))
}

fn shapes() -> Vec<Shape> {
    let talks = Law::Exponential(TALK_US);
    let impatient = Flow {
        patience: Some(Law::Exponential(TALK_US)),
        ..offered(1.05, 100.0)
    };
    let by_type = |queue| poisson(queue, MINUTE_US * f64::from(TYPES) / 8.25);
    let lognormal = Law::Lognormal {
        mean: TALK_US,
        scv: 1.6,
    };
    let both = vec![skills(&[(1, 100), (2, 100)]); 30];
    let valued = Flow {
        head_start_us: (2.0 * MINUTE_US) as u64,
        ..poisson(2, TALK_US / 8.0)
    };
    vec![
        Shape {
            name: "M/M/100 at .95",
            centre: centre(
                Order::Longest,
                &equal_agents(100),
                vec![offered(0.95, 100.0)],
                talks.clone(),
            ),
            // The least that any rule can have is 1 - load: what happens later cannot be known. A
            // short run does not tell it any closer.
            most: if long() { 0.06 } else { 0.08 },
            better: 1.6,
        },
        Shape {
            name: "two skills per agent, level rule",
            centre: centre(
                Order::AgentLevel,
                &agents_of("ww_skills_k2.csv"),
                (1..=TYPES).map(by_type).collect(),
                talks.clone(),
            ),
            most: 0.42,
            better: 1.6,
        },
        Shape {
            name: "M/M/100+M at 1.05",
            centre: centre(
                Order::Longest,
                &equal_agents(100),
                vec![impatient],
                talks.clone(),
            ),
            most: 0.20,
            better: 1.6,
        },
        Shape {
            name: "ten agents, lognormal talks",
            centre: centre(
                Order::Longest,
                &equal_agents(10),
                vec![offered(0.85, 10.0)],
                lognormal,
            ),
            most: 0.35,
            better: 1.3,
        },
        Shape {
            name: "two queues, one with a head start",
            centre: centre(
                Order::Longest,
                &both,
                vec![poisson(1, TALK_US / 20.0), valued],
                talks,
            ),
            most: 0.30,
            better: 1.3,
        },
    ]
}

/// So many plays of one shape, added up.
fn play(shape: &Shape) -> Accuracy {
    let (plays, contacts) = if long() {
        (20, 5_000_000)
    } else {
        (4, 250_000)
    };
    let next = AtomicUsize::new(1);
    let seen = Mutex::new(Accuracy::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > plays {
                        return;
                    }
                    let centre = shape.centre.clone();
                    let seed = seed as u64;
                    let mut play = Play::new(Centre { seed, ..centre });
                    play.accuracy();
                    play.arrivals(50_000);
                    play.accuracy();
                    play.arrivals(contacts);
                    *seen.lock().expect("no player panics with the lock") += play.accuracy();
                }
            });
        }
    });
    seen.into_inner().expect("no player panicked")
}

#[test]
fn estimated_waits_are_good() {
    for shape in shapes() {
        let name = shape.name;
        let seen = play(&shape);
        let (error, weighted, within) = (seen.error(), seen.weighted_error(), seen.coverage());
        let better = weighted / error;
        println!(
            "{name}: error {error:.4}, of the weighted mean {weighted:.4} ({better:.2} times), within P90 {:.2} %, of {}",
            within * 100.0,
            seen.contacts
        );
        assert!(error <= shape.most, "{name}: error {error}");
        assert!(better >= shape.better, "{name}: {better} times better");
        assert!(
            (0.87..=0.93).contains(&within),
            "{name}: P90 holds in {within}"
        );
    }
}
