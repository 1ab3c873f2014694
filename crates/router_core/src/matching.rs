//! The two choices, from the heads of classes. `naive.rs` makes the same ones by comparing
//! everybody with everybody; debug builds compare the two.
//!
//! 1. A contact goes to the eligible agent who is first by (rank, number, idle since, position); the
//!    number is that of the queue's strategy (`order.rs`).
//! 2. An agent takes the eligible contact whose [`Turn`] is first; a shared one the first of the
//!    domain that was given the least (`domains.rs`).
//! 3. The rank is the agent's level for the queue, then its score in the skills that the contact
//!    prefers. The level is the same for everybody but under `AgentLevel` and for queues with
//!    `BestSkill`; only under `AgentLevel` it also ranks contacts in the eyes of an agent.
//! 4. Whoever has attempted a contact, or is excluded from it, is passed over.
//! 5. A contact that rings everybody takes the first few by the order of 1 (`ringing.rs`).

use std::cmp::Reverse;

use crate::agent::Agent;
use crate::bits::Bits;
use crate::class::{ContactClass, Floor, Head, Lane, MANY_CLASSES, Rank};
use crate::contact::{Contact, Place};
use crate::domains::Tenants;
use crate::grouping::turned;
use crate::ids::{AgentId, ContactId, DomainId, Level};
use crate::pool::AgentKey;
use crate::queue::Queues;
use crate::room::is_shut;
use crate::setup::Setup;
use crate::slab::Tracked;
use crate::wishes::PassedOver;

/// How many agents are looked at in the order of all classes before the classes' heads are.
const LOOKED_AT: usize = if cfg!(debug_assertions) { 2 } else { 48 };

/// A contact's turn, in the eyes of one agent where its level decides; smaller is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// Its tier, then its queue's priority.
    tier: u16,
    /// What the order looks at before the place.
    part: i64,
    /// The time of its place, or its deadline.
    time: i64,
    sequence: u64,
}

/// What a choice among contacts has to look up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) contacts: &'a Tracked<Contact>,
    pub(crate) queues: &'a Queues,
    pub(crate) setup: &'a Setup,
    pub(crate) tenants: &'a Tenants,
}

impl Turn {
    /// Where an agent's level decides.
    pub(crate) fn at_level(self, level: Level) -> Self {
        let part = i64::from(turned(level));
        Self { part, ..self }
    }
}

impl Floor {
    /// The best eligible agent for a waiting contact of this class.
    pub(crate) fn best_agent(&self, class: u32, passed_over: PassedOver<'_>) -> Option<AgentId> {
        let position = self.best_position(class, passed_over)?;
        Some(self.ids[position as usize])
    }

    /// Likewise, its position.
    pub(crate) fn best_position(&self, class: u32, passed_over: PassedOver<'_>) -> Option<u32> {
        if self.heads[class as usize].still {
            return None;
        }
        let class = &self.contacts[class as usize];
        let available = self.available.get(&class.key.channel)?;
        let allowed = |position: u32| {
            passed_over.is_nobody() || !passed_over.has(self.ids[position as usize])
        };
        if self.crowded && class.ranks.is_empty() && class.row.count_both(available) > MANY_CLASSES
        {
            let first = self.first_of_everybody(class, passed_over);
            if first.is_some() {
                return first;
            }
        }
        let (channel, weight) = (class.key.channel, class.key.weight);
        let is_ranked = !class.ranks.is_empty();
        let mut best: Option<(Reverse<Rank>, AgentKey)> = None;
        for index in class.row.both(available) {
            let mut rank = Reverse(Rank::default());
            if is_ranked {
                rank = Reverse(class.ranks.get(index).copied().unwrap_or_default());
                if best.is_some_and(|(found, _)| found < rank) {
                    continue;
                }
            }
            let agents = &self.agents[index];
            let Some(lane) = agents.lanes.iter().find(|lane| lane.channel == channel) else {
                continue;
            };
            let pool = &lane.pools[class.order];
            let may_be_better = |least| best.is_none_or(|found| (rank, least) < found);
            if !pool.least().is_some_and(may_be_better)
                || self.is_hidden(index, class, passed_over.excludes)
            {
                continue;
            }
            let Some(key) = pool.best(weight, allowed) else {
                continue;
            };
            if best.is_none_or(|found| (rank, key) < found) {
                best = Some((rank, key));
            }
        }
        best.map(|(_, key)| key.position)
    }

