//! Random configurations of a small floor; one in ten does not make sense.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Contract, DAY, DomainConfig, Lower, NO_LIMIT,
    Order, Overflow, OverflowTo, OverflowWhen, QUEUE_WRAP_UP, QueueConfig, Requirement, SECOND,
    SkillLevel, Step, Strategy,
};

use super::{AGENTS, CHANNELS, QUEUES, Rng, SKILLS, demands};

const STRATEGIES: [Strategy; 17] = [
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
    Strategy::RingAll,
    Strategy::RingAll,
    Strategy::Outside,
    Strategy::Outside,
    Strategy::Outside,
    Strategy::Outside,
];

pub fn random(rng: &mut Rng) -> Config {
    let mut config = Config {
        order: [
            Order::Longest,
            Order::AgentLevel,
            Order::Deadline,
            Order::Ratio,
        ][rng.below(4) as usize],
        miss_limit: rng.id(4),
        retry_after_us: 5 * SECOND,
        max_waiting: [NO_LIMIT, 6][rng.below(2) as usize],
        key_retention_us: [7 * DAY, 60 * SECOND, u64::MAX][rng.below(3) as usize],
        memory_us: [600 * SECOND, 10 * SECOND][rng.below(2) as usize],
        seed: rng.below(3),
        domains: domains(rng),
        reserve_after_us: [0, 1, 1, 10, 200][rng.below(5) as usize] * SECOND / 10,
        reply_margin_us: [60, 1, 0][rng.below(3) as usize] * SECOND,
        channels: (1..CHANNELS).map(|id| channel(rng, id)).collect(),
        skills: (1..SKILLS).collect(),
        reasons: vec![1, 2],
        targets: vec![1, 2],
        queues: (1..QUEUES).map(|id| queue(rng, id)).collect(),
        agents: Vec::new(),
        contracts: Vec::new(),
        names: rng.next().to_le_bytes().to_vec(),
        hash: [rng.next() as u8; 32],
    };
    config.agents = agents(rng);
    if !config.domains.is_empty() {
        divide(rng, &mut config);
    }
    if rng.chance(20) {
        shrink(rng, &mut config);
    }
    if rng.chance(10) {
        super::spoiling::spoil(rng, &mut config);
    }
    config
}

fn channel(rng: &mut Rng, id: u32) -> ChannelConfig {
    let exclusive = id == 1 || rng.chance(5);
    ChannelConfig {
        id,
        exclusive,
        instant: rng.chance(40),
        connect_timeout_us: 10 * SECOND,
        interruptible: !exclusive && rng.chance(40),
        domain: 0,
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
            Requirement::all_of(&levels(rng, 20))
        } else if rng.chance(50) {
            demands::requirement(rng)
        } else {
            Requirement::default()
        },
        rank_skill: rng.id(SKILLS),
        max_waiting: [NO_LIMIT, NO_LIMIT, 3][rng.below(3) as usize],
        offer_timeout_us: 20 * SECOND,
        wrap_up_us: [0, 15 * SECOND][rng.below(2) as usize],
        strategy: STRATEGIES[rng.below(STRATEGIES.len() as u64) as usize],
        priority: [5, 5, 4, 6][rng.below(4) as usize],
        service_level_us: [20, 20, 0, 60][rng.below(4) as usize] * SECOND,
        ratio: [100, 100, 1, 1_000][rng.below(4) as usize],
        steps: if rng.chance(40) {
            steps(rng, id)
        } else {
            Vec::new()
        },
        ring_limit: [50, 1, 2, 3][rng.below(4) as usize],
        expected_handle_us: [1, 20 * SECOND, 180 * SECOND][rng.below(3) as usize],
        overflow: if rng.chance(45) {
            overflow(rng, id)
        } else {
            Vec::new()
        },
        tier: [2, 2, 2, 3][rng.below(4) as usize],
        max_in_hand: [NO_LIMIT, NO_LIMIT, NO_LIMIT, 0, 1, 2][rng.below(6) as usize],
        announce_us: [0, 0, SECOND, 7 * SECOND][rng.below(4) as usize],
        domain: 0,
        fallback: STRATEGIES[rng.below(12) as usize],
        choice_timeout_us: [SECOND / 5, SECOND / 1_000, 10 * SECOND][rng.below(3) as usize],
    }
}

/// Two domains beside the site's own, or none.
fn domains(rng: &mut Rng) -> Vec<DomainConfig> {
    if rng.chance(60) {
        return Vec::new();
    }
    let share = [100, 1, 300, 1_000];
    let domain = |id| DomainConfig {
        id,
        share: share[rng.below(4) as usize],
    };
    (1..3).map(domain).collect()
}

