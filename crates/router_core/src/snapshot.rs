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
use crate::config::{Config, MAX_WEIGHT};
use crate::contact::Contact;
use crate::demand::Asks;
use crate::domains::Given;
use crate::hash::mix;
use crate::offer::Offer;
use crate::router::{LAST_TIME, Router};
use crate::setup::Setup;
use crate::timer::{Timer, Timers};
use crate::validate::validate;

const MAGIC: [u8; 8] = *b"PAIDUI\x1a\n";
const VERSION: u32 = 8;

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

pub(crate) fn ensure(condition: bool, what: &'static str) -> Read<()> {
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
        for counter in [
            self.next_contact,
            self.next_offer,
            self.next_sequence,
            self.configurations,
        ] {
            counter.write(&mut out);
        }
        self.timers.last_number().write(&mut out);
        write_all(self.agents.sorted(), &mut out);
        self.write_contacts(&mut out);
        write_all(self.offers.sorted(), &mut out);
        self.choices.next.write(&mut out);
        write_all(self.choices.running.sorted(), &mut out);
        self.write_reservations(&mut out);
        write_all(self.ended.in_order().collect::<Vec<_>>(), &mut out);
        write_all(self.closed.in_order().collect::<Vec<_>>(), &mut out);
        write_all(self.seen.in_order().collect::<Vec<_>>(), &mut out);
        write_all(&self.calibrations.queues, &mut out);
        write_all(&self.hours.not_open, &mut out);
        self.write_given(&mut out);
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
        router.configurations = Stored::read(from)?;
        router.timers = Timers::count_from(Stored::read(from)?);
        router.read_agents(from)?;
        router.read_contacts(from)?;
        for offer in Vec::<Offer>::read(from)? {
            router.put_offer(offer)?;
        }
        router.read_choices(from)?;
        router.read_reservations(from)?;
        router.read_memories(from)?;
        router.calibrations.queues = Stored::read(from)?;
        router.calibrations.derive();
        router.hours.not_open = Stored::read(from)?;
        router.still_all();
        router.read_given(from)?;
        router.hold_in_hand()?;
        let hash = u64::read(from)?;
        router.passes();
        router.dirty.clear();
        router.out.clear();
        router.settle();
        router.place_agents();
        let sound: Sound = router.audit();
        sound.map_err(|broken| RestoreError::Corrupt(broken.what))?;
        ensure(router.state_hash() == hash, "its state hash does not match")?;
        Ok(router)
    }

    /// What shared agents were offered of each domain, where they were.
    fn write_given(&self, out: &mut Vec<u8>) {
        let given = self.tenants.all.iter().filter(|one| one.given > 0);
        let given = given.map(|one| Given {
            domain: one.domain,
            given: one.given,
        });
        given.collect::<Vec<_>>().write(out);
    }

    fn read_given(&mut self, from: &mut Reader<'_>) -> Read<()> {
        self.count_tenants();
        for Given { domain, given } in Vec::<Given>::read(from)? {
            let mut tenants = self.tenants.all.iter_mut();
            let tenant = tenants.find(|one| one.domain == domain && one.given == 0);
            let missing = RestoreError::Corrupt("a domain is not configured, or there twice");
            tenant.ok_or(missing)?.given = given;
        }
        Ok(())
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

    /// Each contact with what it asks, which its class has.
    fn write_contacts(&self, out: &mut Vec<u8>) {
        let contacts = self.contacts.sorted();
        (contacts.len() as u64).write(out);
        for contact in contacts {
            contact.write(out);
            self.requirement_of(contact).write(out);
            write_all(self.prefers_of(contact), out);
        }
    }

    fn read_contacts(&mut self, from: &mut Reader<'_>) -> Read<()> {
        for _ in 0..u64::read(from)? {
            let contact = Contact::read(from)?;
            let asks = Asks::new(Stored::read(from)?, Stored::read(from)?);
            self.put_contact(contact, asks)?;
        }
        Ok(())
    }

    fn read_choices(&mut self, from: &mut Reader<'_>) -> Read<()> {
        self.choices.next = Stored::read(from)?;
        for choice in Vec::<crate::choosing::Choice>::read(from)? {
            let timer = Timer::Choice(choice.id);
            let new = self.choices.running.get(choice.id).is_none();
            let put = self.timers.put_back(choice.deadline, choice.timer, timer);
            ensure(new && put, "a choice is there twice")?;
            self.choices.running.insert(choice);
        }
        Ok(())
    }

    fn write_reservations(&self, out: &mut Vec<u8>) {
        let kept = self.reservations.kept();
        (kept.len() as u64).write(out);
        for (contact, agent) in kept {
            contact.write(out);
            agent.write(out);
        }
    }

    fn read_reservations(&mut self, from: &mut Reader<'_>) -> Read<()> {
        for _ in 0..u64::read(from)? {
            let (contact, agent) = (Stored::read(from)?, Stored::read(from)?);
            let known = self.contacts.get(contact).is_some_and(|one| one.waits());
            let put = known && self.agents.get(agent).is_some();
            ensure(put, "an agent is kept for nobody")?;
            self.put_reservation(contact, agent);
        }
        self.note_passings();
        Ok(())
    }

    fn read_memories(&mut self, from: &mut Reader<'_>) -> Read<()> {
        for ended in Vec::<crate::ended::Ended>::read(from)? {
            let (id, key) = (ended.id, ended.key);
            let new = self.ended.get(id).is_none() && self.known(&key).is_none();
            ensure(new, "an ended contact is there twice")?;
            self.keys.insert(&key, id);
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