    /// The first `limit` eligible agents for a waiting contact of this class, in order.
    pub(crate) fn eligible_agents(
        &self,
        class: u32,
        passed_over: PassedOver<'_>,
        limit: usize,
    ) -> Vec<AgentId> {
        let class = &self.contacts[class as usize];
        let Some(available) = self.available.get(&class.key.channel) else {
            return Vec::new();
        };
        let allowed = |position: u32| !passed_over.has(self.ids[position as usize]);
        let mut found: Vec<(Reverse<Rank>, AgentKey)> = Vec::new();
        for index in class.row.both(available) {
            let rank = Reverse(class.ranks.get(index).copied().unwrap_or_default());
            let agents = &self.agents[index];
            let Some(lane) = agents.lane(class.key.channel) else {
                continue;
            };
            if self.is_hidden(index, class, passed_over.excludes) {
                continue;
            }
            let pool = &agents.lanes[lane].pools[class.order];
            let first = pool.first(class.key.weight, limit, allowed);
            found.extend(first.into_iter().map(|key| (rank, key)));
        }
        found.sort_unstable();
        found.truncate(limit);
        let id = |(_, key): (_, AgentKey)| self.ids[key.position as usize];
        found.into_iter().map(id).collect()
    }

    /// The best agent, if it is among the first few in the order of all classes.
    fn first_of_everybody(&self, class: &ContactClass, passed_over: PassedOver<'_>) -> Option<u32> {
        let everybody = self
            .everybody
            .get(&(class.key.channel, class.order))?
            .iter()
            .take(LOOKED_AT);
        let mut positions = everybody.map(|key| key.position);
        positions.find(|&position| {
            let placed = &self.placed[position as usize];
            class.row.has(placed.class)
                && self.room(class, position) >= class.key.weight
                && !passed_over.has(self.ids[position as usize])
                && !self.is_hidden(placed.class, class, passed_over.excludes)
        })
    }

    /// The best eligible contact for an agent.
    pub(crate) fn best_contact(&self, agent: &Agent, sight: &Sight<'_>) -> Option<ContactId> {
        let agents = self.placed[agent.position as usize].class;
        if !self.agents[agents].shared {
            return self.best_of(agent, self.lines(), None, sight);
        }
        let mut domains = sight.tenants.in_turn().into_iter();
        domains.find_map(|domain| {
            let lines = self.lines_of(domain);
            self.best_of(agent, &lines, Some(domain), sight)
        })
    }

    /// The classes with somebody who waits and could be offered.
    #[inline]
    pub(crate) fn lines(&self) -> &Bits {
        if self.still.is_empty() {
            &self.nonempty
        } else {
            &self.callable
        }
    }

    /// The best eligible contact of these classes, and of a domain's queues if one is said.
    fn best_of(
        &self,
        agent: &Agent,
        lines: &Bits,
        domain: Option<DomainId>,
        sight: &Sight<'_>,
    ) -> Option<ContactId> {
        if is_shut(agent, sight.setup) {
            // Nothing is left to it but what goes beyond its capacity.
            let preferring = agent.present() && !self.preferring.is_empty();
            let best = preferring.then(|| self.best_preferring(agent, domain, sight, None))?;
            return best.map(|(_, id)| id);
        }
        // Whose head is first, as a rule without a look at any contact but that one.
        if self.preferring.is_empty() {
            let class = &self.contacts[self.first_head(agent, lines, sight)?];
            let (_, id) = class.waiting.first()?;
            if self.is_open(class, agent, id, sight) {
                return Some(id);
            }
        }
        let mut best: Option<(Turn, ContactId)> = None;
        for (index, turn) in self.heads_for(agent, lines, sight) {
            if best.is_some_and(|(found, _)| found < turn) {
                continue;
            }
            let line = self.contacts[index].waiting.iter();
            let found = self.first_in(line, index, turn.part, agent, sight, best);
            best = found.or(best);
        }
        if !self.preferring.is_empty() {
            best = self.best_preferring(agent, domain, sight, best);
        }
        best.map(|(_, id)| id)
    }

    /// The class whose head is first, of those that [`Self::heads_for`] gives: a loop of its own, since
    /// every freed agent runs through it and hardly anything else counts on a large floor.
    pub(crate) fn first_head(
        &self,
        agent: &Agent,
        lines: &Bits,
        sight: &Sight<'_>,
    ) -> Option<usize> {
        let placed = &self.placed[agent.position as usize];
        let agents = &self.agents[placed.class];
        // As after most offers: it has just got what it had room for.
        let is_full = |lane: &Lane| lane.room_for(agent, sight.setup) == 0;
        if agents.lanes.iter().all(is_full) {
            return None;
        }
        let by_place = !self.by_level && self.ratios.is_none();
        let (mut channel, mut room) = (None, 0);
        let mut first: Option<(Turn, usize)> = None;
        for index in agents.row.both(lines) {
            let head = &self.heads[index];
            if channel != Some(head.channel) {
                channel = Some(head.channel);
                let lane = agents.lane(head.channel);
                room = lane.map_or(0, |lane| agents.lanes[lane].room_for(agent, sight.setup));
            }
            if head.weight > room {
                continue;
            }
            let part = if by_place {
                0
            } else {
                self.part(index, placed.class, sight.queues)
            };
            let turn = head.turn(head.place, part);
            if first.is_none_or(|(found, _)| turn < found) {
                first = Some((turn, index));
            }
        }
        first.map(|(_, index)| index)
    }

