//! Whether a configuration makes sense by itself. The order of the checks is part of the rules:
//! the first that fails decides what is refused.

use std::collections::BTreeSet;

use crate::config::{
    AgentConfig, Config, Limits, MAX_CHOICE_US, MAX_HEAD_START_US, MAX_OVERFLOW, MAX_PRIORITY,
    MAX_RATIO, MAX_RING_LIMIT, MAX_SHARE, MAX_STEPS, MAX_TIMEOUT_US, MAX_UNANSWERED,
    MIN_ANNOUNCE_US, OverflowTo, OverflowWhen, QUEUE_WRAP_UP, QueueConfig, SkillLevel, Step,
    Strategy, TIERS,
};
use crate::ids::DomainId;
use crate::rejection::{Code, Rejection};
use crate::router::refuse;
use crate::setup::Setup;
use crate::time::{MILLISECOND, Micros};

pub(crate) type Checked = Result<(), Rejection>;

/// Every check that does not depend on what is going on.
pub(crate) fn validate(setup: &Setup, limits: &Limits) -> Checked {
    let config = &setup.config;
    validate_sizes(config, limits)?;
    validate_ids(config)?;
    validate_durations(config)?;
    validate_domains(config)?;
    validate_channels(setup)?;
    validate_queues(setup)?;
    validate_agents(setup)?;
    validate_contracts(setup)
}

fn validate_sizes(config: &Config, limits: &Limits) -> Checked {
    let sizes = [
        (
            config.channels.len(),
            limits.max_channels,
            Code::TooManyChannels,
        ),
        (config.skills.len(), limits.max_skills, Code::TooManySkills),
        (config.queues.len(), limits.max_queues, Code::TooManyQueues),
        (config.agents.len(), limits.max_agents, Code::TooManyAgents),
    ];
    match sizes
        .into_iter()
        .find(|(size, limit, _)| *size > *limit as usize)
    {
        Some((_, limit, code)) => refuse(code, limit),
        None => Ok(()),
    }
}

fn validate_ids(config: &Config) -> Checked {
    increasing(config.domains.iter().map(|domain| domain.id))?;
    increasing(config.channels.iter().map(|channel| channel.id))?;
    increasing(config.skills.iter().copied())?;
    increasing(config.reasons.iter().copied())?;
    increasing(config.targets.iter().copied())?;
    increasing(config.queues.iter().map(|queue| queue.id))?;
    let mut seen = BTreeSet::from([0]);
    if let Some(agent) = config.agents.iter().find(|agent| !seen.insert(agent.id)) {
        return refuse(Code::DuplicateId, agent.id);
    }
    for agent in &config.agents {
        increasing(agent.skills.iter().map(|has| has.skill))?;
    }
    for agent in &config.agents {
        increasing(agent.capacity.iter().map(|has| has.channel))?;
    }
    let contracts = config.contracts.windows(2);
    match contracts.into_iter().find(|pair| pair[0] >= pair[1]) {
        Some(pair) => refuse(Code::DuplicateId, pair[1].queue),
        None => Ok(()),
    }
}

/// Strictly increasing, and no 0.
fn increasing(ids: impl Iterator<Item = u32>) -> Checked {
    let mut last = 0;
    ids.into_iter()
        .try_for_each(|id| validate_next(&mut last, id))
}

fn validate_durations(config: &Config) -> Checked {
    for channel in &config.channels {
        within(channel.connect_timeout_us, 1, MAX_TIMEOUT_US)?;
    }
    for queue in &config.queues {
        within(queue.offer_timeout_us, 1, MAX_TIMEOUT_US)?;
        within(queue.wrap_up_us, 0, MAX_TIMEOUT_US)?;
        within(queue.expected_handle_us, 1, MAX_TIMEOUT_US)?;
        within(queue.choice_timeout_us, MILLISECOND, MAX_CHOICE_US)?;
    }
    let own = config.agents.iter().map(|agent| agent.wrap_up_us);
    for wrap_up_us in own.filter(|&own| own != QUEUE_WRAP_UP) {
        within(wrap_up_us, 0, MAX_TIMEOUT_US)?;
    }
    within(config.retry_after_us, 1, MAX_TIMEOUT_US)?;
    within(config.memory_us, 1, MAX_TIMEOUT_US)?;
    within(config.key_retention_us, 1, Micros::MAX)?;
    within(config.reserve_after_us, 0, MAX_TIMEOUT_US)?;
    within(config.reply_margin_us, 0, MAX_TIMEOUT_US)
}

pub(crate) fn within(value: Micros, least: Micros, most: Micros) -> Checked {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        refuse(Code::BadDuration, value)
    }
}

fn validate_domains(config: &Config) -> Checked {
    let mut domains = config.domains.iter();
    match domains.find(|domain| !(1..=MAX_SHARE).contains(&domain.share)) {
        Some(domain) => refuse(Code::BadShare, domain.share),
        None => Ok(()),
    }
}

fn validate_domain(setup: &Setup, domain: DomainId) -> Checked {
    if setup.knows_domain(domain) {
        Ok(())
    } else {
        refuse(Code::UnknownDomain, domain)
    }
}

fn validate_contracts(setup: &Setup) -> Checked {
    for contract in &setup.config.contracts {
        if setup.queue(contract.queue).is_none() {
            return refuse(Code::UnknownQueue, contract.queue);
        }
        validate_domain(setup, contract.domain)?;
    }
    Ok(())
}

