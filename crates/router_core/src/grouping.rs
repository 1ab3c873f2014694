//! How classes come about: the projection of agents, and the rows that say who qualifies for what.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::level_of;
use crate::bits::Bits;
use crate::class::{
    AgentClass, ClassKey, ContactClass, Floor, Head, Lane, MANY_CLASSES, Placed, Rank,
};
use crate::config::{AgentConfig, ChannelUnits, Order, OverflowWhen, SkillLevel, Strategy};
use crate::contact::Place;
use crate::demand::score;
use crate::few::Few;
use crate::ids::{DomainId, Level, SkillId};
use crate::order::order_of;
use crate::pool::{AgentKey, Pool};
use crate::ranked::Ranked;
use crate::setup::Setup;

/// What makes agents alike: projected skills, capacity, stealth, domain.
type Likeness = (Vec<(SkillId, u32)>, Vec<ChannelUnits>, bool, DomainId);

impl Floor {
    /// Makes an empty class, in a free place if there is one.
    pub(crate) fn add_class(&mut self, key: ClassKey) -> usize {
        let place = Place {
            tier: 0,
            time: 0,
            sequence: 0,
        };
        let head = Head {
            place,
            channel: key.channel,
            weight: key.weight,
            priority: 0,
            domain: 0,
            still: self.still.contains(&key.queue),
            allowance_us: 0,
        };
        let class = ContactClass {
            key: key.clone(),
            contacts: 0,
            in_line: false,
            waiting: Ranked::default(),
            row: Bits::default(),
            beyond_row: Bits::default(),
            ranks: Vec::new(),
            order: 0,
            ratio: 0,
            wakes: false,
            overflows: false,
        };
        let index = if let Some(free) = self.free.pop() {
            self.contacts[free as usize] = class;
            self.heads[free as usize] = head;
            free as usize
        } else {
            self.contacts.push(class);
            self.heads.push(head);
            self.contacts.len() - 1
        };
        self.found.insert(&key.scattered(), index as u64);
        self.by_key.insert(key, index as u32);
        self.spare(index as u32);
        index
    }

    /// Divides the agents into classes and fills every row anew; all agents must then be placed.
    pub(crate) fn regroup(&mut self, setup: &Setup) {
        let mut classes: BTreeMap<Likeness, usize> = BTreeMap::new();
        self.agents.clear();
        self.available.clear();
        self.everybody.clear();
        self.crowded = false;
        self.manned = Bits::default();
        self.peopled = Bits::default();
        self.staffed = Bits::default();
        for (position, config) in setup.config.agents.iter().enumerate() {
            let skills = self.project(&config.skills);
            let likeness = (
                skills,
                config.capacity.clone(),
                config.stealth,
                config.domain,
            );
            let class = *classes.entry(likeness).or_insert_with(|| {
                self.agents
                    .push(new_class(config, setup, self.orders.len()));
                self.agents.len() - 1
            });
            let rooms = Few::filled(0, self.agents[class].lanes.len());
            let Placed {
                present, signed_in, ..
            } = self.placed[position];
            self.placed[position] = Placed {
                class,
                keys: Few::filled(AgentKey::default(), self.orders.len()),
                rooms,
                present,
                listed: false,
                signed_in,
                listed_in: false,
            };
        }
        self.note_abilities();
        let used: Vec<u32> = self.by_key.values().copied().collect();
        for class in used {
            self.fill_row(class as usize, setup);
        }
        self.stale = true;
    }

