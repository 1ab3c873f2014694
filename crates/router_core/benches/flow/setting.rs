//! The floors that are measured: who can do what, and what contacts ask for.
//!
//! 1. Skills come in two groups. The quiet tenth part of them is asked for by a fifth of the queues,
//!    whose agents are never all busy: there a contact chooses among idle agents. Everywhere else
//!    contacts wait, and an agent who becomes free chooses among them.
//! 2. A signature is what contacts ask for: four to a queue (its own skill alone, or one or two more).
//! 3. There are as many agent profiles as signatures: four variants around each queue's full set.
//!    Accidental overlap makes an agent fit for 8 (of 200) to 100 (of 5,000) signatures.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Limits, QueueConfig, Requirement, SECOND,
    SkillLevel,
};

use crate::chance::Chance;

pub const CHAT: u32 = 1;
pub const VOICE: u32 = 2;
/// Signatures that a queue has, and agent profiles around it.
pub const PER_QUEUE: u32 = 4;
const SKILLS: u32 = 60;
const QUIET_SKILLS: u32 = 10;
/// Skills of one agent.
const SKILLED: usize = 6;
const LEVELS: [u8; 5] = [20, 40, 60, 80, 100];
const ASKED: [u8; 3] = [1, 30, 50];

/// What is measured.
#[derive(Clone, Copy)]
pub struct Population {
    pub agents: u32,
    pub waiting: u32,
    pub signatures: u32,
    /// One channel, one unit, every offer accepted: what plain Python and SQL can follow.
    pub is_plain: bool,
}

impl Population {
    /// The time of one turn: a contact ends and another arrives, about five inputs.
    pub fn step_us(&self) -> u64 {
        (50 * SECOND / u64::from(self.agents)).max(1)
    }

    /// Ended contacts, closed offers and command ids of so many turns are remembered: so few that
    /// forgetting is under way before anything is measured.
    pub const fn remembered_turns() -> u64 {
        12_000
    }

    pub fn limits() -> Limits {
        Limits {
            max_contacts: 4_000_000,
            ..Limits::default()
        }
    }
}

/// One kind of contact.
#[derive(Clone)]
pub struct Signature {
    pub queue: u32,
    pub channel: u32,
    pub weight: u32,
    /// Beyond the queue's own requirement.
    pub requires: Requirement,
}

/// Everything about a floor that does not change.
#[derive(Clone)]
pub struct Setting {
    pub population: Population,
    pub queues: u32,
    pub config: Config,
    /// By `(queue - 1) * PER_QUEUE + variant`.
    pub signatures: Vec<Signature>,
    /// Quiet contacts beyond which none is made for now.
    pub quiet_room: u32,
}

impl Setting {
    pub fn new(population: Population) -> Self {
        let mut chance = Chance::new(1);
        let queues = (population.signatures / PER_QUEUE).max(1);
        let bases: Vec<Vec<SkillLevel>> = (0..queues)
            .map(|queue| base_skills(queue, queues, &mut chance))
            .collect();
        let profiles: Vec<Vec<SkillLevel>> = (0..queues * PER_QUEUE)
            .map(|profile| variant(&bases, profile, queues, &mut chance))
            .collect();
        let asked: Vec<Vec<SkillLevel>> = bases
            .iter()
            .map(|base| base.iter().map(|has| ask(*has, &mut chance)).collect())
            .collect();
        let agents: Vec<AgentConfig> = (0..population.agents)
            .map(|index| {
                let profile = if index < queues * PER_QUEUE {
                    index
                } else {
                    chance.below(queues * PER_QUEUE)
                };
                agent(index + 1, profile, queues, &profiles, population.is_plain)
            })
            .collect();
        let quiet_agents = (0..population.agents)
            .filter(|&index| is_quiet(index % queues, queues))
            .count();
        Self {
            signatures: (0..queues)
                .flat_map(|queue| signatures(queue, &asked[queue as usize], population.is_plain))
                .collect(),
            config: config(population, &asked, agents),
            quiet_room: quiet_agents as u32 / 2,
            population,
            queues,
        }
    }

    pub const fn quiet_queues(&self) -> u32 {
        self.queues / 5
    }
}

/// The last fifth of the queues.
pub const fn is_quiet(queue: u32, queues: u32) -> bool {
    queue >= queues - queues / 5
}

