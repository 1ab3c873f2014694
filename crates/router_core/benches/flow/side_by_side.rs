//! One recorded trace for everybody: the core, its matcher alone and the naive twin answer it here,
//! plain Python and SQLite in `tools/bench`. Whoever decides otherwise than the core fails.

use std::fmt::Write as _;
use std::time::Instant;

use router_core::{Command, Event, Matcher, Router};

use crate::figures::{Costs, clock_ns, load};
use crate::floor::{Floor, Input, feed};
use crate::naive::{Decision, Naive, Step, meets, needs};
use crate::setting::{CHAT, Population, Setting};

const REPLAYS: usize = 5;
/// From the full floor on, before anything is measured.
const WARM_UP: usize = 5_000;

struct Trace {
    setting: Setting,
    inputs: Vec<Input>,
    /// What the inputs mean to a distributor, and what the core decided.
    steps: Vec<(u64, Step, Decision)>,
    /// Where measuring begins.
    from: usize,
}

/// Records, measures the core and the naive twin, writes the trace.
pub fn run(population: Population, inputs: usize, file: &str) {
    let mut floor = Floor::new(population);
    floor.recorded = Some(Vec::new());
    floor.fill();
    let mut recorded = floor.recorded.take().unwrap_or_default();
    recorded.extend(floor.record(WARM_UP));
    let from = recorded.len();
    recorded.extend(floor.record(inputs));
    let steps = decide(&floor.setting, &recorded);
    // Input 0 is the configuration, which is not a step.
    let trace = Trace {
        setting: floor.setting,
        inputs: recorded,
        steps,
        from,
    };
    std::fs::write(file, text(&trace)).expect("the trace is written");
    let clock = clock_ns();
    for (name, costs) in [
        ("core", core(&trace)),
        ("matcher", others(&trace, Alone::new)),
        ("naive", others(&trace, Naive::new)),
    ] {
        println!(
            r#"{{"what": "side by side", "who": "{name}", "inputs": {}, "minima": {}, "load": "{}"}}"#,
            costs.nanos.len(),
            costs.json(clock),
            load()
        );
    }
}

/// The core's own answers.
fn decide(setting: &Setting, inputs: &[Input]) -> Vec<(u64, Step, Decision)> {
    let mut router = Router::new(Population::limits());
    let mut out = Vec::new();
    let (mut steps, mut arrivals, mut offered) = (Vec::new(), 0, 0);
    for input in inputs {
        out.clear();
        feed(&mut router, input.clone(), &mut out);
        let Input::Apply(at, command) = input else {
            unreachable!("every offer is taken, so nothing falls due");
        };
        let decision = decision(&out);
        if let Some(step) = step(setting, command, &mut arrivals, offered) {
            steps.push((*at, step, decision));
        }
        offered = decision.map_or(offered, |(_, contact)| contact);
    }
    steps
}

fn decision(out: &[Event]) -> Decision {
    let mut offers = out.iter().filter_map(|event| match *event {
        Event::OfferMade { agent, contact, .. } => Some((agent as usize - 1, contact)),
        _ => None,
    });
    let first = offers.next();
    assert!(offers.next().is_none(), "one unit makes one offer");
    first
}

fn step(setting: &Setting, command: &Command, arrivals: &mut u64, offered: u64) -> Option<Step> {
    Some(match command {
        Command::SignIn { agent, .. } | Command::Ready { agent, .. } => Step::Ready {
            agent: *agent as usize - 1,
        },
        Command::NotReady { agent, .. } => Step::NotReady {
            agent: *agent as usize - 1,
        },
        Command::Arrive { queue, demand, .. } => {
            *arrivals += 1;
            let is_it = |each: &crate::setting::Signature| {
                each.queue == *queue && each.requires == demand.requires
            };
            Step::Arrive {
                signature: setting.signatures.iter().position(is_it)?,
                contact: *arrivals,
            }
        }
        Command::Accept { agent, .. } => Step::Accept {
            agent: *agent as usize - 1,
            contact: offered,
        },
        Command::End { agent, contact } => Step::End {
            agent: *agent as usize - 1,
            contact: *contact,
        },
        Command::Abandon { contact, .. } => Step::Abandon { contact: *contact },
        _ => return None,
    })
}