    /// Works out who qualifies for a contact class, and how well.
    pub(crate) fn fill_row(&mut self, class: usize, setup: &Setup) {
        let key = &self.contacts[class].key;
        let effective = setup.effective(key.queue, &key.asks.requires, key.step);
        let queue = setup.queue(key.queue);
        let rank_skill = queue.map_or(0, |queue| queue.rank_skill);
        let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.ordered_by());
        let by_level = self.by_level || strategy == Strategy::BestSkill;
        let mut met = self.meeting(&effective);
        met.keep(&self.allowed(queue, setup), true);
        let mut row = met.clone();
        row.keep(&self.with_units(key.channel, key.weight), true);
        let beyond_row = if key.beyond { met } else { Bits::default() };
        let is_hidden = key.is_hidden();
        let mut ranks = Vec::new();
        if by_level || !key.asks.prefers.is_empty() {
            let rank = |agents: &AgentClass| Rank {
                level: if by_level {
                    level_of(&agents.skills, rank_skill)
                } else {
                    0
                },
                score: score(&key.asks.prefers, &agents.skills),
            };
            ranks.extend(self.agents.iter().map(rank));
        }
        drop(effective);
        let heavy = key.weight > 1 || setup.is_exclusive(key.channel);
        self.heavy.set(class, heavy);
        for agents in row.iter().filter(|_| !is_hidden) {
            self.agents[agents].row.set(class, true);
        }
        let contact_class = &mut self.contacts[class];
        contact_class.row = row;
        contact_class.beyond_row = beyond_row;
        contact_class.ranks = ranks;
        let order = self.orders.binary_search(&order_of(strategy));
        // A class that has nobody left may be of a queue that is gone.
        contact_class.order = order.unwrap_or(0);
        contact_class.ratio = queue.map_or(0, |queue| i64::from(queue.ratio));
        contact_class.overflows = queue.is_some_and(|queue| !queue.overflow.is_empty());
        contact_class.wakes = queue
            .is_some_and(|queue| !queue.steps.is_empty() || queue.has_rule(OverflowWhen::Wait));
        let allowed = queue.filter(|_| setup.config.order == Order::Deadline);
        // At most a day.
        let head = &mut self.heads[class];
        head.allowance_us = allowed.map_or(0, |queue| queue.service_level_us as i64);
        head.domain = queue.map_or(0, |queue| queue.domain);
        head.priority = queue.map_or(0, |queue| queue.priority);
        if !self.crowded && self.contacts[class].row.count() > MANY_CLASSES {
            self.gather_everybody();
        }
    }

    /// Whoever has room stands in the order of all classes from now on.
    fn gather_everybody(&mut self) {
        self.crowded = true;
        for placed in &self.placed {
            let Some(class) = self.agents.get(placed.class) else {
                continue;
            };
            for (lane, _) in class
                .lanes
                .iter()
                .zip(placed.rooms.iter())
                .filter(|(_, room)| **room > 0)
            {
                for (order, key) in placed.keys.iter().enumerate() {
                    let everybody = self.everybody.entry((lane.channel, order)).or_default();
                    everybody.insert(*key);
                }
            }
        }
    }

    /// Of every skill that matters: how many of the levels that are asked for are met, or the raw
    /// level where it ranks.
    fn project(&self, skills: &[SkillLevel]) -> Vec<(SkillId, u32)> {
        let mut projected = Vec::new();
        for has in skills {
            let met = self
                .thresholds
                .range((has.skill, 0)..=(has.skill, has.level))
                .count();
            let ranks = self.ranking.contains(&has.skill);
            let value = if ranks {
                1_000 + u32::from(has.level)
            } else {
                met as u32
            };
            if value > 0 {
                projected.push((has.skill, value));
            }
        }
        projected
    }
}

impl AgentClass {
    /// The index of the lane for a channel.
    pub(crate) fn lane(&self, channel: u32) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.channel == channel)
    }
}

fn new_class(config: &AgentConfig, setup: &Setup, orders: usize) -> AgentClass {
    let lane = |has: &ChannelUnits| Lane {
        channel: has.channel,
        units: has.units,
        exclusive: setup.is_exclusive(has.channel),
        pools: vec![Pool::default(); orders],
    };
    AgentClass {
        skills: config.skills.clone(),
        lanes: config.capacity.iter().map(lane).collect(),
        units: units_of_all(&config.capacity),
        present: BTreeSet::new(),
        signed_in: BTreeSet::new(),
        row: Bits::default(),
        stealth: config.stealth,
        domain: config.domain,
        shared: setup.is_shared(config.domain),
    }
}

/// The units of a whole capacity.
pub(crate) fn units_of_all(capacity: &[ChannelUnits]) -> u64 {
    capacity.iter().map(|has| u64::from(has.units)).sum()
}

/// The level that decides between agents, turned so that the better comes first.
pub(crate) const fn turned(level: Level) -> u8 {
    u8::MAX - level
}
