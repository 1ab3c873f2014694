//! A contact's life.
//!
//! 1. A contact has one stage at a time; [`MOVES`] lists every way from one to another.
//! 2. Whatever ends an offer or a connection without the customer leaving sends the contact back
//!    to its old place; only a transfer and a supervisor's change give it a new one.
//! 3. Once engaged, a contact ends as served, whoever ends it.
//! 4. A contact that is over is remembered until its key's retention ends.

use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ArrivalKey, ChannelId, ChoiceId, ContactId, QueueId};
use crate::intake::Request;
use crate::several::Several;
use crate::slab::Keyed;
use crate::time::Micros;
use crate::view::{ContactState, ContactView};
use crate::wishes::{PassedOver, Wishes};

/// Where a contact is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
    Scheduled,
    Waiting,
    Offered,
    Connecting,
    Engaged,
    Over,
}

/// What moves a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Queue,
    Block,
    Schedule,
    Begin,
    Offer,
    Return,
    Accept,
    Connect,
    Abandon,
    End,
    Transfer,
    Change,
    Withdraw,
    HandOver,
    Overflow,
}

/// Every move there is; anything else is a broken invariant.
#[rustfmt::skip]
pub(crate) const MOVES: &[(Stage, Step, Stage)] = &[
    (Stage::New,        Step::Queue,    Stage::Waiting),
    (Stage::New,        Step::Block,    Stage::Over),
    (Stage::New,        Step::Overflow, Stage::Over),       // to a target, its queue not being open
    (Stage::Waiting,    Step::Overflow, Stage::Waiting),    // to another queue
    (Stage::Waiting,    Step::Overflow, Stage::Over),
    (Stage::New,        Step::Schedule, Stage::Scheduled),  // not to wait yet
    (Stage::Scheduled,  Step::Begin,    Stage::Waiting),    // its time has come
    (Stage::Scheduled,  Step::Abandon,  Stage::Over),
    (Stage::Scheduled,  Step::Withdraw, Stage::Over),
    (Stage::Waiting,    Step::Offer,    Stage::Offered),
    (Stage::Waiting,    Step::Abandon,  Stage::Over),
    (Stage::Waiting,    Step::Change,   Stage::Waiting),    // another queue, head start, requirement
    (Stage::Waiting,    Step::Withdraw, Stage::Over),       // released, or too late for a reply
    (Stage::Offered,    Step::Accept,   Stage::Connecting),
    (Stage::Offered,    Step::Connect,  Stage::Engaged),    // the channel is instant
    (Stage::Offered,    Step::Return,   Stage::Waiting),    // declined, expired, withdrawn
    (Stage::Offered,    Step::Abandon,  Stage::Over),
    (Stage::Offered,    Step::Withdraw, Stage::Over),
    (Stage::Connecting, Step::Connect,  Stage::Engaged),
    (Stage::Connecting, Step::Return,   Stage::Waiting),    // failed, or not in time
    (Stage::Connecting, Step::Abandon,  Stage::Over),
    (Stage::Connecting, Step::Withdraw, Stage::Over),
    (Stage::Engaged,    Step::Transfer, Stage::Waiting),
    (Stage::Engaged,    Step::HandOver, Stage::Engaged),    // somebody else serves it
    (Stage::Engaged,    Step::Return,   Stage::Waiting),    // whoever served it lost its lease
    (Stage::Engaged,    Step::End,      Stage::Over),
];

/// [`MOVES`] by stage and step: a bit for every stage that it may lead to.
static LEADS_TO: [[u8; 16]; 7] = {
    let (mut table, mut row) = ([[0; 16]; 7], 0);
    while row < MOVES.len() {
        let (from, step, to) = MOVES[row];
        table[from as usize][step as usize] |= 1 << to as u8;
        row += 1;
    }
    table
};

/// Panics when a move is not in the table.
pub(crate) fn assert_move(from: Stage, step: Step, to: Stage) {
    assert!(
        LEADS_TO[from as usize][step as usize] & 1 << to as u8 != 0,
        "no move {from:?} --{step:?}--> {to:?}"
    );
}

/// A contact's place: smaller is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) tier: u8,
    /// `enqueued_at - head_start_us`.
    pub(crate) time: i64,
    pub(crate) sequence: u64,
}

