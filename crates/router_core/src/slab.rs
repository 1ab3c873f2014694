//! Tables of entities by id. Nothing iterates in table order but to sort by id at once.

use std::collections::VecDeque;

use crate::chunked::Chunked;
use crate::hash::Hashed;
use crate::index::Index;
use crate::pages::Pages;

/// An id that a table can find.
pub(crate) trait Key: Copy + Ord + std::fmt::Debug {
    type Finder: Finder<Self>;
}

/// What leads from an id to a slot.
pub(crate) trait Finder<K>: Clone + std::fmt::Debug + Default {
    /// `is_it` tells whether a slot has this id, should the finder not know by itself.
    fn find(&self, key: K, is_it: impl Fn(usize) -> bool) -> Option<usize>;
    /// Adds an id that is not there yet.
    fn insert(&mut self, key: K, slot: usize);
    /// Takes out an id that is there, in this slot.
    fn remove(&mut self, key: K, slot: usize);
}

impl Key for u32 {
    type Finder = Pages;
}

impl Key for u64 {
    type Finder = Pages;
}

impl Key for [u8; 16] {
    type Finder = Index;
}

impl<K: Into<u64>> Finder<K> for Pages {
    #[inline]
    fn find(&self, key: K, _: impl Fn(usize) -> bool) -> Option<usize> {
        self.find(key.into())
    }

    fn insert(&mut self, key: K, slot: usize) {
        self.insert(key.into(), slot);
    }

    fn remove(&mut self, key: K, _: usize) {
        self.remove(key.into());
    }
}

impl Finder<[u8; 16]> for Index {
    fn find(&self, key: [u8; 16], is_it: impl Fn(usize) -> bool) -> Option<usize> {
        self.find(&key, |number| is_it(number as usize))
            .map(|number| number as usize)
    }

    fn insert(&mut self, key: [u8; 16], slot: usize) {
        self.insert(&key, slot as u64);
    }

    fn remove(&mut self, key: [u8; 16], slot: usize) {
        self.remove(&key, slot as u64);
    }
}

/// An entity that knows its id.
pub(crate) trait Keyed {
    type Key: Key;
    fn key(&self) -> Self::Key;
}

/// A place for one entity.
#[derive(Clone, Debug)]
struct Slot<E> {
    entity: Option<E>,
    /// The hash that is part of a tracked table's sum.
    hash: u64,
    /// Whether the slot is among the touched ones.
    touched: bool,
}

/// Entities in slots, found by id.
#[derive(Clone, Debug)]
pub(crate) struct Slab<E: Keyed> {
    slots: Chunked<Slot<E>>,
    free: Vec<u32>,
    finder: <E::Key as Key>::Finder,
    len: usize,
}

impl<E: Keyed> Default for Slab<E> {
    fn default() -> Self {
        Self {
            slots: Chunked::default(),
            free: Vec::new(),
            finder: Default::default(),
            len: 0,
        }
    }
}

impl<E: Keyed> Slab<E> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn slot(&self, key: E::Key) -> Option<usize> {
        let is_it = |slot: usize| {
            let entity = self.slots[slot].entity.as_ref();
            entity.is_some_and(|entity| entity.key() == key)
        };
        self.finder.find(key, is_it)
    }

    #[inline]
    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        self.slots[self.slot(key)?].entity.as_ref()
    }

    /// Adds an entity whose id is not there yet; the slot it got.
    pub(crate) fn insert(&mut self, entity: E) -> usize {
        let key = entity.key();
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize].entity = Some(entity);
            slot as usize
        } else {
            self.slots.push(Slot {
                entity: Some(entity),
                hash: 0,
                touched: false,
            });
            self.slots.len() - 1
        };
        self.finder.insert(key, slot);
        self.len += 1;
        slot
    }

    pub(crate) fn remove(&mut self, key: E::Key) -> Option<(usize, E)> {
        let slot = self.slot(key)?;
        self.release(key, slot);
        let entity = self.slots[slot].entity.take();
        entity.map(|entity| (slot, entity))
    }

    /// A slot is free for another entity.
    fn release(&mut self, key: E::Key, slot: usize) {
        self.finder.remove(key, slot);
        self.free.push(slot as u32);
        self.len -= 1;
    }

    /// Every entity, by id.
    pub(crate) fn sorted(&self) -> Vec<&E> {
        let entities = self.slots.iter().filter_map(|slot| slot.entity.as_ref());
        let mut all: Vec<&E> = entities.collect();
        all.sort_unstable_by_key(|entity| entity.key());
        all
    }
}

