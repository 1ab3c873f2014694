//! Reserving: a contact that does not fit is not passed by lighter ones for ever.
//!
//! 1. A waiting contact is passed when an agent who could serve it, but for what it holds, is offered
//!    another that would come after it in that agent's eyes and takes what it needs: units on its
//!    channel, or empty hands. Of several the first by its turn is.
//! 2. From `reserve_after_us` after it was first passed on, it wants an agent of its own. In every
//!    decision, those that want one and have none get it by place: the best by their queue's strategy
//!    who is qualified, has not tried it and is kept for nobody else, whatever it holds.
//! 3. An agent who is kept for a contact is eligible for nobody else. It is so until the contact no
//!    longer waits, or the agent is no longer qualified; then another one is looked for at once.
//! 4. Being offered, or leaving, ends all of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::agent::Agent;
use crate::bits::Bits;
use crate::class::{Floor, Rank};
use crate::contact::{Contact, Place};
use crate::event::Event;
use crate::hash::Fold;
use crate::ids::{AgentId, ContactId, QueueId};
use crate::matching::{Sight, Turn};
use crate::pool::AgentKey;
use crate::room::holds_exclusive;
use crate::router::Router;
use crate::time::Micros;

/// Who has been passed, and who is kept for whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reservations {
    /// Waiting contacts that nobody is kept for, by when they were first passed.
    pub(crate) passed: BTreeSet<(Micros, ContactId)>,
    pub(crate) kept: BTreeMap<ContactId, AgentId>,
    /// Agents who came free when their contact got another one, during the match.
    pub(crate) freed: Vec<AgentId>,
}

impl Reservations {
    pub(crate) fn hash(&self) -> u64 {
        let one = |(&contact, &agent): (&ContactId, &AgentId)| {
            Fold::new(20).words([u64::from(agent), contact]).end()
        };
        self.kept.iter().map(one).fold(0, u64::wrapping_add)
    }

    /// In no order that matters.
    pub(crate) fn kept(&self) -> impl ExactSizeIterator<Item = (ContactId, AgentId)> {
        self.kept.iter().map(|(&contact, &agent)| (contact, agent))
    }

    pub(crate) fn agent_for(&self, contact: ContactId) -> Option<AgentId> {
        if self.kept.is_empty() {
            return None;
        }
        self.kept.get(&contact).copied()
    }

    /// A waiting contact has been passed.
    fn note(&mut self, passed_at: Micros, contact: ContactId) {
        if passed_at != 0 {
            self.passed.insert((passed_at, contact));
        }
    }
}

impl Floor {
    /// The first waiting contact that is passed if an agent is offered this one.
    fn passed_by(
        &self,
        contact: &Contact,
        agent: &Agent,
        sight: &Sight<'_>,
        is_still: impl Fn(QueueId) -> bool,
    ) -> Option<ContactId> {
        let setup = sight.setup;
        let (channel, weight) = (contact.channel, contact.weight);
        // Who has empty hands for this has them for another such one.
        if setup.is_exclusive(channel) {
            return None;
        }
        let interruptible = setup.is_interruptible(channel);
        let agents = self.placed[agent.position as usize].class;
        let turn_of = |index: usize, place: Place| {
            let part = self.part(index, agents, sight.queues);
            self.heads[index].turn(place, part)
        };
        let own = turn_of(contact.class as usize, contact.place());
        let mut first: Option<(Turn, ContactId)> = None;
        for index in self.heavy.both(&self.nonempty) {
            let class = &self.contacts[index];
            let key = &class.key;
            let takes = if key.channel == channel {
                key.weight > weight
            } else {
                !interruptible && setup.is_exclusive(key.channel)
            };
            let own = first.map_or(own, |(turn, _)| turn);
            if !takes || turn_of(index, self.heads[index].place) >= own || is_still(key.queue) {
                continue;
            }
            let lane = self.agents[agents].lane(key.channel);
            let lane = lane.map(|lane| &self.agents[agents].lanes[lane]);
            let room = lane.map_or(0, |lane| lane.room_for(agent, setup));
            let fits = key.beyond || room >= key.weight && !holds_exclusive(agent, setup);
            if fits || !class.row.has(agents) {
                continue;
            }
            let line = class
                .waiting
                .iter()
                .map(|(place, id)| (turn_of(index, place), id));
            let mut line = line.take_while(|(turn, _)| *turn < own);
            let found = line.find(|(_, id)| {
                let contact = sight.contacts.get(*id);
                self.is_open(class, agent, *id, sight)
                    && contact.is_some_and(|contact| contact.may_be_served_by(agent.id))
            });
            first = found.or(first);
        }
        first.map(|(_, id)| id)
    }
}

