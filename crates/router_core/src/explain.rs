//! Why an agent has a contact, or has it not: reads, without any effect.
//!
//! 1. [`Router::explain`] takes `eligible` apart: every condition in a fixed order, each with the
//!    numbers that it compares. It holds exactly when all of them hold.
//! 2. Of a requirement's alternatives the one with the fewest failing needs is told, the first of
//!    equals; of a widened queue's alternatives likewise, together with those of the own queue.
//! 3. Behind the conditions comes the rank. Of several agents the one that is first by
//!    `(level, score, the strategy's number, idle since, position)` gets the contact; a freed agent
//!    takes the contact whose turn is first: of a shared agent what the queue's domain was given, by tier, the queue's priority, what the order looks at
//!    (the level, the queue's part above its ratio), place or deadline. Levels count under
//!    `Order::AgentLevel`, and between agents for a queue with `BestSkill`.
//! 4. Where conditions fail, the rank is the one that the pair would have if they were mended:
//!    levels and units changed to what is needed, hands emptied, everything declared.
//! 5. Units and exclusivity are not asked of an agent whom a contact prefers beyond its capacity: these
//!    conditions hold for the pair, although their numbers say otherwise.
//! 6. After every call no waiting contact has an eligible agent, so a choice can only be looked at
//!    in the middle of one: [`Router::before_offer`] stops there.

mod conditions;

use std::cmp::Reverse;

use self::conditions::check;
use crate::agent::Agent;
use crate::command::Command;
use crate::config::{AgentConfig, Strategy};
use crate::contact::Contact;
use crate::deciding::Halt;
use crate::ids::{AgentId, ContactId, DomainId, Level, OfferId};
use crate::matching::Turn;
use crate::router::{LAST_TIME, Router};
use crate::time::Micros;

/// How many agents and contacts are named; the others are counted.
pub const NAMED: usize = 32;

/// One condition of `eligible`, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Predicate {
    /// The contact's queue is not closed. Subject: the queue; has: 0 open, 1 closing, 2 closed.
    QueueOpen,
    /// Only where just so many of the queue's contacts may be in hand: fewer are. Subject: the queue;
    /// has: contacts in hand; needs: so many.
    Pace,
    /// Only where the agent is of another domain than the queue: a contract opens the queue to it.
    /// Subject: the queue; has: the agent's domain; needs: the queue's.
    Domain,
    /// The contact waits. Subject: the agent who has it, or had it last; has: 0 waiting, 1 offered,
    /// 2 connecting, 3 engaged, 4 served, 5 abandoned, 6 blocked, 7 withdrawn, 8 overflowed,
    /// 9 scheduled; needs: until when it is scheduled.
    Waiting,
    /// Only while a choice runs for the contact: it may be offered to nobody. Has: until when.
    Choosing,
    /// A need of the queue's requirement. Subject: the skill; has and needs: levels.
    QueueSkill,
    /// A negated need of it. Needs: the level that the agent's must be below.
    QueueNotSkill,
    /// A need of the contact's own requirement.
    ContactSkill,
    /// A negated need of it.
    ContactNotSkill,
    /// The agent is ready. Has: 0 signed out, 1 not ready, 2 ready; subject: the reason.
    Ready,
    /// The agent is not signing out.
    Staying,
    /// The agent is not locked. Has: offers in a row that expired.
    Unlocked,
    /// The contact has not come back from this agent. Has: when it may be asked again; 0 = after
    /// nobody else is left.
    NotAttempted,
    /// Only for a contact that excludes agents: this is none of them.
    NotExcluded,
    /// Only while a contact waits for the agents that it prefers: this is one of them. Has: until
    /// when.
    Preferred,
    /// Only for a stealth agent: no human who could serve the contact is at work. Subject: the first
    /// who is, by position.
    NoHuman,
    /// The agent's units on the contact's channel. Subject: the channel; has: the units; needs:
    /// what is held there and the contact's weight together; held: what is held there (0 where the
    /// channel is exclusive, for which [`Predicate::EmptyHands`] counts).
    Capacity,
    /// Only for a contact on an exclusive channel: the agent holds nothing but what is
    /// interruptible, open offers aside. Has: the other units held; held: all units held.
    EmptyHands,
    /// Likewise: the agent has no open offer. Has: how many.
    NoOffer,
    /// Only for the others: the agent holds nothing exclusive. Subject: the channel of what it
    /// holds, the first if there are several; has: the units held on all of them.
    NothingExclusive,
    /// Only for an agent who is kept for a contact: it is this one. Has: that contact.
    NotReserved,
}

