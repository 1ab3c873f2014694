//! Classes: contacts that need the same, agents that can the same. Whether they fit is worked out
//! once for a pair of classes, so that a decision looks at the heads of classes only.
//!
//! 1. A contact class is (queue, channel, weight, step, own requirement, preferred skills, whether
//!    a preference for agents runs, within their capacity or beyond it, whether a choice runs);
//!    inside it contacts stand in the order of their places, which never changes by itself.
//! 2. An agent class is (domain, capacity, stealth, skills projected on the levels that some requirement
//!    asks for, raw levels of the skills whose level decides). A level that nobody asked for
//!    before divides the agents anew.
//! 3. Inside an agent class, agents with room stand once in every order that some queue uses.
//! 4. Contacts that wait for the agents that they prefer are hidden from all others: agent classes
//!    do not know of their class, only the preferred agents' own lines do (`preference.rs`). Those
//!    for whom a choice runs are hidden from everybody (`choosing.rs`).
//! 5. No decision depends on classes: they are derived, not hashed and not in a snapshot.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::bits::Bits;
use crate::config::{NO_LIMIT, Order, OverflowWhen, SkillLevel, Strategy};
use crate::contact::Place;
use crate::demand::{Asks, Requirement};
use crate::few::Few;
use crate::ids::{AgentId, ChannelId, ContactId, DomainId, Level, QueueId, SkillId};
use crate::index::Index;
use crate::order::orders_of;
use crate::pool::{AgentKey, Pool};
use crate::ranked::Ranked;
use crate::setup::Setup;

/// Where more agent classes than this qualify for some contact class, agents also stand in one
/// order for all classes: where most of them qualify, the first few of that order are quicker than a head from every class. (Here and
/// below: debug builds take the way of a large floor on a small one, so that tests go it.)
pub(crate) const MANY_CLASSES: usize = if cfg!(debug_assertions) { 2 } else { 64 };

/// What makes contacts alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassKey {
    pub(crate) queue: QueueId,
    /// Here, because it tells most classes of a queue apart.
    pub(crate) asks: Asks,
    pub(crate) channel: ChannelId,
    pub(crate) weight: u32,
    /// How many steps of the queue apply.
    pub(crate) step: u8,
    /// Its contacts wait for the agents that they prefer.
    pub(crate) reserved: bool,
    /// And those get them whatever they hold.
    pub(crate) beyond: bool,
    /// Somebody else is choosing an agent for it.
    pub(crate) choosing: bool,
}

impl ClassKey {
    /// Agents do not come upon such a class by themselves.
    pub(crate) const fn is_hidden(&self) -> bool {
        self.reserved || self.choosing
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ContactClass {
    pub(crate) key: ClassKey,
    /// Live contacts, waiting or not.
    pub(crate) contacts: u32,
    /// It stands in the line of those without a contact.
    pub(crate) in_line: bool,
    pub(crate) waiting: Ranked<(Place, ContactId)>,
    /// Agent classes that qualify, whoever is preferred.
    pub(crate) row: Bits,
    /// Where capacity is not asked, those that qualify but for their units; empty for the others.
    pub(crate) beyond_row: Bits,
    /// How good they are, by agent class, more is better; empty unless that decides.
    pub(crate) ranks: Vec<Rank>,
    /// The index of the order in which agents are chosen.
    pub(crate) order: usize,
    /// The queue's.
    pub(crate) ratio: i64,
    /// The queue has steps, or rules about waiting.
    pub(crate) wakes: bool,
    /// The queue has overflow rules.
    pub(crate) overflows: bool,
}

impl ContactClass {
    /// Agent classes whose members get a contact that waits for them.
    pub(crate) const fn preferred_row(&self) -> &Bits {
        if self.key.beyond {
            &self.beyond_row
        } else {
            &self.row
        }
    }
}

/// An agent class in the eyes of a contact class: the level for the queue, then the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) level: Level,
    pub(crate) score: u32,
}

/// The head of a contact class, apart and dense because every decision runs over them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) place: Place,
    pub(crate) channel: ChannelId,
    pub(crate) weight: u32,
    /// The queue's.
    pub(crate) priority: u8,
    /// Nothing of the queue is eligible.
    pub(crate) still: bool,
    /// The queue's.
    pub(crate) domain: DomainId,
    /// What deadlines are later than places, where deadlines decide.
    pub(crate) allowance_us: i64,
}

