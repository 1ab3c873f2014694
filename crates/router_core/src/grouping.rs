//! How classes come about: the projection of agents, and the rows that say who qualifies for what.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::level_of;
use crate::bits::Bits;
use crate::class::{AgentClass, ClassKey, ContactClass, Floor, Head, Lane, Placed};
use crate::config::{AgentConfig, ChannelUnits, SkillLevel, Strategy};
use crate::contact::Place;
use crate::ids::{Level, SkillId};
use crate::order::order_of;
use crate::pool::{AgentKey, Pool};
use crate::ranked::Ranked;
use crate::setup::Setup;

/// What makes agents alike: projected skills, and capacity.
type Likeness = (Vec<(SkillId, u32)>, Vec<ChannelUnits>);

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
        };
        let class = ContactClass {
            key: key.clone(),
            contacts: 0,
            waiting: Ranked::default(),
            row: Bits::default(),
            ranks: Vec::new(),
            order: 0,
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
        self.by_key.insert(key, index as u32);
        self.spare += 1;
        index
    }

    /// Drops every class that has no contact.
    pub(crate) fn drop_spare(&mut self) {
        self.spare = 0;
        let contacts = &self.contacts;
        let free = &mut self.free;
        self.by_key.retain(|_, class| {
            let used = contacts[*class as usize].contacts > 0;
            if !used {
                free.push(*class);
            }
            used
        });
    }

    /// Divides the agents into classes and fills every row anew; all agents must then be placed.
    pub(crate) fn regroup(&mut self, setup: &Setup) {
        let mut classes: BTreeMap<Likeness, usize> = BTreeMap::new();
        self.agents.clear();
        self.available.clear();
        self.everybody.clear();
        self.manned = Bits::default();
        for (position, config) in setup.config.agents.iter().enumerate() {
            let likeness = (self.project(&config.skills), config.capacity.clone());
            let class = *classes.entry(likeness).or_insert_with(|| {
                self.agents
                    .push(new_class(config, setup, self.orders.len()));
                self.agents.len() - 1
            });
            let rooms = vec![0; self.agents[class].lanes.len()];
            let present = self.placed[position].present;
            self.placed[position] = Placed {
                class,
                keys: vec![AgentKey::default(); self.orders.len()],
                rooms,
                present,
                listed: false,
            };
        }
        let used: Vec<u32> = self.by_key.values().copied().collect();
        for class in used {
            self.fill_row(class as usize, setup);
        }
        self.stale = true;
    }

    /// Works out who qualifies for a contact class.
    pub(crate) fn fill_row(&mut self, class: usize, setup: &Setup) {
        let contact_class = &mut self.contacts[class];
        let key = &contact_class.key;
        let queue = setup.queue(key.queue);
        let demanded: &[SkillLevel] = queue.map_or(&[], |queue| &queue.requires);
        let rank_skill = queue.map_or(0, |queue| queue.rank_skill);
        let strategy = queue.map_or(Strategy::LongestIdle, |queue| queue.strategy);
        let is_ranked = self.by_level || strategy == Strategy::BestSkill;
        let mut row = Bits::default();
        let mut ranks = Vec::new();
        for (index, agents) in self.agents.iter_mut().enumerate() {
            let able = agents.units_on(key.channel) >= key.weight
                && demanded
                    .iter()
                    .chain(&key.requires)
                    .all(|need| agents.meets(*need));
            row.set(index, able);
            agents.row.set(class, able);
            if is_ranked {
                ranks.push(level_of(&agents.skills, rank_skill));
            }
        }
        contact_class.row = row;
        contact_class.ranks = ranks;
        let order = self.orders.binary_search(&order_of(strategy));
        // A class that has nobody left may be of a queue that is gone.
        contact_class.order = order.unwrap_or(0);
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
    fn meets(&self, need: SkillLevel) -> bool {
        level_of(&self.skills, need.skill) >= need.level
    }

    fn units_on(&self, channel: u32) -> u32 {
        self.lane(channel).map_or(0, |lane| self.lanes[lane].units)
    }

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
        row: Bits::default(),
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
