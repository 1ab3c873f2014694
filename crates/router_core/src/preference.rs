//! Contacts that wait for the agents that they prefer.
//!
//! 1. While the preference runs, the contact is offered to these agents only. Each of them has a
//!    line of its own, by class, of the contacts that wait for it.
//! 2. It ends at its deadline (`wake.rs`), and at once when none of them could take the contact,
//!    however busy: signed out, not ready, locked, not able to, or tried already.
//!    A contact that goes beyond their capacity is theirs whatever they hold: neither units nor
//!    exclusivity are asked.
//! 3. The second rule is about every such contact after every change; to look only at those that
//!    can be concerned, each keeps a witness, as for asking again (`retry.rs`).

use std::cmp::Reverse;

use crate::agent::Agent;
use crate::class::{ContactClass, Floor, Rank};
use crate::contact::{Contact, Place};
use crate::event::PreferenceOverCause;
use crate::ids::{AgentId, ContactId, DomainId};
use crate::matching::{Sight, Turn};
use crate::order::key_in;
use crate::pool::AgentKey;
use crate::room::is_shut;
use crate::router::Router;

impl Floor {
    pub(crate) fn prefers_no_longer(
        &mut self,
        line: (AgentId, u32),
        place: Place,
        contact: ContactId,
    ) {
        let contacts = self.preferring.get_mut(&line);
        let contacts = contacts.expect("who waits for an agent stands in its line");
        contacts.remove(&(place, contact));
        if contacts.is_empty() {
            self.preferring.remove(&line);
        }
    }

    /// The first contact that waits for this agent, if it comes before another.
    pub(crate) fn best_preferring(
        &self,
        agent: &Agent,
        domain: Option<DomainId>,
        sight: &Sight<'_>,
        mut best: Option<(Turn, ContactId)>,
    ) -> Option<(Turn, ContactId)> {
        let placed = &self.placed[agent.position as usize];
        let agents = &self.agents[placed.class];
        let shut = is_shut(agent, sight.setup);
        let lines = (agent.id, 0)..=(agent.id, u32::MAX);
        for (&(_, index), line) in self.preferring.range(lines) {
            let class = &self.contacts[index as usize];
            let room = || {
                let lane = agents.lane(class.key.channel).filter(|_| !shut);
                lane.map_or(0, |lane| agents.lanes[lane].room_for(agent, sight.setup))
            };
            let takes = class.key.beyond || class.key.weight <= room();
            let head = &self.heads[index as usize];
            let hidden = head.still || domain.is_some_and(|domain| domain != head.domain);
            if hidden || !class.preferred_row().has(placed.class) || !takes {
                continue;
            }
            let (index, line) = (index as usize, line.iter().copied());
            let part = self.part(index, placed.class, sight.queues);
            let found = self.first_in(line, index, part, agent, sight, best);
            best = found.or(best);
        }
        best
    }

    /// Whether an agent may have a contact that waits for it, room or not.
    fn may_have(&self, contact: &Contact, position: u32) -> bool {
        let class = &self.contacts[contact.class as usize];
        let placed = &self.placed[position as usize];
        let passed_over = contact.passed_over();
        placed.present
            && class.preferred_row().has(placed.class)
            && !passed_over.has(self.ids[position as usize])
            && !self.is_hidden(placed.class, class, passed_over.excludes)
    }

    /// Free units on the class's channel.
    pub(crate) fn room(&self, class: &ContactClass, position: u32) -> u32 {
        let placed = &self.placed[position as usize];
        let lane = self.agents[placed.class].lane(class.key.channel);
        lane.map_or(0, |lane| placed.rooms[lane])
    }
}

impl Router {
    /// Those agents that a contact waits for who are configured.
    fn waited_for(&self, contact: &Contact) -> impl Iterator<Item = &Agent> {
        let agents = contact.waits_for().iter();
        agents.filter_map(|&id| self.agents.get(id))
    }

    /// The best eligible one of the agents that a contact waits for.
    pub(crate) fn best_preferred(&self, contact: &Contact) -> Option<AgentId> {
        if self.floor.heads[contact.class as usize].still {
            return None;
        }
        let eligible = self.eligible_of(contact);
        let best = eligible.min_by_key(|agent| self.key_of(contact, agent));
        best.map(|agent| agent.id)
    }

    /// The first `limit` of them who are eligible, in order.
    pub(crate) fn eligible_preferred(&self, contact: &Contact, limit: usize) -> Vec<AgentId> {
        let mut eligible: Vec<&Agent> = self.eligible_of(contact).collect();
        eligible.sort_by_key(|agent| self.key_of(contact, agent));
        eligible.truncate(limit);
        eligible.into_iter().map(|agent| agent.id).collect()
    }

    /// Whoever a contact waits for and could be offered it now.
    fn eligible_of(&self, contact: &Contact) -> impl Iterator<Item = &Agent> {
        let class = &self.floor.contacts[contact.class as usize];
        self.waited_for(contact).filter(move |agent| {
            let fits =
                || class.key.beyond || self.floor.room(class, agent.position) >= class.key.weight;
            agent.kept_for == 0 && self.floor.may_have(contact, agent.position) && fits()
        })
    }

    /// What they are compared by. Who has no room is in no pool, so that its key there may be old.
    pub(crate) fn key_of(&self, contact: &Contact, agent: &Agent) -> (Reverse<Rank>, AgentKey) {
        let class = &self.floor.contacts[contact.class as usize];
        let agents = self.floor.placed[agent.position as usize].class;
        let rank = class.ranks.get(agents).copied().unwrap_or_default();
        let (setup, order) = (&self.setup.config, self.floor.orders[class.order]);
        let config = &setup.agents[agent.position as usize];
        let units = self.floor.agents[agents].units;
        let key = key_in(order, agent, config, units, setup.seed);
        (Reverse(rank), key)
    }

    /// One of the agents that a contact waits for who could take it, room or not.
    pub(crate) fn preferred_witness(&self, contact: &Contact) -> Option<AgentId> {
        let mut waited_for = self.waited_for(contact);
        let able = waited_for.find(|agent| self.floor.may_have(contact, agent.position));
        able.map(|agent| agent.id)
    }

    /// Ends every preference for agents none of whom could take the contact.
    #[inline(never)]
    pub(crate) fn preference_pass(&mut self) {
        while let Some(id) = self.hopes.take_first() {
            let Some(contact) = self.contacts.get(id) else {
                continue;
            };
            if !contact.waits() || contact.preferred_until().is_none() {
                continue;
            }
            if let Some(agent) = self.preferred_witness(contact) {
                self.hopes.rely(id, agent);
                continue;
            }
            let key = self.leave_line(id);
            self.end_preference(id, PreferenceOverCause::Absent);
            self.enter_line(id, key);
            self.set_wake(id);
            self.list_present();
        }
    }

    /// A preference that starts over: the service was away.
    pub(crate) fn prefer_anew(&mut self, id: ContactId, at: crate::time::Micros) {
        let runs = self.contacts.get(id).and_then(Contact::preferred_until);
        if runs.is_some() {
            let wishes = self.live(id).wishes();
            wishes.preferred_until = Some(at + wishes.preferred_wait_us);
            self.set_wake(id);
        }
    }
}
