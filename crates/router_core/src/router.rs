//! The router: what time it is, whom a command concerns, and what follows from every change.
//! No policy stands here.
//!
//! Every command runs through the same steps: advance the clock, validate, mutate, look for
//! contacts that have nobody left to ask, match to a fixed point.

use crate::calibration::Calibrations;
use crate::choosing::Choices;
use crate::class::Floor;
use crate::command::Command;
use crate::config::Limits;
use crate::contact::Contact;
use crate::deciding::Halt;
use crate::domains::Tenants;
use crate::ended::Ended;
use crate::event::{ChoiceCause, EndedBy, Event};
use crate::hash::Fold;
use crate::hours::Hours;
use crate::ids::{AgentId, CommandId, ContactId, OfferId, QueueId};
use crate::index::Index;
use crate::memory::Memory;
use crate::offer::{ClosedOffer, Offer, SeenCommand};
use crate::queue::Queues;
use crate::rejection::{Code, Rejection};
use crate::reserving::Reservations;
use crate::retry::Watch;
use crate::roster::Roster;
use crate::setup::Setup;
use crate::slab::Tracked;
use crate::time::Micros;
use crate::timer::{Timer, Timers};

/// The latest time that a router accepts: any deadline that counts from it still fits.
pub const LAST_TIME: Micros = 1 << 62;

/// The contact distribution engine's state.
///
/// See the crate's documentation for an example.
#[derive(Clone, Debug)]
pub struct Router {
    pub(crate) limits: Limits,
    pub(crate) now: Micros,
    pub(crate) setup: Setup,
    pub(crate) next_contact: ContactId,
    pub(crate) next_offer: OfferId,
    pub(crate) next_sequence: u64,
    /// Configurations that were accepted.
    pub(crate) configurations: u64,
    pub(crate) timers: Timers,
    pub(crate) contacts: Tracked<Contact>,
    /// Which contact an arrival key belongs to, live or over; both know their key.
    pub(crate) keys: Index,
    pub(crate) agents: Roster,
    pub(crate) offers: Tracked<Offer>,
    pub(crate) choices: Choices,
    pub(crate) reservations: Reservations,
    pub(crate) queues: Queues,
    pub(crate) ended: Memory<Ended>,
    pub(crate) closed: Memory<ClosedOffer>,
    pub(crate) seen: Memory<SeenCommand>,
    pub(crate) floor: Floor,
    /// Who is left to ask again.
    pub(crate) watch: Watch,
    /// Who is left of those that are preferred.
    pub(crate) hopes: Watch,
    pub(crate) calibrations: Calibrations,
    pub(crate) hours: Hours,
    pub(crate) tenants: Tenants,
    /// Who has got into a queue with overflow rules since they were last looked at, in that order.
    pub(crate) entered: Vec<ContactId>,
    /// An agent has left since then, or the configuration is new, and some rule asks for agents.
    pub(crate) somebody_left: bool,
    /// The contact that the command under way has queued, until it is offered (0 = none), and where.
    pub(crate) queued: (ContactId, QueueId),
    pub(crate) dirty: Dirty,
    pub(crate) halt: Halt,
    /// Nothing needs to be forgotten before; derived, and 0 once the configuration has changed.
    pub(crate) nothing_old_before: Micros,
    /// The events of the call under way.
    pub(crate) out: Vec<Event>,
}

/// What the mutation has made worth a look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dirty {
    pub(crate) agents: Vec<AgentId>,
    pub(crate) contacts: Vec<ContactId>,
}

