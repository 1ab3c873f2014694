//! What customers and agents hear: an event of a contact comes twice, on its channel's connection
//! and on its agent's, and either may come first.

use std::cmp::Reverse;

use router_core::AgentId;

use crate::asking::Ask;
use crate::crowd::{Contact, Crowd, Later};
use crate::ledger::Ledger;
use crate::settings::Load;
use crate::skim::Event;

const SERVICE_LEVEL_US: u64 = 20_000_000;

// Kinds of events, and where their fields stand in [kind, version, at, ...].
const ARRIVED: u64 = 66;
const QUEUED: u64 = 67;
const BLOCKED: u64 = 68;
const OFFER_MADE: u64 = 69;
const OFFER_ACCEPTED: u64 = 70;
const OFFER_EXPIRED: u64 = 72;
const CONNECTING: u64 = 74;
const ENGAGED: u64 = 75;
const CONNECT_FAILED: u64 = 76;
const ABANDONED: u64 = 77;
const ENDED: u64 = 78;
const WRAP_UP_STARTED: u64 = 87;
const WRAP_UP_ENDED: u64 = 88;
const WITHDRAWN: u64 = 90;
const OVERFLOWED: u64 = 106;
const AT: usize = 2;
const CONTACT: usize = 3;
const QUEUED_CAUSE: usize = 9;
const CAUSE_ARRIVAL: u64 = 0;
const OFFER: usize = 3;
const OFFER_CONTACT: usize = 4;
const OFFER_QUEUE: usize = 6;
const OFFER_AGENT: usize = 7;
const ENGAGED_AGENT: usize = 5;
const ENDED_AGENT: usize = 6;
const WRAP_UP_AGENT: usize = 3;
const WRAP_UP_CONTACT: usize = 4;