impl Predicate {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueOpen => "queue_open",
            Self::Pace => "pace",
            Self::Domain => "domain",
            Self::Waiting => "waiting",
            Self::Choosing => "choosing",
            Self::QueueSkill => "queue_skill",
            Self::QueueNotSkill => "queue_not_skill",
            Self::ContactSkill => "contact_skill",
            Self::ContactNotSkill => "contact_not_skill",
            Self::Ready => "ready",
            Self::Staying => "staying",
            Self::Unlocked => "unlocked",
            Self::NotAttempted => "not_attempted",
            Self::NotExcluded => "not_excluded",
            Self::Preferred => "preferred",
            Self::NoHuman => "no_human",
            Self::Capacity => "capacity",
            Self::EmptyHands => "empty_hands",
            Self::NoOffer => "no_offer",
            Self::NothingExclusive => "nothing_exclusive",
            Self::NotReserved => "not_reserved",
        }
    }
}

/// A condition with what it compared; [`Predicate`] says what the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which one.
    pub predicate: Predicate,
    /// Whether it holds.
    pub holds: bool,
    /// What it is about.
    pub subject: u32,
    /// What is there.
    pub has: u64,
    /// What has to be there.
    pub needs: u64,
    /// What of it is taken.
    pub held: u64,
}

/// What decides between agents: the higher level, the higher score, then the smaller of the others
/// one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentKey {
    /// Whose.
    pub agent: AgentId,
    /// The agent's level for the contact's queue; 0 where it does not count.
    pub level: Level,
    /// What the skills that the contact prefers add up to.
    pub score: u32,
    /// What the queue goes by.
    pub strategy: Strategy,
    /// The agent's number by it.
    pub number: u64,
    /// What idle time counts from.
    pub idle_since: Micros,
    /// The agent's place in the configuration.
    pub position: u32,
}

impl AgentKey {
    const fn order(&self) -> (Reverse<(Level, u32)>, u64, Micros, u32) {
        let rank = Reverse((self.level, self.score));
        (rank, self.number, self.idle_since, self.position)
    }
}

/// Everything that stands between an agent and a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the contact may be offered to the agent: all conditions hold.
    pub eligible: bool,
    /// The conditions. Of a contact that is over only that it does not wait is left.
    pub checks: Vec<Check>,
    /// What the agent is compared by.
    pub key: AgentKey,
    /// Agents who are eligible for the contact.
    pub candidates: u32,
    /// The first of them, best first; at most [`NAMED`].
    pub best: Vec<AgentKey>,
    /// How many of them go before the agent.
    pub agents_ahead: u32,
    /// Waiting contacts besides this one that the agent could take.
    pub rivals: u32,
    /// How many of them go before the contact.
    pub contacts_ahead: u32,
    /// The first of those, in order; at most [`NAMED`].
    pub ahead: Vec<ContactId>,
}

impl Router {
    /// Why the agent may be offered the contact now, or why not. `None`: the contact is not
    /// remembered, or the agent is not configured. Takes time in proportion to the agents and the
    /// waiting contacts.
    #[must_use]
    pub fn explain(&self, contact: ContactId, agent: AgentId) -> Option<Explanation> {
        let agent = self.agents.get(agent)?;
        let config = self.setup.config.agents.get(agent.position as usize)?;
        let Some(contact) = self.contacts.get(contact) else {
            let ended = self.ended.get(contact)?;
            let over = check(Predicate::Waiting, false)
                .about(ended.last_agent)
                .numbers(4 + ended.outcome as u64, 0);
            return Some(explanation(vec![over], nobody_s_key(agent)));
        };
        let mut checks = Vec::new();
        self.visit(contact, agent, config, &mut |check| checks.push(check));
        let key = self.key_for(contact, agent, config);
        let mut told = explanation(checks, key);
        told.eligible = self.is_eligible(contact, agent);
        if contact.waits() {
            let (mended, mended_config) = self.mended(agent, config, &told.checks);
            self.rank_agents(contact, &mended, &mended_config, &mut told);
            self.rank_contacts(contact, &mended, &mended_config, &mut told);
        }
        Some(told)
    }

