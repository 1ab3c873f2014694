//! The two choices, from the heads of classes. `naive.rs` makes the same ones by comparing
//! everybody with everybody; debug builds compare the two.
//!
//! 1. A contact goes to the eligible agent who is first by (rank, number, idle since, position); the
//!    number is that of the queue's strategy (`order.rs`).
//! 2. An agent takes the eligible contact that is first by (tier, rank, place).
//! 3. The rank is the agent's level for the queue, or the same for everybody under `Longest`;
//!    `BestSkill` ranks agents in the eyes of a contact, not contacts in the eyes of an agent.
//! 4. Whoever has attempted a contact is passed over.

use crate::class::{ContactClass, Floor, MANY_CLASSES};
use crate::contact::{Contact, Place};
use crate::grouping::turned;
use crate::ids::{AgentId, ContactId};
use crate::pool::AgentKey;
use crate::slab::Tracked;

/// How many agents are looked at in the order of all classes before the classes' heads are.
const LOOKED_AT: usize = if cfg!(debug_assertions) { 2 } else { 48 };

/// A contact's turn in the eyes of one agent; smaller is served first.
type Turn = (u8, u8, Place);

impl Floor {
    /// The best eligible agent for a waiting contact of this class.
    pub(crate) fn best_agent(&self, class: u32, attempted: &[AgentId]) -> Option<AgentId> {
        let class = &self.contacts[class as usize];
        let available = self.available.get(&class.key.channel)?;
        let allowed = |position: u32| {
            attempted.is_empty()
                || attempted
                    .binary_search(&self.ids[position as usize])
                    .is_err()
        };
        if class.ranks.is_empty() && class.row.count_both(available) > MANY_CLASSES {
            let first = self.first_of_everybody(class, attempted);
            if let Some(position) = first {
                return Some(self.ids[position as usize]);
            }
        }
        let mut best: Option<(u8, AgentKey)> = None;
        for index in class.row.both(available) {
            let rank = turned(class.ranks.get(index).copied().unwrap_or(0));
            if best.is_some_and(|(found, _)| found < rank) {
                continue;
            }
            let agents = &self.agents[index];
            let Some(lane) = agents.lane(class.key.channel) else {
                continue;
            };
            let Some(key) = agents.lanes[lane].pools[class.order].best(class.key.weight, allowed)
            else {
                continue;
            };
            if best.is_none_or(|found| (rank, key) < found) {
                best = Some((rank, key));
            }
        }
        best.map(|(_, key)| self.ids[key.position as usize])
    }

    /// The best agent, if it is among the first few in the order of all classes.
    fn first_of_everybody(&self, class: &ContactClass, attempted: &[AgentId]) -> Option<u32> {
        let everybody = self
            .everybody
            .get(&(class.key.channel, class.order))?
            .iter()
            .take(LOOKED_AT);
        let mut positions = everybody.map(|key| key.position);
        positions.find(|&position| {
            let placed = &self.placed[position as usize];
            let agents = &self.agents[placed.class];
            let room = agents
                .lane(class.key.channel)
                .map_or(0, |lane| placed.rooms[lane]);
            class.row.has(placed.class)
                && room >= class.key.weight
                && attempted
                    .binary_search(&self.ids[position as usize])
                    .is_err()
        })
    }

    /// The best eligible contact for an agent.
    pub(crate) fn best_contact(
        &self,
        position: u32,
        contacts: &Tracked<Contact>,
    ) -> Option<ContactId> {
        let placed = &self.placed[position as usize];
        let agents = &self.agents[placed.class];
        let mut best: Option<(Turn, ContactId)> = None;
        for index in agents.row.both(&self.nonempty) {
            let head = &self.heads[index];
            let room = agents
                .lane(head.channel)
                .map_or(0, |lane| placed.rooms[lane]);
            if head.weight > room {
                continue;
            }
            let class = &self.contacts[index];
            let level = class.ranks.get(placed.class).filter(|_| self.by_level);
            let rank = turned(level.copied().unwrap_or(0));
            let turn = |place: Place| (place.tier, rank, place);
            if best.is_some_and(|(found, _)| found < turn(head.place)) {
                continue;
            }
            let found = class
                .waiting
                .iter()
                .take_while(|(place, _)| best.is_none_or(|(found, _)| turn(*place) < found))
                .find(|(_, id)| is_new_to(contacts, *id, self.ids[position as usize]));
            if let Some((place, id)) = found {
                best = Some((turn(place), id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// Somebody present and qualified who has not been attempted; which one is of no importance.
    pub(crate) fn witness(&self, class: u32, attempted: &[AgentId]) -> Option<AgentId> {
        let class = &self.contacts[class as usize];
        let everybody = class
            .row
            .both(&self.manned)
            .flat_map(|index| &self.agents[index].present);
        everybody
            .map(|&position| self.ids[position as usize])
            .find(|id| attempted.binary_search(id).is_err())
    }

    /// How many waiting contacts of its queue stand before a waiting contact.
    pub(crate) fn position(&self, contact: &Contact) -> u64 {
        let key = (contact.place(), contact.id);
        let from = crate::class::ClassKey {
            queue: contact.queue,
            channel: 0,
            weight: 0,
            requires: Vec::new(),
        };
        let classes = self
            .by_key
            .range(from..)
            .take_while(|(k, _)| k.queue == contact.queue);
        classes
            .map(|(_, &class)| self.contacts[class as usize].waiting.rank(&key) as u64)
            .sum()
    }

    /// Every waiting contact, in no order that matters.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Place, ContactId)> + '_ {
        self.by_key
            .values()
            .flat_map(|&class| self.contacts[class as usize].waiting.iter())
    }
}

fn is_new_to(contacts: &Tracked<Contact>, contact: ContactId, agent: AgentId) -> bool {
    contacts
        .get(contact)
        .is_some_and(|contact| !contact.was_attempted_by(agent))
}
