//! Classes: contacts that need the same, agents that can the same. Whether they fit is worked out
//! once for a pair of classes, so that a decision looks at the heads of classes only.
//!
//! 1. A contact class is (queue, channel, weight, own requirement); inside it contacts stand in
//!    the order of their places, which never changes by itself.
//! 2. An agent class is (capacity, skills projected on the levels that some requirement asks for,
//!    raw levels of the skills whose level decides). A level that nobody asked for before
//!    divides the agents anew.
//! 3. Inside an agent class, agents with room stand once in every order that some queue uses.
//! 4. No decision depends on classes: they are derived, not hashed and not in a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::Agent;
use crate::bits::Bits;
use crate::config::{Order, SkillLevel, Strategy};
use crate::contact::Place;
use crate::ids::{AgentId, ChannelId, ContactId, Level, QueueId, SkillId};
use crate::order::{key_in, orders_of};
use crate::pool::{AgentKey, Pool};
use crate::ranked::Ranked;
use crate::setup::Setup;

/// Classes without a contact that are kept for the next one; beyond it all of them are dropped.
const SPARE_CLASSES: u32 = if cfg!(debug_assertions) { 4 } else { 256 };
/// From so many agent classes on, agents also stand in one order for all classes: where most of
/// them qualify, the first few of that order are quicker than a head from every class. (Here and
/// below: debug builds take the way of a large floor on a small one, so that tests go it.)
pub(crate) const MANY_CLASSES: usize = if cfg!(debug_assertions) { 2 } else { 64 };

/// What makes contacts alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassKey {
    pub(crate) queue: QueueId,
    pub(crate) channel: ChannelId,
    pub(crate) weight: u32,
    pub(crate) requires: Vec<SkillLevel>,
}

#[derive(Clone, Debug)]
pub(crate) struct ContactClass {
    pub(crate) key: ClassKey,
    /// Live contacts, waiting or not.
    pub(crate) contacts: u32,
    pub(crate) waiting: Ranked<(Place, ContactId)>,
    /// Agent classes that qualify.
    pub(crate) row: Bits,
    /// Their levels in the queue's ranking skill, by agent class; empty unless the level decides
    /// which agent is chosen.
    pub(crate) ranks: Vec<Level>,
    /// The index of the order in which agents are chosen.
    pub(crate) order: usize,
}

/// The head of a contact class, apart and dense because every decision runs over them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) place: Place,
    pub(crate) channel: ChannelId,
    pub(crate) weight: u32,
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
    /// Contact classes that they qualify for.
    pub(crate) row: Bits,
}

/// Where an agent stands in the pools.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    pub(crate) class: usize,
    /// By order.
    pub(crate) keys: Vec<AgentKey>,
    /// Free units by lane of its class; 0 = not in the pool.
    pub(crate) rooms: Vec<u32>,
    pub(crate) present: bool,
    /// Whether the class lists it as present; differs from `present` only right after a regrouping.
    pub(crate) listed: bool,
}

/// All classes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Floor {
    pub(crate) by_level: bool,
    /// The orders that some queue uses; never empty once there is a configuration.
    pub(crate) orders: Vec<Strategy>,
    /// The projection: every `skill >= level` that is asked for, and every ranking skill.
    pub(crate) thresholds: BTreeSet<(SkillId, Level)>,
    pub(crate) ranking: BTreeSet<SkillId>,
    pub(crate) contacts: Vec<ContactClass>,
    pub(crate) by_key: BTreeMap<ClassKey, u32>,
    pub(crate) free: Vec<u32>,
    /// Classes without a contact.
    pub(crate) spare: u32,
    pub(crate) heads: Vec<Head>,
    pub(crate) nonempty: Bits,
    pub(crate) agents: Vec<AgentClass>,
    /// Agent classes with room, by channel.
    pub(crate) available: BTreeMap<ChannelId, Bits>,
    /// Agents with room, by channel and order, of all classes; empty unless there are many classes.
    pub(crate) everybody: BTreeMap<(ChannelId, usize), BTreeSet<AgentKey>>,
    /// Agent classes with somebody present.
    pub(crate) manned: Bits,
    /// By position.
    pub(crate) placed: Vec<Placed>,
    pub(crate) ids: Vec<AgentId>,
    /// Every agent must be placed again.
    pub(crate) stale: bool,
}

impl Floor {
    /// A new configuration: everything is derived anew.
    pub(crate) fn rebuild(&mut self, setup: &Setup) {
        self.by_level = setup.config.order == Order::AgentLevel;
        self.ids = setup.config.agents.iter().map(|agent| agent.id).collect();
        self.placed = vec![Placed::default(); self.ids.len()];
        self.orders = orders_of(&setup.config);
        let queues = setup.config.queues.iter();
        self.ranking = queues
            .filter(|queue| self.by_level || queue.strategy == Strategy::BestSkill)
            .map(|queue| queue.rank_skill)
            .collect();
        let own = self.by_key.keys().flat_map(|key| &key.requires);
        let queues = setup.config.queues.iter().flat_map(|queue| &queue.requires);
        self.thresholds = own
            .chain(queues)
            .map(|need| (need.skill, need.level))
            .collect();
        self.regroup(setup);
    }

