//! The rules said once more, by comparing everybody with everybody. `check()` asserts with them
//! that nothing was missed; debug builds hold every choice against them.

#[cfg(debug_assertions)]
use std::cmp::Reverse;

use crate::agent::{Agent, level_of, units_of};
use crate::config::AgentConfig;
#[cfg(debug_assertions)]
use crate::config::Order;
use crate::config::{Contract, HoursState, NO_LIMIT, Step, Strategy};
use crate::contact::Contact;
use crate::demand::{Need, Requirement, SkillWeight};
use crate::hash::mix;
#[cfg(debug_assertions)]
use crate::ids::{AgentId, ContactId, Level};
use crate::router::Router;
use crate::stealth::is_at_work;
use crate::wishes::Wishes;

/// Debug builds compare choices only while there are at most this many pairs.
#[cfg(debug_assertions)]
const PAIRS_COMPARED: usize = 2_000;

impl Router {
    /// Ready, neither leaving nor locked, able to serve the contact with free hands, or whatever it
    /// holds if the contact goes beyond that, and neither excluded nor kept from it by another
    /// agent's being preferred or, for a bot, at work.
    pub(crate) fn is_qualified(&self, contact: &Contact, agent: &Agent) -> bool {
        let kept = |wishes: &Wishes| {
            let others = wishes.preferred_until.is_some() && !wishes.preferred.contains(&agent.id);
            others || wishes.excludes.contains(&agent.id)
        };
        let stealth = self.config_of(agent).is_some_and(|config| config.stealth);
        agent.present()
            && self.is_skilled(contact, agent)
            && (self.has_units(contact, agent) || contact.goes_beyond())
            && !contact.wishes.as_ref().is_some_and(|wishes| kept(wishes))
            && !(stealth && self.human_at_work(contact).is_some())
    }

    /// Whether the agent meets the contact's requirement at its step, with units for its weight, and
    /// may use its queue.
    pub(crate) fn is_able(&self, contact: &Contact, agent: &Agent) -> bool {
        self.is_skilled(contact, agent) && self.has_units(contact, agent)
    }

    fn has_units(&self, contact: &Contact, agent: &Agent) -> bool {
        let config = self.config_of(agent);
        config.is_some_and(|c| units_of(&c.capacity, contact.channel) >= contact.weight)
    }

    /// Whether the agent meets the contact's requirement at its step.
    pub(crate) fn is_skilled(&self, contact: &Contact, agent: &Agent) -> bool {
        let (Some(config), Some(queue)) = (self.config_of(agent), self.setup.queue(contact.queue))
        else {
            return false;
        };
        let step = usize::from(contact.step()).min(queue.steps.len());
        let steps = &queue.steps[..step];
        let meets = |requirement: &Requirement| {
            let met = |needs: &Vec<Need>| needs.iter().all(|need| meets(need, steps, config));
            requirement.is_empty() || requirement.alternatives.iter().any(met)
        };
        let widened = steps.iter().flat_map(|step| &step.widen);
        let widened = widened.filter_map(|&other| self.setup.queue(other));
        let contracts = &self.setup.config.contracts;
        let contract = |one: &&Contract| one.queue == queue.id && one.domain == config.domain;
        let own = queue.domain == config.domain;
        (own || contracts.iter().find(contract).is_some())
            && meets(self.requirement_of(contact))
            && std::iter::once(queue)
                .chain(widened)
                .any(|queue| meets(&queue.requires))
    }

    /// The first agent by position who keeps bots from the contact.
    pub(crate) fn human_at_work(&self, contact: &Contact) -> Option<&Agent> {
        let agents = self.setup.config.agents.iter();
        let humans = agents.filter(|config| !config.stealth);
        let humans = humans.filter_map(|config| self.agents.get(config.id));
        let mut at_work = humans.filter(|agent| is_at_work(agent));
        at_work
            .find(|agent| self.is_able(contact, agent) && !contact.excludes().contains(&agent.id))
    }

    /// Whether somebody is signed in and not leaving, human or bot, who is able and not excluded.
    pub(crate) fn naive_has_agent(&self, contact: &Contact) -> bool {
        let agents = self.setup.config.agents.iter();
        let agents = agents.filter_map(|config| self.agents.get(config.id));
        let mut at_work = agents.filter(|agent| is_at_work(agent));
        at_work.any(|agent| self.is_able(contact, agent) && !contact.excludes().contains(&agent.id))
    }

    /// What the contact itself requires.
    pub(crate) fn requirement_of(&self, contact: &Contact) -> &Requirement {
        &self.floor.contacts[contact.class as usize]
            .key
            .asks
            .requires
    }

