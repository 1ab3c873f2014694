//! A busy floor in a steady state: every agent serves, a fixed number of contacts wait; contacts
//! end, arrive, are accepted, declined, abandoned. One thread, closed loop, time per command.
//!
//! `cargo bench -p router_core`, or with arguments: agents waiting classes [longest|level|mixed]
//! [commands]; `mixed` has every strategy in turn.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Command, Config, ContactId, DAY, Event, Limits,
    NO_LIMIT, Order, QueueConfig, Router, SECOND, SkillLevel, Strategy,
};

const CHAT: u32 = 1;
const SKILLS: u32 = 20;

/// How agents are chosen.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Longest,
    Level,
    /// Every strategy, queue by queue.
    Mixed,
}

const STRATEGIES: [Strategy; 11] = [
    Strategy::LongestIdle,
    Strategy::LeastOccupied,
    Strategy::FewestContacts,
    Strategy::LeastTalk,
    Strategy::LeastAverageTalk,
    Strategy::LongestAverageIdle,
    Strategy::BestSkill,
    Strategy::RoundRobin,
    Strategy::TopDown,
    Strategy::Random,
    Strategy::Weighted,
];

struct Floor {
    router: Router,
    seed: u64,
    at: u64,
    queues: u32,
    key: u128,
    engaged: Vec<(u32, ContactId)>,
    last: ContactId,
    out: Vec<Event>,
    events: u64,
    times: Vec<Duration>,
}

impl Floor {
    fn random(&mut self, limit: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % limit
    }

    fn apply(&mut self, command: Command) {
        self.out.clear();
        let begun = Instant::now();
        let result = self.router.apply(self.at, command, &mut self.out);
        self.times.push(begun.elapsed());
        self.last = self.last.max(result.expect("every command makes sense"));
        self.events += self.out.len() as u64;
        let offers: Vec<(u32, u64, ContactId)> = self
            .out
            .iter()
            .filter_map(|event| match *event {
                Event::OfferMade {
                    agent,
                    offer,
                    contact,
                    ..
                } => Some((agent, offer, contact)),
                _ => None,
            })
            .collect();
        for (agent, offer, contact) in offers {
            if self.random(100) < 5 {
                self.apply(Command::Decline {
                    agent,
                    offer,
                    reason: 0,
                });
            } else {
                self.apply(Command::Accept { agent, offer });
                self.engaged.push((agent, contact));
            }
        }
    }

    fn arrive(&mut self) {
        self.key += 1;
        let queue = 1 + self.random(u64::from(self.queues)) as u32;
        let head_start_us = self.random(2) * 90 * SECOND;
        let key = self.key.to_be_bytes();
        self.apply(Command::Arrive {
            channel: CHAT,
            key,
            queue,
            head_start_us,
            weight: 1,
            requires: Vec::new(),
        });
    }

    fn turn(&mut self, waiting: u64) {
        self.at += 50;
        let pick = self.random(self.engaged.len() as u64) as usize;
        let (agent, contact) = self.engaged.swap_remove(pick);
        self.apply(Command::End { agent, contact });
        if self.random(100) < 10 {
            let contact = self.last - self.random(waiting.min(self.last));
            if self.router.position(contact).is_some() {
                self.apply(Command::Abandon {
                    channel: CHAT,
                    contact,
                });
            }
        }
        while u64::from(self.router.waiting()) < waiting {
            self.arrive();
        }
    }
}

