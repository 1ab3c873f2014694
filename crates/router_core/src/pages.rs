//! From a number to a slot, for ids that are given out in rising order: a row of pages, each for
//! [`PAGE`] consecutive ids, found by subtraction. A page goes when its last id does, so that a few
//! old ids do not keep what stood between them.

use std::collections::BTreeMap;

/// Ids per page.
const PAGE: u64 = 64;
/// Pages that the row spans at most, there or not: eight megabytes and 67 million ids. Ids further
/// apart, as a configuration may name agents, stand in a tree.
const SPAN: u64 = if cfg!(debug_assertions) { 8 } else { 1 << 20 };

#[derive(Clone, Debug)]
struct Page {
    used: u32,
    /// Slot + 1; 0 = no such id.
    slots: [u32; PAGE as usize],
}

impl Page {
    fn empty() -> Box<Self> {
        let slots = [0; PAGE as usize];
        Box::new(Self { used: 0, slots })
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    /// The number of the first page.
    first: u64,
    /// As many as [`Self::gone`] are missing in front, and the last one is there.
    pages: Vec<Option<Box<Page>>>,
    /// They are taken off in one go, when they are as many as those behind them.
    gone: usize,
    /// An empty page, kept for the next ids.
    spare: Option<Box<Page>>,
    /// Slots of ids outside the row.
    far: BTreeMap<u64, u32>,
}

impl Pages {
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<usize> {
        let at = (id / PAGE).wrapping_sub(self.first) as usize;
        if let Some(Some(page)) = self.pages.get(at)
            && let Some(slot) = page.slots[(id % PAGE) as usize].checked_sub(1)
        {
            return Some(slot as usize);
        }
        if self.far.is_empty() {
            return None;
        }
        self.far.get(&id).map(|&slot| slot as usize)
    }

    /// Adds an id that is not there yet.
    pub(crate) fn insert(&mut self, id: u64, slot: usize) {
        let number = id / PAGE;
        let at = number.wrapping_sub(self.first) as usize;
        if let Some(Some(page)) = self.pages.get_mut(at) {
            page.slots[(id % PAGE) as usize] = slot as u32 + 1;
            page.used += 1;
            return;
        }
        self.insert_into_new_page(id, slot);
    }

    #[inline(never)]
    fn insert_into_new_page(&mut self, id: u64, slot: usize) {
        let number = id / PAGE;
        let at = number.wrapping_sub(self.first) as usize;
        if at >= self.pages.len() && !self.reach(number) {
            self.far.insert(id, slot as u32);
            return;
        }
        let at = (number - self.first) as usize;
        self.gone = self.gone.min(at);
        let page =
            self.pages[at].get_or_insert_with(|| self.spare.take().unwrap_or_else(Page::empty));
        page.slots[(id % PAGE) as usize] = slot as u32 + 1;
        page.used += 1;
    }

    /// Gives an id that is there another slot.
    pub(crate) fn set(&mut self, id: u64, slot: usize) {
        let at = (id / PAGE).wrapping_sub(self.first) as usize;
        if let Some(Some(page)) = self.pages.get_mut(at)
            && let Some(known) = page.slots.get_mut((id % PAGE) as usize)
            && *known > 0
        {
            *known = slot as u32 + 1;
        } else {
            self.far.insert(id, slot as u32);
        }
    }

    /// Takes out an id that is there.
    pub(crate) fn remove(&mut self, id: u64) {
        let at = (id / PAGE).wrapping_sub(self.first) as usize;
        if let Some(Some(page)) = self.pages.get_mut(at) {
            let slot = &mut page.slots[(id % PAGE) as usize];
            if *slot > 0 {
                *slot = 0;
                page.used -= 1;
                if page.used == 0 {
                    self.drop_page(at);
                }
                return;
            }
        }
        self.far.remove(&id);
    }

    /// Stretches the row to a page; false when that is too far back.
    #[cold]
    fn reach(&mut self, number: u64) -> bool {
        if self.pages.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let missing = self.first - number;
            if missing + self.pages.len() as u64 > SPAN {
                return false;
            }
            self.pages.splice(0..0, (0..missing).map(|_| None));
            (self.first, self.gone) = (number, self.gone + missing as usize);
        }
        while number - self.first >= SPAN && !self.pages.is_empty() {
            self.give_up_first();
        }
        if self.pages.is_empty() {
            self.first = number;
        }
        while number - self.first >= self.pages.len() as u64 {
            self.pages.push(None);
        }
        true
    }

    /// The ids of the first page join those outside the row.
    fn give_up_first(&mut self) {
        if let Some(page) = self.pages[self.gone].take() {
            let ids = (self.first + self.gone as u64) * PAGE..;
            let used = ids.zip(page.slots).filter(|(_, slot)| *slot > 0);
            self.far.extend(used.map(|(id, slot)| (id, slot - 1)));
        }
        self.trim();
    }

    #[inline(never)]
    fn drop_page(&mut self, at: usize) {
        self.spare = self.pages[at].take();
        self.trim();
    }

    fn trim(&mut self) {
        while let Some(None) = self.pages.last() {
            self.pages.pop();
        }
        while let Some(None) = self.pages.get(self.gone) {
            self.gone += 1;
        }
        self.gone = self.gone.min(self.pages.len());
        if self.gone * 2 >= self.pages.len() {
            self.pages.drain(..self.gone);
            self.first += self.gone as u64;
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    #[test]
    fn agrees_with_a_map() {
        let (mut pages, mut plain) = (Pages::default(), BTreeMap::new());
        for step in 0..40_000_u64 {
            // Dense ids that rise, and now and then one from far away.
            let far = mix(step ^ 3).is_multiple_of(16);
            let id = step / 8 + mix(step) % if far { 1 << 40 } else { 500 };
            let id = if far {
                id
            } else {
                id.saturating_sub(mix(step ^ 5) % 900)
            };
            if mix(step ^ 7) % 5 < 3 {
                if let std::collections::btree_map::Entry::Vacant(entry) = plain.entry(id) {
                    entry.insert(step as usize);
                    pages.insert(id, step as usize);
                }
            } else if plain.remove(&id).is_some() {
                pages.remove(id);
            }
            assert_eq!(pages.find(id), plain.get(&id).copied());
            while plain.len() > 1_000
                && let Some((oldest, _)) = plain.pop_first()
            {
                pages.remove(oldest);
            }
        }
        for (&id, &slot) in &plain {
            assert_eq!(pages.find(id), Some(slot));
            pages.remove(id);
        }
        assert!(pages.pages.is_empty() && pages.far.is_empty());
    }
}