    /// The heads of the classes that an agent qualifies for and has room for, with their turns.
    fn heads_for<'a>(
        &'a self,
        agent: &'a Agent,
        lines: &'a Bits,
        sight: &'a Sight<'_>,
    ) -> impl Iterator<Item = (usize, Turn)> + 'a {
        let placed = &self.placed[agent.position as usize];
        let agents = &self.agents[placed.class];
        let (mut channel, mut room) = (None, 0);
        agents.row.both(lines).filter_map(move |index| {
            let head = &self.heads[index];
            if channel != Some(head.channel) {
                channel = Some(head.channel);
                let lane = agents.lane(head.channel);
                room = lane.map_or(0, |lane| agents.lanes[lane].room_for(agent, sight.setup));
            }
            if head.weight > room {
                return None;
            }
            let part = self.part(index, placed.class, sight.queues);
            Some((index, head.turn(head.place, part)))
        })
    }

    /// The first eligible contact of a line of one class, if it comes before another.
    pub(crate) fn first_in(
        &self,
        line: impl Iterator<Item = (Place, ContactId)>,
        index: usize,
        part: i64,
        agent: &Agent,
        sight: &Sight<'_>,
        best: Option<(Turn, ContactId)>,
    ) -> Option<(Turn, ContactId)> {
        let (class, head) = (&self.contacts[index], &self.heads[index]);
        line.map(|(place, contact)| (head.turn(place, part), contact))
            .take_while(|(turn, _)| best.is_none_or(|(found, _)| *turn < found))
            .find(|(_, contact)| self.is_open(class, agent, *contact, sight))
    }

    /// Whether a contact of a class is not kept from an agent who could take it.
    pub(crate) fn is_open(
        &self,
        class: &ContactClass,
        agent: &Agent,
        contact: ContactId,
        sight: &Sight<'_>,
    ) -> bool {
        let agents = self.placed[agent.position as usize].class;
        sight.contacts.get(contact).is_some_and(|contact| {
            !contact.passed_over().has(agent.id)
                && !self.is_hidden(agents, class, contact.excludes())
        })
    }

    /// What the order looks at before the place, of a contact class in the eyes of an agent class.
    #[inline]
    pub(crate) fn part(&self, index: usize, agents: usize, queues: &Queues) -> i64 {
        if self.by_level {
            let rank = self.contacts[index].ranks.get(agents);
            return i64::from(turned(rank.copied().unwrap_or_default().level));
        }
        self.lead(index, queues)
    }

    /// How far a queue is from its part, by ratio, of all who wait: the more wait in it beyond that,
    /// the smaller.
    fn lead(&self, index: usize, queues: &Queues) -> i64 {
        let Some(ratios) = self.ratios else {
            return 0;
        };
        let class = &self.contacts[index];
        let own = queues.of(class.key.queue).waiting;
        class.ratio * i64::from(queues.waiting()) - i64::from(own) * ratios
    }

    /// A waiting contact's turn where no agent looks at it: without any level.
    pub(crate) fn turn_of(&self, contact: &Contact, queues: &Queues) -> Turn {
        let index = contact.class as usize;
        self.heads[index].turn(contact.place(), self.lead(index, queues))
    }

    /// Somebody present and qualified who is not passed over; which one is of no importance.
    pub(crate) fn witness(&self, class: u32, passed_over: PassedOver<'_>) -> Option<AgentId> {
        let class = &self.contacts[class as usize];
        let able = class.row.both(&self.manned);
        let everybody = able
            .filter(|&index| !self.is_hidden(index, class, passed_over.excludes))
            .flat_map(|index| &self.agents[index].present);
        everybody
            .map(|&position| self.ids[position as usize])
            .find(|id| !passed_over.has(*id))
    }

    /// How many waiting contacts of its queue stand before a waiting contact.
    pub(crate) fn position(&self, contact: &Contact) -> u64 {
        let key = (contact.place(), contact.id);
        let classes = self.classes_of(contact.queue);
        classes
            .map(|class| self.contacts[class as usize].waiting.rank(&key) as u64)
            .sum()
    }

    /// Every waiting contact, in no order that matters.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Place, ContactId)> + '_ {
        self.by_key
            .values()
            .flat_map(|&class| self.contacts[class as usize].waiting.iter())
    }
}

impl Head {
    #[inline]
    pub(crate) fn turn(&self, place: Place, part: i64) -> Turn {
        Turn {
            tier: u16::from(place.tier) << 8 | u16::from(self.priority),
            part,
            time: place.time + self.allowance_us,
            sequence: place.sequence,
        }
    }
}