const fn is_voice(queue: u32, is_plain: bool) -> bool {
    !is_plain && queue.is_multiple_of(3)
}

/// The first is the queue's own; five are asked for.
fn base_skills(queue: u32, queues: u32, chance: &mut Chance) -> Vec<SkillLevel> {
    let mut skills: Vec<SkillLevel> = Vec::new();
    while skills.len() < SKILLED {
        let skill = any_skill(is_quiet(queue, queues), chance);
        if skills.iter().all(|has| has.skill != skill) {
            let level = LEVELS[chance.below(5) as usize];
            skills.push(SkillLevel { skill, level });
        }
    }
    skills
}

fn any_skill(is_quiet: bool, chance: &mut Chance) -> u32 {
    let busy = SKILLS - QUIET_SKILLS;
    if is_quiet {
        busy + 1 + chance.below(QUIET_SKILLS)
    } else {
        1 + chance.below(busy)
    }
}

/// The queue's full set, or one with two skills exchanged.
fn variant(
    bases: &[Vec<SkillLevel>],
    profile: u32,
    queues: u32,
    chance: &mut Chance,
) -> Vec<SkillLevel> {
    let queue = profile % queues;
    let mut skills = bases[queue as usize].clone();
    let places = if profile >= queues { [5, 4] } else { [5, 5] };
    for place in places {
        let skill = any_skill(is_quiet(queue, queues), chance);
        if skills.iter().all(|has| has.skill != skill) {
            skills[place].skill = skill;
        }
    }
    skills.sort_unstable();
    skills
}

/// A level that somebody who has it meets.
fn ask(has: SkillLevel, chance: &mut Chance) -> SkillLevel {
    let met: Vec<u8> = ASKED.into_iter().filter(|&l| l <= has.level).collect();
    SkillLevel {
        skill: has.skill,
        level: met[chance.below(met.len() as u32) as usize],
    }
}

fn signatures(queue: u32, asked: &[SkillLevel], is_plain: bool) -> Vec<Signature> {
    let extras: [&[SkillLevel]; PER_QUEUE as usize] =
        [&[], &asked[1..2], &asked[2..3], &asked[3..5]];
    let heavy = !is_plain && queue % 10 == 1;
    extras
        .into_iter()
        .map(|extra| {
            let mut requires = extra.to_vec();
            requires.sort_unstable();
            Signature {
                queue: queue + 1,
                channel: if is_voice(queue, is_plain) {
                    VOICE
                } else {
                    CHAT
                },
                weight: 1 + u32::from(heavy && !is_voice(queue, is_plain)),
                requires: Requirement::all_of(&requires),
            }
        })
        .collect()
}

/// Three profiles around a queue serve its channel only, the fourth (where calls come in) both.
fn agent(
    id: u32,
    profile: u32,
    queues: u32,
    profiles: &[Vec<SkillLevel>],
    is_plain: bool,
) -> AgentConfig {
    let (queue, variant) = (profile % queues, profile / queues);
    let chat = ChannelUnits {
        channel: CHAT,
        units: if is_plain { 1 } else { 2 + profile % 2 },
    };
    let voice = ChannelUnits {
        channel: VOICE,
        units: 1,
    };
    let capacity = match (is_voice(queue, is_plain), variant) {
        (false, _) => vec![chat],
        (true, 3) => vec![chat, voice],
        (true, _) => vec![voice],
    };
    AgentConfig {
        skills: profiles[profile as usize].clone(),
        capacity,
        ..AgentConfig::new(id)
    }
}

fn config(population: Population, asked: &[Vec<SkillLevel>], agents: Vec<AgentConfig>) -> Config {
    let memory_us = Population::remembered_turns() * population.step_us();
    let queue = |(index, asked): (usize, &Vec<SkillLevel>)| QueueConfig {
        requires: Requirement::all_of(&asked[..1]),
        wrap_up_us: if population.is_plain || index % 2 == 0 {
            0
        } else {
            5 * SECOND
        },
        ..QueueConfig::new(index as u32 + 1)
    };
    Config {
        key_retention_us: memory_us,
        memory_us,
        reserve_after_us: 0,
        channels: vec![ChannelConfig::new(CHAT), ChannelConfig::voice(VOICE)],
        skills: (1..=SKILLS).collect(),
        queues: asked.iter().enumerate().map(queue).collect(),
        agents,
        ..Config::default()
    }
}