/// Touched entities whose hash may be out of date. What is asked for is the sum, and seldom: an
/// entity that changes again soon, or goes, need not be hashed in between.
const WINDOW: usize = if cfg!(debug_assertions) { 2 } else { 1_024 };

/// Entities that change, and the sum of their hashes.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<E: Keyed> {
    slab: Slab<E>,
    /// Slots whose hash is not up to date, the longest so first; each once.
    touched: VecDeque<u32>,
    sum: u64,
}

impl<E: Keyed> Default for Tracked<E> {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            touched: VecDeque::new(),
            sum: 0,
        }
    }
}

impl<E: Keyed + Hashed> Tracked<E> {
    pub(crate) const fn len(&self) -> usize {
        self.slab.len()
    }

    #[inline]
    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        self.slab.get(key)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: E::Key) -> Option<&mut E> {
        let slot = self.slot(key)?;
        self.at_mut(slot)
    }

    /// The slot of an entity, where it stays as long as it lives.
    #[inline]
    pub(crate) fn slot(&self, key: E::Key) -> Option<usize> {
        self.slab.slot(key)
    }

    /// As many slots as there ever were entities at once.
    pub(crate) const fn slots(&self) -> usize {
        self.slab.slots.len()
    }

    #[inline]
    pub(crate) fn at(&self, slot: usize) -> Option<&E> {
        self.slab.slots[slot].entity.as_ref()
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, index: usize) -> Option<&mut E> {
        let slot = &mut self.slab.slots[index];
        if !slot.touched {
            slot.touched = true;
            self.touched.push_back(index as u32);
        }
        slot.entity.as_mut()
    }

    /// Adds an entity whose id is not there yet; the slot it got.
    pub(crate) fn insert(&mut self, entity: E) -> usize {
        let index = self.slab.insert(entity);
        self.touch(index);
        index
    }

    /// Drops the entity of a slot where it stands: a large one is not worth moving to be looked at.
    pub(crate) fn drop_at(&mut self, index: usize) {
        let slot = &mut self.slab.slots[index];
        let Some(entity) = &slot.entity else {
            return;
        };
        let key = entity.key();
        slot.entity = None;
        self.sum = self.sum.wrapping_sub(slot.hash);
        slot.hash = 0;
        self.slab.release(key, index);
    }

    pub(crate) fn remove(&mut self, key: E::Key) -> Option<E> {
        let (index, entity) = self.slab.remove(key)?;
        let slot = &mut self.slab.slots[index];
        self.sum = self.sum.wrapping_sub(slot.hash);
        slot.hash = 0;
        Some(entity)
    }

    pub(crate) fn sorted(&self) -> Vec<&E> {
        self.slab.sorted()
    }

    /// Folds the oldest changes into the sum, until few are left to fold.
    #[inline]
    pub(crate) fn settle(&mut self) {
        while self.touched.len() > WINDOW {
            self.settle_first();
        }
    }

    #[inline(never)]
    fn settle_first(&mut self) {
        let Some(index) = self.touched.pop_front() else {
            return;
        };
        let slot = &mut self.slab.slots[index as usize];
        let hash = slot.entity.as_ref().map_or(0, Hashed::hash);
        self.sum = self.sum.wrapping_sub(slot.hash).wrapping_add(hash);
        slot.hash = hash;
        slot.touched = false;
    }

    /// The wrapping sum of all hashes.
    pub(crate) fn sum(&self) -> u64 {
        self.touched.iter().fold(self.sum, |sum, &index| {
            let slot = &self.slab.slots[index as usize];
            let hash = slot.entity.as_ref().map_or(0, Hashed::hash);
            sum.wrapping_sub(slot.hash).wrapping_add(hash)
        })
    }

    fn touch(&mut self, index: usize) {
        let slot = &mut self.slab.slots[index];
        if !slot.touched {
            slot.touched = true;
            self.touched.push_back(index as u32);
        }
    }
}
