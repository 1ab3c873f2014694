//! The agents, and which of them must be placed again before the next choice.

use crate::agent::Agent;
use crate::ids::AgentId;
use crate::slab::Tracked;

/// The lists in which an agent stands once it was touched.
const STALE: u8 = 1;
const UNNOTED: u8 = 2;

#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    table: Tracked<Agent>,
    /// By slot: in which lists it is, so that it is in each once.
    marks: Vec<u8>,
    /// Touched since the last placing; by slot.
    stale: Vec<u32>,
    /// Who may have come or gone since that was last noted; by slot.
    unnoted: Vec<u32>,
}

impl Roster {
    pub(crate) fn get(&self, id: AgentId) -> Option<&Agent> {
        self.table.get(id)
    }

    pub(crate) fn knows(&self, id: AgentId) -> bool {
        self.table.slot(id).is_some()
    }

    /// Every access for writing may change what the agent can take; whether it is there must be
    /// changed by [`Self::coming_or_going`].
    #[inline]
    pub(crate) fn get_mut(&mut self, id: AgentId) -> Option<&mut Agent> {
        let slot = self.table.slot(id)?;
        self.at_mut(slot)
    }

    /// The same, where the agent has been found.
    #[inline]
    fn at_mut(&mut self, slot: usize) -> Option<&mut Agent> {
        let marks = &mut self.marks[slot];
        if *marks & STALE == 0 {
            *marks |= STALE;
            self.stale.push(slot as u32);
        }
        self.table.at_mut(slot)
    }

    /// Where an agent stands who is known to exist.
    pub(crate) fn slot_of(&self, id: AgentId) -> usize {
        let slot = self.table.slot(id);
        slot.expect("whoever has something in hand exists")
    }

    /// The agent in a slot.
    #[inline]
    pub(crate) fn in_slot(&mut self, slot: usize) -> &mut Agent {
        self.at_mut(slot)
            .expect("whoever has something in hand exists")
    }

    /// An agent whose presence, signing out or lock may change: apart from every other change, because
    /// it is noted before every decision, and comes with few of them.
    pub(crate) fn coming_or_going(&mut self, id: AgentId) -> &mut Agent {
        if let Some(slot) = self.table.slot(id) {
            self.mark(slot);
        }
        self.of(id)
    }

    fn mark(&mut self, slot: usize) {
        let marks = std::mem::replace(&mut self.marks[slot], STALE | UNNOTED);
        if marks & STALE == 0 {
            self.stale.push(slot as u32);
        }
        if marks & UNNOTED == 0 {
            self.unnoted.push(slot as u32);
        }
    }

    /// An agent who is known to exist.
    pub(crate) fn of(&mut self, id: AgentId) -> &mut Agent {
        self.get_mut(id)
            .expect("whoever has something in hand exists")
    }

    pub(crate) fn insert(&mut self, agent: Agent) {
        self.table.insert(agent);
        self.marks.resize(self.table.slots(), 0);
    }

    pub(crate) fn remove(&mut self, id: AgentId) {
        self.table.remove(id);
    }

    /// How many were touched since the last placing.
    #[inline]
    pub(crate) const fn stale(&self) -> usize {
        self.stale.len()
    }

    /// Whoever was touched since the last placing, once more; nobody is in that list any longer.
    #[inline]
    pub(crate) fn take_stale(&mut self, mut place: impl FnMut(&Agent)) {
        for slot in self.stale.drain(..) {
            self.marks[slot as usize] &= !STALE;
            if let Some(agent) = self.table.at(slot as usize) {
                place(agent);
            }
        }
    }

    /// Whether nobody can have come or gone since that was last noted.
    #[inline]
    pub(crate) const fn are_noted(&self) -> bool {
        self.unnoted.is_empty()
    }

    /// Likewise, who may have come or gone.
    pub(crate) fn take_unnoted(&mut self, mut note: impl FnMut(&Agent)) {
        for slot in self.unnoted.drain(..) {
            self.marks[slot as usize] &= !UNNOTED;
            if let Some(agent) = self.table.at(slot as usize) {
                note(agent);
            }
        }
    }

    pub(crate) fn make_all_stale(&mut self) {
        (0..self.table.slots()).for_each(|slot| self.mark(slot));
    }

    pub(crate) fn sorted(&self) -> Vec<&Agent> {
        self.table.sorted()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn settle(&mut self) {
        self.table.settle();
    }

    pub(crate) fn sum(&self) -> u64 {
        self.table.sum()
    }
}