/// `t signature agents..`, then `kind at first second agent contact`; `m` = measure from here.
fn text(trace: &Trace) -> String {
    let mut text = format!(
        "{} {}\n",
        trace.setting.config.agents.len(),
        trace.setting.signatures.len()
    );
    for (index, signature) in trace.setting.signatures.iter().enumerate() {
        let needs = needs(&trace.setting, signature);
        let _ = write!(text, "t {index}");
        for (position, agent) in trace.setting.config.agents.iter().enumerate() {
            if meets(&agent.skills, &needs) {
                let _ = write!(text, " {position}");
            }
        }
        text.push('\n');
    }
    for (index, (at, step, decision)) in trace.steps.iter().enumerate() {
        if index + 1 == trace.from {
            text.push_str("m\n");
        }
        let (kind, first, second) = match *step {
            Step::Ready { agent } => ('r', agent as u64, 0),
            Step::NotReady { agent } => ('n', agent as u64, 0),
            Step::Arrive { signature, contact } => ('a', signature as u64, contact),
            Step::Accept { agent, contact } => ('x', agent as u64, contact),
            Step::End { agent, contact } => ('e', agent as u64, contact),
            Step::Abandon { contact } => ('b', contact, 0),
        };
        let (agent, contact) = decision.map_or((-1, 0), |(a, c)| (a as i64, c));
        let _ = writeln!(text, "{kind} {at} {first} {second} {agent} {contact}");
    }
    text
}

fn least(minima: &mut Vec<u32>, nanos: Vec<u32>) {
    if minima.is_empty() {
        *minima = nanos;
    } else {
        for (least, ns) in minima.iter_mut().zip(nanos) {
            *least = ns.min(*least);
        }
    }
}

fn core(trace: &Trace) -> Costs {
    let mut minima = Vec::new();
    for _ in 0..REPLAYS {
        let mut router = Router::new(Population::limits());
        let mut out = Vec::with_capacity(1_000);
        let (before, measured) = trace.inputs.split_at(trace.from);
        for input in before {
            feed(&mut router, input.clone(), &mut out);
        }
        let owned = measured.to_vec();
        let mut nanos = Vec::with_capacity(owned.len());
        let mut last = Instant::now();
        for input in owned {
            out.clear();
            feed(&mut router, input, &mut out);
            let now = Instant::now();
            nanos.push((now - last).as_nanos() as u32);
            last = now;
        }
        least(&mut minima, nanos);
    }
    Costs {
        nanos: minima,
        kinds: Vec::new(),
    }
}

/// The core's matcher, with what a signature's class is.
struct Alone {
    matcher: Matcher,
    classes: Vec<u32>,
}

impl Alone {
    fn new(setting: &Setting) -> Self {
        let mut matcher = Matcher::new(setting.config.clone());
        let signatures = setting.signatures.iter();
        let classes = signatures.map(|one| matcher.class(one.queue, one.channel, &one.requires));
        Self {
            classes: classes.collect(),
            matcher,
        }
    }
}

/// Who answers a trace's steps.
trait Distributor {
    fn step(&mut self, at: u64, step: Step) -> Decision;
}

impl Distributor for Naive {
    fn step(&mut self, at: u64, step: Step) -> Decision {
        Self::step(self, at, step)
    }
}

impl Distributor for Alone {
    fn step(&mut self, at: u64, step: Step) -> Decision {
        match step {
            Step::Ready { agent } => return self.matcher.ready(agent, at),
            Step::NotReady { agent } => self.matcher.not_ready(agent),
            Step::Arrive { signature, contact } => {
                let class = self.classes[signature];
                return self.matcher.arrive(class, contact, at);
            }
            Step::Accept { .. } => {}
            Step::End { agent, .. } => return self.matcher.release(agent, CHAT, at),
            Step::Abandon { contact } => self.matcher.abandon(contact),
        }
        None
    }
}

fn others<D: Distributor>(trace: &Trace, make: impl Fn(&Setting) -> D) -> Costs {
    let mut minima = Vec::new();
    for _ in 0..REPLAYS {
        let mut twin = make(&trace.setting);
        let mut nanos = Vec::with_capacity(trace.steps.len());
        let mut last = Instant::now();
        for (index, (at, step, expected)) in trace.steps.iter().enumerate() {
            let decision = twin.step(*at, *step);
            let now = Instant::now();
            nanos.push((now - last).as_nanos() as u32);
            last = now;
            assert_eq!(decision, *expected, "input {index}: the twin agrees");
        }
        least(&mut minima, nanos.split_off(trace.from - 1));
    }
    Costs {
        nanos: minima,
        kinds: Vec::new(),
    }
}
