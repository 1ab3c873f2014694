//! An agent's day.
//!
//! 1. An agent is out, not ready, ready, or leaving (signed out, but with something still in
//!    hand); [`ANSWERS`] says for each what becomes of a declaration.
//! 2. A lock is the engine's, beside what the agent declares; only a supervisor lifts it.
//! 3. Idle time counts from signing in, from getting ready, from the end of the last thing in
//!    hand, and anew from an offer that was declined or expired.
//! 4. Units are held by open offers, connecting and engaged contacts that are not parked, contacts
//!    that it has joined, and wrap-ups.
//! 5. What an agent has done counts from its signing in; its last offer is remembered for good.

use crate::config::{ChannelUnits, SkillLevel};
use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ChannelId, ContactId, Level, OfferId, SkillId};
use crate::slab::Keyed;
use crate::time::Micros;
use crate::view::{AgentView, Presence};

/// Where an agent is in its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Out,
    NotReady,
    Ready,
    Leaving,
}

/// What an agent can declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declares {
    SignIn,
    SignOut,
    Ready,
    NotReady,
    /// Not its own words: its lease was lost.
    LeaseLost,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It takes effect.
    Do,
    /// It is so already: accepted, and nothing happens.
    Already,
    /// Refused: signed out.
    Refuse,
}

/// `not ready` while not ready takes effect only with another reason.
#[rustfmt::skip]
pub(crate) const ANSWERS: &[(Declares, [(Standing, Answer); 4])] = &[
    (Declares::SignIn,   [(Standing::Out, Answer::Do),      (Standing::NotReady, Answer::Already), (Standing::Ready, Answer::Already), (Standing::Leaving, Answer::Do)]),
    (Declares::SignOut,  [(Standing::Out, Answer::Already), (Standing::NotReady, Answer::Do),      (Standing::Ready, Answer::Do),      (Standing::Leaving, Answer::Already)]),
    (Declares::Ready,    [(Standing::Out, Answer::Refuse),  (Standing::NotReady, Answer::Do),      (Standing::Ready, Answer::Already), (Standing::Leaving, Answer::Refuse)]),
    (Declares::NotReady, [(Standing::Out, Answer::Refuse),  (Standing::NotReady, Answer::Do),      (Standing::Ready, Answer::Do),      (Standing::Leaving, Answer::Refuse)]),
    (Declares::LeaseLost, [(Standing::Out, Answer::Already), (Standing::NotReady, Answer::Do),     (Standing::Ready, Answer::Do),      (Standing::Leaving, Answer::Do)]),
];

/// Looks a declaration up in the table.
pub(crate) fn answer(declares: Declares, standing: Standing) -> Answer {
    ANSWERS
        .iter()
        .filter(|(row, _)| *row == declares)
        .flat_map(|(_, answers)| answers)
        .find(|(column, _)| *column == standing)
        .map_or(Answer::Refuse, |(_, answer)| *answer)
}

/// What an agent has done since it signed in: what strategies compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    /// Offers accepted.
    pub(crate) accepted: u64,
    /// Time engaged, by contact: two at once count twice.
    pub(crate) talk_us: Micros,
    /// Engagements that are over.
    pub(crate) talks: u64,
    /// Time with nothing in hand, up to an accepted offer.
    pub(crate) idle_us: Micros,
    /// Such times.
    pub(crate) idles: u64,
    /// Offers received.
    pub(crate) offers: u64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            accepted: 0,
            talk_us: 0,
            talks: 0,
            idle_us: 0,
            idles: 0,
            offers: 0,
        }
    }

    pub(crate) const fn talked(&mut self, lasted: Micros) {
        self.talk_us = self.talk_us.saturating_add(lasted);
        self.talks = self.talks.saturating_add(1);
    }

    pub(crate) const fn idled(&mut self, lasted: Micros) {
        self.idle_us = self.idle_us.saturating_add(lasted);
        self.idles = self.idles.saturating_add(1);
    }

    pub(crate) const fn accepts(&mut self) {
        self.accepted = self.accepted.saturating_add(1);
    }

    pub(crate) const fn receives(&mut self) {
        self.offers = self.offers.saturating_add(1);
    }
}

/// After-contact work, which still holds the ended contact's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrapUp {
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) weight: u32,
    pub(crate) deadline: Micros,
    /// The number of its timer.
    pub(crate) timer: u64,
    /// Its contact's units were taken without asking for room.
    pub(crate) unasked: bool,
}

/// An agent.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    /// Its index in the configuration: the last tie-break.
    pub(crate) position: u32,
    pub(crate) presence: Presence,
    pub(crate) signing_out: bool,
    pub(crate) locked: bool,
    pub(crate) misses: u32,
    pub(crate) idle_since: Micros,
    pub(crate) counters: Counters,
    /// The last offer ever made to it; 0 = none.
    pub(crate) last_offer: OfferId,
    /// Open offers, ascending.
    pub(crate) offers: Vec<OfferId>,
    /// Open invitations, ascending: not in hand.
    pub(crate) invitations: Vec<OfferId>,
    /// Connecting and engaged contacts, ascending.
    pub(crate) contacts: Vec<ContactId>,
    /// Contacts that it is a participant of, ascending.
    pub(crate) joined: Vec<ContactId>,
    /// In order of their start.
    pub(crate) wrap_ups: Vec<WrapUp>,
    /// Units in use by channel, without zeros. Few entries, so not a map.
    pub(crate) held: Vec<(ChannelId, u64)>,
    pub(crate) held_total: u64,
    /// A configuration has left it with less capacity than it had used; derived, not hashed.
    pub(crate) reduced: bool,
    /// The contact that it is kept for; 0 = none. Hashed with that (`reserving.rs`).
    pub(crate) kept_for: ContactId,
}