impl Dirty {
    pub(crate) fn agent(&mut self, agent: AgentId) {
        if !self.agents.contains(&agent) {
            self.agents.push(agent);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.agents.clear();
        self.contacts.clear();
    }
}

/// A refusal, in one word.
pub(crate) fn refuse<T>(code: Code, detail: impl Into<u64>) -> Result<T, Rejection> {
    Err(Rejection {
        code,
        detail: detail.into(),
    })
}

impl Router {
    /// A router that waits for its first `configure`.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: 0,
            setup: Setup::none(),
            next_contact: 1,
            next_offer: 1,
            next_sequence: 1,
            configurations: 0,
            timers: Timers::default(),
            contacts: Tracked::default(),
            keys: Index::default(),
            agents: Roster::default(),
            offers: Tracked::default(),
            choices: Choices::default(),
            reservations: Reservations::default(),
            queues: Queues::default(),
            ended: Memory::default(),
            closed: Memory::default(),
            seen: Memory::default(),
            floor: Floor::default(),
            watch: Watch::default(),
            hopes: Watch::default(),
            calibrations: Calibrations::default(),
            hours: Hours::default(),
            tenants: Tenants::default(),
            entered: Vec::new(),
            somebody_left: false,
            queued: (0, 0),
            dirty: Dirty::default(),
            halt: Halt::Never,
            nothing_old_before: 0,
            out: Vec::new(),
        }
    }

    /// Carries out one command at a time, after everything that fell due before it, and appends
    /// what happened to `out`.
    ///
    /// The value is the contact's id for [`Command::Arrive`], 0 otherwise.
    ///
    /// # Errors
    /// A command that cannot be carried out changes nothing but the clock. Time that goes back,
    /// or beyond [`LAST_TIME`], does not even change that.
    pub fn apply(
        &mut self,
        at: Micros,
        command: Command,
        out: &mut Vec<Event>,
    ) -> Result<u64, Rejection> {
        if at < self.now {
            return refuse(Code::TimeBackwards, self.now);
        }
        if at > LAST_TIME {
            return refuse(Code::BadDuration, at);
        }
        std::mem::swap(&mut self.out, out);
        let result = self.carry_out(at, command);
        self.settle();
        std::mem::swap(&mut self.out, out);
        result
    }

    /// Lets time pass: fires every deadline that is not after `at`, each at its own time. Calling
    /// it often, late or with a time that has passed makes no difference.
    pub fn advance(&mut self, at: Micros, out: &mut Vec<Event>) {
        if at < self.now {
            return;
        }
        std::mem::swap(&mut self.out, out);
        self.run_until(at.min(LAST_TIME));
        self.settle();
        std::mem::swap(&mut self.out, out);
    }

    /// The number that the next arrival gets.
    #[must_use]
    pub const fn next_contact(&self) -> ContactId {
        self.next_contact
    }

    /// The earliest time at which something happens by itself: what the host sleeps until.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Micros> {
        self.timers.next()
    }

    /// A number for the whole state that does not depend on how the state is stored.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        [
            self.contacts.sum(),
            self.agents.sum(),
            self.offers.sum(),
            self.ended.sum(),
            self.closed.sum(),
            self.seen.sum(),
            self.calibrations.hash(),
            self.hours.hash(),
            self.tenants.hash(),
            self.choices.running.sum(),
            self.reservations.hash(),
        ]
        .into_iter()
        .fold(self.counters_hash(), u64::wrapping_add)
    }

    /// The router's own words of the state hash.
    pub(crate) fn counters_hash(&self) -> u64 {
        Fold::new(7)
            .words([
                self.now,
                self.next_contact,
                self.next_offer,
                self.next_sequence,
            ])
            .words([self.setup.hash_word(), self.configurations])
            .word(self.choices.next)
            .end()
    }

    fn carry_out(&mut self, at: Micros, command: Command) -> Result<u64, Rejection> {
        if matches!(command, Command::Restarted) {
            self.restart(at);
            return Ok(0);
        }
        self.run_until(at);
        if !self.setup.configured && !matches!(command, Command::Configure { .. }) {
            return refuse(Code::NotConfigured, 0_u64);
        }
        let command_id = id_of(&command);
        if command_id.is_some_and(|id| self.seen.get(id).is_some()) {
            return Ok(0);
        }
        let value = self.dispatch(command)?;
        self.decide();
        if self.queued.0 != 0 {
            self.open_sample();
        }
        if let Some(id) = command_id {
            self.seen.insert(SeenCommand { id, at });
            if self.seen.len() > self.limits.max_remembered_commands as usize {
                self.seen.forget_oldest();
            }
        }
        Ok(value)
    }

    #[rustfmt::skip]
    fn dispatch(&mut self, command: Command) -> Result<u64, Rejection> {
        match command {
            Command::Arrive { channel, key, queue, head_start_us, weight, demand, terms } => {
                let request = crate::intake::Request { channel, key, queue, head_start_us, weight, demand, terms };
                return self.arrive(request);
            }
            Command::Configure { config } => self.configure(*config)?,
            Command::Restarted => {}
            Command::Abandon { channel, contact } => self.abandon(channel, contact)?,
            Command::Connected { channel, contact } => self.connected(channel, contact)?,
            Command::ConnectFailed { channel, contact } => self.connect_failed(channel, contact)?,
            Command::SignIn { agent, ready, .. } => self.sign_in(agent, ready)?,
            Command::SignOut { agent, .. } => self.sign_out(agent)?,
            Command::Ready { agent, .. } => self.ready(agent)?,
            Command::NotReady { agent, reason, .. } => self.not_ready(agent, reason)?,
            Command::Unlock { agent, .. } => self.unlock(agent)?,
            Command::Accept { agent, offer } => self.accept(agent, offer)?,
            Command::Decline { agent, offer, reason } => self.decline(agent, offer, reason)?,
            Command::End { agent, contact } => self.end(agent, contact)?,
            Command::EndWrapUp { agent, contact } => self.end_wrap_up(agent, contact)?,
            Command::Transfer { agent, contact, queue, head_start_us, demand } => {
                self.transfer(agent, contact, queue, head_start_us, demand)?;
            }
            Command::Change { contact, queue, head_start_us, requires, .. } => self.change(contact, queue, head_start_us, requires)?,
            Command::Release { contact, by, .. } => self.release_contact(contact, by.into())?,
            Command::Hold { agent, contact } => self.hold(agent, contact)?,
            Command::Resume { agent, contact } => self.resume(agent, contact)?,
            Command::Park { agent, contact } => self.park(agent, contact)?,
            Command::Unpark { agent, contact } => self.unpark(agent, contact)?,
            Command::Invite { agent, contact, invitee, .. } => self.invite(agent, contact, invitee)?,
            Command::Leave { agent, contact } => self.leave(agent, contact)?,
            Command::TakeOver { agent, contact, .. } => self.take_over(agent, contact)?,
            Command::Move { contact, queue, head_start_us, requires, .. } => self.move_contact(contact, queue, head_start_us, requires)?,
            Command::TransferOut { agent, contact, target } => self.transfer_out(agent, contact, target)?,
            Command::Hours { queue, state, .. } => self.set_hours(queue, state)?,
            Command::Choose { choice, agent } => self.choose(choice, agent)?,
            Command::LeaseLost { agent } => self.lose_lease(agent)?,
        }
        Ok(0)
    }

    /// Fires what is due, each deadline at its own time, then moves the clock.
    #[inline]
    fn run_until(&mut self, at: Micros) {
        if self.timers.next().is_some_and(|due| due <= at) {
            self.fire_due(at);
        }
        self.now = at;
        self.purge();
    }

    #[inline(never)]
    fn fire_due(&mut self, at: Micros) {
        while let Some((deadline, number, timer)) = self.timers.pop_due(at) {
            self.now = deadline;
            self.fire(number, timer);
            self.decide();
        }
    }

    pub(crate) fn fire(&mut self, number: u64, timer: Timer) {
        match timer {
            Timer::Offer(offer) => self.expire(offer),
            Timer::Connecting(contact) => self.back_from_connecting(contact, EndedBy::Deadline),
            Timer::WrapUp(agent) => self.finish_wrap_up(agent, number, EndedBy::Deadline),
            Timer::Retry(contact) => self.ask_again(contact),
            Timer::Wake(contact) => self.wake(contact),
            Timer::Begin(contact) => self.begin(contact),
            Timer::Choice(choice) => self.choice_over(choice, 0, ChoiceCause::Deadline),
        }
    }

    /// Forgets what has been remembered long enough.
    #[inline]
    pub(crate) fn purge(&mut self) {
        if self.now >= self.nothing_old_before {
            self.forget_old();
        }
    }

    #[inline(never)]
    fn forget_old(&mut self) {
        let now = self.now;
        let (memory, retention) = (
            self.setup.config.memory_us,
            self.setup.config.key_retention_us,
        );
        let keys = &mut self.keys;
        let forget_key = |old: Ended| keys.remove(&old.key, old.id);
        let until = now.checked_sub(retention);
        let ended = self.ended.forget(until, |old| old.ended_at, forget_key);
        let until = now.checked_sub(memory);
        let closed = self.closed.forget(until, |old| old.closed_at, |_| {});
        let seen = self.seen.forget(until, |old| old.at, |_| {});
        // Whatever comes now or later is kept so long, as long as the configuration stays.
        let new = now.saturating_add(memory.min(retention));
        let oldest = [(ended, retention), (closed, memory), (seen, memory)];
        let dues =
            oldest.map(|(since, keep)| since.map_or(new, |since| since.saturating_add(keep)));
        self.nothing_old_before = dues.into_iter().fold(new, Micros::min);
    }

    /// Folds what has changed into the hashes, and leaves little to be placed by a later command.
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.place_many();
        self.contacts.settle();
        self.agents.settle();
        self.offers.settle();
        self.choices.running.settle();
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push(event);
    }
}

const fn id_of(command: &Command) -> Option<CommandId> {
    match command {
        Command::SignIn { command_id, .. }
        | Command::SignOut { command_id, .. }
        | Command::Ready { command_id, .. }
        | Command::NotReady { command_id, .. }
        | Command::Unlock { command_id, .. }
        | Command::Change { command_id, .. }
        | Command::Release { command_id, .. }
        | Command::Invite { command_id, .. }
        | Command::TakeOver { command_id, .. }
        | Command::Move { command_id, .. }
        | Command::Hours { command_id, .. } => *command_id,
        _ => None,
    }
}