    /// What it prefers.
    pub(crate) fn prefers_of(&self, contact: &Contact) -> &[SkillWeight] {
        &self.floor.contacts[contact.class as usize].key.asks.prefers
    }

    /// The whole of `eligible`.
    pub(crate) fn is_eligible(&self, contact: &Contact, agent: &Agent) -> bool {
        let Some(config) = self.config_of(agent) else {
            return false;
        };
        let in_hand = |other: &&Contact| other.queue == contact.queue && other.is_in_hand();
        let cap = self
            .setup
            .queue(contact.queue)
            .map_or(0, |queue| queue.max_in_hand);
        let counts = || self.contacts.sorted().into_iter().filter(in_hand).count();
        let paced = cap != NO_LIMIT && counts() >= cap as usize;
        !paced
            && self.hours.of(contact.queue) != HoursState::Closed
            && contact.waits()
            && contact.choice() == 0
            && self.hands_fit(contact, agent, config)
            && !contact.attempted.contains(&agent.id)
            && (agent.kept_for == 0 || agent.kept_for == contact.id)
            && self.is_qualified(contact, agent)
    }

    /// Whether the agent's hands are free for the contact.
    fn hands_fit(&self, contact: &Contact, agent: &Agent, config: &AgentConfig) -> bool {
        if contact.goes_beyond() {
            return true;
        }
        if self.setup.is_exclusive(contact.channel) {
            let interrupts = |held: &(u32, u64)| self.setup.is_interruptible(held.0);
            return agent.offers.is_empty() && agent.held.iter().all(interrupts);
        }
        let mut held = agent.held.iter();
        let exclusive = held.any(|(channel, _)| self.setup.is_exclusive(*channel));
        let units = u64::from(units_of(&config.capacity, contact.channel));
        !exclusive && agent.held_on(contact.channel) + u64::from(contact.weight) <= units
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
            Strategy::LongestIdle | Strategy::BestSkill | Strategy::RingAll | Strategy::Outside => {
                agent.held_total
            }
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

/// Whether the agent meets a need from which steps may have taken something.
fn meets(need: &Need, steps: &[Step], config: &AgentConfig) -> bool {
    let has = level_of(&config.skills, need.skill);
    if need.negated {
        return has < need.level;
    }
    let lower = |step: &Step| {
        let of_skill = step.lower.iter().filter(|lower| lower.skill == need.skill);
        of_skill.map(|lower| u32::from(lower.by)).sum::<u32>()
    };
    let lowered: u32 = steps.iter().map(lower).sum();
    let dropped = steps.iter().any(|step| step.drop.contains(&need.skill));
    dropped || u32::from(has) + lowered >= u32::from(need.level)
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
            Order::Longest | Order::Deadline | Order::Ratio => 0,
        }
    }

    /// What the order looks at before the time.
    fn part(&self, contact: &Contact, agent: &Agent) -> i128 {
        if self.setup.config.order != Order::Ratio {
            return -i128::from(self.rank(contact, agent));
        }
        let queues = self.setup.config.queues.iter();
        let all: i128 = queues.map(|queue| i128::from(queue.ratio)).sum();
        let own = self
            .setup
            .queue(contact.queue)
            .map_or(0, |queue| queue.ratio);
        let waiting = self.queues.of(contact.queue).waiting;
        i128::from(own) * i128::from(self.queues.waiting()) - i128::from(waiting) * all
    }

    fn naive_best_agent(&self, contact: &Contact) -> Option<AgentId> {
        let agents = self.agents.sorted();
        let eligible = agents
            .iter()
            .filter(|agent| self.is_eligible(contact, agent));
        let strategy = self.setup.queue(contact.queue)?.ordered_by();
        let best = eligible.min_by_key(|agent| self.agent_s_turn(contact, agent, strategy));
        best.map(|agent| agent.id)
    }

    /// What a contact compares agents by, smaller first.
    fn agent_s_turn(
        &self,
        contact: &Contact,
        agent: &Agent,
        strategy: Strategy,
    ) -> impl Ord + use<> {
        let rank = Reverse(self.rank(contact, agent));
        let skill = match strategy {
            Strategy::BestSkill => 100 - self.level(contact, agent),
            _ => 0,
        };
        let skills = self.config_of(agent).map_or(&[][..], |c| &c.skills);
        let level = |one: &SkillWeight| u32::from(level_of(skills, one.skill));
        let prefers = self.prefers_of(contact).iter();
        let score: u32 = prefers.map(|one| u32::from(one.weight) * level(one)).sum();
        let number = self.number_of(agent, strategy);
        let tie = (agent.idle_since, agent.position);
        (rank, skill, Reverse(score), number, tie)
    }