fn config(agents: u32, queues: u32, choice: Choice) -> Config {
    let mut random = Floor::seeded();
    let queue = |id: u32| QueueConfig {
        id,
        requires: vec![SkillLevel {
            skill: 1 + id % SKILLS,
            level: [1, 30, 60][id as usize % 3],
        }],
        rank_skill: 1 + id % SKILLS,
        max_waiting: NO_LIMIT,
        offer_timeout_us: 20 * SECOND,
        wrap_up_us: 0,
        strategy: match choice {
            Choice::Mixed => STRATEGIES[id as usize % STRATEGIES.len()],
            Choice::Longest | Choice::Level => Strategy::LongestIdle,
        },
    };
    let mut agent = |id: u32| {
        let has = |skill: u32| SkillLevel {
            skill,
            level: 1 + (skill * 37 + id * 11) as u8 % 100,
        };
        let skills = (1..=SKILLS).filter(|_| random() % 10 < 4).map(has);
        let capacity = vec![ChannelUnits {
            channel: CHAT,
            units: 1 + id % 3,
        }];
        AgentConfig {
            id,
            skills: skills.collect(),
            capacity,
            share: 100,
        }
    };
    Config {
        order: match choice {
            Choice::Level => Order::AgentLevel,
            Choice::Longest | Choice::Mixed => Order::Longest,
        },
        miss_limit: 3,
        retry_after_us: 5 * SECOND,
        max_waiting: NO_LIMIT,
        key_retention_us: DAY,
        memory_us: 600 * SECOND,
        seed: 0,
        channels: vec![ChannelConfig {
            id: CHAT,
            exclusive: false,
            instant: true,
            connect_timeout_us: 10 * SECOND,
        }],
        skills: (1..=SKILLS).collect(),
        reasons: Vec::new(),
        queues: (1..=queues).map(queue).collect(),
        agents: (1..=agents).map(&mut agent).collect(),
        names: Vec::new(),
        hash: [0; 32],
    }
}

impl Floor {
    /// Numbers for the configuration.
    fn seeded() -> impl FnMut() -> u64 {
        let mut seed = 1_u64;
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        }
    }

    fn busy(agents: u32, waiting: u64, queues: u32, choice: Choice) -> Self {
        let mut floor = Self {
            router: Router::new(Limits::default()),
            seed: 7,
            at: 0,
            queues,
            key: 0,
            engaged: Vec::new(),
            last: 0,
            out: Vec::new(),
            events: 0,
            times: Vec::new(),
        };
        let config = Box::new(config(agents, queues, choice));
        floor.apply(Command::Configure { config });
        for agent in 1..=agents {
            floor.apply(Command::SignIn {
                agent,
                ready: true,
                command_id: None,
            });
        }
        // First the quiet floor: contacts arrive while most agents are idle.
        let signed_in = floor.times.len();
        while floor.router.waiting() == 0 && floor.engaged.len() < agents as usize {
            floor.arrive();
        }
        let quiet = &floor.times[signed_in..];
        let mean = quiet.iter().sum::<Duration>() / quiet.len().max(1) as u32;
        println!(
            "{agents} idle agents: {} commands, {mean:?} each",
            quiet.len()
        );
        while u64::from(floor.router.waiting()) < waiting {
            floor.arrive();
        }
        floor
    }

    fn report(&mut self, name: &str) {
        let total: Duration = self.times.iter().sum();
        self.times.sort_unstable();
        let at = |share: f64| self.times[((self.times.len() - 1) as f64 * share) as usize];
        let (commands, seconds) = (self.times.len() as f64, total.as_secs_f64());
        println!(
            "{name}: {:.0} commands/s, {:.0} events/s, p50 {:?}, p99 {:?}, p99.9 {:?}, worst {:?}",
            commands / seconds,
            self.events as f64 / seconds,
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
    }
}

fn run(agents: u32, waiting: u64, queues: u32, choice: Choice, commands: usize) {
    let begun = Instant::now();
    let mut floor = Floor::busy(agents, waiting, queues, choice);
    let filled = begun.elapsed();
    (floor.times, floor.events) = (Vec::with_capacity(commands + 100), 0);
    while floor.times.len() < commands {
        floor.turn(waiting);
    }
    let name = format!("{agents} agents, {waiting} waiting, {queues} queues, {choice:?}");
    floor.report(&name);
    println!("  filled in {filled:?}");
}

fn main() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if let [agents, waiting, queues, rest @ ..] = &given[..] {
        let number = |text: &String| text.parse::<u32>().expect("a number");
        let choice = match rest.first().map(String::as_str) {
            Some("level") => Choice::Level,
            Some("mixed") => Choice::Mixed,
            _ => Choice::Longest,
        };
        let commands = rest.get(1).map_or(1_000_000, number);
        run(
            number(agents),
            number(waiting).into(),
            number(queues),
            choice,
            commands as usize,
        );
        return;
    }
    for choice in [Choice::Longest, Choice::Level, Choice::Mixed] {
        run(1_000, 1_000, 20, choice, 1_000_000);
        run(1_000, 1_000, 200, choice, 1_000_000);
        run(10_000, 100_000, 200, choice, 1_000_000);
    }
}
