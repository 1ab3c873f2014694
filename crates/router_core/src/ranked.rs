//! A sorted set that also tells how many members stand before a key: chunks of at most
//! [`CHUNK`] members. Taking the first and adding near the end, the common cases, move little; a
//! set that becomes empty keeps its room.

/// Members per chunk; a full one is halved. Half a chunk is what an insertion may move.
const CHUNK: usize = 256;

#[derive(Clone, Debug)]
struct Chunk<K> {
    /// Not above any member, and above all of the chunk before.
    low: K,
    /// Where the members begin; what stands before is gone.
    head: usize,
    items: Vec<K>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ranked<K> {
    chunks: Vec<Chunk<K>>,
    len: usize,
    /// Room for a chunk, from one that was used up.
    spare: Vec<K>,
}

impl<K> Default for Ranked<K> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
            spare: Vec::new(),
        }
    }
}

impl<K: Copy + Ord> Chunk<K> {
    #[inline]
    fn members(&self) -> &[K] {
        &self.items[self.head..]
    }

    /// Moves the members to the beginning of the room.
    fn close_up(&mut self) {
        self.items.drain(..self.head);
        self.head = 0;
    }

    /// Adds a key that is greater than every member; false when there is no room for it.
    #[inline]
    fn append(&mut self, key: K) -> bool {
        if self.items.len() == self.items.capacity() && self.head > self.items.len() / 2 {
            self.close_up();
        }
        let fits = self.items.len() < CHUNK;
        if fits {
            self.items.push(key);
        }
        fits
    }

    /// Adds a key before the member at `position`; false when there is no room for it.
    fn put(&mut self, position: usize, key: K) -> bool {
        let at = self.head + position;
        if self.head > 0 && (self.items.len() == CHUNK || position < self.members().len() / 2) {
            self.items.copy_within(self.head..at, self.head - 1);
            self.head -= 1;
            self.items[at - 1] = key;
        } else if self.items.len() < CHUNK {
            self.items.insert(at, key);
        } else {
            return false;
        }
        true
    }

    fn take(&mut self, position: usize) {
        let at = self.head + position;
        if position == 0 {
            self.head += 1;
        } else if position < self.members().len() / 2 {
            self.items.copy_within(self.head..at, self.head + 1);
            self.head += 1;
        } else {
            self.items.remove(at);
        }
    }
}

