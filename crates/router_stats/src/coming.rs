//! What happens to contacts as they come and wait: where they stand, what is told, where they are sent.

use router_core::{
    BlockedCause, Event, OverflowTo, OverflowWhen, PreferenceOverCause, QueuedCause,
};

use crate::history::History;
use crate::rows::{ContactRow, EstimateRow, OverflowRow, ms};
use crate::waiting::drop_choice;

/// An arrival's tier.
const TIER: u8 = 2;

impl History {
    pub(crate) fn comes(&mut self, event: &Event) {
        let seq = self.seq;
        match *event {
            Event::Arrived {
                at,
                contact,
                channel,
                key,
                queue,
                weight,
            } => {
                self.arrived += 1;
                let row = ContactRow {
                    contact,
                    channel,
                    key,
                    queue,
                    first_queue: queue,
                    weight,
                    arrived_at: at,
                    enqueued_at: at,
                    seq,
                    state: "waiting",
                    tier: TIER,
                    ..ContactRow::default()
                };
                self.contacts.add(contact, row);
            }
            Event::Queued { .. } => self.queued(event),
            Event::Blocked {
                at, contact, cause, ..
            } => {
                let limit = match cause {
                    BlockedCause::QueueFull => "queue_full",
                    BlockedCause::SiteFull => "site_full",
                    BlockedCause::Closed => "closed",
                };
                self.end_contact(contact, at, "blocked", limit);
            }
            Event::Overflowed { .. } => self.overflowed(event),
            Event::Changed {
                at,
                contact,
                queue,
                head_start_us,
                ..
            } => {
                let row = self.contacts.change(contact);
                row.seq = seq;
                drop_choice(&mut self.choices, row, at, seq);
                (row.queue, row.head_start_us) = (queue, head_start_us);
            }
            Event::Relaxed {
                contact,
                head_start_us,
                ..
            } => {
                let row = self.contact(contact);
                row.relaxed += 1;
                row.head_start_us = head_start_us;
            }
            Event::PreferenceOver { contact, cause, .. } => {
                let word = match cause {
                    PreferenceOverCause::Deadline => "deadline",
                    PreferenceOverCause::Absent => "absent",
                };
                self.contact(contact).preference_over = Some(word);
            }
            Event::AnnouncementDue { contact, .. } => self.contact(contact).announcements += 1,
            Event::EstimateScored {
                at,
                contact,
                channel,
                queue,
                estimate_us,
                p90_us,
                actual_us,
            } => {
                self.last_estimate += 1;
                self.estimates.add_final(&EstimateRow {
                    estimate: self.last_estimate,
                    contact,
                    channel,
                    queue,
                    engaged_at: at,
                    estimate_us,
                    p90_us,
                    actual_us,
                    seq,
                });
            }
            _ => unreachable!("only what is named above comes here"),
        }
    }

    fn queued(&mut self, event: &Event) {
        let Event::Queued {
            at,
            contact,
            queue,
            tier,
            enqueued_at,
            head_start_us,
            cause,
            ..
        } = *event
        else {
            return;
        };
        if cause == QueuedCause::LeaseLost {
            let segment = self.end_segment(contact, at, "lease_lost");
            self.close_segment(segment);
        }
        let row = self.contact(contact);
        (row.state, row.agent) = ("waiting", None);
        (row.queue, row.tier) = (queue, tier);
        (row.enqueued_at, row.head_start_us) = (enqueued_at, head_start_us);
        // What has just come in stands before its own arrival only in another's place.
        let new = matches!(cause, QueuedCause::Arrival | QueuedCause::Overflow);
        row.kept_place |= new && enqueued_at < row.arrived_at;
    }

    fn overflowed(&mut self, event: &Event) {
        let Event::Overflowed {
            at,
            contact,
            channel,
            queue,
            cause,
            to_kind,
            to,
        } = *event
        else {
            return;
        };
        let cause = match cause {
            OverflowWhen::Size => "size",
            OverflowWhen::Wait => "wait",
            OverflowWhen::Estimate => "estimate",
            OverflowWhen::NoAgent => "no_agent",
            OverflowWhen::Closed => "closed",
            OverflowWhen::NoAnswer => "no_answer",
        };
        let (seq, outside) = (self.seq, to_kind == OverflowTo::Target);
        let row = self.contacts.change(contact);
        (row.seq, row.overflows) = (seq, row.overflows + 1);
        drop_choice(&mut self.choices, row, at, seq);
        if outside {
            row.target = Some(to);
        }
        self.queues.overflowed(OverflowRow {
            overflow: 0,
            contact,
            channel,
            queue,
            at,
            cause,
            to_queue: (!outside).then_some(to),
            target: outside.then_some(to),
            waited_ms: ms(row.enqueued_at, at),
            seq,
        });
        if outside {
            self.end_contact(contact, at, "overflowed", cause);
        }
    }
}