impl Contact {
    /// Whether it waits for this agent, or for nobody.
    fn may_be_served_by(&self, agent: AgentId) -> bool {
        self.preferred_until().is_none() || self.waits_for().contains(&agent)
    }

    /// When it was first passed since it began to wait; 0 = it was not.
    pub(crate) fn passed_at(&self) -> Micros {
        self.wishes.as_ref().map_or(0, |wishes| wishes.passed_at)
    }
}

impl Router {
    /// From when on a contact wants an agent of its own; `None` = never.
    pub(crate) fn wants_from(&self, contact: &Contact) -> Option<Micros> {
        let (after, passed_at) = (self.setup.config.reserve_after_us, contact.passed_at());
        (after != 0 && passed_at != 0).then(|| passed_at + after)
    }

    /// A waiting contact is about to be offered to an agent: notes which one is passed by that.
    pub(crate) fn note_passed(&mut self, id: ContactId, agent: AgentId) {
        let at = self.now;
        let (Some(contact), Some(agent)) = (self.contacts.get(id), self.agents.get(agent)) else {
            return;
        };
        let sight = Sight {
            contacts: &self.contacts,
            queues: &self.queues,
            setup: &self.setup,
            tenants: &self.tenants,
        };
        let is_still = |queue| self.is_still(queue);
        let passed = self.floor.passed_by(contact, agent, &sight, is_still);
        #[cfg(debug_assertions)]
        self.assert_passed(contact, agent, passed);
        if let Some(id) = passed.filter(|_| at > 0)
            && self.live(id).passed_at() == 0
        {
            self.live(id).wishes().passed_at = at;
            self.reservations.note(at, id);
            self.set_wake(id);
        }
    }

    /// A contact no longer waits: nobody is kept for it, and it has not been passed.
    pub(crate) fn forget_passing(&mut self, id: ContactId) {
        let passed_at = self.contacts.get(id).map_or(0, Contact::passed_at);
        if passed_at == 0 {
            return;
        }
        self.live(id).wishes().passed_at = 0;
        self.reservations.passed.remove(&(passed_at, id));
        if let Some(agent) = self.reservations.kept.remove(&id) {
            self.agents.of(agent).kept_for = 0;
            self.dirty.agent(agent);
            self.reservations.freed.push(agent);
        }
    }

    /// Ends reservations that have become useless, and gives agents to those that want one.
    #[inline]
    pub(crate) fn reserve_pass(&mut self) {
        if !self.reservations.passed.is_empty() || !self.reservations.kept.is_empty() {
            self.reserve();
        }
    }

    #[inline(never)]
    fn reserve(&mut self) {
        self.list_present();
        self.end_reservations();
        let after = self.setup.config.reserve_after_us;
        if after == 0 {
            return;
        }
        let passed = self.reservations.passed.iter();
        let due = passed.take_while(|(passed_at, _)| passed_at + after <= self.now);
        let wanting = self.by_place(due.map(|&(_, id)| id).filter(|&id| !self.stands_still(id)));
        let mut used_up = Bits::default();
        for id in wanting {
            if let Some(agent) = self.agent_to_keep(id, &mut used_up) {
                self.keep(id, agent);
            }
        }
    }

    /// Whether nothing of a contact's queue is eligible.
    fn stands_still(&self, id: ContactId) -> bool {
        let contact = self.contacts.get(id);
        contact.is_some_and(|contact| self.is_still(contact.queue))
    }