    fn naive_best_contact(&self, agent: &Agent) -> Option<ContactId> {
        let contacts = self.contacts.sorted();
        let eligible = contacts
            .iter()
            .filter(|contact| self.is_eligible(contact, agent));
        let best = eligible.min_by_key(|contact| {
            (
                self.tenant_turn(contact, agent),
                self.contact_s_turn(contact, agent),
            )
        });
        best.map(|contact| contact.id)
    }

    /// What a shared agent looks at before everything else.
    fn tenant_turn(&self, contact: &Contact, agent: &Agent) -> (u64, u32) {
        let (Some(config), Some(queue)) = (self.config_of(agent), self.setup.queue(contact.queue))
        else {
            return (0, 0);
        };
        let queues = self.setup.config.queues.iter();
        let usable = queues.filter(|queue| self.setup.may_use(config.domain, queue));
        let domains: std::collections::BTreeSet<u32> = usable.map(|queue| queue.domain).collect();
        if domains.len() < 2 {
            return (0, 0);
        }
        let given = self.tenants.given(queue.domain);
        (given, queue.domain)
    }

    /// What an agent compares contacts by, smaller first.
    fn contact_s_turn(&self, contact: &Contact, agent: &Agent) -> impl Ord + use<> {
        let place = contact.place();
        let queue = self.setup.queue(contact.queue);
        let allowed = queue.filter(|_| self.setup.config.order == Order::Deadline);
        let allowed = allowed.map_or(0, |queue| i128::from(queue.service_level_us));
        (
            place.tier,
            queue.map_or(0, |queue| queue.priority),
            self.part(contact, agent),
            i128::from(place.time) + allowed,
            place.sequence,
        )
    }

    /// Who is passed when an agent is offered a contact.
    pub(crate) fn assert_passed(&self, by: &Contact, agent: &Agent, found: Option<ContactId>) {
        let Some(config) = self.config_of(agent).filter(|_| self.is_small()) else {
            return;
        };
        let (exclusive, channel) = (|id| self.setup.is_exclusive(id), by.channel);
        let light = !exclusive(channel) && !self.setup.is_interruptible(channel);
        let mut passed = self.contacts.sorted();
        passed.retain(|one| {
            // An exclusive contact takes nothing that another would need, even beyond capacity.
            let heavier = one.channel == channel && one.weight > by.weight && !exclusive(channel);
            let takes = heavier || exclusive(one.channel) && light;
            let able = self.is_qualified(one, agent) && !one.attempted.contains(&agent.id);
            let open = !self.is_still(one.queue);
            let waits = one.waits() && one.id != by.id && open;
            waits && takes && able && !self.hands_fit(one, agent, config)
        });
        passed.retain(|one| self.contact_s_turn(one, agent) < self.contact_s_turn(by, agent));
        let first = passed
            .into_iter()
            .min_by_key(|one| self.contact_s_turn(one, agent));
        assert_eq!(found, first.map(|one| one.id), "passed by {}", by.id);
    }

    /// Who is kept for a contact.
    pub(crate) fn assert_kept(&self, contact: &Contact, found: Option<AgentId>) {
        if self.is_small() {
            let queue = self.setup.queue(contact.queue);
            let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.ordered_by());
            let mut agents = self.agents.sorted();
            agents.retain(|agent| {
                let tried = contact.attempted.contains(&agent.id);
                agent.kept_for == 0 && !tried && self.is_qualified(contact, agent)
            });
            let best = agents
                .into_iter()
                .min_by_key(|agent| self.agent_s_turn(contact, agent, strategy));
            assert_eq!(found, best.map(|agent| agent.id), "for {}", contact.id);
        }
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

    /// Everybody who is to be rung, in order.
    pub(crate) fn assert_eligible_agents(
        &self,
        contact: &Contact,
        found: &[AgentId],
        limit: usize,
    ) {
        if self.is_small() {
            let mut agents = self.agents.sorted();
            agents.retain(|agent| self.is_eligible(contact, agent));
            let queue = self.setup.queue(contact.queue);
            let strategy = queue.map_or(Strategy::RingAll, |queue| queue.ordered_by());
            agents.sort_by_key(|agent| self.agent_s_turn(contact, agent, strategy));
            let naive: Vec<AgentId> = agents.iter().map(|agent| agent.id).take(limit).collect();
            assert_eq!(found, naive, "everybody for contact {}", contact.id);
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