    /// The state in which an offer was chosen. `commands` are applied at `at` to a copy of this
    /// router (none at all: time passes) up to the choice; the offer, and those that the same
    /// choice made after it, are not made. `None`: none of it makes this offer.
    #[must_use]
    pub fn before_offer(&self, at: Micros, commands: Vec<Command>, offer: OfferId) -> Option<Self> {
        if offer < self.next_offer || at < self.now || at > LAST_TIME {
            return None;
        }
        let mut copy = self.clone();
        copy.halt = Halt::Before(offer);
        if commands.is_empty() {
            copy.fire_until(at);
        }
        for command in commands {
            if command != Command::Restarted {
                copy.fire_until(at);
            }
            if copy.halt != Halt::Reached {
                // A refused command changes nothing, as it did when it came.
                let _ = copy.apply(at, command, &mut Vec::new());
            }
        }
        let reached = std::mem::replace(&mut copy.halt, Halt::Never) == Halt::Reached;
        copy.out.clear();
        copy.dirty.clear();
        copy.entered.clear();
        copy.somebody_left = false;
        copy.settle();
        reached.then_some(copy)
    }

    /// Fires what is due, deadline by deadline, until one of them comes to the offer.
    fn fire_until(&mut self, at: Micros) {
        while self.halt != Halt::Reached
            && let Some((deadline, number, timer)) = self.timers.pop_due(at)
        {
            self.now = deadline;
            self.fire(number, timer);
            self.decide();
        }
    }

    fn rank_agents(
        &self,
        contact: &Contact,
        mended: &Agent,
        config: &AgentConfig,
        told: &mut Explanation,
    ) {
        let own = self.key_for(contact, mended, config);
        let mut best: Vec<AgentKey> = Vec::new();
        for other in &self.setup.config.agents {
            let Some(agent) = self.agents.get(other.id) else {
                continue;
            };
            if self.is_eligible(contact, agent) {
                best.push(self.key_for(contact, agent, other));
            }
        }
        best.sort_by_key(AgentKey::order);
        let ahead = best
            .iter()
            .filter(|key| key.agent != own.agent && key.order() < own.order());
        told.agents_ahead = ahead.count() as u32;
        told.candidates = best.len() as u32;
        best.truncate(NAMED);
        told.best = best;
    }

    fn rank_contacts(
        &self,
        contact: &Contact,
        mended: &Agent,
        config: &AgentConfig,
        told: &mut Explanation,
    ) {
        let shared = self.setup.is_shared(config.domain);
        let turn = |contact: &Contact| -> ((u64, DomainId), Turn) {
            let domain = self.setup.domain_of(contact.queue);
            let given = (self.tenants.given(domain), domain);
            let given = if shared { given } else { (0, 0) };
            let turn = self.floor.turn_of(contact, &self.queues);
            if self.floor.by_level {
                return (given, turn.at_level(self.level_for(contact, config)));
            }
            (given, turn)
        };
        let own = turn(contact);
        let mut ahead = Vec::new();
        for (_, id) in self.floor.waiting() {
            let Some(other) = self.contacts.get(id).filter(|_| id != contact.id) else {
                continue;
            };
            let mut takes = true;
            self.visit(other, mended, config, &mut |check| takes &= check.holds);
            if takes {
                told.rivals += 1;
                if turn(other) < own {
                    ahead.push((turn(other), id));
                }
            }
        }
        ahead.sort_unstable();
        told.contacts_ahead = ahead.len() as u32;
        told.ahead = ahead.into_iter().map(|(_, id)| id).take(NAMED).collect();
    }
}

fn explanation(checks: Vec<Check>, key: AgentKey) -> Explanation {
    Explanation {
        eligible: false,
        checks,
        key,
        candidates: 0,
        best: Vec::new(),
        agents_ahead: 0,
        rivals: 0,
        contacts_ahead: 0,
        ahead: Vec::new(),
    }
}

/// The key where nothing is compared: the contact is over.
const fn nobody_s_key(agent: &Agent) -> AgentKey {
    AgentKey {
        agent: agent.id,
        level: 0,
        score: 0,
        strategy: Strategy::LongestIdle,
        number: agent.held_total,
        idle_since: agent.idle_since,
        position: agent.position,
    }
}
