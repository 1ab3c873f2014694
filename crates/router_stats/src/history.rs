//! All rows that may still change, and those that have become final since they were last taken.

use std::collections::VecDeque;

use router_core::{AgentId, ContactId, EndedBy, Event, Micros, QueueId};

use crate::agents::AgentStates;
use crate::late::contact_of;
use crate::ledger::{Ledger, Numbered, Table};
use crate::queues::Queues;
use crate::rows::{ChoiceRow, ConfigurationRow, ContactRow, EstimateRow, OfferRow, SegmentRow};
use crate::waiting::drop_choice;

/// Events in, rows out.
#[derive(Debug, Default)]
pub struct History {
    pub(crate) seq: u64,
    pub(crate) arrived: u64,
    pub(crate) configurations: Ledger<ConfigurationRow>,
    pub(crate) contacts: Ledger<ContactRow>,
    pub(crate) offers: Ledger<OfferRow>,
    pub(crate) segments: Ledger<SegmentRow>,
    pub(crate) choices: Ledger<ChoiceRow>,
    pub(crate) estimates: Ledger<EstimateRow>,
    pub(crate) agents: AgentStates,
    pub(crate) queues: Queues,
    pub(crate) last_segment: u64,
    pub(crate) last_estimate: u64,
    pub(crate) wrap_ups: Numbered<(AgentId, ContactId), VecDeque<u64>>,
    /// A segment that has just ended: final unless its wrap-up starts before anything else happens.
    pub(crate) ending: Option<u64>,
    /// The segments of those who still have to leave a contact that is over.
    pub(crate) leaving: Numbered<(ContactId, AgentId), u64>,
    first_contact: ContactId,
}

pub(crate) fn ended_by(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Customer => "customer",
        EndedBy::Agent => "agent",
        EndedBy::Deadline => "deadline",
        EndedBy::Supervisor => "supervisor",
        EndedBy::Engine => "engine",
    }
}

impl History {
    /// Leaves out whole every contact before this one: nobody can say when they came, or what
    /// happened to them, because the journal begins later.
    pub fn begin_with(&mut self, first_contact: ContactId) {
        self.first_contact = first_contact;
    }

    /// Takes the events of one batch, in their order.
    ///
    /// # Panics
    ///
    /// When the events are not those of a router, from its first one on.
    pub fn apply(&mut self, seq: u64, events: &[Event]) {
        self.seq = seq;
        for event in events {
            self.take(event);
        }
        if let Some(ending) = self.ending {
            self.close_segment(ending);
        }
    }

    /// Takes note of a new configuration, after the events of its batch, which was at `at`: all
    /// agents and queues that it has.
    pub fn configured(&mut self, agents: &[AgentId], queues: &[QueueId], at: Micros) {
        self.agents.keep_only(agents, at, self.seq);
        self.queues.keep_only(queues, at, self.seq);
    }

