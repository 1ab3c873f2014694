//! Agents of one class with room on one channel, in one order in which they are chosen.

use crate::ranked::Ranked;
use crate::time::Micros;

/// Where an agent stands among equally ranked ones: by the number of an order, then the longest
/// idle, then the first in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentKey {
    pub(crate) number: u64,
    pub(crate) idle_since: Micros,
    pub(crate) position: u32,
}

/// Everybody with the same room.
#[derive(Clone, Debug)]
struct Rank {
    room: u32,
    /// The first of them, so that a choice need not look among them.
    first: Option<AgentKey>,
    keys: Ranked<AgentKey>,
}

/// By free units, because a heavier contact must pass over agents with less room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    /// By room, ascending. Few, so not a map; one that was used stays, as a rule somebody has
    /// that much room again soon.
    ranks: Vec<Rank>,
    len: usize,
    /// The first of all and its room, here so that a choice reads no more than this as a rule.
    first: Option<(AgentKey, u32)>,
}

/// Where there are more ranks than this, those without anybody are dropped.
const KEPT: usize = 8;

impl Pool {
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves an agent from one room and key to others; no room = not in the pool.
    pub(crate) fn put(&mut self, from: (u32, &AgentKey), to: (u32, AgentKey)) {
        if from.0 > 0 {
            self.remove(from.0, from.1);
        }
        if to.0 > 0 {
            self.insert(to.0, to.1);
        }
        self.first = None;
        for rank in &self.ranks {
            if let Some(key) = rank.first
                && self.first.is_none_or(|(least, _)| key < least)
            {
                self.first = Some((key, rank.room));
            }
        }
    }

    /// No agent stands before it.
    #[inline]
    pub(crate) fn least(&self) -> Option<AgentKey> {
        self.first.map(|(key, _)| key)
    }

    fn insert(&mut self, room: u32, key: AgentKey) {
        let at = self.ranks.partition_point(|rank| rank.room < room);
        if self.ranks.get(at).is_none_or(|rank| rank.room != room) {
            let (first, keys) = (None, Ranked::default());
            self.ranks.insert(at, Rank { room, first, keys });
        }
        let rank = &mut self.ranks[at];
        rank.keys.insert(key);
        rank.first = Some(rank.first.map_or(key, |first| first.min(key)));
        self.len += 1;
    }

    fn remove(&mut self, room: u32, key: &AgentKey) {
        let at = self.ranks.partition_point(|rank| rank.room < room);
        let Some(rank) = self.ranks.get_mut(at) else {
            return;
        };
        if rank.keys.remove(key) {
            self.len -= 1;
        }
        rank.first = rank.keys.first();
        if rank.first.is_none() && self.ranks.len() > KEPT {
            self.ranks.remove(at);
        }
    }

    /// The first agent with at least this much room whom `allowed` admits.
    #[inline]
    pub(crate) fn best(&self, weight: u32, allowed: impl Fn(u32) -> bool) -> Option<AgentKey> {
        let (first, room) = self.first?;
        if room >= weight && allowed(first.position) {
            return Some(first);
        }
        self.best_of_ranks(weight, allowed)
    }

    /// Likewise, one room after the other.
    fn best_of_ranks(&self, weight: u32, allowed: impl Fn(u32) -> bool) -> Option<AgentKey> {
        let mut best: Option<AgentKey> = None;
        for rank in &self.ranks {
            let better = |key: &AgentKey| best.is_none_or(|best| *key < best);
            let Some(first) = rank.first.filter(better) else {
                continue;
            };
            if rank.room < weight {
                continue;
            }
            if allowed(first.position) {
                best = Some(first);
            } else {
                let mut rest = rank.keys.iter().skip(1).take_while(better);
                best = rest.find(|key| allowed(key.position)).or(best);
            }
        }
        best
    }

    /// The agents with at least this much room whom `allowed` admits: of every room the first
    /// `limit`, so that the first `limit` of all are among them.
    pub(crate) fn first(
        &self,
        weight: u32,
        limit: usize,
        allowed: impl Fn(u32) -> bool,
    ) -> Vec<AgentKey> {
        let ranks = self.ranks.iter().filter(|rank| rank.room >= weight);
        let firsts = ranks.flat_map(|rank| {
            let admitted = rank.keys.iter().filter(|key| allowed(key.position));
            admitted.take(limit)
        });
        firsts.collect()
    }

    pub(crate) fn contains(&self, room: u32, key: &AgentKey) -> bool {
        let rank = self.ranks.iter().find(|rank| rank.room == room);
        rank.is_some_and(|rank| rank.keys.contains(key))
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}
