//! The slow checks of what is derived: classes and pools hold what the entities say, and nothing
//! that the rules demand was missed.

use std::collections::BTreeMap;

use crate::agent::{Agent, units_of};
use crate::check::{Sound, hold};
use crate::class::{Lane, Placed};
use crate::contact::Contact;
use crate::demand::Asks;
use crate::pool::{AgentKey, Pool};
use crate::router::Router;

impl Router {
    pub(crate) fn audit_classes(&self) -> Sound {
        let mut members: BTreeMap<u32, (u32, usize)> = BTreeMap::new();
        for contact in self.contacts.sorted() {
            let class = self.floor.contacts.get(contact.class as usize);
            let alike = class.is_some_and(|class| {
                let key = &class.key;
                key.queue == contact.queue
                    && key.channel == contact.channel
                    && key.weight == contact.weight
                    && key.step == contact.step()
                    && key.reserved == contact.preferred_until().is_some()
                    && key.choosing == (contact.choice() != 0)
                    && key.beyond == contact.goes_beyond()
                    && key.asks == Asks::new(key.asks.requires.clone(), key.asks.prefers.clone())
                    && key.asks.word == contact.asks
            });
            hold(alike, "a contact is in its class", contact.id)?;
            let member = members.entry(contact.class).or_default();
            member.0 += 1;
            member.1 += usize::from(contact.waits());
        }
        for &index in self.floor.by_key.values() {
            let (contacts, waiting) = members.get(&index).copied().unwrap_or_default();
            let class = &self.floor.contacts[index as usize];
            hold(
                class.contacts == contacts,
                "a class counts its contacts",
                index,
            )?;
            hold(
                class.waiting.len() == waiting,
                "a class lists who waits",
                index,
            )?;
            self.audit_head(index)?;
        }
        let lanes = self.floor.agents.iter().flat_map(|class| &class.lanes);
        let pooled: usize = lanes.flat_map(|lane| &lane.pools).map(Pool::len).sum();
        let rooms = self
            .floor
            .placed
            .iter()
            .flat_map(|placed| placed.rooms.iter());
        let placed = rooms.filter(|room| **room > 0).count() * self.floor.orders.len();
        hold(
            pooled == placed,
            "pools hold who is placed, once in every order",
            pooled as u64,
        )?;
        self.audit_lines()?;
        let mut agents = self.agents.sorted().into_iter();
        agents.try_for_each(|agent| self.audit_placing(agent))
    }

    fn audit_head(&self, index: u32) -> Sound {
        let class = &self.floor.contacts[index as usize];
        let first = class.waiting.first().map(|(place, _)| place);
        let marked = self.floor.nonempty.has(index as usize);
        hold(
            marked == first.is_some(),
            "a class with somebody waiting is marked",
            index,
        )?;
        let head = self.floor.heads[index as usize].place;
        hold(
            first.is_none_or(|first| first == head),
            "a class has its head",
            index,
        )?;
        for (place, id) in class.waiting.iter() {
            let contact = self.contacts.get(id);
            let right = contact.is_some_and(|c| c.waits() && c.place() == place);
            hold(right, "who waits stands at the right place", id)?;
        }
        Ok(())
    }

    fn audit_placing(&self, agent: &Agent) -> Sound {
        let id = agent.id;
        let Some(placed) = self.floor.placed.get(agent.position as usize) else {
            return hold(false, "an agent is placed", id);
        };
        let class = &self.floor.agents[placed.class];
        let listed = class.present.contains(&agent.position);
        hold(listed == agent.present(), "who is present is listed", id)?;
        self.audit_humans(agent)?;
        let capacity = &self.setup.config.agents[agent.position as usize].capacity;
        let exclusive = agent
            .held
            .iter()
            .any(|(channel, _)| self.setup.is_exclusive(*channel));
        hold(
            class.lanes.len() == capacity.len(),
            "lanes are as configured",
            id,
        )?;
        for (lane, room) in class.lanes.iter().zip(placed.rooms.iter()) {
            let units = u64::from(units_of(capacity, lane.channel));
            let taken = agent.held_on(lane.channel);
            let calm = agent.offers.is_empty()
                && agent
                    .held
                    .iter()
                    .all(|held| self.setup.is_interruptible(held.0));
            let kept = agent.kept_for != 0;
            let shut = !agent.present() || kept || exclusive || lane.exclusive && !calm;
            let free = if shut { 0 } else { units.saturating_sub(taken) };
            hold(u64::from(*room) == free, "room is what is free", id)?;
            self.audit_orders(agent, placed, lane, *room)?;
            let marked = self.floor.available.get(&lane.channel);
            let marked = marked.is_some_and(|bits| bits.has(placed.class));
            hold(*room == 0 || marked, "a class with room is marked", id)?;
        }
        Ok(())
    }

    /// With room an agent stands in every order, where it belongs; without it in none.
    fn audit_orders(&self, agent: &Agent, placed: &Placed, lane: &Lane, room: u32) -> Sound {
        let id = agent.id;
        let orders = self.floor.orders.len();
        hold(
            placed.keys.len() == orders && lane.pools.len() == orders,
            "there is a pool for every order",
            id,
        )?;
        for (order, key) in placed.keys.iter().enumerate() {
            let pooled = lane.pools[order].contains(room, key);
            hold(pooled == (room > 0), "who has room is in the pool", id)?;
            let number = self.number_of(agent, self.floor.orders[order]);
            let now = AgentKey {
                number,
                idle_since: agent.idle_since,
                position: agent.position,
            };
            hold(
                room == 0 || *key == now,
                "the pool's key is the agent's",
                id,
            )?;
            let everybody = self.floor.everybody.get(&(lane.channel, order));
            let listed = everybody.is_some_and(|keys| keys.contains(key));
            hold(
                listed == (self.floor.crowded && room > 0),
                "who has room is among everybody",
                id,
            )?;
        }
        Ok(())
    }

    /// Nobody was forgotten: by comparing everybody with everybody.
    pub(crate) fn audit_decisions(&self) -> Sound {
        let agents = self.agents.sorted();
        self.audit_keeping()?;
        for contact in self.contacts.sorted() {
            self.audit_preference(contact)?;
            for agent in &agents {
                hold(
                    !self.is_eligible(contact, agent),
                    "an eligible pair is offered",
                    contact.id,
                )?;
                self.audit_row(contact, agent)?;
            }
            if contact.waits() && !contact.attempted.is_empty() && contact.retry_at.is_none() {
                let left = |agent: &&Agent| {
                    self.is_qualified(contact, agent) && !contact.attempted.contains(&agent.id)
                };
                let somebody = agents.iter().any(left);
                hold(
                    somebody,
                    "who has nobody left to ask has a retry",
                    contact.id,
                )?;
                let witness = self
                    .watch
                    .witness_of(contact.id)
                    .and_then(|id| self.agents.get(id));
                hold(
                    witness.as_ref().is_some_and(left),
                    "a witness is left to ask",
                    contact.id,
                )?;
            }
        }
        Ok(())
    }

    fn audit_row(&self, contact: &Contact, agent: &Agent) -> Sound {
        let able = self.is_able(contact, agent);
        let class = self.floor.placed[agent.position as usize].class;
        let row = &self.floor.contacts[contact.class as usize];
        let column = self.floor.agents[class].row.has(contact.class as usize);
        let beyond = contact.goes_beyond() && self.is_skilled(contact, agent);
        hold(
            row.row.has(class) == able
                && row.beyond_row.has(class) == beyond
                && column == (able && !row.key.is_hidden()),
            "classes know who qualifies",
            contact.id,
        )
    }
}
