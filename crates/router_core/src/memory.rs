//! What is remembered for a while: entities that hardly ever change, and are forgotten in the order in
//! which they came.

use crate::chunked::Line;
use crate::hash::Hashed;
use crate::slab::{Finder, Key, Keyed};
use crate::time::Micros;

/// Numbers in the order of coming, as finders keep them, go round here.
const ROUND: u32 = u32::MAX >> 1;

/// Entities that hardly ever change, in the order in which they came: the oldest is forgotten first.
#[derive(Clone, Debug)]
pub(crate) struct Memory<E: Keyed> {
    /// Each with its hash.
    line: Line<(E, u64)>,
    finder: <E::Key as Key>::Finder,
    /// The number of the oldest.
    first: u32,
    sum: u64,
}

impl<E: Keyed> Default for Memory<E> {
    fn default() -> Self {
        Self {
            line: Line::default(),
            finder: Default::default(),
            first: 0,
            sum: 0,
        }
    }
}

impl<E: Keyed + Hashed + Copy> Memory<E> {
    pub(crate) const fn len(&self) -> usize {
        self.line.len()
    }

    pub(crate) fn get(&self, key: E::Key) -> Option<&E> {
        let at = |number: usize| {
            let before = (number as u32).wrapping_sub(self.first) & ROUND;
            self.line.get(before as usize).map(|(entity, _)| entity)
        };
        let is_it = |number: usize| at(number).is_some_and(|entity| entity.key() == key);
        at(self.finder.find(key, is_it)?)
    }

    pub(crate) fn insert(&mut self, entity: E) {
        let hash = entity.hash();
        self.sum = self.sum.wrapping_add(hash);
        let number = self.first.wrapping_add(self.line.len() as u32) & ROUND;
        self.finder.insert(entity.key(), number as usize);
        self.line.push((entity, hash));
    }

    /// Changes the one with this id, if it is remembered.
    pub(crate) fn change(&mut self, key: E::Key, how: impl FnOnce(&mut E)) {
        let place = |number: usize| ((number as u32).wrapping_sub(self.first) & ROUND) as usize;
        let is_it = |number: usize| {
            let known = self.line.get(place(number));
            known.is_some_and(|(entity, _)| entity.key() == key)
        };
        let Some(number) = self.finder.find(key, is_it) else {
            return;
        };
        let place = place(number);
        if let Some((entity, hash)) = self.line.get_mut(place) {
            how(entity);
            self.sum = self.sum.wrapping_sub(*hash);
            *hash = entity.hash();
            self.sum = self.sum.wrapping_add(*hash);
        }
    }

    #[inline]
    pub(crate) fn oldest(&self) -> Option<&E> {
        self.line.first().map(|(entity, _)| entity)
    }

    pub(crate) fn forget_oldest(&mut self) -> Option<E> {
        let (entity, hash) = self.line.pop()?;
        self.finder.remove(entity.key(), self.first as usize);
        self.first = self.first.wrapping_add(1) & ROUND;
        self.sum = self.sum.wrapping_sub(hash);
        Some(entity)
    }

    /// Forgets everybody who is not from after a time; from when the oldest is that is left.
    #[inline]
    pub(crate) fn forget(
        &mut self,
        until: Option<Micros>,
        since: impl Fn(&E) -> Micros,
        mut gone: impl FnMut(E),
    ) -> Option<Micros> {
        loop {
            let oldest = since(self.oldest()?);
            if until.is_none_or(|until| oldest > until) {
                return Some(oldest);
            }
            gone(self.forget_oldest()?);
        }
    }

    /// Every entity, oldest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &E> {
        self.line.iter().map(|(entity, _)| entity)
    }

    pub(crate) const fn sum(&self) -> u64 {
        self.sum
    }
}