    /// Those of them that are live, in the order of their places.
    fn by_place(&self, ids: impl Iterator<Item = ContactId>) -> Vec<ContactId> {
        let contacts = ids.filter_map(|id| self.contacts.get(id));
        let mut places: Vec<_> = contacts
            .map(|contact| (contact.place(), contact.id))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|(_, id)| id).collect()
    }

    fn keep(&mut self, id: ContactId, agent: AgentId) {
        let (at, contact) = (self.now, self.live(id));
        let (channel, passed_at) = (contact.channel, contact.passed_at());
        self.reservations.passed.remove(&(passed_at, id));
        self.reservations.kept.insert(id, agent);
        self.agents.of(agent).kept_for = id;
        self.dirty.contacts.push(id);
        self.emit(Event::Reserved {
            at,
            contact: id,
            channel,
            agent,
        });
    }

    /// Of agents who are no longer qualified for whom they are kept, or whose queue is closed or paced
    /// out.
    fn end_reservations(&mut self) {
        let useless = self.reservations.kept.iter().filter(|(id, agent)| {
            let (contact, agent) = (self.contacts.get(**id), self.agents.get(**agent));
            contact
                .zip(agent)
                .is_none_or(|(contact, agent)| !self.may_keep(contact, agent))
        });
        for id in self.by_place(useless.map(|(&id, _)| id)) {
            let at = self.now;
            let Some(agent) = self.reservations.kept.remove(&id) else {
                continue;
            };
            let contact = self.live(id);
            let (channel, passed_at) = (contact.channel, contact.passed_at());
            self.reservations.note(passed_at, id);
            self.agents.of(agent).kept_for = 0;
            self.dirty.agent(agent);
            self.emit(Event::Unreserved {
                at,
                contact: id,
                channel,
                agent,
            });
        }
    }

    /// Whether an agent is qualified for a contact, by classes.
    fn may_keep(&self, contact: &Contact, agent: &Agent) -> bool {
        let class = &self.floor.contacts[contact.class as usize];
        let Some(placed) = self.floor.placed.get(agent.position as usize) else {
            return false;
        };
        placed.present
            && !self.is_still(contact.queue)
            && class.preferred_row().has(placed.class)
            && !contact.excludes().contains(&agent.id)
            && contact.may_be_served_by(agent.id)
            && !self
                .floor
                .is_hidden(placed.class, class, contact.excludes())
    }

    /// The best agent who may be kept for a contact; `used_up` are agent classes of which everybody
    /// is kept for somebody.
    fn agent_to_keep(&self, id: ContactId, used_up: &mut Bits) -> Option<AgentId> {
        let contact = self.contacts.get(id)?;
        let floor = &self.floor;
        let class = &floor.contacts[contact.class as usize];
        let passed_over = contact.passed_over();
        let mut best: Option<(Reverse<Rank>, AgentKey)> = None;
        for index in class.preferred_row().both(&floor.manned) {
            if used_up.has(index) || floor.is_hidden(index, class, passed_over.excludes) {
                continue;
            }
            let mut all_kept = true;
            for &position in &floor.agents[index].present {
                let agent = self.agents.get(floor.ids[position as usize])?;
                if agent.kept_for != 0 {
                    continue;
                }
                all_kept = false;
                if !passed_over.has(agent.id) && contact.may_be_served_by(agent.id) {
                    let key = self.key_of(contact, agent);
                    best = Some(best.map_or(key, |best| best.min(key)));
                }
            }
            used_up.set(index, all_kept);
        }
        let best = best.map(|(_, key)| floor.ids[key.position as usize]);
        #[cfg(debug_assertions)]
        self.assert_kept(contact, best);
        best
    }

    /// Of the agent who is best otherwise, and the one who is kept for the contact, if that one is
    /// eligible: the better.
    pub(crate) fn or_kept(&self, contact: &Contact, best: Option<AgentId>) -> Option<AgentId> {
        let kept = self.reservations.agent_for(contact.id);
        let kept = kept.and_then(|agent| self.agents.get(agent));
        let kept = kept.filter(|agent| self.is_eligible(contact, agent));
        let best = best.and_then(|agent| self.agents.get(agent));
        let both = kept.into_iter().chain(best);
        let first = both.min_by_key(|agent| self.key_of(contact, agent));
        first.map(|agent| agent.id)
    }

    /// Likewise, among the first `limit`.
    pub(crate) fn with_kept(
        &self,
        contact: &Contact,
        mut agents: Vec<AgentId>,
        limit: usize,
    ) -> Vec<AgentId> {
        let kept = self.reservations.agent_for(contact.id);
        let Some(kept) = kept.and_then(|agent| self.agents.get(agent)) else {
            return agents;
        };
        if self.is_eligible(contact, kept) {
            let own = self.key_of(contact, kept);
            let before = |id: &AgentId| {
                let agent = self.agents.get(*id);
                agent.is_some_and(|agent| self.key_of(contact, agent) < own)
            };
            let at = agents.partition_point(before);
            agents.insert(at, kept.id);
            agents.truncate(limit);
        }
        agents
    }

    /// From a snapshot.
    pub(crate) fn put_reservation(&mut self, contact: ContactId, agent: AgentId) {
        self.reservations.kept.insert(contact, agent);
        self.agents.of(agent).kept_for = contact;
    }

    /// From a snapshot, when all reservations are known.
    pub(crate) fn note_passings(&mut self) {
        for contact in self.contacts.sorted() {
            if self.reservations.agent_for(contact.id).is_none() {
                self.reservations.note(contact.passed_at(), contact.id);
            }
        }
    }
}
