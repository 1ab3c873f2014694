//! Every invariant, recomputed the slow way. Nothing here is used to decide anything.
//!
//! 1. What is in hand is said twice, by the agent and by the contact, and both say the same.
//! 2. Units held are the sum of what is in hand and not parked; beyond the capacity goes only what
//!    was taken without asking for room.
//! 3. Every state that waits for a deadline has exactly one timer, and every timer such a state.
//! 4. Indexes, counts and classes hold what the entities say.
//! 5. No waiting contact and agent are eligible for each other.
//! 6. A waiting contact with nobody left to ask has a retry, and one that waits for agents whom it
//!    prefers has one of them left.
//! 7. The state hash is the sum over the entities.

use std::collections::BTreeMap;

use crate::agent::{Agent, Standing};
use crate::contact::{Contact, Stage};
use crate::hash::Hashed;
use crate::ids::{ChannelId, QueueId};
use crate::offer::{Offer, Purpose};
use crate::queue::Counts;
use crate::router::Router;
use crate::timer::Timer;
use crate::view::{ContactState, Presence};

/// What is wrong, and with which contact, agent, offer or queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) what: &'static str,
    pub(crate) id: u64,
}

pub(crate) type Sound = Result<(), Broken>;

pub(crate) fn hold(condition: bool, what: &'static str, id: impl Into<u64>) -> Sound {
    if condition {
        Ok(())
    } else {
        Err(Broken {
            what,
            id: id.into(),
        })
    }
}

impl Router {
    /// Asserts every invariant. Takes time in proportion to waiting contacts times agents: a tool
    /// for tests and simulation.
    ///
    /// # Panics
    /// When an invariant is broken.
    pub fn check(&self) {
        let mut copy = self.clone();
        copy.place_agents();
        let sound = copy.audit().and_then(|()| copy.audit_decisions());
        assert!(sound.is_ok(), "{sound:?} at {}", self.now);
    }

    /// Everything that must hold of the state by itself.
    pub(crate) fn audit(&self) -> Sound {
        for contact in self.contacts.sorted() {
            self.audit_contact(contact)?;
        }
        for offer in self.offers.sorted() {
            self.audit_offer(offer)?;
        }
        hold(
            self.agents.len() == self.setup.config.agents.len(),
            "agents as configured",
            0_u64,
        )?;
        for agent in self.agents.sorted() {
            self.audit_agent(agent)?;
        }
        self.audit_desk_offers()?;
        self.audit_timers()?;
        self.audit_memory()?;
        self.audit_queues()?;
        self.audit_calibrations()?;
        self.audit_choices()?;
        self.audit_reservations()?;
        self.audit_classes()?;
        self.audit_hours()?;
        self.audit_domains()?;
        hold(
            self.recomputed_hash() == self.state_hash(),
            "the state hash is the sum",
            0_u64,
        )
    }

    fn audit_offer(&self, offer: &Offer) -> Sound {
        let id = offer.id;
        let Some(contact) = self.contacts.get(offer.contact) else {
            return hold(false, "an open offer has its contact", id);
        };
        let several = contact.several();
        let listed = match (offer.purpose, contact.state) {
            (Purpose::Serve, ContactState::Offered { offer, .. }) => {
                offer == id || several.ringing.contains(&id)
            }
            (Purpose::Join, ContactState::Engaged { .. }) => several.invitations.contains(&id),
            _ => false,
        };
        hold(listed, "offer and contact agree", id)?;
        let timer = self.timers.get(offer.deadline, offer.timer);
        hold(
            timer == Some(Timer::Offer(id)),
            "an open offer has its timer",
            id,
        )?;
        hold(id < self.next_offer, "offers are counted", id)
    }

