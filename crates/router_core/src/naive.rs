//! The rules said once more, by comparing everybody with everybody. `check()` asserts with them
//! that nothing was missed; debug builds hold every choice against them.

#[cfg(debug_assertions)]
use std::cmp::Reverse;

use crate::agent::{Agent, level_of, units_of};
use crate::config::AgentConfig;
#[cfg(debug_assertions)]
use crate::config::Order;
use crate::config::Strategy;
use crate::contact::Contact;
use crate::hash::mix;
#[cfg(debug_assertions)]
use crate::ids::{AgentId, ContactId, Level};
use crate::router::Router;

/// Debug builds compare choices only while there are at most this many pairs.
#[cfg(debug_assertions)]
const PAIRS_COMPARED: usize = 2_000;

impl Router {
    /// Ready, neither leaving nor locked, and able to serve the contact with free hands.
    pub(crate) fn is_qualified(&self, contact: &Contact, agent: &Agent) -> bool {
        let (Some(config), Some(queue)) = (self.config_of(agent), self.setup.queue(contact.queue))
        else {
            return false;
        };
        let mut needs = queue.requires.iter().chain(&contact.requires);
        agent.present()
            && needs.all(|need| level_of(&config.skills, need.skill) >= need.level)
            && units_of(&config.capacity, contact.channel) >= contact.weight
    }

    /// The whole of `eligible`.
    pub(crate) fn is_eligible(&self, contact: &Contact, agent: &Agent) -> bool {
        let Some(config) = self.config_of(agent) else {
            return false;
        };
        let units = u64::from(units_of(&config.capacity, contact.channel));
        let fits = if self.setup.is_exclusive(contact.channel) {
            agent.held_total == 0
        } else {
            let exclusive = agent
                .held
                .iter()
                .any(|(channel, _)| self.setup.is_exclusive(*channel));
            !exclusive && agent.held_on(contact.channel) + u64::from(contact.weight) <= units
        };
        contact.waits()
            && fits
            && !contact.attempted.contains(&agent.id)
            && self.is_qualified(contact, agent)
    }

    /// The number by which a strategy compares agents, smaller first.
    pub(crate) fn number_of(&self, agent: &Agent, strategy: Strategy) -> u64 {
        let config = self.config_of(agent);
        let units = |config: &AgentConfig| config.capacity.iter().map(|c| u64::from(c.units)).sum();
        let units: u64 = config.map_or(0, units);
        let share = config.map_or(1, |config| config.share);
        let average = |sum: u64, count: u64| sum.checked_div(count).unwrap_or(sum);
        let done = agent.counters;
        match strategy {
            Strategy::LongestIdle | Strategy::BestSkill => agent.held_total,
            Strategy::LeastOccupied => average(agent.held_total * 1_000, units),
            Strategy::FewestContacts => done.accepted,
            Strategy::LeastTalk => done.talk_us,
            Strategy::LeastAverageTalk => average(done.talk_us, done.talks),
            Strategy::LongestAverageIdle => u64::MAX - average(done.idle_us, done.idles),
            Strategy::RoundRobin => agent.last_offer,
            Strategy::TopDown => agent.position.into(),
            Strategy::Random => {
                let agent_word = u64::from(agent.id) << 32;
                mix(self.setup.config.seed ^ agent_word ^ agent.last_offer)
            }
            Strategy::Weighted => done.offers.saturating_mul(1_000_000) / u64::from(share),
        }
    }

    fn config_of(&self, agent: &Agent) -> Option<&AgentConfig> {
        self.setup.config.agents.get(agent.position as usize)
    }
}

/// Every single choice, held against a comparison of everybody with everybody.
#[cfg(debug_assertions)]
impl Router {
    /// The agent's level for the contact's queue.
    fn level(&self, contact: &Contact, agent: &Agent) -> Level {
        match (self.config_of(agent), self.setup.queue(contact.queue)) {
            (Some(config), Some(queue)) => level_of(&config.skills, queue.rank_skill),
            _ => 0,
        }
    }

    /// The same, where it decides between contacts.
    fn rank(&self, contact: &Contact, agent: &Agent) -> Level {
        match self.setup.config.order {
            Order::AgentLevel => self.level(contact, agent),
            Order::Longest => 0,
        }
    }

    fn naive_best_agent(&self, contact: &Contact) -> Option<AgentId> {
        let agents = self.agents.sorted();
        let eligible = agents
            .iter()
            .filter(|agent| self.is_eligible(contact, agent));
        let strategy = self.setup.queue(contact.queue)?.strategy;
        let best = eligible.min_by_key(|agent| {
            let rank = Reverse(self.rank(contact, agent));
            let skill = match strategy {
                Strategy::BestSkill => 100 - self.level(contact, agent),
                _ => 0,
            };
            let number = self.number_of(agent, strategy);
            (rank, skill, number, agent.idle_since, agent.position)
        });
        best.map(|agent| agent.id)
    }

    fn naive_best_contact(&self, agent: &Agent) -> Option<ContactId> {
        let contacts = self.contacts.sorted();
        let eligible = contacts
            .iter()
            .filter(|contact| self.is_eligible(contact, agent));
        let best = eligible.min_by_key(|contact| {
            let place = contact.place();
            (
                place.tier,
                Reverse(self.rank(contact, agent)),
                place.time,
                place.sequence,
            )
        });
        best.map(|contact| contact.id)
    }

    fn is_small(&self) -> bool {
        self.contacts.len() * self.agents.len() <= PAIRS_COMPARED
    }

    pub(crate) fn assert_best_agent(&self, contact: &Contact, best: Option<AgentId>) {
        if self.is_small() {
            assert_eq!(
                best,
                self.naive_best_agent(contact),
                "agent for contact {}",
                contact.id
            );
        }
    }

    pub(crate) fn assert_best_contact(&self, agent: AgentId, best: Option<ContactId>) {
        if let Some(agent) = self.agents.get(agent).filter(|_| self.is_small()) {
            assert_eq!(
                best,
                self.naive_best_contact(agent),
                "contact for agent {}",
                agent.id
            );
        }
    }
}