impl Crowd<'_> {
    pub(crate) fn hear_ack(&mut self, now_us: u64, meant_us: u64, ask: Ask, code: u16, value: u64) {
        if self.measured(meant_us) {
            self.ledger.ack.add(now_us.saturating_sub(meant_us));
        }
        if code != 0 {
            *self.ledger.refused.entry((ask.name(), code)).or_default() += 1;
        } else if let Ask::Arrive(_) = ask {
            self.ledger.acknowledged += 1;
            if !self.over.contains(&value) {
                self.live.entry(value).or_default().acknowledged = true;
                self.settle(value);
            }
        }
    }

    /// What a channel hears: the customer's side.
    pub(crate) fn hear_plugin(&mut self, now_us: u64, plugin: usize, event: &Event<'_>) {
        let fields = &event.fields;
        let (at, contact) = (fields[AT], fields[CONTACT]);
        match fields[0] {
            ARRIVED => self.arrived(contact, event.bytes),
            QUEUED if fields[QUEUED_CAUSE] == CAUSE_ARRIVAL => {
                self.live.entry(contact).or_default().queued_at = Some(at);
                self.measure_offer(contact);
            }
            OFFER_MADE => self.no_longer_waits(fields[OFFER_CONTACT]),
            OFFER_ACCEPTED => self.accepted(fields[OFFER_CONTACT]),
            CONNECT_FAILED => self.live.entry(contact).or_default().in_hand = false,
            CONNECTING => self.asks.push((now_us, Ask::Connected(plugin, contact))),
            ENGAGED => self.answered(now_us, contact),
            ENDED => self.over(contact, |ledger| ledger.served += 1, true),
            BLOCKED => self.over(contact, |ledger| ledger.blocked += 1, false),
            ABANDONED | WITHDRAWN | OVERFLOWED => {
                self.over(contact, |ledger| ledger.otherwise += 1, false);
            }
            _ => (),
        }
    }

    fn arrived(&mut self, contact: u64, key: &[u8]) {
        let Some(number) = self.number_of(key) else {
            return;
        };
        let planned = self.planned(number);
        // In a saturation nobody has a plan for the arrival's time.
        let meant_us = if self.settings.load == Load::Open {
            planned.at_us
        } else {
            u64::MAX
        };
        self.live.entry(contact).or_default().planned = Some((meant_us, planned.talk_us));
    }

    fn no_longer_waits(&mut self, contact: u64) {
        let known = self.live.entry(contact).or_default();
        if !std::mem::replace(&mut known.was_offered, true) {
            self.offered += 1;
        }
    }

    fn accepted(&mut self, contact: u64) {
        let known = self.live.entry(contact).or_default();
        if std::mem::replace(&mut known.in_hand, true) {
            self.ledger.doubled += 1;
        }
    }

    fn answered(&mut self, now_us: u64, contact: u64) {
        let planned = self.live.get(&contact).and_then(|known| known.planned);
        let Some((meant_us, _)) = planned else {
            return;
        };
        if self.measured(meant_us) {
            let took_us = now_us.saturating_sub(meant_us);
            self.ledger.answered.add(took_us);
            self.ledger.answered_in_time += u64::from(took_us <= SERVICE_LEVEL_US);
        }
    }

    fn over(&mut self, contact: u64, note: impl FnOnce(&mut Ledger), by_agent: bool) {
        if self.over.contains(&contact) {
            self.ledger.doubled += 1;
            return;
        }
        let known = self.live.entry(contact).or_default();
        if known.ended {
            self.ledger.doubled += 1;
            return;
        }
        known.ended = true;
        known.wrapped_up |= !by_agent;
        note(&mut self.ledger);
        self.no_longer_waits(contact);
        self.settle(contact);
    }

    /// What an edge hears: the agent's side.
    pub(crate) fn hear_edge(&mut self, now_us: u64, event: &Event<'_>) {
        let fields = &event.fields;
        let at = fields[AT];
        match fields[0] {
            OFFER_MADE => self.offer(now_us, fields),
            OFFER_EXPIRED => self.ledger.expired += 1,
            ENGAGED => {
                let (contact, agent) = (fields[CONTACT], fields[ENGAGED_AGENT] as AgentId);
                let planned = self.live.get(&contact).and_then(|known| known.planned);
                let talk_us = planned.map_or(0, |(_, talk_us)| talk_us);
                self.after(now_us, talk_us, Later::End(agent, contact));
            }
            ENDED => {
                let agent = fields[ENDED_AGENT] as AgentId;
                if !self.wraps_up.get(&fields[5]).copied().unwrap_or(true) {
                    self.freed(now_us, at, agent, fields[CONTACT]);
                }
            }
            WRAP_UP_STARTED => {
                let (agent, contact) = (fields[WRAP_UP_AGENT] as AgentId, fields[WRAP_UP_CONTACT]);
                self.after(
                    now_us,
                    self.settings.wrap_up_us,
                    Later::EndWrapUp(agent, contact),
                );
            }
            WRAP_UP_ENDED => {
                let (agent, contact) = (fields[WRAP_UP_AGENT] as AgentId, fields[WRAP_UP_CONTACT]);
                self.freed(now_us, at, agent, contact);
            }
            _ => (),
        }
    }

    fn offer(&mut self, now_us: u64, fields: &[u64]) {
        let (agent, contact) = (fields[OFFER_AGENT] as AgentId, fields[OFFER_CONTACT]);
        debug_assert!(self.wraps_up.contains_key(&fields[OFFER_QUEUE]));
        self.asks.push((now_us, Ask::Accept(agent, fields[OFFER])));
        let Some(who) = self.agents.get_mut(&agent) else {
            return;
        };
        let freed = who.freed.take().filter(|_| who.single);
        let known = self.live.entry(contact).or_default();
        if known.offered.is_none() {
            known.offered = Some((fields[AT], now_us));
            known.freed = freed;
            self.measure_offer(contact);
        }
    }

    /// Takes the latencies of a contact's first offer, once both sides have heard of it.
    fn measure_offer(&mut self, contact: u64) {
        let Some(known) = self.live.get(&contact) else {
            return;
        };
        let (Some(queued_at), Some((offered_at, heard_us))) = (known.queued_at, known.offered)
        else {
            return;
        };
        let (planned, freed) = (known.planned, known.freed);
        if let Some((meant_us, _)) = planned.filter(|(meant_us, _)| self.measured(*meant_us)) {
            let took_us = heard_us.saturating_sub(meant_us);
            self.ledger.arrival_offer.add(took_us);
            if queued_at == offered_at {
                self.ledger.arrival_offer_idle.add(took_us);
            }
        }
        // It waited before the agent was free: who waits is offered in the instant in which one is.
        if let Some((meant_us, freed_at)) = freed
            && queued_at < freed_at
            && self.measured(meant_us)
        {
            self.ledger
                .freed_offer
                .add(heard_us.saturating_sub(meant_us));
        }
    }

    pub(crate) fn after(&mut self, now_us: u64, wait_us: u64, what: Later) {
        if wait_us == 0 || self.hurried {
            match what {
                Later::End(agent, contact) => self.end(now_us, agent, contact),
                Later::EndWrapUp(agent, contact) => self.end_wrap_up(now_us, agent, contact),
            }
        } else {
            self.later_count += 1;
            self.later
                .push(Reverse((now_us + wait_us, self.later_count, what)));
        }
    }

    pub(crate) fn end(&mut self, meant_us: u64, agent: AgentId, contact: u64) {
        self.means(agent, meant_us);
        self.asks.push((meant_us, Ask::End(agent, contact)));
    }

    pub(crate) fn end_wrap_up(&mut self, meant_us: u64, agent: AgentId, contact: u64) {
        self.means(agent, meant_us);
        self.asks.push((meant_us, Ask::EndWrapUp(agent, contact)));
    }

    fn means(&mut self, agent: AgentId, meant_us: u64) {
        if let Some(who) = self.agents.get_mut(&agent) {
            who.meant_us = meant_us;
        }
    }

    fn freed(&mut self, now_us: u64, at: u64, agent: AgentId, contact: u64) {
        if let Some(who) = self.agents.get_mut(&agent) {
            who.freed = Some((who.meant_us, at));
        }
        self.ledger.lifecycles += 1;
        if self.measured(now_us) {
            self.ledger.lifecycles_measured += 1;
        }
        self.live.entry(contact).or_default().wrapped_up = true;
        self.settle(contact);
    }

    /// Forgets a contact that is over on both sides and was acknowledged.
    fn settle(&mut self, contact: u64) {
        let done = |known: &Contact| known.acknowledged && known.ended && known.wrapped_up;
        if self.live.get(&contact).is_some_and(done) {
            self.live.remove(&contact);
            self.over.insert(contact);
        }
    }
}