/// A channel that an agent class serves.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) channel: ChannelId,
    pub(crate) units: u32,
    pub(crate) exclusive: bool,
    /// The same agents in every order that is used.
    pub(crate) pools: Vec<Pool>,
}

#[derive(Clone, Debug)]
pub(crate) struct AgentClass {
    /// Of the first member; every other one answers each known requirement alike.
    pub(crate) skills: Vec<SkillLevel>,
    pub(crate) lanes: Vec<Lane>,
    /// Units on all lanes together.
    pub(crate) units: u64,
    /// Positions of members who are ready, not leaving and not locked, whatever they hold.
    pub(crate) present: BTreeSet<u32>,
    /// Positions of members who are signed in and not leaving; kept only where `counts_in`.
    pub(crate) signed_in: BTreeSet<u32>,
    /// Contact classes that they qualify for, but for reserved and choosing ones.
    pub(crate) row: Bits,
    pub(crate) stealth: bool,
    pub(crate) domain: DomainId,
    /// It may use queues of more than one domain.
    pub(crate) shared: bool,
}

/// Where an agent stands in the pools.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) class: usize,
    /// By order.
    pub(crate) keys: Few<AgentKey, 1>,
    /// Free units by lane of its class; 0 = not in the pool.
    pub(crate) rooms: Few<u32, 4>,
    pub(crate) present: bool,
    /// Whether the class lists it as present; differs from `present` only right after a regrouping.
    pub(crate) listed: bool,
    /// Likewise, of being signed in.
    pub(crate) signed_in: bool,
    pub(crate) listed_in: bool,
}

impl Placed {
    fn nowhere() -> Self {
        Self {
            class: 0,
            keys: Few::filled(AgentKey::default(), 0),
            rooms: Few::filled(0, 0),
            present: false,
            listed: false,
            signed_in: false,
            listed_in: false,
        }
    }
}

/// All classes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Floor {
    pub(crate) by_level: bool,
    /// All queues' ratios together, where ratios decide.
    pub(crate) ratios: Option<i64>,
    /// The orders that some queue uses; never empty once there is a configuration.
    pub(crate) orders: Vec<Strategy>,
    /// The projection: every `skill >= level` that is asked for, with the agent classes that meet it, and
    /// every ranking skill.
    pub(crate) thresholds: BTreeMap<(SkillId, Level), Bits>,
    /// By channel and units, the agent classes that have exactly so many.
    pub(crate) units: BTreeMap<(ChannelId, u32), Bits>,
    /// The agent classes of each domain.
    pub(crate) domains: BTreeMap<DomainId, Bits>,
    pub(crate) ranking: BTreeSet<SkillId>,
    pub(crate) contacts: Vec<ContactClass>,
    pub(crate) by_key: BTreeMap<ClassKey, u32>,
    /// The same, for whoever arrives: the classes with what [`ClassKey::scattered`] makes of a key.
    pub(crate) found: Index,
    pub(crate) free: Vec<u32>,
    /// Classes without a contact.
    pub(crate) spare: u32,
    /// They, in the order in which they lost their last contact, and others that have one again.
    pub(crate) idle: VecDeque<u32>,
    pub(crate) heads: Vec<Head>,
    pub(crate) nonempty: Bits,
    /// Queues of which nothing is eligible, though contacts may wait there.
    pub(crate) still: BTreeSet<QueueId>,
    /// Of the nonempty classes those of other queues; kept only while there are such queues.
    pub(crate) callable: Bits,
    /// Queues of which only so many contacts may be in hand.
    pub(crate) capped: Vec<QueueId>,
    /// Contact classes that lighter ones may pass: of more weight than one, or exclusive.
    pub(crate) heavy: Bits,
    pub(crate) agents: Vec<AgentClass>,
    /// Agent classes with room, by channel.
    pub(crate) available: BTreeMap<ChannelId, Bits>,
    /// Agents with room, by channel and order, of all classes; empty unless `crowded`.
    pub(crate) everybody: BTreeMap<(ChannelId, usize), Ranked<AgentKey>>,
    /// Whether some contact class has many agent classes that qualify.
    pub(crate) crowded: bool,
    /// Agent classes with somebody present.
    pub(crate) manned: Bits,
    /// Agent classes of humans with somebody signed in; empty unless `counts_in`.
    pub(crate) peopled: Bits,
    /// Likewise, of humans and bots.
    pub(crate) staffed: Bits,
    /// Somebody must know who is signed in: bots, or a rule that a contact leaves for the want of
    /// agents.
    pub(crate) counts_in: bool,
    /// There are such rules.
    pub(crate) wants_agents: bool,
    /// Positions of the stealth agents.
    pub(crate) bots: Vec<u32>,
    /// By preferred agent and class, the contacts that wait for it.
    pub(crate) preferring: BTreeMap<(AgentId, u32), BTreeSet<(Place, ContactId)>>,
    /// By position.
    pub(crate) placed: Vec<Placed>,
    pub(crate) ids: Vec<AgentId>,
    /// Every agent must be placed again.
    pub(crate) stale: bool,
}

