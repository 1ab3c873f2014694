//! Random configurations of a small floor; one in ten does not make sense.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, DAY, NO_LIMIT, Order, QueueConfig, SECOND,
    SkillLevel, Strategy,
};

use super::{AGENTS, CHANNELS, QUEUES, Rng, SKILLS};

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

pub fn random(rng: &mut Rng) -> Config {
    let mut config = Config {
        order: if rng.chance(50) {
            Order::Longest
        } else {
            Order::AgentLevel
        },
        miss_limit: rng.id(4),
        retry_after_us: 5 * SECOND,
        max_waiting: [NO_LIMIT, 6][rng.below(2) as usize],
        key_retention_us: [7 * DAY, 60 * SECOND, u64::MAX][rng.below(3) as usize],
        memory_us: [600 * SECOND, 10 * SECOND][rng.below(2) as usize],
        seed: rng.below(3),
        channels: (1..CHANNELS).map(|id| channel(rng, id)).collect(),
        skills: (1..SKILLS).collect(),
        reasons: vec![1, 2],
        queues: (1..QUEUES).map(|id| queue(rng, id)).collect(),
        agents: Vec::new(),
        names: rng.next().to_le_bytes().to_vec(),
        hash: [rng.next() as u8; 32],
    };
    config.agents = agents(rng);
    if rng.chance(20) {
        shrink(rng, &mut config);
    }
    if rng.chance(10) {
        spoil(rng, &mut config);
    }
    config
}

fn channel(rng: &mut Rng, id: u32) -> ChannelConfig {
    ChannelConfig {
        id,
        exclusive: id == 1 || rng.chance(5),
        instant: rng.chance(40),
        connect_timeout_us: 10 * SECOND,
    }
}

fn levels(rng: &mut Rng, percent: u64) -> Vec<SkillLevel> {
    let mut levels = Vec::new();
    for skill in 1..SKILLS {
        if rng.chance(percent) {
            levels.push(SkillLevel {
                skill,
                level: 1 + rng.below(100) as u8,
            });
        }
    }
    levels
}

fn queue(rng: &mut Rng, id: u32) -> QueueConfig {
    QueueConfig {
        id,
        requires: if rng.chance(50) {
            levels(rng, 20)
        } else {
            Vec::new()
        },
        rank_skill: rng.id(SKILLS),
        max_waiting: [NO_LIMIT, NO_LIMIT, 3][rng.below(3) as usize],
        offer_timeout_us: 20 * SECOND,
        wrap_up_us: [0, 15 * SECOND][rng.below(2) as usize],
        strategy: STRATEGIES[rng.below(STRATEGIES.len() as u64) as usize],
    }
}

fn agents(rng: &mut Rng) -> Vec<AgentConfig> {
    let mut ids: Vec<u32> = (1..AGENTS).filter(|_| rng.chance(92)).collect();
    if rng.chance(50) {
        ids.reverse();
    }
    // Agents who can hold the same and have the same skills, at other levels: one class of many.
    let alike = rng.chance(40).then(|| capacity(rng));
    let percent = if alike.is_some() { 97 } else { 70 };
    ids.into_iter()
        .map(|id| AgentConfig {
            id,
            skills: levels(rng, percent),
            capacity: alike.clone().unwrap_or_else(|| capacity(rng)),
            share: [100, 1, 30, 1_000][rng.below(4) as usize],
        })
        .collect()
}

fn capacity(rng: &mut Rng) -> Vec<ChannelUnits> {
    let mut capacity = Vec::new();
    for channel in 1..CHANNELS {
        if rng.chance(80) {
            capacity.push(ChannelUnits {
                channel,
                units: rng.id(5),
            });
        }
    }
    capacity
}

/// Takes something away that may be in use.
fn shrink(rng: &mut Rng, config: &mut Config) {
    match rng.below(3) {
        0 => config.queues.truncate(3),
        1 => {
            config.channels.truncate(2);
            config
                .agents
                .iter_mut()
                .for_each(|agent| agent.capacity.retain(|c| c.channel < 3));
        }
        _ => {
            config.skills.truncate(3);
            config
                .agents
                .iter_mut()
                .for_each(|agent| agent.skills.retain(|s| s.skill < 4));
            for queue in &mut config.queues {
                queue.requires.retain(|s| s.skill < 4);
                queue.rank_skill %= 4;
            }
        }
    }
}

fn spoil(rng: &mut Rng, config: &mut Config) {
    match rng.below(7) {
        0 => config.channels.reverse(),
        1 => config.retry_after_us = 0,
        2 => config
            .queues
            .iter_mut()
            .for_each(|queue| queue.rank_skill = 99),
        3 => config.skills.push(1),
        5 => config
            .agents
            .iter_mut()
            .for_each(|agent| agent.share = [0, 1_001][rng.below(2) as usize]),
        4 => config.agents.push(AgentConfig {
            id: 1,
            skills: Vec::new(),
            capacity: Vec::new(),
            share: 100,
        }),
        _ => config
            .queues
            .iter_mut()
            .for_each(|queue| queue.offer_timeout_us = u64::MAX),
    }
}
