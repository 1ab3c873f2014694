//! Stealth agents: bots that serve only what no human who is at work could.
//!
//! 1. A human is whoever is not stealth; at work is who is signed in and not leaving, ready or not,
//!    locked or not, and whether the contact has come back from it or not.
//! 2. It counts for a contact whose effective requirement it meets, with units for its weight,
//!    unless the contact excludes it.

use crate::agent::{Agent, Standing};
use crate::class::{ContactClass, Floor};
use crate::ids::AgentId;
use crate::retry::Watch;
use crate::router::Router;

impl Floor {
    /// Whether the agents of a class are kept from a contact because a human is at work.
    #[inline]
    pub(crate) fn is_hidden(
        &self,
        agents: usize,
        class: &ContactClass,
        excludes: &[AgentId],
    ) -> bool {
        self.agents[agents].stealth && self.human_for(class, excludes)
    }

    /// Whether a human at work could serve a contact of the class.
    pub(crate) fn human_for(&self, class: &ContactClass, excludes: &[AgentId]) -> bool {
        let mut humans = class
            .row
            .both(&self.peopled)
            .flat_map(|index| &self.agents[index].signed_in);
        humans.any(|&position| {
            excludes.is_empty()
                || excludes
                    .binary_search(&self.ids[position as usize])
                    .is_err()
        })
    }

    /// Whether somebody at work, human or bot, could serve a contact of the class.
    pub(crate) fn is_staffed(&self, class: &ContactClass, excludes: &[AgentId]) -> bool {
        let staff = class.row.both(&self.staffed);
        let mut staff = staff.flat_map(|index| &self.agents[index].signed_in);
        staff.any(|&position| {
            let id = self.ids[position as usize];
            excludes.binary_search(&id).is_err()
        })
    }

    /// Notes whether an agent is at work; true when it is a human and was not.
    pub(crate) fn list_signed_in(&mut self, agent: &Agent) -> bool {
        let signed_in = is_at_work(agent);
        let placed = &mut self.placed[agent.position as usize];
        let class = &mut self.agents[placed.class];
        if placed.listed_in != signed_in {
            placed.listed_in = signed_in;
            if signed_in {
                class.signed_in.insert(agent.position);
            } else {
                class.signed_in.remove(&agent.position);
            }
            let some = !class.signed_in.is_empty();
            self.staffed.set(placed.class, some);
            self.peopled.set(placed.class, some && !class.stealth);
        }
        let came = !std::mem::replace(&mut placed.signed_in, signed_in) && signed_in;
        came && !class.stealth
    }
}

/// Signed in and not leaving.
pub(crate) fn is_at_work(agent: &Agent) -> bool {
    matches!(agent.standing(), Standing::NotReady | Standing::Ready)
}

impl Router {
    /// A human has gone: what waits may be for the bots now.
    pub(crate) fn call_bots(&mut self, gone: AgentId) {
        let Some(agent) = self.agents.get(gone) else {
            return;
        };
        let config = &self.setup.config.agents[agent.position as usize];
        if config.stealth || self.queues.waiting() == 0 {
            return;
        }
        let bots = self.floor.bots.iter();
        let bots = bots.map(|&position| self.floor.ids[position as usize]);
        let present = |id: &AgentId| self.agents.get(*id).is_some_and(Agent::present);
        for id in bots.filter(present) {
            self.dirty.agent(id);
        }
    }
}

/// Notes whether an agent has come or gone, for those who rely on it.
pub(crate) fn note_presence(agent: &Agent, floor: &mut Floor, watches: [&mut Watch; 2]) {
    let left = floor.list_present(agent);
    let came = floor.counts_in && floor.list_signed_in(agent);
    if !left && !came {
        return;
    }
    for watch in watches {
        if left {
            watch.lose(agent.id);
        }
        // A human has come: no bot is a witness any more unless it is found to be one again.
        for &position in floor.bots.iter().filter(|_| came) {
            watch.lose(floor.ids[position as usize]);
        }
    }
}
