//! The router's state as bytes: 8 bytes of magic, the format's version, the state, a check sum.
//!
//! 1. Only what cannot be derived is written; classes, pools and indexes are built anew.
//! 2. A restored router goes on exactly as the old one would have: same events, same hash, equal
//!    deadlines in the same order.
//! 3. Bytes that are not a sound snapshot are an error, never a panic: every reference is looked
//!    up, every invariant that can be checked in time proportional to the state is, and the state
//!    hash must be the one that was written.

use crate::check::Sound;
use crate::codec::{Read, Reader, Stored, write_all};
use crate::config::{Config, MAX_HEAD_START_US, MAX_WEIGHT};
use crate::contact::{Contact, KnownKey, stage_of};
use crate::hash::mix;
use crate::offer::Offer;
use crate::router::{LAST_TIME, Router};
use crate::setup::Setup;
use crate::timer::{Timer, Timers};
use crate::validate::validate;
use crate::view::{ContactState, Presence};

const MAGIC: [u8; 8] = *b"PAIDUI\x1a\n";
const VERSION: u32 = 2;

/// Why bytes are not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// They do not begin like one.
    NotASnapshot,
    /// They were written by another format version.
    UnknownVersion(u32),
    /// They end too early, go on too long, or contradict themselves.
    Corrupt(&'static str),
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("not a router snapshot"),
            Self::UnknownVersion(version) => write!(f, "snapshot format {version} is not known"),
            Self::Corrupt(what) => write!(f, "snapshot is corrupt: {what}"),
        }
    }
}

impl std::error::Error for RestoreError {}

fn ensure(condition: bool, what: &'static str) -> Read<()> {
    if condition {
        Ok(())
    } else {
        Err(RestoreError::Corrupt(what))
    }
}

/// Catches what rots; the state hash catches what contradicts itself.
fn check_sum(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |sum, chunk| {
        let word = chunk
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        mix(sum ^ word)
    })
}

