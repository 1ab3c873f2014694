//! The conditions of `eligible`, one by one, and the agent whom they would let through.

use super::{AgentKey, Check, Predicate};
use crate::agent::{Agent, level_of, units_of};
use crate::config::{AgentConfig, ChannelUnits, Order, SkillLevel, Strategy};
use crate::contact::Contact;
use crate::grouping::units_of_all;
use crate::ids::Level;
use crate::order::{key_in, order_of};
use crate::router::Router;
use crate::view::{ContactState, Presence};

impl Router {
    /// Tells every condition. `agent` and `config` may be others than those in force.
    pub(super) fn visit(
        &self,
        contact: &Contact,
        agent: &Agent,
        config: &AgentConfig,
        tell: &mut impl FnMut(Check),
    ) {
        tell(waits(contact));
        let queue = self.setup.queue(contact.queue);
        for need in queue.map_or(&[][..], |queue| &queue.requires) {
            tell(skill(Predicate::QueueSkill, need, config));
        }
        for need in &contact.requires {
            tell(skill(Predicate::ContactSkill, need, config));
        }
        tell(ready(agent));
        tell(check(Predicate::Staying, !agent.signing_out));
        let misses = u64::from(agent.misses);
        tell(check(Predicate::Unlocked, !agent.locked).numbers(misses, 0));
        let asked_again = contact.retry_at.unwrap_or(0);
        let new = !contact.was_attempted_by(agent.id);
        tell(check(Predicate::NotAttempted, new).numbers(asked_again, 0));
        self.visit_hands(contact, agent, config, tell);
    }

    /// The conditions on what the agent holds.
    fn visit_hands(
        &self,
        contact: &Contact,
        agent: &Agent,
        config: &AgentConfig,
        tell: &mut impl FnMut(Check),
    ) {
        let exclusive = self.setup.is_exclusive(contact.channel);
        let units = u64::from(units_of(&config.capacity, contact.channel));
        let held = if exclusive {
            0
        } else {
            agent.held_on(contact.channel)
        };
        let needs = held + u64::from(contact.weight);
        let mut capacity = check(Predicate::Capacity, needs <= units).about(contact.channel);
        capacity.held = held;
        tell(capacity.numbers(units, needs));
        if exclusive {
            let total = agent.held_total;
            tell(check(Predicate::EmptyHands, total == 0).numbers(total, 0));
            return;
        }
        let blocks = agent.held.iter();
        let blocks = blocks.filter(|(channel, _)| self.setup.is_exclusive(*channel));
        let first = blocks.clone().next();
        let units = blocks.map(|(_, units)| units).sum();
        tell(
            check(Predicate::NothingExclusive, first.is_none())
                .about(first.map_or(0, |(channel, _)| *channel))
                .numbers(units, 0),
        );
    }

    /// The agent's level for the contact's queue, where it counts.
    pub(super) fn level_for(&self, contact: &Contact, config: &AgentConfig) -> Level {
        match (self.setup.config.order, self.setup.queue(contact.queue)) {
            (Order::AgentLevel, Some(queue)) => level_of(&config.skills, queue.rank_skill),
            _ => 0,
        }
    }

    /// What the agent is compared by for the contact.
    pub(super) fn key_for(
        &self,
        contact: &Contact,
        agent: &Agent,
        config: &AgentConfig,
    ) -> AgentKey {
        let queue = self.setup.queue(contact.queue);
        let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.strategy);
        let level = match queue {
            Some(queue) if strategy == Strategy::BestSkill => {
                level_of(&config.skills, queue.rank_skill)
            }
            _ => self.level_for(contact, config),
        };
        let (units, seed) = (units_of_all(&config.capacity), self.setup.config.seed);
        let key = key_in(order_of(strategy), agent, config, units, seed);
        AgentKey {
            agent: agent.id,
            level,
            strategy,
            number: key.number,
            idle_since: key.idle_since,
            position: key.position,
        }
    }

    /// The agent as it would be with everything mended that fails.
    pub(super) fn mended(
        &self,
        agent: &Agent,
        config: &AgentConfig,
        checks: &[Check],
    ) -> (Agent, AgentConfig) {
        let (mut agent, mut config) = (agent.clone(), config.clone());
        agent.presence = Presence::Ready;
        agent.signing_out = false;
        agent.locked = false;
        for check in checks.iter().filter(|check| !check.holds) {
            match check.predicate {
                Predicate::QueueSkill | Predicate::ContactSkill => {
                    raise_level(&mut config.skills, check.subject, check.needs as Level);
                }
                Predicate::Capacity => {
                    raise_units(&mut config.capacity, check.subject, check.needs as u32);
                }
                Predicate::EmptyHands => agent.held.clear(),
                Predicate::NothingExclusive => {
                    let exclusive = |channel| self.setup.is_exclusive(channel);
                    agent.held.retain(|&(channel, _)| !exclusive(channel));
                }
                _ => {}
            }
        }
        agent.held_total = agent.held.iter().map(|(_, units)| units).sum();
        (agent, config)
    }
}

pub(super) const fn check(predicate: Predicate, holds: bool) -> Check {
    Check {
        predicate,
        holds,
        subject: 0,
        has: 0,
        needs: 0,
        held: 0,
    }
}

impl Check {
    pub(super) const fn about(mut self, subject: u32) -> Self {
        self.subject = subject;
        self
    }

    pub(super) const fn numbers(mut self, has: u64, needs: u64) -> Self {
        self.has = has;
        self.needs = needs;
        self
    }
}

fn waits(contact: &Contact) -> Check {
    let (state, agent) = match contact.state {
        ContactState::Waiting => (0, 0),
        ContactState::Offered { agent, .. } => (1, agent),
        ContactState::Connecting { agent, .. } => (2, agent),
        ContactState::Engaged { agent, .. } => (3, agent),
    };
    check(Predicate::Waiting, contact.waits())
        .about(agent)
        .numbers(state, 0)
}

fn skill(predicate: Predicate, need: &SkillLevel, config: &AgentConfig) -> Check {
    let has = level_of(&config.skills, need.skill);
    check(predicate, has >= need.level)
        .about(need.skill)
        .numbers(u64::from(has), u64::from(need.level))
}

fn ready(agent: &Agent) -> Check {
    let (presence, reason) = match agent.presence {
        Presence::SignedOut => (0, 0),
        Presence::NotReady(reason) => (1, reason),
        Presence::Ready => (2, 0),
    };
    check(Predicate::Ready, presence == 2)
        .about(reason)
        .numbers(presence, 2)
}

fn raise_level(skills: &mut Vec<SkillLevel>, skill: u32, level: Level) {
    match skills.binary_search_by_key(&skill, |has| has.skill) {
        Ok(at) => skills[at].level = skills[at].level.max(level),
        Err(at) => skills.insert(at, SkillLevel { skill, level }),
    }
}

fn raise_units(capacity: &mut Vec<ChannelUnits>, channel: u32, units: u32) {
    match capacity.binary_search_by_key(&channel, |has| has.channel) {
        Ok(at) => capacity[at].units = capacity[at].units.max(units),
        Err(at) => capacity.insert(at, ChannelUnits { channel, units }),
    }
}
