//! Whether an arrival gets in: where its queue is not open it goes elsewhere, by a rule of the queue;
//! where it can go nowhere, or there is neither room nor an agent, it is blocked.

use crate::config::{HoursState, NO_LIMIT, OverflowTo};
use crate::contact::{Contact, Stage, Step, assert_move};
use crate::ended::Ended;
use crate::event::{BlockedCause, Event, QueuedCause};
use crate::ids::{ArrivalKey, ChannelId, ContactId, QueueId};
use crate::intake::Request;
use crate::router::Router;
use crate::time::Micros;
use crate::view::Outcome;

impl Router {
    /// The queue that a new contact gets into, at a place since `enqueued_at`, and why; `None` = it is
    /// over. In another queue than it asked for there is room: nobody needs to be free.
    pub(crate) fn at_the_door(
        &mut self,
        id: ContactId,
        request: &Request,
        enqueued_at: Micros,
    ) -> Option<(QueueId, QueuedCause)> {
        let (channel, key, queue) = (request.channel, request.key, request.queue);
        if self.hours.of(queue) == HoursState::Open {
            return Some((queue, QueuedCause::Arrival));
        }
        let Some(rule) = self.rule_at_the_door(queue) else {
            self.block(id, channel, key, queue, enqueued_at, BlockedCause::Closed);
            return None;
        };
        self.emit(Event::Overflowed {
            at: self.now,
            contact: id,
            channel,
            queue,
            cause: rule.when,
            to_kind: rule.to_kind,
            to: rule.to,
        });
        match rule.to_kind {
            OverflowTo::Queue => Some((rule.to, QueuedCause::Overflow)),
            OverflowTo::Target => {
                // Whoever is blocked may come back to the place; this one has it in its own record.
                self.use_place(request.terms.place);
                self.turn_away(
                    id,
                    channel,
                    key,
                    enqueued_at,
                    Step::Overflow,
                    Outcome::Overflowed,
                );
                None
            }
        }
    }

    pub(crate) fn block(
        &mut self,
        id: ContactId,
        channel: ChannelId,
        key: ArrivalKey,
        queue: QueueId,
        enqueued_at: Micros,
        cause: BlockedCause,
    ) {
        self.emit(Event::Blocked {
            at: self.now,
            contact: id,
            channel,
            queue,
            cause,
        });
        self.turn_away(id, channel, key, enqueued_at, Step::Block, Outcome::Blocked);
    }

    /// A new contact is over before it is anywhere.
    fn turn_away(
        &mut self,
        id: ContactId,
        channel: ChannelId,
        key: ArrivalKey,
        enqueued_at: Micros,
        step: Step,
        outcome: Outcome,
    ) {
        assert_move(Stage::New, step, Stage::Over);
        self.ended.insert(Ended {
            id,
            channel,
            key,
            outcome,
            last_agent: 0,
            ended_at: self.now,
            enqueued_at,
            place_used: false,
        });
    }

    /// Why an arrival must be blocked, if it must: nobody would get it at once.
    pub(crate) fn no_room(&mut self, contact: &Contact) -> Option<BlockedCause> {
        let limit = self.setup.queue(contact.queue)?.max_waiting;
        let cause = if reached(self.queues.of(contact.queue).waiting, limit) {
            BlockedCause::QueueFull
        } else if reached(self.queues.waiting(), self.setup.config.max_waiting) {
            BlockedCause::SiteFull
        } else {
            return None;
        };
        self.place_agents();
        let preferred = contact.preferred_until().is_some();
        let agent = if preferred && self.preferred_witness(contact).is_none() {
            // The preference would be over at once.
            self.floor.best_agent(contact.class, contact.passed_over())
        } else {
            self.choose_agent(contact)
        };
        agent.is_none().then_some(cause)
    }
}

/// Whether a limit of waiting contacts is reached.
pub(crate) fn reached(waiting: u32, limit: u32) -> bool {
    limit != NO_LIMIT && waiting >= limit
}
