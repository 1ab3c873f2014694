//! The conditions of `eligible`, one by one, and the agent whom they would let through.

use super::{AgentKey, Check, Predicate};
use crate::agent::{Agent, level_of, units_of};
use crate::config::{AgentConfig, ChannelUnits, HoursState, Order, SkillLevel, Strategy};
use crate::contact::Contact;
use crate::demand::{Need, Requirement, score};
use crate::grouping::units_of_all;
use crate::ids::{ChannelId, Level};
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
        let state = self.hours.of(contact.queue);
        let open = check(Predicate::QueueOpen, state != HoursState::Closed);
        tell(open.about(contact.queue).numbers(state as u64, 0));
        if let Some((in_hand, cap)) = self.pace_of(contact.queue) {
            let pace = check(Predicate::Pace, in_hand < cap).about(contact.queue);
            tell(pace.numbers(in_hand.into(), cap.into()));
        }
        if let Some(queue) = self.setup.queue(contact.queue)
            && queue.domain != config.domain
        {
            let opens = self.setup.may_use(config.domain, queue);
            let domain = check(Predicate::Domain, opens).about(queue.id);
            tell(domain.numbers(config.domain.into(), queue.domain.into()));
        }
        tell(waits(contact));
        if let Some(choice) = self.choices.running.get(contact.choice()) {
            tell(check(Predicate::Choosing, false).numbers(choice.deadline, 0));
        }
        let own = self.requirement_of(contact);
        let effective = self.setup.effective(contact.queue, own, contact.step());
        let queues = effective.queues.iter().map(|queue| &**queue);
        for need in nearest(queues, config) {
            let kinds = [Predicate::QueueSkill, Predicate::QueueNotSkill];
            tell(skill(kinds, need, config));
        }
        for need in nearest([&*effective.own].into_iter(), config) {
            let kinds = [Predicate::ContactSkill, Predicate::ContactNotSkill];
            tell(skill(kinds, need, config));
        }
        tell(ready(agent));
        tell(check(Predicate::Staying, !agent.signing_out));
        let misses = u64::from(agent.misses);
        tell(check(Predicate::Unlocked, !agent.locked).numbers(misses, 0));
        let asked_again = contact.retry_at.unwrap_or(0);
        let new = !contact.was_attempted_by(agent.id);
        tell(check(Predicate::NotAttempted, new).numbers(asked_again, 0));
        self.visit_wishes(contact, agent, config, tell);
        self.visit_hands(contact, agent, config, tell);
        if agent.kept_for != 0 {
            let own = agent.kept_for == contact.id;
            tell(check(Predicate::NotReserved, own).numbers(agent.kept_for, 0));
        }
    }

    /// The conditions that few contacts and few agents have.
    fn visit_wishes(
        &self,
        contact: &Contact,
        agent: &Agent,
        config: &AgentConfig,
        tell: &mut impl FnMut(Check),
    ) {
        let excludes = contact.excludes();
        if !excludes.is_empty() {
            tell(check(Predicate::NotExcluded, !excludes.contains(&agent.id)));
        }
        if let Some(until) = contact.preferred_until() {
            let is_one = contact.waits_for().contains(&agent.id);
            tell(check(Predicate::Preferred, is_one).numbers(until, 0));
        }
        if config.stealth {
            let human = self.human_at_work(contact).map(|human| human.id);
            tell(check(Predicate::NoHuman, human.is_none()).about(human.unwrap_or(0)));
        }
    }

    /// The conditions on what the agent holds. They are not asked of an agent who gets the contact
    /// beyond its capacity: they hold, whatever their numbers say.
    fn visit_hands(
        &self,
        contact: &Contact,
        agent: &Agent,
        config: &AgentConfig,
        tell: &mut impl FnMut(Check),
    ) {
        let exclusive = self.setup.is_exclusive(contact.channel);
        let beyond = contact.goes_beyond() && contact.waits_for().contains(&agent.id);
        let units = u64::from(units_of(&config.capacity, contact.channel));
        let held = if exclusive {
            0
        } else {
            agent.held_on(contact.channel)
        };
        let needs = held + u64::from(contact.weight);
        let mut capacity =
            check(Predicate::Capacity, beyond || needs <= units).about(contact.channel);
        capacity.held = held;
        tell(capacity.numbers(units, needs));
        if exclusive {
            let fixed = agent.held.iter();
            let fixed = fixed.filter(|(channel, _)| !self.setup.is_interruptible(*channel));
            let fixed = fixed.map(|&(channel, units)| units - self.rung_units(agent, channel));
            let fixed: u64 = fixed.sum();
            let mut empty = check(Predicate::EmptyHands, beyond || fixed == 0);
            empty.held = agent.held_total;
            tell(empty.numbers(fixed, 0));
            let offers = agent.offers.len() as u64;
            tell(check(Predicate::NoOffer, beyond || offers == 0).numbers(offers, 0));
            return;
        }
        let blocks = agent.held.iter();
        let blocks = blocks.filter(|(channel, _)| self.setup.is_exclusive(*channel));
        let first = blocks.clone().next();
        let units = blocks.map(|(_, units)| units).sum();
        tell(
            check(Predicate::NothingExclusive, beyond || first.is_none())
                .about(first.map_or(0, |(channel, _)| *channel))
                .numbers(units, 0),
        );
    }

    /// The units that an agent's open offers hold on a channel.
    fn rung_units(&self, agent: &Agent, channel: ChannelId) -> u64 {
        let offers = agent.offers.iter().filter_map(|&id| self.offers.get(id));
        let rung = offers.filter_map(|offer| self.contacts.get(offer.contact));
        let rung = rung.filter(|contact| contact.channel == channel);
        rung.map(|contact| u64::from(contact.weight)).sum()
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
        let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.ordered_by());
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
            score: score(self.prefers_of(contact), &config.skills),
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
                Predicate::QueueNotSkill | Predicate::ContactNotSkill => {
                    let mut too_good = config.skills.iter_mut();
                    let too_good = too_good.find(|has| has.skill == check.subject);
                    if let Some(has) = too_good {
                        has.level = check.needs.saturating_sub(1) as Level;
                    }
                }
                Predicate::Domain => config.domain = check.needs as u32,
                Predicate::Capacity => {
                    raise_units(&mut config.capacity, check.subject, check.needs as u32);
                }
                Predicate::EmptyHands => {
                    for at in 0..agent.held.len() {
                        let channel = agent.held[at].0;
                        if !self.setup.is_interruptible(channel) {
                            agent.held[at].1 = self.rung_units(&agent, channel);
                        }
                    }
                }
                Predicate::NoOffer => {
                    for at in 0..agent.held.len() {
                        let rung = self.rung_units(&agent, agent.held[at].0);
                        agent.held[at].1 -= rung;
                    }
                    agent.offers.clear();
                }
                Predicate::NothingExclusive => {
                    let exclusive = |channel| self.setup.is_exclusive(channel);
                    agent.held.retain(|&(channel, _)| !exclusive(channel));
                }
                Predicate::NotReserved => agent.kept_for = 0,
                _ => {}
            }
        }
        agent.held.retain(|&(_, units)| units > 0);
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
    let (state, agent, until) = match contact.state {
        ContactState::Waiting => (0, 0, 0),
        ContactState::Offered { agent, .. } => (1, agent, 0),
        ContactState::Connecting { agent, .. } => (2, agent, 0),
        ContactState::Engaged { agent, .. } => (3, agent, 0),
        ContactState::Scheduled { until } => (9, 0, until),
    };
    check(Predicate::Waiting, contact.waits())
        .about(agent)
        .numbers(state, until)
}

/// The alternative with the fewest needs that fail, the first of equals; none where nothing is asked.
fn nearest<'a>(
    requirements: impl Iterator<Item = &'a Requirement> + Clone,
    config: &AgentConfig,
) -> &'a [Need] {
    if requirements.clone().any(Requirement::is_empty) {
        return &[];
    }
    let alternatives = requirements.flat_map(|one| &one.alternatives);
    let fail = |needs: &Vec<Need>| needs.iter().filter(|n| !n.holds(&config.skills)).count();
    alternatives
        .min_by_key(|needs| fail(needs))
        .map_or(&[], |needs| needs)
}

fn skill(kinds: [Predicate; 2], need: &Need, config: &AgentConfig) -> Check {
    let has = level_of(&config.skills, need.skill);
    let predicate = kinds[usize::from(need.negated)];
    check(predicate, need.holds(&config.skills))
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