    fn audit_contact(&self, contact: &Contact) -> Sound {
        let id = contact.id;
        let held_by = |agent| {
            self.agents
                .get(agent)
                .is_some_and(|a| a.contacts.contains(&id))
        };
        match contact.state {
            ContactState::Waiting => {
                let timer = contact
                    .retry_at
                    .and_then(|at| self.timers.get(at, contact.timer));
                let expected = contact.retry_at.map(|_| Timer::Retry(id));
                hold(timer == expected, "a retry has its timer", id)?;
                let needless = contact.retry_at.is_some() && contact.attempted.is_empty();
                hold(!needless, "a retry is for attempted agents", id)?;
            }
            ContactState::Scheduled { until } => {
                let timer = self.timers.get(until, contact.timer);
                hold(timer == Some(Timer::Begin(id)), "later has its timer", id)?;
                let untouched = contact.attempted.is_empty() && contact.sequence == 0;
                let right = until == contact.enqueued_at && untouched;
                hold(right, "scheduled and not yet queued", id)?;
            }
            ContactState::Offered { offer, agent } => {
                let open = self.offers.get(offer);
                hold(
                    open.is_some_and(|o| o.agent == agent && o.contact == id),
                    "offered",
                    id,
                )?;
            }
            ContactState::Connecting { agent, deadline } => {
                let timer = self.timers.get(deadline, contact.timer);
                hold(
                    timer == Some(Timer::Connecting(id)),
                    "connecting has its timer",
                    id,
                )?;
                hold(held_by(agent), "connecting is on the agent's desk", id)?;
            }
            ContactState::Engaged { agent, since } => {
                hold(since <= self.now, "engaged by now", id)?;
                hold(held_by(agent), "engaged is on the agent's desk", id)?;
                hold(
                    contact.attempted.is_empty(),
                    "engaged forgets who was attempted",
                    id,
                )?;
            }
        }
        self.audit_several(contact)?;
        self.audit_record(contact)
    }

    fn audit_record(&self, contact: &Contact) -> Sound {
        let id = contact.id;
        self.audit_wishes(contact)?;
        hold(
            contact.waits() || contact.retry_at.is_none(),
            "a retry is for who waits",
            id,
        )?;
        hold(
            contact.attempted.is_sorted_by(|a, b| a < b),
            "attempted ascends",
            id,
        )?;
        let counted = id < self.next_contact && contact.sequence < self.next_sequence;
        hold(counted, "contacts and places are counted", id)?;
        let known = self.known(&contact.key) == Some(id);
        hold(
            known && self.ended.get(id).is_none(),
            "a key leads to its contact",
            id,
        )
    }

    fn audit_agent(&self, agent: &Agent) -> Sound {
        let id = agent.id;
        let held = self.recomputed_units(agent)?;
        let total: u64 = held.values().sum();
        let stored: BTreeMap<ChannelId, u64> = agent.held.iter().copied().collect();
        hold(stored == held, "units are what is in hand", id)?;
        hold(
            agent.held_total == total,
            "all units are what is in hand",
            id,
        )?;
        let (idle, away) = (
            agent.has_nothing_in_hand(),
            agent.presence == Presence::SignedOut,
        );
        hold(!away || idle, "signed out holds nothing", id)?;
        hold(!agent.signing_out || !idle, "leaving holds something", id)?;
        let offers = agent.offers.is_empty() || agent.standing() == Standing::Ready;
        hold(offers, "only the ready have offers", id)?;
        let here = matches!(agent.standing(), Standing::Ready | Standing::NotReady);
        let invitations = agent.invitations.is_empty() || here;
        hold(invitations, "only who is at work is invited", id)?;
        let fits = agent.reduced || self.fits(agent);
        hold(fits, "nothing beyond the capacity was offered", id)?;
        let configured = self.setup.config.agents.get(agent.position as usize);
        let right = configured.is_some_and(|agent| agent.id == id);
        hold(right, "positions are as configured", id)
    }

    /// Units by channel of everything on an agent's desk, which must be there.
    fn recomputed_units(&self, agent: &Agent) -> Result<BTreeMap<ChannelId, u64>, Broken> {
        let id = agent.id;
        let mut held: BTreeMap<ChannelId, u64> = BTreeMap::new();
        let mut add = |channel, weight: u32| *held.entry(channel).or_default() += u64::from(weight);
        for offer in &agent.offers {
            let open = self.offers.get(*offer).filter(|open| open.agent == id);
            let serves = open.filter(|open| open.purpose == Purpose::Serve);
            let contact = serves.and_then(|open| self.contacts.get(open.contact));
            hold(contact.is_some(), "an offer on a desk is open", *offer)?;
            contact.into_iter().for_each(|c| add(c.channel, c.weight));
        }
        for contact in &agent.contacts {
            let contact = self
                .contacts
                .get(*contact)
                .filter(|contact| match contact.state {
                    ContactState::Connecting { agent: by, .. } => by == id,
                    ContactState::Engaged { agent: by, .. } => by == id,
                    _ => false,
                });
            hold(contact.is_some(), "a contact on a desk is in its hands", id)?;
            contact.into_iter().for_each(|c| add(c.channel, c.units()));
        }
        for id_in in &agent.joined {
            let contact = self.contacts.get(*id_in).filter(|c| c.several().has_in(id));
            hold(
                contact.is_some(),
                "a joined contact has its participant",
                *id_in,
            )?;
            contact.into_iter().for_each(|c| add(c.channel, c.weight));
        }
        for wrap in &agent.wrap_ups {
            let timer = self.timers.get(wrap.deadline, wrap.timer);
            hold(
                timer == Some(Timer::WrapUp(id)),
                "a wrap-up has its timer",
                id,
            )?;
            add(wrap.channel, wrap.weight);
        }
        held.retain(|_, units| *units > 0);
        Ok(held)
    }