/// Gives queues, channels and agents their domains, and some of them contracts with others.
fn divide(rng: &mut Rng, config: &mut Config) {
    let mut some = |percent| if rng.chance(percent) { rng.id(3) } else { 0 };
    let channels = config.channels.iter_mut();
    channels.for_each(|channel| channel.domain = some(30));
    config
        .queues
        .iter_mut()
        .for_each(|queue| queue.domain = some(70));
    config
        .agents
        .iter_mut()
        .for_each(|agent| agent.domain = some(50));
    for queue in 1..QUEUES {
        for domain in 0..3 {
            if rng.chance(70) {
                config.contracts.push(Contract { queue, domain });
            }
        }
    }
}

fn overflow(rng: &mut Rng, queue: u32) -> Vec<Overflow> {
    let rule = |_| {
        let when = [
            OverflowWhen::Size,
            OverflowWhen::Wait,
            OverflowWhen::Wait,
            OverflowWhen::Estimate,
            OverflowWhen::NoAgent,
            OverflowWhen::Closed,
            OverflowWhen::NoAnswer,
        ][rng.below(7) as usize];
        let threshold = match when {
            OverflowWhen::Size => [1, 2, 4][rng.below(3) as usize],
            OverflowWhen::Wait => [1, SECOND, 5 * SECOND, 30 * SECOND][rng.below(4) as usize],
            OverflowWhen::Estimate => [1, 10 * SECOND, 200 * SECOND][rng.below(3) as usize],
            OverflowWhen::NoAgent | OverflowWhen::Closed => 0,
            OverflowWhen::NoAnswer => [1, 1, 2][rng.below(3) as usize],
        };
        let outside = rng.chance(25);
        let other = 1 + (queue + rng.id(QUEUES - 2)) % (QUEUES - 1);
        Overflow {
            when,
            threshold,
            to_kind: [OverflowTo::Queue, OverflowTo::Target][usize::from(outside)],
            to: if outside { 1 + rng.id(2) } else { other },
        }
    };
    (0..1 + queue % 4).map(rule).collect()
}

fn steps(rng: &mut Rng, queue: u32) -> Vec<Step> {
    let mut after_us = 0;
    let step = |_| {
        after_us += [1, SECOND, 5 * SECOND, 20 * SECOND][rng.below(4) as usize];
        let mut some = |limit, percent| (1..limit).filter(|_| rng.chance(percent)).collect();
        let (drop, lowered): (Vec<u32>, Vec<u32>) = (some(SKILLS, 20), some(SKILLS, 40));
        let widen: Vec<u32> = some(QUEUES, 20);
        let lower = |skill| Lower {
            skill,
            by: [10, 30, 100][rng.below(3) as usize],
        };
        Step {
            after_us,
            drop,
            lower: lowered.into_iter().map(lower).collect(),
            widen: widen.into_iter().filter(|other| *other != queue).collect(),
            head_start_us: [0, 30, 7 * 86_400][rng.below(3) as usize] * SECOND,
        }
    };
    (0..1 + queue % 3).map(step).collect()
}

fn agents(rng: &mut Rng) -> Vec<AgentConfig> {
    let mut ids: Vec<u32> = (1..AGENTS).filter(|_| rng.chance(92)).collect();
    if rng.chance(50) {
        ids.reverse();
    }
    let bots = rng.chance(40);
    // Agents who can hold the same and have the same skills, at other levels: one class of many.
    let alike = rng.chance(40).then(|| capacity(rng));
    let percent = if alike.is_some() { 97 } else { 70 };
    ids.into_iter()
        .map(|id| AgentConfig {
            id,
            skills: levels(rng, percent),
            capacity: alike.clone().unwrap_or_else(|| capacity(rng)),
            share: [100, 1, 30, 1_000][rng.below(4) as usize],
            stealth: bots && rng.chance(35),
            auto_accept: rng.chance(15),
            wrap_up_us: [QUEUE_WRAP_UP, QUEUE_WRAP_UP, 0, 3 * SECOND][rng.below(4) as usize],
            domain: 0,
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
        0 => {
            config.queues.truncate(3);
            config.contracts.retain(|contract| contract.queue < 4);
            for queue in &mut config.queues {
                let steps = queue.steps.iter_mut();
                steps.for_each(|step| step.widen.retain(|other| *other < 4));
                queue.overflow.retain(|rule| rule.to < 4);
            }
        }
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
                for needs in &mut queue.requires.alternatives {
                    needs.retain(|need| need.skill < 4);
                }
                queue
                    .requires
                    .alternatives
                    .retain(|needs| !needs.is_empty());
                for step in &mut queue.steps {
                    step.drop.retain(|skill| *skill < 4);
                    step.lower.retain(|lower| lower.skill < 4);
                }
                queue.rank_skill %= 4;
            }
        }
    }
}
