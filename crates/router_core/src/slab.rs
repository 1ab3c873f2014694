//! Tables of entities by id. Nothing iterates in table order but to sort by id at once.

use crate::chunked::{Chunked, Line};
use crate::hash::{Hashed, mix};
use crate::index::{Found, Index};

/// An id that a table can find.
pub(crate) trait Key: Copy + Ord {
    fn scatter(self) -> u64;
}

impl Key for u32 {
    fn scatter(self) -> u64 {
        mix(u64::from(self))
    }
}

impl Key for u64 {
    fn scatter(self) -> u64 {
        mix(self)
    }
}

impl Key for [u8; 16] {
    fn scatter(self) -> u64 {
        let whole = u128::from_be_bytes(self);
        mix((whole >> 64) as u64 ^ mix(whole as u64))
    }
}

/// An entity that knows its id.
pub(crate) trait Keyed {
    type Key: Key;
    fn key(&self) -> Self::Key;
}

/// Entities in slots, found by id.
#[derive(Clone, Debug)]
pub(crate) struct Slab<E> {
    slots: Chunked<Option<E>>,
    free: Vec<u32>,
    index: Index,
    len: usize,
}

impl<E> Default for Slab<E> {
    fn default() -> Self {
        Self {
            slots: Chunked::default(),
            free: Vec::new(),
            index: Index::default(),
            len: 0,
        }
    }
}

impl<E: Keyed> Slab<E> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn slot(&self, key: E::Key) -> Option<usize> {
        self.find(key).map(|found| found.slot)
    }

    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        self.slot(key).and_then(|slot| self.slots[slot].as_ref())
    }

    pub(crate) fn at(&self, slot: usize) -> Option<&E> {
        self.slots[slot].as_ref()
    }

    pub(crate) fn at_mut(&mut self, slot: usize) -> Option<&mut E> {
        self.slots[slot].as_mut()
    }

    /// Adds an entity whose id is not there yet; the slot it got.
    pub(crate) fn insert(&mut self, entity: E) -> usize {
        let scattered = entity.key().scatter();
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(entity);
            slot as usize
        } else {
            self.slots.push(Some(entity));
            self.slots.len() - 1
        };
        let slots = &self.slots;
        self.index
            .insert(scattered, slot, |slot| scattered_at(slots, slot));
        self.len += 1;
        slot
    }

    pub(crate) fn remove(&mut self, key: E::Key) -> Option<(usize, E)> {
        let found = self.find(key)?;
        let slots = &self.slots;
        self.index.remove(found, |slot| scattered_at(slots, slot));
        self.free.push(found.slot as u32);
        self.len -= 1;
        self.slots[found.slot]
            .take()
            .map(|entity| (found.slot, entity))
    }

    /// Every entity, by id.
    pub(crate) fn sorted(&self) -> Vec<&E> {
        let mut all: Vec<&E> = self.slots.iter().flatten().collect();
        all.sort_unstable_by_key(|entity| entity.key());
        all
    }

    fn find(&self, key: E::Key) -> Option<Found> {
        let is_it = |slot: usize| self.slots[slot].as_ref().is_some_and(|e| e.key() == key);
        self.index.find(key.scatter(), is_it)
    }
}

fn scattered_at<E: Keyed>(slots: &Chunked<Option<E>>, slot: usize) -> u64 {
    slots[slot]
        .as_ref()
        .map_or(0, |entity| entity.key().scatter())
}

/// Entities that change: their hashes are brought up to date once per command, by [`Self::settle`].
#[derive(Clone, Debug)]
pub(crate) struct Tracked<E> {
    slab: Slab<E>,
    /// By slot: the hash that is part of `sum`, and whether the slot is in `touched`.
    hashes: Chunked<(u64, bool)>,
    touched: Vec<u32>,
    sum: u64,
}

impl<E> Default for Tracked<E> {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            hashes: Chunked::default(),
            touched: Vec::new(),
            sum: 0,
        }
    }
}

impl<E: Keyed + Hashed> Tracked<E> {
    pub(crate) const fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        self.slab.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: E::Key) -> Option<&mut E> {
        let slot = self.slab.slot(key)?;
        self.touch(slot);
        self.slab.at_mut(slot)
    }

    pub(crate) fn insert(&mut self, entity: E) {
        let slot = self.slab.insert(entity);
        if slot == self.hashes.len() {
            self.hashes.push((0, false));
        }
        self.touch(slot);
    }

    pub(crate) fn remove(&mut self, key: E::Key) -> Option<E> {
        let (slot, entity) = self.slab.remove(key)?;
        self.sum = self.sum.wrapping_sub(self.hashes[slot].0);
        self.hashes[slot].0 = 0;
        Some(entity)
    }

    pub(crate) fn sorted(&self) -> Vec<&E> {
        self.slab.sorted()
    }

    /// Folds every change since the last time into the sum.
    pub(crate) fn settle(&mut self) {
        while let Some(slot) = self.touched.pop() {
            let slot = slot as usize;
            let hash = self.slab.at(slot).map_or(0, Hashed::hash);
            self.sum = self
                .sum
                .wrapping_sub(self.hashes[slot].0)
                .wrapping_add(hash);
            self.hashes[slot] = (hash, false);
        }
    }

    /// The wrapping sum of all hashes, as of the last [`Self::settle`].
    pub(crate) const fn sum(&self) -> u64 {
        self.sum
    }

    fn touch(&mut self, slot: usize) {
        if !self.hashes[slot].1 {
            self.hashes[slot].1 = true;
            self.touched.push(slot as u32);
        }
    }
}

/// Entities that never change, in the order in which they came: the oldest is forgotten first.
#[derive(Clone, Debug)]
pub(crate) struct Memory<E: Keyed> {
    slab: Slab<E>,
    order: Line<E::Key>,
    sum: u64,
}

impl<E: Keyed> Default for Memory<E> {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            order: Line::default(),
            sum: 0,
        }
    }
}

impl<E: Keyed + Hashed> Memory<E> {
    pub(crate) const fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        self.slab.get(key)
    }

    pub(crate) fn insert(&mut self, entity: E) {
        self.sum = self.sum.wrapping_add(entity.hash());
        self.order.push(entity.key());
        self.slab.insert(entity);
    }

    pub(crate) fn oldest(&self) -> Option<&E> {
        self.order.first().and_then(|key| self.slab.get(key))
    }

    pub(crate) fn forget_oldest(&mut self) -> Option<E> {
        let key = self.order.pop()?;
        let (_, entity) = self.slab.remove(key)?;
        self.sum = self.sum.wrapping_sub(entity.hash());
        Some(entity)
    }

    /// Every entity, oldest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &E> {
        self.order.iter().filter_map(|key| self.slab.get(key))
    }

    pub(crate) const fn sum(&self) -> u64 {
        self.sum
    }
}
