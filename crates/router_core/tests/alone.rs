//! The matcher alone decides as the whole router does where every offer is taken at once: what
//! `make bench` says about it, it says about the same choices.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Command, Config, Demand, Event, Limits, Match,
    Matcher, QueueConfig, Requirement, Router, SECOND, SkillLevel, Terms,
};

const CHAT: u32 = 1;
const AGENTS: u32 = 24;
const QUEUES: u32 = 6;
const STEPS: u64 = 4_000;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % u64::from(limit)) as u32
    }
}

fn needs(skill: u32, level: u8) -> Requirement {
    Requirement::all_of(&[SkillLevel { skill, level }])
}

/// Queue n needs skill n, whose levels are spread; each agent has three skills and one unit.
fn floor(chance: &mut Chance) -> Config {
    let queues = (1..=QUEUES).map(|id| QueueConfig {
        requires: needs(id, 30),
        priority: 5 - (id % 2) as u8,
        ..QueueConfig::new(id)
    });
    let mut agent = |id| {
        let mut skills: Vec<SkillLevel> = Vec::new();
        while skills.len() < 3 {
            let skill = 1 + chance.below(QUEUES);
            if skills.iter().all(|has| has.skill != skill) {
                let level = 30 + 35 * chance.below(3) as u8;
                skills.push(SkillLevel { skill, level });
            }
        }
        skills.sort_unstable();
        AgentConfig {
            skills,
            capacity: vec![ChannelUnits {
                channel: CHAT,
                units: 1,
            }],
            ..AgentConfig::new(id)
        }
    };
    Config {
        channels: vec![ChannelConfig::new(CHAT)],
        skills: (1..=QUEUES).collect(),
        agents: (1..=AGENTS).map(&mut agent).collect(),
        queues: queues.collect(),
        ..Config::default()
    }
}

/// The whole router, every offer of which is taken at once.
struct Whole(Router);

impl Whole {
    fn apply(&mut self, at: u64, command: Command) -> Option<Match> {
        let mut out = Vec::new();
        self.0
            .apply(at, command, &mut out)
            .expect("a sound command");
        let made = out.iter().filter_map(|event| match *event {
            Event::OfferMade {
                agent,
                contact,
                offer,
                ..
            } => Some((agent, contact, offer)),
            _ => None,
        });
        let made: Vec<_> = made.collect();
        assert!(made.len() < 2, "one unit makes one offer");
        let &(agent, contact, offer) = made.first()?;
        let accept = Command::Accept { agent, offer };
        self.0.apply(at, accept, &mut out).expect("in time");
        Some((agent as usize - 1, contact))
    }
}

#[test]
fn the_matcher_alone_decides_as_the_router_does() {
    let mut chance = Chance(7);
    let config = floor(&mut chance);
    let mut whole = Whole(Router::new(Limits::default()));
    let configure = Command::Configure {
        config: Box::new(config.clone()),
    };
    whole.apply(1, configure);
    let mut alone = Matcher::new(config);
    let asked: Vec<(u32, Requirement)> = (1..=QUEUES)
        .flat_map(|queue| [(queue, Requirement::default()), (queue, needs(queue, 65))])
        .collect();
    let classes: Vec<u32> = asked
        .iter()
        .map(|(queue, requires)| alone.class(*queue, CHAT, requires))
        .collect();
    let mut ready = [false; AGENTS as usize];
    let mut serves: [Option<u64>; AGENTS as usize] = [None; AGENTS as usize];
    let (mut waiting, mut arrived, mut matches) = (Vec::new(), 0_u64, 0);
    for position in 0..AGENTS {
        let (agent, is_ready) = (position + 1, false);
        let command = Command::SignIn {
            agent,
            ready: is_ready,
            command_id: None,
        };
        assert_eq!(whole.apply(2, command), None);
    }
    for step in 0..STEPS {
        let at = SECOND + step * 70_000 + u64::from(chance.below(3)) * 20_000;
        let position = chance.below(AGENTS) as usize;
        let agent = position as u32 + 1;
        let (expected, found) = match chance.below(10) {
            0..4 => {
                arrived += 1;
                let which = chance.below(asked.len() as u32) as usize;
                let (queue, requires) = asked[which].clone();
                let command = Command::Arrive {
                    channel: CHAT,
                    key: u128::from(arrived).to_be_bytes(),
                    queue,
                    head_start_us: 0,
                    weight: 1,
                    demand: Demand {
                        requires,
                        ..Demand::default()
                    },
                    terms: Terms::default(),
                };
                waiting.push(arrived);
                (
                    whole.apply(at, command),
                    alone.arrive(classes[which], arrived, at),
                )
            }
            4..8 => {
                let Some(contact) = serves[position].take() else {
                    continue;
                };
                (
                    whole.apply(at, Command::End { agent, contact }),
                    alone.release(position, CHAT, at),
                )
            }
            8 => {
                ready[position] = !ready[position];
                if ready[position] {
                    let command = Command::Ready {
                        agent,
                        command_id: None,
                    };
                    (whole.apply(at, command), alone.ready(position, at))
                } else {
                    let command = Command::NotReady {
                        agent,
                        reason: 0,
                        command_id: None,
                    };
                    let expected = whole.apply(at, command);
                    alone.not_ready(position);
                    (expected, None)
                }
            }
            _ => {
                if waiting.is_empty() {
                    continue;
                }
                let contact = waiting.remove(chance.below(waiting.len() as u32) as usize);
                let command = Command::Abandon {
                    channel: CHAT,
                    contact,
                };
                alone.abandon(contact);
                (whole.apply(at, command), None)
            }
        };
        assert_eq!(found, expected, "step {step}");
        if let Some((taken_by, contact)) = found {
            waiting.retain(|&one| one != contact);
            serves[taken_by] = Some(contact);
            matches += 1;
        }
    }
    assert!(matches > STEPS / 10, "too few to say anything: {matches}");
}
