//! From an id to a slot: open addressing with a fixed mix, the same on every machine. Divided into
//! shards that grow one by one, so that no command waits for the whole of it to grow.

/// As many shards as the highest 8 bits of a scattered id tell apart.
const SHARDS: usize = 256;

/// One small table: slot + 1 at the id's home position or after it; 0 = empty. A power of two long.
#[derive(Clone, Debug, Default)]
struct Shard {
    slots: Vec<u32>,
    used: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    shards: Vec<Shard>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            shards: vec![Shard::default(); SHARDS],
        }
    }
}

/// Where a slot was found, for [`Index::remove`].
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) slot: usize,
    shard: usize,
    position: usize,
}

const fn shard_of(scattered: u64) -> usize {
    (scattered >> 56) as usize
}

impl Index {
    /// The slot of a scattered id; `is_it` tells the id itself from others with the same position.
    pub(crate) fn find(&self, scattered: u64, is_it: impl Fn(usize) -> bool) -> Option<Found> {
        let shard = shard_of(scattered);
        let slots = &self.shards[shard].slots;
        let mask = slots.len().checked_sub(1)?;
        let mut position = scattered as usize & mask;
        loop {
            let slot = (slots[position] as usize).checked_sub(1)?;
            if is_it(slot) {
                return Some(Found {
                    slot,
                    shard,
                    position,
                });
            }
            position = (position + 1) & mask;
        }
    }

    /// Adds an id that is not there yet; `scatter` tells the scattered id of a slot.
    pub(crate) fn insert(&mut self, scattered: u64, slot: usize, scatter: impl Fn(usize) -> u64) {
        let shard = &mut self.shards[shard_of(scattered)];
        if (shard.used + 1) * 4 > shard.slots.len() * 3 {
            let old = std::mem::take(&mut shard.slots);
            shard.slots = vec![0; (old.len() * 2).max(4)];
            for entry in old.into_iter().filter(|entry| *entry != 0) {
                shard.put(scatter(entry as usize - 1), entry);
            }
        }
        shard.put(scattered, slot as u32 + 1);
        shard.used += 1;
    }

    /// Takes an entry out and moves later ones up, so that no search ever meets a gap before what
    /// it looks for.
    pub(crate) fn remove(&mut self, found: Found, scatter: impl Fn(usize) -> u64) {
        let Shard { slots, used } = &mut self.shards[found.shard];
        *used -= 1;
        let mask = slots.len() - 1;
        let (mut hole, mut next) = (found.position, found.position);
        loop {
            next = (next + 1) & mask;
            let Some(slot) = (slots[next] as usize).checked_sub(1) else {
                break;
            };
            let from_home = next.wrapping_sub(scatter(slot) as usize) & mask;
            if from_home >= next.wrapping_sub(hole) & mask {
                slots[hole] = slots[next];
                hole = next;
            }
        }
        slots[hole] = 0;
    }
}

impl Shard {
    fn put(&mut self, scattered: u64, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut position = scattered as usize & mask;
        while self.slots[position] != 0 {
            position = (position + 1) & mask;
        }
        self.slots[position] = entry;
    }
}
