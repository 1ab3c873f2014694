//! Rows from sets: which agent classes meet a level, have so many units, belong to a domain. Who qualifies
//! for a new contact class is then a matter of a few words, however many agent classes there are.
//!
//! 1. The sets are made whenever agents are divided into classes.
//! 2. A contact class that loses its last contact is kept for the next one; where too many are kept,
//!    the longest idle goes, one for every new one, so that no arrival pays for all of them.

use crate::bits::Bits;
use crate::class::{ClassKey, Floor};
use crate::config::QueueConfig;
use crate::demand::Requirement;
use crate::hash::mix;
use crate::ids::{ChannelId, QueueId};
use crate::relaxation::Effective;
use crate::setup::Setup;

/// Classes without a contact that are kept for the next one; beyond it the longest idle is dropped.
const SPARE_CLASSES: u32 = if cfg!(debug_assertions) { 4 } else { 256 };

impl ClassKey {
    /// The same for equal keys, and seldom for others.
    pub(crate) const fn scattered(&self) -> [u8; 16] {
        let place = (self.queue as u64) << 32 | self.channel as u64;
        let small = (self.weight as u64) << 8 | self.step as u64;
        let whole = (place as u128) << 64 | (self.asks.word ^ mix(small)) as u128;
        whole.to_be_bytes()
    }
}

impl Floor {
    /// The class for a key, made if there is none.
    pub(crate) fn class_for(&mut self, key: ClassKey, setup: &Setup) -> u32 {
        let known = |class: u64| self.contacts[class as usize].key == key;
        if let Some(class) = self.found.find(&key.scattered(), known) {
            return class as u32;
        }
        if self.spare > SPARE_CLASSES {
            self.drop_one_spare();
        }
        let mut is_new = self.learn(key.queue, &key.asks.requires, setup);
        for one in &key.asks.prefers {
            is_new |= self.ranking.insert(one.skill);
        }
        let class = self.add_class(key);
        if is_new {
            self.regroup(setup);
        } else {
            self.fill_row(class, setup);
        }
        class as u32
    }

    /// Notes every level that is asked for now or at any later step; true when one is new.
    pub(crate) fn learn(&mut self, queue: QueueId, own: &Requirement, setup: &Setup) -> bool {
        let steps = setup.queue(queue).map_or(0, |queue| queue.steps.len());
        let mut is_new = false;
        for step in 0..=steps as u8 {
            let effective = setup.effective(queue, own, step);
            for need in effective.needs() {
                let threshold = (need.skill, need.level);
                is_new |= !self.thresholds.contains_key(&threshold);
                self.thresholds.entry(threshold).or_default();
            }
        }
        is_new
    }

    pub(crate) fn add_contact(&mut self, class: u32) {
        let contacts = &mut self.contacts[class as usize].contacts;
        self.spare -= u32::from(*contacts == 0);
        *contacts += 1;
    }

    pub(crate) fn drop_contact(&mut self, class: u32) {
        let of = &mut self.contacts[class as usize];
        of.contacts -= 1;
        if of.contacts == 0 {
            self.spare(class);
        }
    }

    /// A class has no contact.
    pub(crate) fn spare(&mut self, class: u32) {
        self.spare += 1;
        if !std::mem::replace(&mut self.contacts[class as usize].in_line, true) {
            self.idle.push_back(class);
        }
    }

    /// Drops the class that has been without a contact for the longest.
    pub(crate) fn drop_one_spare(&mut self) {
        while let Some(index) = self.idle.pop_front() {
            let class = &mut self.contacts[index as usize];
            class.in_line = false;
            if class.contacts > 0 {
                continue;
            }
            for agents in class.row.iter() {
                self.agents[agents].row.set(index as usize, false);
            }
            self.by_key.remove(&class.key);
            self.found.remove(&class.key.scattered(), index.into());
            self.free.push(index);
            self.spare -= 1;
            return;
        }
    }

    /// Notes which agent classes have what is asked for.
    pub(crate) fn note_abilities(&mut self) {
        self.units.clear();
        self.domains.clear();
        let all = self.thresholds.values_mut();
        all.for_each(|classes| *classes = Bits::default());
        for (index, class) in self.agents.iter().enumerate() {
            for has in &class.skills {
                let met = (has.skill, 0)..=(has.skill, has.level);
                for (_, classes) in self.thresholds.range_mut(met) {
                    classes.set(index, true);
                }
            }
            self.domains
                .entry(class.domain)
                .or_default()
                .set(index, true);
            for lane in &class.lanes {
                let classes = self.units.entry((lane.channel, lane.units)).or_default();
                classes.set(index, true);
            }
        }
    }

    /// The agent classes with at least so many units on a channel.
    pub(crate) fn with_units(&self, channel: ChannelId, weight: u32) -> Bits {
        let mut able = Bits::default();
        for (_, classes) in self.units.range((channel, weight)..=(channel, u32::MAX)) {
            able.add(classes);
        }
        able
    }

    /// The agent classes whose domains may use a queue.
    pub(crate) fn allowed(&self, queue: Option<&QueueConfig>, setup: &Setup) -> Bits {
        let mut able = Bits::default();
        for (&domain, classes) in &self.domains {
            if queue.is_some_and(|queue| setup.may_use(domain, queue)) {
                able.add(classes);
            }
        }
        able
    }

    /// The agent classes that meet what a contact asks for.
    pub(crate) fn meeting(&self, effective: &Effective<'_>) -> Bits {
        let mut able = Bits::default();
        for queue in &effective.queues {
            able.add(&self.holding(queue));
        }
        able.keep(&self.holding(&effective.own), true);
        able
    }

    fn holding(&self, requirement: &Requirement) -> Bits {
        let all = Bits::below(self.agents.len());
        if requirement.is_empty() {
            return all;
        }
        let mut able = Bits::default();
        for needs in &requirement.alternatives {
            let mut met = all.clone();
            for need in needs {
                let classes = self.thresholds.get(&(need.skill, need.level));
                let classes = classes.expect("every level that is asked for is known");
                met.keep(classes, !need.negated);
            }
            able.add(&met);
        }
        able
    }
}