impl Agent {
    /// With room for what an agent has in hand as a rule, so that work allocates nothing.
    pub(crate) fn new(id: AgentId, position: u32) -> Self {
        Self {
            id,
            position,
            presence: Presence::SignedOut,
            signing_out: false,
            locked: false,
            misses: 0,
            idle_since: 0,
            counters: Counters::new(),
            last_offer: 0,
            offers: Vec::with_capacity(2),
            invitations: Vec::new(),
            contacts: Vec::with_capacity(4),
            joined: Vec::new(),
            wrap_ups: Vec::with_capacity(2),
            held: Vec::with_capacity(2),
            held_total: 0,
            reduced: false,
            kept_for: 0,
        }
    }

    pub(crate) const fn standing(&self) -> Standing {
        match self.presence {
            Presence::SignedOut => Standing::Out,
            _ if self.signing_out => Standing::Leaving,
            Presence::NotReady(_) => Standing::NotReady,
            Presence::Ready => Standing::Ready,
        }
    }

    /// Takes offers, room permitting.
    pub(crate) fn present(&self) -> bool {
        self.presence == Presence::Ready && !self.signing_out && !self.locked
    }

    pub(crate) fn has_nothing_in_hand(&self) -> bool {
        self.offers.is_empty()
            && self.contacts.is_empty()
            && self.joined.is_empty()
            && self.wrap_ups.is_empty()
    }

    pub(crate) fn hold(&mut self, channel: ChannelId, weight: u32) {
        if weight == 0 {
            return;
        }
        self.held_total += u64::from(weight);
        match self.held.iter_mut().find(|(held, _)| *held == channel) {
            Some((_, units)) => *units += u64::from(weight),
            None => self.held.push((channel, u64::from(weight))),
        }
    }

    pub(crate) fn give_back(&mut self, channel: ChannelId, weight: u32) {
        self.held_total -= u64::from(weight);
        if let Some((_, units)) = self.held.iter_mut().find(|(held, _)| *held == channel) {
            *units -= u64::from(weight);
        }
        self.held.retain(|&(_, units)| units > 0);
    }

    pub(crate) fn held_on(&self, channel: ChannelId) -> u64 {
        self.held
            .iter()
            .find(|(held, _)| *held == channel)
            .map_or(0, |&(_, units)| units)
    }

    pub(crate) fn add_contact(&mut self, contact: ContactId) {
        if let Err(at) = self.contacts.binary_search(&contact) {
            self.contacts.insert(at, contact);
        }
    }

    pub(crate) fn drop_contact(&mut self, contact: ContactId) {
        self.contacts.retain(|&held| held != contact);
    }

    pub(crate) fn add_joined(&mut self, contact: ContactId) {
        if let Err(at) = self.joined.binary_search(&contact) {
            self.joined.insert(at, contact);
        }
    }

    pub(crate) fn drop_joined(&mut self, contact: ContactId) {
        self.joined.retain(|&held| held != contact);
    }

    /// An offer or an invitation has closed.
    pub(crate) fn drop_offer(&mut self, offer: OfferId) {
        self.offers.retain(|&open| open != offer);
        self.invitations.retain(|&open| open != offer);
    }

    pub(crate) fn view(&self) -> AgentView {
        AgentView {
            agent: self.id,
            presence: self.presence,
            signing_out: self.signing_out,
            locked: self.locked,
            misses: self.misses,
            idle_since: self.idle_since,
            held_total: self.held_total,
            offers: self.offers.len() as u32,
            contacts: self.contacts.len() as u32,
            joined: self.joined.len() as u32,
            wrap_ups: self.wrap_ups.len() as u32,
        }
    }
}

impl Keyed for Agent {
    type Key = AgentId;
    fn key(&self) -> AgentId {
        self.id
    }
}

impl Hashed for Agent {
    fn hash(&self) -> u64 {
        let (presence, reason) = match self.presence {
            Presence::SignedOut => (0, 0),
            Presence::NotReady(reason) => (1, reason),
            Presence::Ready => (2, 0),
        };
        let counters = &self.counters;
        Fold::new(3)
            .words([u64::from(self.id), presence, u64::from(reason)])
            .words([u64::from(self.signing_out), u64::from(self.locked)])
            .words([u64::from(self.misses), self.idle_since])
            .words([counters.accepted, counters.talk_us, counters.talks])
            .words([counters.idle_us, counters.idles, counters.offers])
            .words([self.last_offer, self.wrap_ups.len() as u64])
            .words(self.wrap_ups.iter().flat_map(|wrap| {
                [
                    wrap.contact,
                    u64::from(wrap.channel),
                    u64::from(wrap.weight),
                    wrap.deadline,
                ]
            }))
            .end()
    }
}

/// The level in a list of skills that is sorted by skill; 0 = lacks it.
pub(crate) fn level_of(skills: &[SkillLevel], skill: SkillId) -> Level {
    skills
        .binary_search_by_key(&skill, |has| has.skill)
        .map_or(0, |at| skills[at].level)
}

/// The units in a capacity that is sorted by channel; 0 = does not serve it.
pub(crate) fn units_of(capacity: &[ChannelUnits], channel: ChannelId) -> u32 {
    capacity
        .binary_search_by_key(&channel, |has| has.channel)
        .map_or(0, |at| capacity[at].units)
}
