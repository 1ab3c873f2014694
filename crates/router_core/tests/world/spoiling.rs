//! What makes a configuration senseless.

use router_core::{
    AgentConfig, Config, Contract, DAY, DomainConfig, Lower, Overflow, OverflowTo, OverflowWhen,
    QUEUE_WRAP_UP, QueueConfig, SECOND, Step, Strategy,
};

use super::Rng;

pub fn spoil(rng: &mut Rng, config: &mut Config) {
    match rng.below(18) {
        16 => spoil_domains(rng, config),
        17 => spoil_overflow(rng, &mut config.queues[1]),
        15 => config.reserve_after_us = DAY + 1,
        12 => config.queues[0].fallback = Strategy::Outside,
        13 => config.queues[0].choice_timeout_us = [0, 10 * SECOND + 1][rng.below(2) as usize],
        14 => config.reply_margin_us = DAY + 1,
        10 => spoil_queue(rng, &mut config.queues[1]),
        0 => config.channels.reverse(),
        1 => config.retry_after_us = 0,
        2 => config
            .queues
            .iter_mut()
            .for_each(|queue| queue.rank_skill = 99),
        3 => config.skills.push(1),
        6 => config.targets.reverse(),
        7 => config
            .channels
            .iter_mut()
            .for_each(|channel| channel.interruptible = true),
        8 => config
            .queues
            .iter_mut()
            .for_each(|queue| queue.ring_limit = [0, 1_001][rng.below(2) as usize]),
        9 => config
            .agents
            .iter_mut()
            .for_each(|agent| agent.wrap_up_us = DAY + 1),
        5 => config
            .agents
            .iter_mut()
            .for_each(|agent| agent.share = [0, 1_001][rng.below(2) as usize]),
        4 => config.agents.push(AgentConfig {
            id: 1,
            skills: Vec::new(),
            capacity: Vec::new(),
            share: 100,
            stealth: false,
            auto_accept: false,
            wrap_up_us: QUEUE_WRAP_UP,
            domain: 0,
        }),
        _ => config
            .queues
            .iter_mut()
            .for_each(|queue| queue.offer_timeout_us = u64::MAX),
    }
}

fn spoil_domains(rng: &mut Rng, config: &mut Config) {
    let contract = |queue, domain| vec![Contract { queue, domain }; 1];
    match rng.below(7) {
        0 => config.domains.push(DomainConfig { id: 0, share: 1 }),
        1 => config.domains = vec![DomainConfig { id: 1, share: 0 }],
        2 => config.channels[0].domain = 9,
        3 => config.queues[0].domain = 9,
        4 => config.contracts = contract(1, 9),
        5 => config.contracts = contract(99, 0),
        _ => config.contracts = [contract(1, 0), contract(1, 0)].concat(),
    }
}

fn spoil_overflow(rng: &mut Rng, queue: &mut QueueConfig) {
    let rule = Overflow {
        when: OverflowWhen::Wait,
        threshold: SECOND,
        to_kind: OverflowTo::Queue,
        to: 1,
    };
    let spoilt = match rng.below(5) {
        0 => Overflow { to: 99, ..rule },
        1 => Overflow {
            to: queue.id,
            ..rule
        },
        2 => Overflow {
            threshold: [0, DAY + 1][rng.below(2) as usize],
            ..rule
        },
        3 => Overflow {
            to_kind: OverflowTo::Target,
            to: 3,
            ..rule
        },
        _ => rule,
    };
    queue.overflow = vec![spoilt; 1 + 8 * rng.below(2) as usize];
}

fn spoil_queue(rng: &mut Rng, queue: &mut QueueConfig) {
    let step = Step {
        after_us: SECOND,
        drop: vec![1],
        lower: vec![Lower { skill: 1, by: 1 }],
        widen: vec![1],
        head_start_us: 0,
    };
    let lower = |by| vec![Lower { skill: 1, by }; 2];
    let spoilt = match rng.below(11) {
        0 => Step {
            after_us: 0,
            ..step
        },
        1 => Step {
            drop: vec![2, 1],
            ..step
        },
        2 => Step {
            drop: vec![99],
            ..step
        },
        3 => Step {
            lower: lower(1),
            ..step
        },
        4 => Step {
            lower: lower(101),
            ..step
        },
        5 => Step {
            widen: vec![queue.id],
            ..step
        },
        6 => Step {
            widen: vec![1, 1],
            ..step
        },
        7 => Step {
            head_start_us: u64::MAX,
            ..step
        },
        9 => {
            queue.tier = [1, 4][rng.below(2) as usize];
            step
        }
        10 => {
            queue.announce_us = [SECOND - 1, DAY + 1][rng.below(2) as usize];
            step
        }
        _ => {
            queue.priority = [0, 5, 10][rng.below(3) as usize];
            queue.ratio = 0;
            step
        }
    };
    queue.steps = vec![spoilt; 1 + 8 * rng.below(2) as usize];
}