/// A live contact.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) queue: QueueId,
    /// The word for what it asks, which its class has; 0 = nothing.
    pub(crate) asks: u64,
    pub(crate) weight: u32,
    pub(crate) head_start_us: Micros,
    pub(crate) tier: u8,
    pub(crate) arrived_at: Micros,
    pub(crate) enqueued_at: Micros,
    pub(crate) sequence: u64,
    pub(crate) state: ContactState,
    /// Agents who are not asked again for now, ascending.
    pub(crate) attempted: Vec<AgentId>,
    /// When they may be asked again; only while waiting.
    pub(crate) retry_at: Option<Micros>,
    pub(crate) several: Option<Box<Several>>,
    /// Who transferred it last, so that a repeat is recognised; 0 = nobody, or a supervisor after it.
    pub(crate) passed_on_by: AgentId,
    /// It could not be connected since it arrived or was last engaged.
    pub(crate) connect_failed: bool,
    /// The number of the connecting, retry or begin timer, whichever is set.
    pub(crate) timer: u64,
    /// Its class in the matching; derived, so not part of the hash.
    pub(crate) class: u32,
    pub(crate) wishes: Option<Box<Wishes>>,
}

impl Contact {
    /// A contact that has just come in.
    pub(crate) fn new(
        id: ContactId,
        request: Request,
        at: Micros,
        sequence: u64,
        (class, asks): (u32, u64),
    ) -> Self {
        let mut wishes = Wishes::of(request.demand, at);
        if request.terms.reply_by != 0 {
            wishes.get_or_insert_default().reply_by = request.terms.reply_by;
        }
        Self {
            id,
            channel: request.channel,
            key: request.key,
            queue: request.queue,
            asks,
            weight: request.weight,
            head_start_us: request.head_start_us,
            tier: 2,
            arrived_at: at,
            enqueued_at: at,
            sequence,
            state: ContactState::Waiting,
            attempted: Vec::new(),
            retry_at: None,
            several: None,
            passed_on_by: 0,
            connect_failed: false,
            timer: 0,
            class,
            wishes,
        }
    }

    pub(crate) const fn place(&self) -> Place {
        // Both are below 2^62, so the difference fits.
        let time = self.enqueued_at as i64 - self.head_start_us as i64;
        Place {
            tier: self.tier,
            time,
            sequence: self.sequence,
        }
    }

    pub(crate) const fn stage(&self) -> Stage {
        stage_of(self.state)
    }

    /// Offered, connecting or engaged.
    pub(crate) const fn is_in_hand(&self) -> bool {
        !matches!(self.stage(), Stage::Scheduled | Stage::Waiting)
    }

    pub(crate) const fn waits(&self) -> bool {
        matches!(self.state, ContactState::Waiting)
    }

    /// Who connects it; 0 = nobody.
    pub(crate) const fn connecting_agent(&self) -> AgentId {
        match self.state {
            ContactState::Connecting { agent, .. } => agent,
            _ => 0,
        }
    }

    /// Since when it is engaged; 0 unless it is.
    pub(crate) const fn engaged_at(&self) -> Micros {
        match self.state {
            ContactState::Engaged { since, .. } => since,
            _ => 0,
        }
    }

    /// How many steps of its queue apply.
    pub(crate) fn step(&self) -> u8 {
        self.wishes.as_ref().map_or(0, |wishes| wishes.step)
    }

    /// Until when it waits for the agents that it prefers; `None` = it does not.
    pub(crate) fn preferred_until(&self) -> Option<Micros> {
        self.wishes.as_ref()?.preferred_until
    }

    /// The agents that it waits for; empty unless the preference runs.
    pub(crate) fn waits_for(&self) -> &[AgentId] {
        match &self.wishes {
            Some(wishes) if wishes.preferred_until.is_some() => &wishes.preferred,
            _ => &[],
        }
    }

    /// Until when it may be offered; `None` = for ever.
    pub(crate) fn reply_by(&self) -> Option<Micros> {
        let reply_by = self.wishes.as_ref()?.reply_by;
        (reply_by != 0).then_some(reply_by)
    }

    /// The choice that runs for it; 0 = none.
    pub(crate) fn choice(&self) -> ChoiceId {
        self.wishes.as_ref().map_or(0, |wishes| wishes.choice)
    }

    /// In whose lines it stands while it waits.
    pub(crate) fn stands_for(&self) -> &[AgentId] {
        if self.choice() == 0 {
            self.waits_for()
        } else {
            &[]
        }
    }

