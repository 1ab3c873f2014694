//! Agents of one class with room on one channel, in one order in which they are chosen.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Micros;

/// Where an agent stands among equally ranked ones: by the number of an order, then the longest
/// idle, then the first in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentKey {
    pub(crate) number: u64,
    pub(crate) idle_since: Micros,
    pub(crate) position: u32,
}

/// By free units, because a heavier contact must pass over agents with less room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    by_room: BTreeMap<u32, BTreeSet<AgentKey>>,
}

impl Pool {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_room.is_empty()
    }

    /// Moves an agent from one room and key to others; no room = not in the pool.
    pub(crate) fn put(&mut self, from: (u32, &AgentKey), to: (u32, AgentKey)) {
        if from.0 > 0 {
            self.remove(from.0, from.1);
        }
        if to.0 > 0 {
            self.insert(to.0, to.1);
        }
    }

    fn insert(&mut self, room: u32, key: AgentKey) {
        self.by_room.entry(room).or_default().insert(key);
    }

    fn remove(&mut self, room: u32, key: &AgentKey) {
        if let Some(keys) = self.by_room.get_mut(&room) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_room.remove(&room);
            }
        }
    }

    /// The first agent with at least this much room whom `allowed` admits.
    pub(crate) fn best(&self, weight: u32, allowed: impl Fn(u32) -> bool) -> Option<AgentKey> {
        let firsts = self
            .by_room
            .range(weight..)
            .filter_map(|(_, keys)| keys.iter().find(|key| allowed(key.position)));
        firsts.min().copied()
    }

    pub(crate) fn contains(&self, room: u32, key: &AgentKey) -> bool {
        self.by_room
            .get(&room)
            .is_some_and(|keys| keys.contains(key))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_room.values().map(BTreeSet::len).sum()
    }
}
