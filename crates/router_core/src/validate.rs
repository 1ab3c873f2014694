//! Whether a configuration makes sense by itself. The order of the checks is part of the rules:
//! the first that fails decides what is refused.

use std::collections::BTreeSet;

use crate::config::{
    AgentConfig, Config, Limits, MAX_REQUIREMENT, MAX_SHARE, MAX_TIMEOUT_US, SkillLevel,
};
use crate::rejection::{Code, Rejection};
use crate::router::refuse;
use crate::setup::Setup;
use crate::time::Micros;

type Checked = Result<(), Rejection>;

/// Every check that does not depend on what is going on.
pub(crate) fn validate(setup: &Setup, limits: &Limits) -> Checked {
    let config = &setup.config;
    validate_sizes(config, limits)?;
    validate_ids(config)?;
    validate_durations(config)?;
    validate_queues(setup)?;
    validate_agents(setup)
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
    increasing(config.channels.iter().map(|channel| channel.id))?;
    increasing(config.skills.iter().copied())?;
    increasing(config.reasons.iter().copied())?;
    increasing(config.queues.iter().map(|queue| queue.id))?;
    let mut seen = BTreeSet::from([0]);
    if let Some(agent) = config.agents.iter().find(|agent| !seen.insert(agent.id)) {
        return refuse(Code::DuplicateId, agent.id);
    }
    for queue in &config.queues {
        increasing(queue.requires.iter().map(|need| need.skill))?;
    }
    for agent in &config.agents {
        increasing(agent.skills.iter().map(|has| has.skill))?;
    }
    for agent in &config.agents {
        increasing(agent.capacity.iter().map(|has| has.channel))?;
    }
    Ok(())
}

/// Strictly increasing, and no 0.
fn increasing(ids: impl Iterator<Item = u32>) -> Checked {
    let mut last = 0;
    for id in ids {
        if id <= last {
            return refuse(Code::DuplicateId, id);
        }
        last = id;
    }
    Ok(())
}

fn validate_durations(config: &Config) -> Checked {
    for channel in &config.channels {
        within(channel.connect_timeout_us, 1, MAX_TIMEOUT_US)?;
    }
    for queue in &config.queues {
        within(queue.offer_timeout_us, 1, MAX_TIMEOUT_US)?;
        within(queue.wrap_up_us, 0, MAX_TIMEOUT_US)?;
    }
    within(config.retry_after_us, 1, MAX_TIMEOUT_US)?;
    within(config.memory_us, 1, MAX_TIMEOUT_US)?;
    within(config.key_retention_us, 1, Micros::MAX)
}

fn within(value: Micros, least: Micros, most: Micros) -> Checked {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        refuse(Code::BadDuration, value)
    }
}

fn validate_queues(setup: &Setup) -> Checked {
    for queue in &setup.config.queues {
        if queue.requires.len() > MAX_REQUIREMENT {
            return refuse(Code::BadRequirement, queue.requires.len() as u64);
        }
        validate_levels(setup, &queue.requires)?;
        if queue.rank_skill != 0 && !setup.knows_skill(queue.rank_skill) {
            return refuse(Code::UnknownSkill, queue.rank_skill);
        }
    }
    Ok(())
}

fn validate_agents(setup: &Setup) -> Checked {
    for AgentConfig {
        skills,
        capacity,
        share,
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