    /// Whether the agents that it waits for get it whatever they hold.
    pub(crate) fn goes_beyond(&self) -> bool {
        let wishes = self.wishes.as_ref();
        wishes.is_some_and(|wishes| wishes.beyond_capacity && wishes.preferred_until.is_some())
    }

    /// Whether an agent who has it may have been given it beyond its capacity.
    pub(crate) fn may_exceed(&self, agent: AgentId) -> bool {
        let wishes = self.wishes.as_ref();
        wishes.is_some_and(|wishes| wishes.beyond_capacity && wishes.preferred.contains(&agent))
    }

    pub(crate) fn excludes(&self) -> &[AgentId] {
        self.wishes.as_ref().map_or(&[], |wishes| &wishes.excludes)
    }

    pub(crate) fn wake_at(&self) -> Option<Micros> {
        self.wishes.as_ref()?.wake_at
    }

    pub(crate) fn wishes(&mut self) -> &mut Wishes {
        self.wishes.get_or_insert_default()
    }

    /// Who does not get it now, whatever else holds.
    pub(crate) fn passed_over(&self) -> PassedOver<'_> {
        PassedOver {
            attempted: &self.attempted,
            excludes: self.excludes(),
        }
    }

    pub(crate) fn was_attempted_by(&self, agent: AgentId) -> bool {
        self.attempted.binary_search(&agent).is_ok()
    }

    pub(crate) fn add_attempted(&mut self, agent: AgentId) {
        if let Err(at) = self.attempted.binary_search(&agent) {
            self.attempted.insert(at, agent);
        }
    }

    pub(crate) fn view(&self) -> ContactView {
        ContactView {
            contact: self.id,
            channel: self.channel,
            key: self.key,
            queue: self.queue,
            weight: self.weight,
            head_start_us: self.head_start_us,
            tier: self.tier,
            arrived_at: self.arrived_at,
            enqueued_at: self.enqueued_at,
            state: self.state,
            choice: self.choice(),
            on_hold: self.several().on_hold,
            parked: self.several().parked,
            participants: self.several().who(),
        }
    }
}

/// The stage that a live contact's state is.
pub(crate) const fn stage_of(state: ContactState) -> Stage {
    match state {
        ContactState::Scheduled { .. } => Stage::Scheduled,
        ContactState::Waiting => Stage::Waiting,
        ContactState::Offered { .. } => Stage::Offered,
        ContactState::Connecting { .. } => Stage::Connecting,
        ContactState::Engaged { .. } => Stage::Engaged,
    }
}

impl Keyed for Contact {
    type Key = ContactId;
    fn key(&self) -> ContactId {
        self.id
    }
}

impl Hashed for Contact {
    fn hash(&self) -> u64 {
        let (state, agent, offer, deadline) = match self.state {
            ContactState::Waiting => (0, 0, 0, 0),
            ContactState::Offered { offer, agent } => (1, agent, offer, 0),
            ContactState::Connecting { agent, deadline } => (2, agent, 0, deadline),
            ContactState::Engaged { agent, .. } => (3, agent, 0, 0),
            ContactState::Scheduled { until } => (4, 0, 0, until),
        };
        let several = self.several();
        Fold::new(1)
            .words([self.id, u64::from(self.channel)])
            .key(&self.key)
            .words([
                u64::from(self.queue),
                u64::from(self.weight),
                self.head_start_us,
            ])
            .words([
                u64::from(self.tier),
                self.arrived_at,
                self.enqueued_at,
                self.sequence,
            ])
            .words([
                state,
                u64::from(agent),
                offer,
                deadline,
                self.engaged_at(),
                self.retry_at.unwrap_or(0),
            ])
            .word(self.attempted.len() as u64)
            .words(self.attempted.iter().map(|&agent| u64::from(agent)))
            .word(self.asks)
            .word(self.wishes.as_ref().map_or(0, |wishes| wishes.word()))
            .word(several.participants.len() as u64)
            .words(
                several
                    .participants
                    .iter()
                    .flat_map(|one| [u64::from(one.agent), one.joined_at]),
            )
            .words([several.on_hold, several.parked, several.unparked].map(u64::from))
            .words([u64::from(self.passed_on_by), u64::from(self.connect_failed)])
            .end()
    }
}
