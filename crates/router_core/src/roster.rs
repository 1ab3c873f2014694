//! The agents, and which of them must be placed again before the next choice.

use crate::agent::Agent;
use crate::ids::AgentId;
use crate::slab::Tracked;

#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    table: Tracked<Agent>,
    /// Touched since the last placing.
    stale: Vec<AgentId>,
}

impl Roster {
    pub(crate) fn get(&self, id: AgentId) -> Option<&Agent> {
        self.table.get(id)
    }

    /// Every access for writing may change what the agent can take.
    pub(crate) fn get_mut(&mut self, id: AgentId) -> Option<&mut Agent> {
        if self.stale.last() != Some(&id) {
            self.stale.push(id);
        }
        self.table.get_mut(id)
    }

    /// An agent who is known to exist.
    pub(crate) fn of(&mut self, id: AgentId) -> &mut Agent {
        self.get_mut(id)
            .expect("whoever has something in hand exists")
    }

    pub(crate) fn insert(&mut self, agent: Agent) {
        self.table.insert(agent);
    }

    pub(crate) fn remove(&mut self, id: AgentId) {
        self.table.remove(id);
    }

    pub(crate) fn take_stale(&mut self) -> Option<AgentId> {
        self.stale.pop()
    }

    pub(crate) fn clear_stale(&mut self) {
        self.stale.clear();
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

    pub(crate) const fn sum(&self) -> u64 {
        self.table.sum()
    }
}