/// What may be interrupted cannot be what interrupts.
fn validate_channels(setup: &Setup) -> Checked {
    for channel in &setup.config.channels {
        if channel.exclusive && channel.interruptible {
            return refuse(Code::BadChannel, channel.id);
        }
        validate_domain(setup, channel.domain)?;
    }
    Ok(())
}

fn validate_queues(setup: &Setup) -> Checked {
    for queue in &setup.config.queues {
        setup.validate_requirement(&queue.requires)?;
        if queue.rank_skill != 0 && !setup.knows_skill(queue.rank_skill) {
            return refuse(Code::UnknownSkill, queue.rank_skill);
        }
        if !(1..=MAX_PRIORITY).contains(&queue.priority) {
            return refuse(Code::BadPriority, queue.priority);
        }
        within(queue.service_level_us, 0, MAX_TIMEOUT_US)?;
        if !(1..=MAX_RATIO).contains(&queue.ratio) {
            return refuse(Code::BadRatio, queue.ratio);
        }
        validate_steps(setup, queue)?;
        if !(1..=MAX_RING_LIMIT).contains(&queue.ring_limit) {
            return refuse(Code::BadRingLimit, queue.ring_limit);
        }
        validate_overflow(setup, queue)?;
        if !TIERS.contains(&queue.tier) {
            return refuse(Code::BadTier, queue.tier);
        }
        if queue.announce_us != 0 {
            within(queue.announce_us, MIN_ANNOUNCE_US, MAX_TIMEOUT_US)?;
        }
        validate_domain(setup, queue.domain)?;
        if queue.fallback == Strategy::Outside {
            return refuse(Code::BadStrategy, queue.id);
        }
    }
    Ok(())
}

fn validate_overflow(setup: &Setup, queue: &QueueConfig) -> Checked {
    if queue.overflow.len() > MAX_OVERFLOW {
        return refuse(Code::BadOverflow, MAX_OVERFLOW as u64);
    }
    for (index, rule) in (0_u64..).zip(&queue.overflow) {
        match rule.to_kind {
            OverflowTo::Queue if setup.queue(rule.to).is_none() => {
                return refuse(Code::UnknownQueue, rule.to);
            }
            OverflowTo::Target if !setup.knows_target(rule.to) => {
                return refuse(Code::UnknownTarget, rule.to);
            }
            OverflowTo::Queue | OverflowTo::Target => {}
        }
        let itself = rule.to_kind == OverflowTo::Queue && rule.to == queue.id;
        let thresholds = match rule.when {
            OverflowWhen::Size => 1..=u64::MAX,
            OverflowWhen::Wait | OverflowWhen::Estimate => 1..=MAX_TIMEOUT_US,
            OverflowWhen::NoAnswer => 1..=MAX_UNANSWERED,
            OverflowWhen::NoAgent | OverflowWhen::Closed => 0..=0,
        };
        if itself || !thresholds.contains(&rule.threshold) {
            return refuse(Code::BadOverflow, index);
        }
    }
    Ok(())
}

fn validate_steps(setup: &Setup, queue: &QueueConfig) -> Checked {
    if queue.steps.len() > MAX_STEPS {
        return refuse(Code::BadRequirement, queue.steps.len() as u64);
    }
    let mut last = 0;
    for step in &queue.steps {
        within(step.after_us, last + 1, MAX_TIMEOUT_US)?;
        last = step.after_us;
        validate_step(setup, queue, step)?;
    }
    Ok(())
}

fn validate_step(setup: &Setup, queue: &QueueConfig, step: &Step) -> Checked {
    let mut last = 0;
    for &skill in &step.drop {
        validate_next_skill(setup, &mut last, skill)?;
    }
    last = 0;
    for lower in &step.lower {
        validate_next_skill(setup, &mut last, lower.skill)?;
        if !(1..=100).contains(&lower.by) {
            return refuse(Code::BadLevel, lower.by);
        }
    }
    last = 0;
    for &other in &step.widen {
        if setup.queue(other).is_none() || other == queue.id {
            return refuse(Code::UnknownQueue, other);
        }
        validate_next(&mut last, other)?;
    }
    if step.head_start_us > MAX_HEAD_START_US {
        return refuse(Code::BadHeadStart, step.head_start_us);
    }
    Ok(())
}

fn validate_next_skill(setup: &Setup, last: &mut u32, skill: u32) -> Checked {
    validate_next(last, skill)?;
    if setup.knows_skill(skill) {
        Ok(())
    } else {
        refuse(Code::UnknownSkill, skill)
    }
}

/// One entry of a list that is strictly increasing, without 0.
fn validate_next(last: &mut u32, id: u32) -> Checked {
    if id <= std::mem::replace(last, id) {
        return refuse(Code::DuplicateId, id);
    }
    Ok(())
}

fn validate_agents(setup: &Setup) -> Checked {
    for AgentConfig {
        skills,
        capacity,
        share,
        domain,
        ..
    } in &setup.config.agents
    {
        validate_levels(setup, skills)?;
        if let Some(has) = capacity
            .iter()
            .find(|has| setup.channel(has.channel).is_none())
        {
            return refuse(Code::UnknownChannel, has.channel);
        }
        if !(1..=MAX_SHARE).contains(share) {
            return refuse(Code::BadShare, *share);
        }
        validate_domain(setup, *domain)?;
    }
    Ok(())
}

fn validate_levels(setup: &Setup, levels: &[SkillLevel]) -> Checked {
    for entry in levels {
        if !setup.knows_skill(entry.skill) {
            return refuse(Code::UnknownSkill, entry.skill);
        }
        if !(1..=100).contains(&entry.level) {
            return refuse(Code::BadLevel, entry.level);
        }
    }
    Ok(())
}