impl Floor {
    /// A new configuration: everything is derived anew.
    pub(crate) fn rebuild(&mut self, setup: &Setup) {
        let config = &setup.config;
        self.by_level = config.order == Order::AgentLevel;
        let ratios = config.queues.iter().map(|queue| i64::from(queue.ratio));
        self.ratios = (config.order == Order::Ratio).then(|| ratios.sum());
        let bots = (0..).zip(&config.agents).filter(|(_, agent)| agent.stealth);
        self.bots = bots.map(|(position, _)| position).collect();
        let mut queues = config.queues.iter();
        self.wants_agents = queues.any(|queue| queue.has_rule(OverflowWhen::NoAgent));
        self.counts_in = self.wants_agents || !self.bots.is_empty();
        let queues = config.queues.iter();
        let capped = queues.filter(|queue| queue.max_in_hand != NO_LIMIT);
        self.capped = capped.map(|queue| queue.id).collect();
        self.ids = setup.config.agents.iter().map(|agent| agent.id).collect();
        self.placed = vec![Placed::nowhere(); self.ids.len()];
        self.orders = orders_of(&setup.config);
        let queues = setup.config.queues.iter();
        self.ranking = queues
            .filter(|queue| self.by_level || queue.ordered_by() == Strategy::BestSkill)
            .map(|queue| queue.rank_skill)
            .collect();
        self.thresholds.clear();
        for queue in &setup.config.queues {
            self.learn(queue.id, &Requirement::default(), setup);
        }
        let keys: Vec<ClassKey> = self.by_key.keys().cloned().collect();
        for key in keys {
            self.learn(key.queue, &key.asks.requires, setup);
            self.ranking
                .extend(key.asks.prefers.iter().map(|one| one.skill));
        }
        self.regroup(setup);
    }

    /// A contact waits; `waits_for` are the agents that it prefers, if its class is reserved.
    pub(crate) fn enter(
        &mut self,
        class: u32,
        place: Place,
        contact: ContactId,
        waits_for: &[AgentId],
    ) {
        for &agent in waits_for {
            let line = self.preferring.entry((agent, class)).or_default();
            line.insert((place, contact));
        }
        let class = class as usize;
        self.contacts[class].waiting.insert((place, contact));
        if self.contacts[class].waiting.len() == 1 || place < self.heads[class].place {
            self.heads[class].place = place;
            self.nonempty.set(class, true);
            if !self.still.is_empty() {
                self.callable.set(class, !self.heads[class].still);
            }
        }
    }

    pub(crate) fn leave(
        &mut self,
        class: u32,
        place: Place,
        contact: ContactId,
        waits_for: &[AgentId],
    ) {
        for &agent in waits_for {
            self.prefers_no_longer((agent, class), place, contact);
        }
        let class = class as usize;
        let removed = self.contacts[class].waiting.remove(&(place, contact));
        assert!(removed, "a waiting contact stands in its class");
        match self.contacts[class].waiting.first() {
            Some((head, _)) => self.heads[class].place = head,
            None => {
                self.nonempty.set(class, false);
                self.callable.set(class, false);
            }
        }
    }
}
