//! A sorted set that also tells how many members stand before a key: chunks of at most
//! [`CHUNK`] members. Taking the first and adding near the end, the common cases, move little.

use std::collections::VecDeque;

/// Members per chunk; a full one is halved. Half a chunk is what an insertion may move.
const CHUNK: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Ranked<K> {
    chunks: VecDeque<VecDeque<K>>,
    len: usize,
}

impl<K> Default for Ranked<K> {
    fn default() -> Self {
        Self {
            chunks: VecDeque::new(),
            len: 0,
        }
    }
}

impl<K: Copy + Ord> Ranked<K> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn first(&self) -> Option<K> {
        self.chunks.front().and_then(|chunk| chunk.front()).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = K> + '_ {
        self.chunks.iter().flatten().copied()
    }

    /// Adds a key that is not a member yet.
    pub(crate) fn insert(&mut self, key: K) {
        self.len += 1;
        let Some(last) = self.chunks.len().checked_sub(1) else {
            self.chunks.push_back(VecDeque::from([key]));
            return;
        };
        let at = self.chunk_of(&key).min(last);
        let chunk = &mut self.chunks[at];
        let position = chunk.partition_point(|member| *member < key);
        chunk.insert(position, key);
        if chunk.len() > CHUNK {
            let upper = chunk.split_off(CHUNK / 2);
            self.chunks.insert(at + 1, upper);
        }
    }

    /// Takes a member out; false when it was none.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let at = self.chunk_of(key);
        let Some(chunk) = self.chunks.get_mut(at) else {
            return false;
        };
        let Ok(position) = chunk.binary_search(key) else {
            return false;
        };
        chunk.remove(position);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
        self.len -= 1;
        true
    }

    /// How many members are smaller than the key.
    pub(crate) fn rank(&self, key: &K) -> usize {
        let at = self.chunk_of(key);
        let before: usize = self.chunks.iter().take(at).map(VecDeque::len).sum();
        before
            + self
                .chunks
                .get(at)
                .map_or(0, |chunk| chunk.partition_point(|m| m < key))
    }

    /// The first chunk whose last member is not smaller than the key; one past the end if none.
    fn chunk_of(&self, key: &K) -> usize {
        self.chunks
            .partition_point(|chunk| chunk.back().is_some_and(|last| last < key))
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
                if plain.insert(key) {
                    ranked.insert(key);
                }
            } else {
                assert_eq!(ranked.remove(&key), plain.remove(&key));
            }
            assert_eq!(ranked.first(), plain.first().copied());
            assert_eq!(ranked.len(), plain.len());
            if step % 64 == 0 {
                assert_eq!(ranked.rank(&key), plain.range(..key).count());
                assert!(ranked.iter().eq(plain.iter().copied()));
            }
        }
    }
}
