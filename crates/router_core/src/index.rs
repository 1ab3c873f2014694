//! From a key of 16 bytes to a number: open addressing with a fixed mix, the same on every machine.
//! Divided into shards that grow one by one, so that no command waits for the whole of it to grow.

use crate::hash::mix;

/// As many shards as the highest 8 bits of a scattered key tell apart.
const SHARDS: usize = 256;

/// An empty entry has no number.
const EMPTY: Entry = Entry {
    half: 0,
    number: [0; 2],
};

/// Whoever has another half need not be asked whether it is the key.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The lower half of the scattered key.
    half: u32,
    /// The number + 1, its lower half first: twelve bytes in all, not sixteen.
    number: [u32; 2],
}

impl Entry {
    const fn new(half: u32, number: u64) -> Self {
        let number = number.wrapping_add(1);
        Self {
            half,
            number: [number as u32, (number >> 32) as u32],
        }
    }

    /// `None` if the entry is empty.
    fn number(&self) -> Option<u64> {
        (u64::from(self.number[0]) | u64::from(self.number[1]) << 32).checked_sub(1)
    }
}

/// One small table: an entry at its home position or after it. A power of two long.
#[derive(Clone, Debug, Default)]
struct Shard {
    entries: Vec<Entry>,
    used: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    shards: Vec<Shard>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            shards: vec![Shard::default(); SHARDS],
            len: 0,
        }
    }
}

fn scatter(key: &[u8; 16]) -> (usize, u32) {
    let whole = u128::from_be_bytes(*key);
    let scattered = mix((whole >> 64) as u64 ^ mix(whole as u64));
    ((scattered >> 56) as usize, scattered as u32)
}

impl Index {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The number of a key; `is_it` tells the key itself from others that scatter alike.
    pub(crate) fn find(&self, key: &[u8; 16], is_it: impl Fn(u64) -> bool) -> Option<u64> {
        let (shard, half) = scatter(key);
        let entries = &self.shards[shard].entries;
        let mask = entries.len().checked_sub(1)?;
        let mut position = half as usize & mask;
        loop {
            let entry = entries[position];
            let number = entry.number()?;
            if entry.half == half && is_it(number) {
                return Some(number);
            }
            position = (position + 1) & mask;
        }
    }

    /// Adds a key that is not there yet.
    pub(crate) fn insert(&mut self, key: &[u8; 16], number: u64) {
        let (shard, half) = scatter(key);
        let shard = &mut self.shards[shard];
        if (shard.used + 1) * 4 > shard.entries.len() * 3 {
            let old = std::mem::take(&mut shard.entries);
            shard.entries = vec![EMPTY; (old.len() * 2).max(4)];
            for entry in old.into_iter().filter(|entry| entry.number().is_some()) {
                shard.put(entry);
            }
        }
        shard.put(Entry::new(half, number));
        shard.used += 1;
        self.len += 1;
    }

    /// Takes out a key that is there, with this number, and moves later entries up, so that no
    /// search ever meets a gap before what it looks for.
    pub(crate) fn remove(&mut self, key: &[u8; 16], number: u64) {
        let (shard, half) = scatter(key);
        let Shard { entries, used } = &mut self.shards[shard];
        let mask = entries.len() - 1;
        let gone = Entry::new(half, number).number;
        let mut hole = half as usize & mask;
        while entries[hole].number != gone {
            hole = (hole + 1) & mask;
        }
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let entry = entries[next];
            if entry.number().is_none() {
                break;
            }
            let from_home = next.wrapping_sub(entry.half as usize) & mask;
            if from_home >= next.wrapping_sub(hole) & mask {
                entries[hole] = entry;
                hole = next;
            }
        }
        entries[hole] = EMPTY;
        *used -= 1;
        self.len -= 1;
    }
}

impl Shard {
    fn put(&mut self, entry: Entry) {
        let mask = self.entries.len() - 1;
        let mut position = entry.half as usize & mask;
        while self.entries[position].number().is_some() {
            position = (position + 1) & mask;
        }
        self.entries[position] = entry;
    }
}