impl<K: Copy + Ord> Ranked<K> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<K> {
        let chunk = self.chunks.first()?;
        chunk.items.get(chunk.head).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = K> + '_ {
        self.chunks.iter().flat_map(Chunk::members).copied()
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.first_from(key) == Some(*key)
    }

    /// The first member that is not smaller than the key.
    pub(crate) fn first_from(&self, key: &K) -> Option<K> {
        let at = self.chunk_of(key);
        let members = self.chunks.get(at)?.members();
        let position = members.partition_point(|member| member < key);
        let next = || self.chunks.get(at + 1)?.members().first();
        members.get(position).or_else(next).copied()
    }

    /// Adds a key; false when it was a member already.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        let at = self.chunk_of(&key);
        let last = self.chunks.len().wrapping_sub(1);
        let Some(chunk) = self.chunks.get_mut(at) else {
            return self.add_chunk(key);
        };
        let members = chunk.members();
        let fits = if members.last().is_none_or(|greatest| *greatest < key) {
            let fits = chunk.append(key);
            if !fits && at == last {
                return self.add_chunk(key);
            }
            fits
        } else {
            let position = members.partition_point(|member| *member < key);
            if members[position] == key {
                return false;
            }
            chunk.put(position, key)
        };
        if !fits {
            self.halve(at);
            return self.insert(key);
        }
        chunk.low = chunk.low.min(key);
        self.len += 1;
        true
    }

    /// Takes a member out; false when it was none.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let at = self.chunk_of(key);
        let Some(chunk) = self.chunks.get_mut(at) else {
            return false;
        };
        let members = chunk.members();
        let found = match members.first() {
            Some(first) if first == key => Ok(0),
            _ => members.binary_search(key),
        };
        let Ok(position) = found else {
            return false;
        };
        chunk.take(position);
        if chunk.head == chunk.items.len() {
            self.drop_chunk(at);
        }
        self.len -= 1;
        true
    }

    pub(crate) fn pop_first(&mut self) -> Option<K> {
        let first = self.first()?;
        self.remove(&first);
        Some(first)
    }

    pub(crate) fn clear(&mut self) {
        self.chunks.truncate(1);
        if let Some(chunk) = self.chunks.first_mut() {
            chunk.items.clear();
            chunk.head = 0;
        }
        self.len = 0;
    }

    /// How many members are smaller than the key.
    pub(crate) fn rank(&self, key: &K) -> usize {
        let last = self.chunks.last().and_then(|chunk| chunk.members().last());
        if last.is_none_or(|last| last < key) {
            return self.len;
        }
        let at = self.chunk_of(key);
        let before = self.chunks.iter().take(at);
        let before: usize = before.map(|chunk| chunk.members().len()).sum();
        let within = |chunk: &Chunk<K>| chunk.members().partition_point(|member| member < key);
        before + self.chunks.get(at).map_or(0, within)
    }

    /// The chunk where a key belongs.
    #[inline]
    fn chunk_of(&self, key: &K) -> usize {
        match self.chunks.last() {
            Some(last) if last.low <= *key => self.chunks.len() - 1,
            _ if self.chunks.len() <= 1 => 0,
            _ => {
                let after = self.chunks.partition_point(|chunk| chunk.low <= *key);
                after.saturating_sub(1)
            }
        }
    }

    /// A last chunk with one member.
    fn add_chunk(&mut self, key: K) -> bool {
        let mut items = std::mem::take(&mut self.spare);
        // The first one grows like any array, so that a small set stays small.
        if !self.chunks.is_empty() {
            items.reserve_exact(CHUNK);
        }
        items.push(key);
        let (low, head) = (key, 0);
        self.chunks.push(Chunk { low, head, items });
        self.len += 1;
        true
    }

    /// Makes room in a chunk.
    fn halve(&mut self, at: usize) {
        let chunk = &mut self.chunks[at];
        if chunk.head > 0 {
            chunk.close_up();
            return;
        }
        let mut items = Vec::with_capacity(CHUNK);
        items.extend_from_slice(&chunk.items[CHUNK / 2..]);
        chunk.items.truncate(CHUNK / 2);
        let (low, head) = (items[0], 0);
        self.chunks.insert(at + 1, Chunk { low, head, items });
    }

    /// A chunk without members goes, but for the last one.
    fn drop_chunk(&mut self, at: usize) {
        if self.chunks.len() == 1 {
            let chunk = &mut self.chunks[0];
            chunk.items.clear();
            chunk.head = 0;
        } else {
            self.spare = self.chunks.remove(at).items;
            self.spare.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_a_btree_set() {
        let (mut ranked, mut plain) = (Ranked::default(), BTreeSet::new());
        for step in 0..20_000_u64 {
            let key = mix(step) % 3_000;
            if mix(step ^ 7) % 5 < 3 {
                assert_eq!(ranked.insert(key), plain.insert(key));
            } else {
                assert_eq!(ranked.remove(&key), plain.remove(&key));
            }
            assert_eq!(ranked.first(), plain.first().copied());
            assert_eq!(ranked.first_from(&key), plain.range(key..).next().copied());
            assert_eq!(ranked.len(), plain.len());
            if step % 64 == 0 {
                assert_eq!(ranked.rank(&key), plain.range(..key).count());
                assert!(ranked.iter().eq(plain.iter().copied()));
            }
        }
    }
    #[test]
    fn agrees_where_the_first_go_and_the_last_come() {
        let (mut ranked, mut plain) = (Ranked::default(), BTreeSet::new());
        for step in 0..20_000_u64 {
            let key = step * 8 + mix(step) % 64;
            assert_eq!(ranked.insert(key), plain.insert(key));
            let room = if step < 10_000 { 900 } else { 3 };
            while plain.len() > room {
                assert_eq!(ranked.pop_first(), plain.pop_first());
            }
            assert!(ranked.len() == plain.len() && ranked.first() == plain.first().copied());
            if step.is_multiple_of(50) {
                assert!(ranked.iter().eq(plain.iter().copied()));
            }
        }
    }
}