    /// How many contacts have ever arrived, counted on its own for the conservation law.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The tables by their names.
    pub fn tables(&mut self) -> [(&'static str, &mut dyn Table); 9] {
        [
            ("configurations", &mut self.configurations),
            ("contacts", &mut self.contacts),
            ("offers", &mut self.offers),
            ("segments", &mut self.segments),
            ("choices", &mut self.choices),
            ("estimates", &mut self.estimates),
            ("overflows", &mut self.queues.overflows),
            ("queue_hours", &mut self.queues.hours),
            ("agent_states", &mut self.agents.rows),
        ]
    }

    /// One of them; `None` = there is no such table.
    pub fn table(&mut self, name: &str) -> Option<&mut dyn Table> {
        let found = self.tables().into_iter().find(|one| one.0 == name)?;
        Some(found.1)
    }

    fn take(&mut self, event: &Event) {
        if contact_of(event).is_some_and(|contact| contact < self.first_contact) {
            return;
        }
        if let Some(ending) = self.ending {
            // What may stand between the end of a segment and its wrap-up: everybody else leaves first.
            let between = matches!(
                event,
                Event::WrapUpStarted { .. }
                    | Event::InvitationOver { .. }
                    | Event::Left { .. }
                    | Event::AgentSignedOut { .. }
            );
            if !between {
                self.close_segment(ending);
            }
        }
        match event {
            Event::Configured { at, hash, number } => {
                let row = ConfigurationRow {
                    number: *number,
                    hash: *hash,
                    at: *at,
                    seq: self.seq,
                };
                self.configurations.add_final(&row);
                self.drop_choices(*at);
            }
            Event::Restarted { at } => self.drop_choices(*at),
            Event::Arrived { .. }
            | Event::Queued { .. }
            | Event::Blocked { .. }
            | Event::Overflowed { .. }
            | Event::Changed { .. }
            | Event::Relaxed { .. }
            | Event::PreferenceOver { .. }
            | Event::AnnouncementDue { .. }
            | Event::EstimateScored { .. } => self.comes(event),
            Event::HoursChanged { at, queue, state } => {
                self.queues.changed(*queue, *state, *at, self.seq);
            }
            Event::OfferMade { .. }
            | Event::OfferAccepted { .. }
            | Event::OfferDeclined { .. }
            | Event::OfferExpired { .. }
            | Event::OfferWithdrawn { .. } => self.is_offered(event),
            Event::Abandoned { .. }
            | Event::Withdrawn { .. }
            | Event::Ended { .. }
            | Event::Transferred { .. }
            | Event::TransferredOut { .. } => self.goes(event),
            Event::Scheduled { .. }
            | Event::Lifted { .. }
            | Event::Reserved { .. }
            | Event::ChoiceWanted { .. }
            | Event::ChoiceOver { .. } => self.waits(event),
            Event::Connecting { .. }
            | Event::Engaged { .. }
            | Event::ConnectFailed { .. }
            | Event::Held { .. }
            | Event::Resumed { .. }
            | Event::Parked { .. }
            | Event::Unparked { .. }
            | Event::Joined { .. }
            | Event::Left { .. }
            | Event::HandedOver { .. }
            | Event::TakenOver { .. }
            | Event::WrapUpStarted { .. }
            | Event::WrapUpEnded { .. } => self.is_in_hand(event),
            Event::AgentSignedIn { .. }
            | Event::AgentReady { .. }
            | Event::AgentNotReady { .. }
            | Event::AgentSigningOut { .. }
            | Event::AgentSignedOut { .. }
            | Event::AgentLocked { .. }
            | Event::AgentUnlocked { .. } => self.declares(event),
            // No row says anything of these.
            Event::Invited { .. }
            | Event::InvitationOver { .. }
            | Event::LeaseLost { .. }
            | Event::Unreserved { .. } => (),
        }
    }

    pub(crate) fn end_contact(
        &mut self,
        contact: ContactId,
        at: Micros,
        state: &'static str,
        by: &'static str,
    ) {
        let seq = self.seq;
        let row = self.contacts.change(contact);
        row.seq = seq;
        drop_choice(&mut self.choices, row, at, seq);
        (row.state, row.ended_by) = (state, Some(by));
        row.ended_at.set(at);
        if row.wait_ms.get().is_none() {
            row.wait_ms.set(row.waited_ms(at));
        }
        self.contacts.close(contact);
    }

    fn goes(&mut self, event: &Event) {
        match *event {
            Event::Abandoned { at, contact, .. } => {
                self.end_unserved(contact, at, "abandoned", "customer");
            }
            Event::Withdrawn {
                at, contact, by, ..
            } => self.end_unserved(contact, at, "withdrawn", ended_by(by)),
            Event::Ended {
                at, contact, by, ..
            } => {
                let outside = self.contact(contact).target.is_some();
                let outcome = if outside { "transferred_out" } else { "served" };
                self.ending = Some(self.end_segment(contact, at, outcome));
                let joined = std::mem::take(&mut self.contact(contact).joined);
                let leaving = joined.into_iter();
                self.leaving
                    .extend(leaving.map(|(agent, segment)| ((contact, agent), segment)));
                self.end_contact(contact, at, "served", ended_by(by));
            }
            Event::Transferred { at, contact, .. } => {
                self.contact(contact).transfers += 1;
                self.ending = Some(self.end_segment(contact, at, "transferred"));
            }
            Event::TransferredOut {
                contact, target, ..
            } => self.contact(contact).target = Some(target),
            _ => unreachable!("only what is named above comes here"),
        }
    }

    fn end_unserved(
        &mut self,
        contact: ContactId,
        at: Micros,
        state: &'static str,
        by: &'static str,
    ) {
        let row = self.contact(contact);
        if row.segment.get().is_some() {
            let segment = self.end_segment(contact, at, state);
            self.close_segment(segment);
        } else if row.state == "offered" {
            row.agent = None;
        }
        self.end_contact(contact, at, state, by);
    }
}
