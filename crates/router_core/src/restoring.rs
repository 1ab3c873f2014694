//! Contacts and offers from a snapshot take their places, if they are sound.

use crate::class::ClassKey;
use crate::codec::Read;
use crate::config::{MAX_AHEAD_US, MAX_HEAD_START_US, MAX_TIMEOUT_US, MAX_WEIGHT};
use crate::contact::{Contact, stage_of};
use crate::demand::Asks;
use crate::offer::{Offer, Purpose};
use crate::router::{LAST_TIME, Router};
use crate::snapshot::{RestoreError, ensure};
use crate::timer::Timer;
use crate::view::{ContactState, Presence};

impl Router {
    fn validate_contact(&self, contact: &Contact) -> Read<()> {
        let id = contact.id;
        ensure(self.contacts.get(id).is_none(), "a contact is there twice")?;
        ensure(
            self.known(&contact.key).is_none(),
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
        let wishes_end = contact.wishes.as_ref().map_or(0, |wishes| {
            wishes
                .preferred_wait_us
                .max(wishes.looked_at)
                .max(wishes.announce_at.unwrap_or(0))
                .max(wishes.preferred_until.unwrap_or(0))
        });
        let queued = match contact.state {
            ContactState::Scheduled { until } => {
                until == contact.enqueued_at && until <= LAST_TIME + MAX_AHEAD_US
            }
            _ => contact.enqueued_at <= self.now,
        };
        let ranges = (1..=MAX_WEIGHT).contains(&contact.weight)
            && contact.head_start_us <= MAX_HEAD_START_US
            && queued
            && contact.arrived_at <= self.now
            && wishes_end <= LAST_TIME + MAX_TIMEOUT_US;
        ensure(ranges, "a contact's number is out of range")
    }

    pub(crate) fn put_contact(&mut self, mut contact: Contact, asks: Asks) -> Read<()> {
        let id = contact.id;
        self.validate_contact(&contact)?;
        ensure(
            self.setup.validate_requirement(&asks.requires).is_ok(),
            "a requirement is not valid",
        )?;
        if let Some((due, timer)) = contact
            .wishes
            .as_ref()
            .and_then(|wishes| Some((wishes.wake_at?, wishes.wake_timer)))
        {
            let put = self.timers.put_back(due, timer, Timer::Wake(id));
            ensure(put, "a timer is there twice")?;
        }
        let timer = match (contact.state, contact.retry_at) {
            (ContactState::Waiting, Some(at)) => Some((at, Timer::Retry(id))),
            (ContactState::Scheduled { until }, _) => Some((until, Timer::Begin(id))),
            (ContactState::Connecting { deadline, .. }, _) => {
                Some((deadline, Timer::Connecting(id)))
            }
            _ => None,
        };
        if let Some((deadline, timer)) = timer {
            let put = self.timers.put_back(deadline, contact.timer, timer);
            ensure(put, "a timer is there twice")?;
        }
        let key = ClassKey {
            queue: contact.queue,
            channel: contact.channel,
            weight: contact.weight,
            step: contact.step(),
            reserved: contact.preferred_until().is_some(),
            choosing: contact.choice() != 0,
            beyond: contact.goes_beyond(),
            asks,
        };
        contact.asks = key.asks.word;
        contact.class = self.floor.class_for(key, &self.setup);
        self.floor.add_contact(contact.class);
        self.keys.insert(&contact.key, id);
        self.queues.enter(contact.queue, stage_of(contact.state));
        let waits = contact.waits();
        self.contacts.insert(contact);
        if waits {
            self.stand(id);
        }
        Ok(())
    }

    pub(crate) fn put_offer(&mut self, offer: Offer) -> Read<()> {
        ensure(
            self.offers.get(offer.id).is_none(),
            "an offer is there twice",
        )?;
        let put = self
            .timers
            .put_back(offer.deadline, offer.timer, Timer::Offer(offer.id));
        ensure(put, "a timer is there twice")?;
        let agent = self.agents.get_mut(offer.agent);
        let agent = agent.ok_or(RestoreError::Corrupt("an offer's agent is missing"))?;
        let contact = self.contacts.get_mut(offer.contact);
        let contact = contact.ok_or(RestoreError::Corrupt("an offer's contact is missing"))?;
        match (offer.purpose, contact.state) {
            (Purpose::Serve, ContactState::Offered { offer: named, .. }) => {
                agent.offers.push(offer.id);
                agent.hold(contact.channel, contact.weight);
                if named != offer.id {
                    contact.several_mut().ringing.push(offer.id);
                }
            }
            (Purpose::Join, ContactState::Engaged { .. }) => {
                agent.invitations.push(offer.id);
                contact.several_mut().invitations.push(offer.id);
            }
            _ => {
                return Err(RestoreError::Corrupt(
                    "an offer's contact has another state",
                ));
            }
        }
        self.offers.insert(offer);
        Ok(())
    }

    /// What agents have in hand, from the contacts.
    pub(crate) fn hold_in_hand(&mut self) -> Read<()> {
        let missing = RestoreError::Corrupt("a contact's agent is missing");
        for contact in self.contacts.sorted() {
            if let ContactState::Connecting { agent, .. } | ContactState::Engaged { agent, .. } =
                contact.state
            {
                let agent = self.agents.get_mut(agent).ok_or(missing)?;
                agent.contacts.push(contact.id);
                agent.hold(contact.channel, contact.units());
            }
            for participant in &contact.several().participants {
                let agent = self.agents.get_mut(participant.agent).ok_or(missing)?;
                agent.joined.push(contact.id);
                agent.hold(contact.channel, contact.weight);
            }
        }
        let everybody: Vec<u32> = self.agents.sorted().iter().map(|agent| agent.id).collect();
        for agent in everybody {
            let agent = self.agents.of(agent);
            for wrap in agent.wrap_ups.clone() {
                agent.hold(wrap.channel, wrap.weight);
            }
            let leaving = agent.signing_out && agent.presence == Presence::SignedOut;
            ensure(!leaving, "an agent is signed out twice")?;
        }
        self.mark_reduced();
        Ok(())
    }
}
