//! The few ways in which state changes hands; every command is made of them.

use crate::class::ClassKey;
use crate::config::SkillLevel;
use crate::contact::{Contact, Ended, Stage, Step, assert_move, stage_of};
use crate::event::{Event, QueuedCause};
use crate::ids::{AgentId, ContactId};
use crate::router::Router;
use crate::timer::Timer;
use crate::view::{ContactState, Outcome, Presence};

/// Whether the end of the last thing in hand starts idle time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    Starts,
    GoesOn,
}

impl Router {
    /// A live contact that is known to exist.
    pub(crate) fn live(&mut self, id: ContactId) -> &mut Contact {
        self.contacts
            .get_mut(id)
            .expect("whatever is in hand or waits is live")
    }

    /// Moves a contact to another state. The only way in which a stage changes.
    pub(crate) fn go(&mut self, id: ContactId, step: Step, next: ContactState) {
        let from = self.leave_stage(id);
        assert_move(from, step, stage_of(next));
        self.enter_stage(id, next);
    }

    /// Takes a contact out of its stage: out of its class, its queue's count, its retry.
    pub(crate) fn leave_stage(&mut self, id: ContactId) -> Stage {
        let contact = self
            .contacts
            .get_mut(id)
            .expect("a contact that moves is live");
        let stage = contact.stage();
        self.queues.leave(contact.queue, stage);
        if stage == Stage::Waiting {
            self.floor.leave(contact.class, contact.place(), id);
            if let Some(retry_at) = contact.retry_at.take() {
                self.timers.cancel(retry_at, contact.timer);
            }
            if !contact.attempted.is_empty() {
                self.watch.forget(id);
            }
        }
        stage
    }

    pub(crate) fn enter_stage(&mut self, id: ContactId, next: ContactState) {
        let contact = self
            .contacts
            .get_mut(id)
            .expect("a contact that moves is live");
        contact.state = next;
        self.queues.enter(contact.queue, contact.stage());
        match next {
            ContactState::Waiting => {
                let place = contact.place();
                self.floor.enter(contact.class, place, id);
                self.dirty.contacts.insert((place, id));
                if !contact.attempted.is_empty() {
                    self.watch.add(id);
                }
            }
            ContactState::Engaged { .. } => contact.attempted.clear(),
            ContactState::Offered { .. } | ContactState::Connecting { .. } => {}
        }
    }

    /// Says that a contact stands in its queue.
    pub(crate) fn emit_queued(&mut self, id: ContactId, cause: QueuedCause) {
        let at = self.now;
        let contact = self.live(id);
        let event = Event::Queued {
            at,
            contact: id,
            channel: contact.channel,
            queue: contact.queue,
            tier: contact.tier,
            enqueued_at: contact.enqueued_at,
            head_start_us: contact.head_start_us,
            cause,
        };
        self.emit(event);
    }

    /// Sends a contact back to its old place.
    pub(crate) fn send_back(&mut self, id: ContactId, cause: QueuedCause) {
        self.go(id, Step::Return, ContactState::Waiting);
        self.emit_queued(id, cause);
    }

    /// Ends a contact's life; `last_agent` is whoever had it in hand, or 0.
    pub(crate) fn finish(&mut self, id: ContactId, step: Step, last_agent: AgentId) {
        let from = self.leave_stage(id);
        assert_move(from, step, Stage::Over);
        let contact = self
            .contacts
            .remove(id)
            .expect("a contact that ends is live");
        self.floor.drop_contact(contact.class);
        let outcome = match step {
            Step::End => Outcome::Served,
            Step::Withdraw => Outcome::Withdrawn,
            _ => Outcome::Abandoned,
        };
        self.ended.insert(Ended {
            id,
            channel: contact.channel,
            key: contact.key,
            outcome,
            last_agent,
            ended_at: self.now,
        });
    }

    /// Units of an agent have come free.
    pub(crate) fn release(&mut self, id: AgentId, idle: Idle) {
        let now = self.now;
        let agent = self.agents.of(id);
        if agent.has_nothing_in_hand() {
            if idle == Idle::Starts {
                agent.idle_since = now;
            }
            if agent.signing_out {
                agent.signing_out = false;
                agent.presence = Presence::SignedOut;
                self.emit(Event::AgentSignedOut { at: now, agent: id });
            }
        }
        self.dirty.agent(id);
    }

    /// The class for a requirement; the requirement is handed back.
    pub(crate) fn class_for(
        &mut self,
        queue: u32,
        channel: u32,
        weight: u32,
        requires: Vec<SkillLevel>,
    ) -> (u32, Vec<SkillLevel>) {
        self.floor.class_for(
            ClassKey {
                queue,
                channel,
                weight,
                requires,
            },
            &self.setup,
        )
    }

    /// Brings the pools up to date with everything that has happened to agents.
    pub(crate) fn place_agents(&mut self) {
        if std::mem::take(&mut self.floor.stale) {
            self.agents.clear_stale();
            for position in 0..self.floor.ids.len() {
                self.place_agent(self.floor.ids[position]);
            }
        }
        while let Some(id) = self.agents.take_stale() {
            self.place_agent(id);
        }
    }

    fn place_agent(&mut self, id: AgentId) {
        if let Some(agent) = self.agents.get(id)
            && self.floor.refresh(agent, &self.setup)
        {
            self.watch.lose(id);
        }
    }

    pub(crate) fn best_contact(&self, agent: AgentId) -> Option<ContactId> {
        let position = self.agents.get(agent)?.position;
        let best = self.floor.best_contact(position, &self.contacts);
        #[cfg(debug_assertions)]
        self.assert_best_contact(agent, best);
        best
    }

    pub(crate) fn best_agent(&self, contact: ContactId) -> Option<AgentId> {
        let contact = self
            .contacts
            .get(contact)
            .filter(|contact| contact.waits())?;
        let best = self.floor.best_agent(contact.class, &contact.attempted);
        #[cfg(debug_assertions)]
        self.assert_best_agent(contact, best);
        best
    }

    /// Sets the retry of every waiting contact that has nobody left to ask.
    pub(crate) fn retry_pass(&mut self) {
        self.place_agents();
        let retry_at = self.now + self.setup.config.retry_after_us;
        while let Some(id) = self.watch.take_first() {
            let Some(contact) = self.contacts.get(id) else {
                continue;
            };
            if !contact.waits() || contact.attempted.is_empty() || contact.retry_at.is_some() {
                continue;
            }
            if let Some(agent) = self.floor.witness(contact.class, &contact.attempted) {
                self.watch.rely(id, agent);
                continue;
            }
            let timer = self.timers.set(retry_at, Timer::Retry(id));
            let contact = self.live(id);
            contact.retry_at = Some(retry_at);
            contact.timer = timer;
        }
    }

    /// A retry has fallen due: everybody may be asked again.
    pub(crate) fn ask_again(&mut self, id: ContactId) {
        let contact = self.live(id);
        contact.retry_at = None;
        contact.attempted.clear();
        let place = contact.place();
        self.dirty.contacts.insert((place, id));
    }
}