    fn audit_timers(&self) -> Sound {
        let waiting = |contact: &&Contact| {
            let timed = [Stage::Connecting, Stage::Scheduled].contains(&contact.stage());
            contact.retry_at.is_some() || timed
        };
        let all = self.contacts.sorted();
        let contacts = all.iter().filter(|c| waiting(c)).count();
        let wakes = all.iter().filter(|c| c.wake_at().is_some()).count();
        let wrap_ups: usize = self
            .agents
            .sorted()
            .iter()
            .map(|agent| agent.wrap_ups.len())
            .sum();
        let offers = self.offers.sorted().len();
        let all = contacts + wakes + wrap_ups + offers + self.choices.running.len();
        hold(
            all == self.timers.len(),
            "every timer has its reason",
            self.timers.len() as u64,
        )?;
        let mut due = self.timers.due(self.now);
        // What a contact's waiting changes may fall due at the very time at which it is set.
        let due = due.any(|(at, timer)| at < self.now || !matches!(timer, Timer::Wake(_)));
        hold(!due, "nothing is overdue", self.now)
    }

    fn audit_memory(&self) -> Sound {
        let keys = self.contacts.len() + self.ended.len();
        hold(
            self.keys.len() == keys,
            "every contact has its key",
            keys as u64,
        )?;
        for ended in self.ended.in_order() {
            let known = self.known(&ended.key) == Some(ended.id);
            hold(
                known && ended.id < self.next_contact,
                "an ended contact has its key",
                ended.id,
            )?;
        }
        for closed in self.closed.in_order() {
            let open = self.offers.get(closed.id).is_some();
            hold(
                !open && closed.id < self.next_offer,
                "a closed offer is not open",
                closed.id,
            )?;
        }
        let in_time = self
            .ended
            .in_order()
            .map(|ended| ended.ended_at)
            .is_sorted()
            && self
                .closed
                .in_order()
                .map(|closed| closed.closed_at)
                .is_sorted()
            && self.seen.in_order().map(|seen| seen.at).is_sorted();
        hold(in_time, "memories are in the order of time", 0_u64)?;
        let (offers, commands) = (
            self.limits.max_remembered_offers,
            self.limits.max_remembered_commands,
        );
        hold(
            self.closed.len() <= offers as usize,
            "closed offers are limited",
            offers,
        )?;
        hold(
            self.seen.len() <= commands as usize,
            "command ids are limited",
            commands,
        )
    }

    fn audit_queues(&self) -> Sound {
        let mut counts: BTreeMap<QueueId, Counts> = BTreeMap::new();
        let mut waiting = 0;
        for contact in self.contacts.sorted() {
            counts
                .entry(contact.queue)
                .or_default()
                .add(contact.stage());
            waiting += u32::from(contact.waits());
        }
        for queue in &self.setup.config.queues {
            let counted = counts.remove(&queue.id).unwrap_or_default();
            hold(
                self.queues.of(queue.id) == counted,
                "a queue's counts",
                queue.id,
            )?;
        }
        hold(
            counts.is_empty(),
            "every contact is in a configured queue",
            0_u64,
        )?;
        hold(
            self.queues.waiting() == waiting,
            "all that wait are counted",
            waiting,
        )
    }

    fn recomputed_hash(&self) -> u64 {
        let contacts = self.contacts.sorted().into_iter().map(Hashed::hash);
        let agents = self.agents.sorted().into_iter().map(Hashed::hash);
        let offers = self.offers.sorted().into_iter().map(Hashed::hash);
        let ended = self.ended.in_order().map(Hashed::hash);
        let closed = self.closed.in_order().map(Hashed::hash);
        let seen = self.seen.in_order().map(Hashed::hash);
        let all = contacts
            .chain(agents)
            .chain(offers)
            .chain(ended)
            .chain(closed)
            .chain(seen)
            .chain(self.choices.running.sorted().into_iter().map(Hashed::hash))
            .chain([
                self.calibrations.hash(),
                self.hours.hash(),
                self.tenants.hash(),
                self.reservations.hash(),
            ]);
        all.fold(self.counters_hash(), u64::wrapping_add)
    }
}