    /// The class for a key, made if there is none; the key's requirement is handed back.
    pub(crate) fn class_for(&mut self, key: ClassKey, setup: &Setup) -> (u32, Vec<SkillLevel>) {
        if let Some(&class) = self.by_key.get(&key) {
            return (class, key.requires);
        }
        if self.spare > SPARE_CLASSES {
            self.drop_spare();
        }
        let requires = key.requires.clone();
        let mut is_new = false;
        for need in &requires {
            is_new |= self.thresholds.insert((need.skill, need.level));
        }
        let class = self.add_class(key);
        if is_new {
            self.regroup(setup);
        } else {
            self.fill_row(class, setup);
        }
        (class as u32, requires)
    }

    pub(crate) fn add_contact(&mut self, class: u32) {
        let contacts = &mut self.contacts[class as usize].contacts;
        self.spare -= u32::from(*contacts == 0);
        *contacts += 1;
    }

    pub(crate) fn drop_contact(&mut self, class: u32) {
        let contacts = &mut self.contacts[class as usize].contacts;
        *contacts -= 1;
        self.spare += u32::from(*contacts == 0);
    }

    pub(crate) fn enter(&mut self, class: u32, place: Place, contact: ContactId) {
        let class = class as usize;
        self.contacts[class].waiting.insert((place, contact));
        if self.contacts[class].waiting.len() == 1 || place < self.heads[class].place {
            self.heads[class].place = place;
            self.nonempty.set(class, true);
        }
    }

    pub(crate) fn leave(&mut self, class: u32, place: Place, contact: ContactId) {
        let class = class as usize;
        let removed = self.contacts[class].waiting.remove(&(place, contact));
        assert!(removed, "a waiting contact stands in its class");
        match self.contacts[class].waiting.first() {
            Some((head, _)) => self.heads[class].place = head,
            None => self.nonempty.set(class, false),
        }
    }

    /// Brings an agent's places up to date; true when it is no longer present.
    pub(crate) fn refresh(&mut self, agent: &Agent, setup: &Setup) -> bool {
        let blocked = agent
            .held
            .iter()
            .any(|&(channel, _)| setup.is_exclusive(channel));
        let closed = blocked || !agent.present();
        let many = self.agents.len() > MANY_CLASSES;
        let placed = &mut self.placed[agent.position as usize];
        let class = &mut self.agents[placed.class];
        let config = &setup.config.agents[agent.position as usize];
        let room_on = |lane: &Lane| if closed { 0 } else { lane.room_for(agent) };
        for (order, strategy) in self.orders.iter().enumerate() {
            let key = key_in(*strategy, agent, config, class.units, setup.config.seed);
            let was = std::mem::replace(&mut placed.keys[order], key);
            for (lane, &old) in class.lanes.iter_mut().zip(&placed.rooms) {
                let room = room_on(lane);
                if old == room && was == key {
                    continue;
                }
                lane.pools[order].put((old, &was), (room, key));
                if many {
                    let everybody = self.everybody.entry((lane.channel, order)).or_default();
                    if old > 0 {
                        everybody.remove(&was);
                    }
                    if room > 0 {
                        everybody.insert(key);
                    }
                }
            }
        }
        for (lane, old) in class.lanes.iter().zip(&mut placed.rooms) {
            let room = room_on(lane);
            if *old != room {
                *old = room;
                let available = self.available.entry(lane.channel).or_default();
                available.set(placed.class, !lane.pools[0].is_empty());
            }
        }
        self.list_present(agent)
    }

    fn list_present(&mut self, agent: &Agent) -> bool {
        let present = agent.present();
        let placed = &mut self.placed[agent.position as usize];
        if placed.listed != present {
            placed.listed = present;
            let listed = &mut self.agents[placed.class].present;
            if present {
                listed.insert(agent.position);
            } else {
                listed.remove(&agent.position);
            }
            self.manned.set(placed.class, !listed.is_empty());
        }
        std::mem::replace(&mut placed.present, present) && !present
    }
}

impl Lane {
    /// Free units of an agent who holds nothing exclusive and is present.
    fn room_for(&self, agent: &Agent) -> u32 {
        if self.exclusive {
            return if agent.held_total == 0 { self.units } else { 0 };
        }
        // After a reconfiguration an agent may hold more than it may take.
        let free = u64::from(self.units).saturating_sub(agent.held_on(self.channel));
        u32::try_from(free).unwrap_or(u32::MAX)
    }
}