impl Router {
    /// The whole state as bytes, for [`Router::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        VERSION.write(&mut out);
        self.limits.write(&mut out);
        self.now.write(&mut out);
        self.setup.configured.write(&mut out);
        self.setup.config.write(&mut out);
        for counter in [self.next_contact, self.next_offer, self.next_sequence] {
            counter.write(&mut out);
        }
        self.timers.last_number().write(&mut out);
        write_all(self.agents.sorted(), &mut out);
        write_all(self.contacts.sorted(), &mut out);
        write_all(self.offers.sorted(), &mut out);
        write_all(self.ended.in_order().collect::<Vec<_>>(), &mut out);
        write_all(self.closed.in_order().collect::<Vec<_>>(), &mut out);
        write_all(self.seen.in_order().collect::<Vec<_>>(), &mut out);
        self.state_hash().write(&mut out);
        check_sum(&out).write(&mut out);
        out
    }

    /// The router that wrote these bytes.
    ///
    /// # Errors
    /// The bytes are not a sound snapshot of a version that is known.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let mut from = Reader(bytes);
        if from.take(MAGIC.len()).ok() != Some(&MAGIC[..]) {
            return Err(RestoreError::NotASnapshot);
        }
        let version = u32::read(&mut from)?;
        if version != VERSION {
            return Err(RestoreError::UnknownVersion(version));
        }
        let body = bytes
            .len()
            .checked_sub(8)
            .ok_or(RestoreError::Corrupt("it ends too early"))?;
        let sum = u64::read(&mut Reader(&bytes[body..]))?;
        ensure(
            sum == check_sum(&bytes[..body]),
            "its check sum does not match",
        )?;
        let end = from
            .0
            .len()
            .checked_sub(8)
            .ok_or(RestoreError::Corrupt("it ends too early"))?;
        let mut from = Reader(&from.0[..end]);
        let router = Self::read_state(&mut from)?;
        ensure(from.0.is_empty(), "it goes on too long")?;
        Ok(router)
    }

    fn read_state(from: &mut Reader<'_>) -> Read<Self> {
        let mut router = Self::new(Stored::read(from)?);
        router.now = Stored::read(from)?;
        ensure(router.now <= LAST_TIME, "its time is out of range")?;
        router.read_setup(from)?;
        router.next_contact = Stored::read(from)?;
        router.next_offer = Stored::read(from)?;
        router.next_sequence = Stored::read(from)?;
        router.timers = Timers::count_from(Stored::read(from)?);
        router.read_agents(from)?;
        let contacts = Vec::<Contact>::read(from)?;
        for contact in contacts {
            router.put_contact(contact)?;
        }
        for offer in Vec::<Offer>::read(from)? {
            router.put_offer(offer)?;
        }
        router.read_memories(from)?;
        router.hold_in_hand()?;
        let hash = u64::read(from)?;
        router.retry_pass();
        router.dirty.clear();
        router.settle();
        let sound: Sound = router.audit();
        sound.map_err(|broken| RestoreError::Corrupt(broken.what))?;
        ensure(router.state_hash() == hash, "its state hash does not match")?;
        Ok(router)
    }

    fn read_setup(&mut self, from: &mut Reader<'_>) -> Read<()> {
        let configured = bool::read(from)?;
        let config = Config::read(from)?;
        if configured {
            let setup = Setup { config, configured };
            ensure(
                validate(&setup, &self.limits).is_ok(),
                "its configuration is not valid",
            )?;
            self.setup = setup;
            self.floor.rebuild(&self.setup);
        }
        Ok(())
    }

    fn read_agents(&mut self, from: &mut Reader<'_>) -> Read<()> {
        for agent in Vec::<crate::agent::Agent>::read(from)? {
            ensure(
                self.agents.get(agent.id).is_none(),
                "an agent is there twice",
            )?;
            let configured = self.setup.config.agents.get(agent.position as usize);
            ensure(
                configured.is_some_and(|c| c.id == agent.id),
                "an agent is not configured",
            )?;
            for wrap in &agent.wrap_ups {
                ensure(
                    wrap.weight <= MAX_WEIGHT,
                    "a wrap-up's weight is out of range",
                )?;
                let timer = Timer::WrapUp(agent.id);
                let put = self.timers.put_back(wrap.deadline, wrap.timer, timer);
                ensure(put, "a timer is there twice")?;
            }
            self.agents.insert(agent);
        }
        ensure(
            self.agents.len() == self.setup.config.agents.len(),
            "an agent is missing",
        )
    }

    fn validate_contact(&self, contact: &Contact) -> Read<()> {
        let id = contact.id;
        ensure(self.contacts.get(id).is_none(), "a contact is there twice")?;
        ensure(
            self.keys.get(contact.key).is_none(),
            "an arrival key is there twice",
        )?;
        ensure(
            self.setup.channel(contact.channel).is_some(),
            "a channel is not configured",
        )?;
        ensure(
            self.setup.queue(contact.queue).is_some(),
            "a queue is not configured",
        )?;
        ensure(
            self.validate_requirement(&contact.requires).is_ok(),
            "a requirement is not valid",
        )?;
        let ranges = (1..=MAX_WEIGHT).contains(&contact.weight)
            && contact.head_start_us <= MAX_HEAD_START_US
            && contact.arrived_at.max(contact.enqueued_at) <= self.now;
        ensure(ranges, "a contact's number is out of range")
    }

    fn put_contact(&mut self, mut contact: Contact) -> Read<()> {
        let id = contact.id;
        self.validate_contact(&contact)?;
        let timer = match (contact.state, contact.retry_at) {
            (ContactState::Waiting, Some(at)) => Some((at, Timer::Retry(id))),
            (ContactState::Connecting { deadline, .. }, _) => {
                Some((deadline, Timer::Connecting(id)))
            }
            _ => None,
        };
        if let Some((deadline, timer)) = timer {
            let put = self.timers.put_back(deadline, contact.timer, timer);
            ensure(put, "a timer is there twice")?;
        }
        let requires = std::mem::take(&mut contact.requires);
        let (class, requires) =
            self.class_for(contact.queue, contact.channel, contact.weight, requires);
        contact.class = class;
        contact.requires = requires;
        self.floor.add_contact(class);
        self.keys.insert(KnownKey {
            key: contact.key,
            contact: id,
        });
        self.queues.enter(contact.queue, stage_of(contact.state));
        if contact.waits() {
            self.floor.enter(class, contact.place(), id);
            if contact.retry_at.is_none() && !contact.attempted.is_empty() {
                self.watch.add(id);
            }
        }
        self.contacts.insert(contact);
        Ok(())
    }

    fn put_offer(&mut self, offer: Offer) -> Read<()> {
        ensure(
            self.offers.get(offer.id).is_none(),
            "an offer is there twice",
        )?;
        let put = self
            .timers
            .put_back(offer.deadline, offer.timer, Timer::Offer(offer.id));
        ensure(put, "a timer is there twice")?;
        let state = self
            .contacts
            .get(offer.contact)
            .map(|contact| contact.state);
        let expected = ContactState::Offered {
            offer: offer.id,
            agent: offer.agent,
        };
        ensure(state == Some(expected), "an offer's contact is not offered")?;
        self.offers.insert(offer);
        Ok(())
    }

    /// What agents have in hand, from the contacts.
    fn hold_in_hand(&mut self) -> Read<()> {
        let in_hand = self.contacts.sorted().into_iter().filter_map(|contact| {
            let (agent, offer) = match contact.state {
                ContactState::Waiting => return None,
                ContactState::Offered { offer, agent } => (agent, Some(offer)),
                ContactState::Connecting { agent, .. } | ContactState::Engaged { agent, .. } => {
                    (agent, None)
                }
            };
            Some((agent, offer, contact.id, contact.channel, contact.weight))
        });
        for (agent, offer, contact, channel, weight) in in_hand.collect::<Vec<_>>() {
            let agent = self.agents.get_mut(agent);
            let agent = agent.ok_or(RestoreError::Corrupt("a contact's agent is missing"))?;
            match offer {
                Some(offer) => agent.offers.push(offer),
                None => agent.contacts.push(contact),
            }
            agent.hold(channel, weight);
        }
        let everybody: Vec<u32> = self.agents.sorted().iter().map(|agent| agent.id).collect();
        for agent in everybody {
            let agent = self.agents.of(agent);
            agent.offers.sort_unstable();
            for wrap in agent.wrap_ups.clone() {
                agent.hold(wrap.channel, wrap.weight);
            }
            let leaving = agent.signing_out && agent.presence == Presence::SignedOut;
            ensure(!leaving, "an agent is signed out twice")?;
        }
        Ok(())
    }

    fn read_memories(&mut self, from: &mut Reader<'_>) -> Read<()> {
        for ended in Vec::<crate::contact::Ended>::read(from)? {
            let (id, key) = (ended.id, ended.key);
            let new = self.ended.get(id).is_none() && self.keys.get(key).is_none();
            ensure(new, "an ended contact is there twice")?;
            self.keys.insert(KnownKey { key, contact: id });
            self.ended.insert(ended);
        }
        for closed in Vec::<crate::offer::ClosedOffer>::read(from)? {
            ensure(
                self.closed.get(closed.id).is_none(),
                "a closed offer is there twice",
            )?;
            self.closed.insert(closed);
        }
        for seen in Vec::<crate::offer::SeenCommand>::read(from)? {
            ensure(
                self.seen.get(seen.id).is_none(),
                "a command id is there twice",
            )?;
            self.seen.insert(seen);
        }
        Ok(())
    }
}
