//! The few ways in which state changes hands; every command is made of them.

use crate::contact::{Contact, Stage, Step, assert_move, stage_of};
use crate::ended::Ended;
use crate::event::{Event, QueuedCause};
use crate::ids::{AgentId, ContactId};
use crate::matching::Sight;
use crate::router::Router;
use crate::stealth::note_presence;
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::{ContactState, Outcome, Presence};
use crate::wake::stand;

/// So many agents may wait for the next choice to be placed again.
const PLACED_LATER: usize = if cfg!(debug_assertions) { 2 } else { 16 };

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
        let slot = self.slot_of(id);
        self.go_at(slot, step, next);
    }

    /// Where a live contact that is known to exist stands.
    pub(crate) fn slot_of(&self, id: ContactId) -> usize {
        let slot = self.contacts.slot(id);
        slot.expect("a contact that moves is live")
    }

    /// The live contact in a slot.
    #[inline]
    pub(crate) fn live_at(&mut self, slot: usize) -> &mut Contact {
        let contact = self.contacts.at_mut(slot);
        contact.expect("a contact that moves is live")
    }

    /// [`Self::go`], where the contact has been found.
    pub(crate) fn go_at(&mut self, slot: usize, step: Step, next: ContactState) {
        let contact = self.live_at(slot);
        let (queue, from, to) = (contact.queue, contact.stage(), stage_of(next));
        assert_move(from, step, to);
        self.queues.pass(queue, from, to);
        if from == Stage::Waiting {
            self.wait_no_longer(slot);
        }
        self.begin_stage(slot, next);
    }

    /// Takes a contact out of its stage: out of its class, its queue's count, its deadlines.
    pub(crate) fn leave_stage(&mut self, id: ContactId) -> Stage {
        let slot = self.slot_of(id);
        self.leave_stage_at(slot)
    }

    fn leave_stage_at(&mut self, slot: usize) -> Stage {
        let contact = self.live_at(slot);
        let (queue, stage) = (contact.queue, contact.stage());
        self.queues.leave(queue, stage);
        if stage == Stage::Waiting {
            self.wait_no_longer(slot);
        }
        stage
    }

    /// What ends with a contact's waiting.
    fn wait_no_longer(&mut self, slot: usize) {
        let contact = self.contacts.at_mut(slot);
        let contact = contact.expect("a contact that moves is live");
        let (id, queue) = (contact.id, contact.queue);
        self.floor
            .leave(contact.class, contact.place(), id, contact.stands_for());
        if let Some(retry_at) = contact.retry_at.take() {
            self.timers.cancel(retry_at, contact.timer);
        }
        if !contact.attempted.is_empty() {
            self.watch.forget(id);
        }
        if contact.wishes.is_some() {
            self.hopes.forget(id);
            self.end_choice(id);
            self.forget_passing(id);
            self.cancel_wake(id);
        }
        self.tenant_leaves(queue);
    }

    pub(crate) fn enter_stage(&mut self, id: ContactId, next: ContactState) {
        let slot = self.slot_of(id);
        self.enter_stage_at(slot, next);
    }

    pub(crate) fn enter_stage_at(&mut self, slot: usize, next: ContactState) {
        let queue = self.live_at(slot).queue;
        self.queues.enter(queue, stage_of(next));
        self.begin_stage(slot, next);
    }

    /// What begins with a contact's state.
    fn begin_stage(&mut self, slot: usize, next: ContactState) {
        let contact = self.contacts.at_mut(slot);
        let contact = contact.expect("a contact that moves is live");
        contact.state = next;
        match next {
            ContactState::Waiting => {
                contact.several = None;
                let (id, queue) = (contact.id, contact.queue);
                let watches = (&mut self.watch, &mut self.hopes);
                if stand(contact, &mut self.floor, &mut self.dirty, watches) {
                    self.set_wake(id);
                }
                self.tenant_enters(queue);
            }
            ContactState::Engaged { .. } => {
                contact.attempted.clear();
                if contact.wishes.is_some() {
                    self.end_wishes(slot);
                }
            }
            ContactState::Scheduled { .. }
            | ContactState::Offered { .. }
            | ContactState::Connecting { .. } => {}
        }
    }

    /// Somebody is engaged with a contact: what it wished for is over.
    fn end_wishes(&mut self, slot: usize) {
        let contact = self.live_at(slot);
        let id = contact.id;
        contact.announce_no_more();
        let wishes = contact.wishes();
        wishes.reply_by = 0;
        if wishes.preferred_until.take().is_some() {
            let key = self.leave_line(id);
            self.enter_line(id, key);
        }
    }

    /// Says that a contact stands in its queue.
    pub(crate) fn emit_queued(&mut self, id: ContactId, cause: QueuedCause) {
        let contact = self.contacts.get(id);
        let contact = contact.expect("whatever stands in a queue is live");
        let event = queued(contact, self.now, cause);
        self.emit(event);
    }

    /// Sends a contact back to its old place; false when it is too late for it to be offered again, so
    /// that it is over.
    pub(crate) fn send_back(&mut self, id: ContactId, cause: QueuedCause) -> bool {
        self.go(id, Step::Return, ContactState::Waiting);
        self.emit_queued(id, cause);
        !self.end_late(id)
    }

    /// Ends a contact's life; `last_agent` is whoever had it in hand, or 0.
    pub(crate) fn finish(&mut self, id: ContactId, step: Step, last_agent: AgentId) {
        let slot = self.slot_of(id);
        let from = self.leave_stage_at(slot);
        assert_move(from, step, Stage::Over);
        let outcome = match step {
            Step::End => Outcome::Served,
            Step::Withdraw => Outcome::Withdrawn,
            Step::Overflow => Outcome::Overflowed,
            _ => Outcome::Abandoned,
        };
        let ended_at = self.now;
        let contact = self.live_at(slot);
        let class = contact.class;
        let ended = Ended {
            id,
            channel: contact.channel,
            key: contact.key,
            outcome,
            last_agent,
            ended_at,
            enqueued_at: contact.enqueued_at,
            place_used: false,
        };
        self.contacts.drop_at(slot);
        self.floor.drop_contact(class);
        self.ended.insert(ended);
    }

    /// Units of an agent have come free.
    pub(crate) fn release(&mut self, id: AgentId, idle: Idle) {
        let slot = self.agents.slot_of(id);
        self.release_at(slot, id, idle);
    }

    /// The same, where the agent has been found.
    pub(crate) fn release_at(&mut self, slot: usize, id: AgentId, idle: Idle) {
        let now = self.now;
        let agent = self.agents.in_slot(slot);
        if agent.has_nothing_in_hand() {
            if idle == Idle::Starts {
                agent.idle_since = now;
            }
            if agent.signing_out {
                let agent = self.agents.coming_or_going(id);
                agent.signing_out = false;
                agent.presence = Presence::SignedOut;
                self.emit(Event::AgentSignedOut { at: now, agent: id });
            }
        }
        self.dirty.agent(id);
    }

    /// Brings the pools up to date with everything that has happened to agents.
    pub(crate) fn place_agents(&mut self) {
        if std::mem::take(&mut self.floor.stale) {
            self.agents.make_all_stale();
        }
        self.note_agents();
        let (floor, setup) = (&mut self.floor, &self.setup);
        self.agents.take_stale(|agent| floor.refresh(agent, setup));
    }

    /// The same, once there are many of them.
    pub(crate) fn place_many(&mut self) {
        if self.agents.stale() > PLACED_LATER {
            self.place_agents();
        }
    }

    /// Notes who has come or gone; what agents have room for can wait until somebody chooses one.
    #[inline]
    pub(crate) fn list_present(&mut self) {
        if self.floor.stale {
            self.place_agents();
        }
        self.note_agents();
    }

    #[inline]
    fn note_agents(&mut self) {
        if !self.agents.are_noted() {
            self.note_comings_and_goings();
        }
    }

    #[inline(never)]
    fn note_comings_and_goings(&mut self) {
        let floor = &mut self.floor;
        let (watch, hopes) = (&mut self.watch, &mut self.hopes);
        self.agents
            .take_unnoted(|agent| note_presence(agent, floor, [&mut *watch, &mut *hopes]));
    }

    pub(crate) fn best_contact(&self, agent: AgentId) -> Option<ContactId> {
        let agent = self.agents.get(agent)?;
        let sight = Sight {
            contacts: &self.contacts,
            queues: &self.queues,
            setup: &self.setup,
            tenants: &self.tenants,
        };
        let best = match agent.kept_for {
            0 => self.floor.best_contact(agent, &sight),
            own => {
                let own = self.contacts.get(own)?;
                self.is_eligible(own, agent).then_some(own.id)
            }
        };
        #[cfg(debug_assertions)]
        self.assert_best_contact(agent.id, best);
        best
    }

    pub(crate) fn best_agent(&mut self, contact: ContactId) -> Option<AgentId> {
        self.place_agents();
        let contact = self
            .contacts
            .get(contact)
            .filter(|contact| contact.waits() && contact.choice() == 0)?;
        let best = self.choose_agent(contact);
        #[cfg(debug_assertions)]
        self.assert_best_agent(contact, best);
        best
    }

    /// The best agent for a contact that waits, or would.
    pub(crate) fn choose_agent(&self, contact: &Contact) -> Option<AgentId> {
        let best = if contact.preferred_until().is_some() {
            self.best_preferred(contact)
        } else {
            self.floor.best_agent(contact.class, contact.passed_over())
        };
        if self.reservations.agent_for(contact.id).is_some() {
            return self.or_kept(contact, best);
        }
        best
    }

    /// What waiting contacts notice of every change: whom they prefer has gone, nobody is left to
    /// ask.
    #[inline]
    pub(crate) fn passes(&mut self) {
        self.list_present();
        if self.hopes.is_anybody_pending() {
            self.preference_pass();
        }
        if self.watch.is_anybody_pending() {
            self.retry_pass();
        }
    }

    /// Sets the retry of every waiting contact that has nobody left to ask.
    #[inline(never)]
    fn retry_pass(&mut self) {
        let retry_at = self.now + self.setup.config.retry_after_us;
        while let Some(id) = self.watch.take_first() {
            let Some(contact) = self.contacts.get(id) else {
                continue;
            };
            if !contact.waits() || contact.attempted.is_empty() || contact.retry_at.is_some() {
                continue;
            }
            let witness = if contact.preferred_until().is_some() {
                self.preferred_witness(contact)
            } else {
                self.floor.witness(contact.class, contact.passed_over())
            };
            if let Some(agent) = witness {
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
        self.dirty.contacts.push(id);
    }
}

/// The event that a contact stands in its queue.
pub(crate) const fn queued(contact: &Contact, at: Micros, cause: QueuedCause) -> Event {
    Event::Queued {
        at,
        contact: contact.id,
        channel: contact.channel,
        queue: contact.queue,
        tier: contact.tier,
        enqueued_at: contact.enqueued_at,
        head_start_us: contact.head_start_us,
        cause,
    }
}
