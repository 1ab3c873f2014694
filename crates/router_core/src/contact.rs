//! A contact's life.
//!
//! 1. A contact has one stage at a time; [`MOVES`] lists every way from one to another.
//! 2. Whatever ends an offer or a connection without the customer leaving sends the contact back
//!    to its old place; only a transfer and a supervisor's change give it a new one.
//! 3. Once engaged, a contact ends as served, whoever ends it.
//! 4. A contact that is over is remembered until its key's retention ends.

use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ArrivalKey, ChannelId, ContactId, QueueId};
use crate::intake::Request;
use crate::slab::Keyed;
use crate::time::Micros;
use crate::view::{ContactState, ContactView, EndedView, Outcome};
use crate::{SkillLevel, view};

/// Where a contact is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    New,
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
    Offer,
    Return,
    Accept,
    Connect,
    Abandon,
    End,
    Transfer,
    Change,
    Withdraw,
}

/// Every move there is; anything else is a broken invariant.
#[rustfmt::skip]
pub(crate) const MOVES: &[(Stage, Step, Stage)] = &[
    (Stage::New,        Step::Queue,    Stage::Waiting),
    (Stage::New,        Step::Block,    Stage::Over),
    (Stage::Waiting,    Step::Offer,    Stage::Offered),
    (Stage::Waiting,    Step::Abandon,  Stage::Over),
    (Stage::Waiting,    Step::Change,   Stage::Waiting),    // another queue, head start, requirement
    (Stage::Waiting,    Step::Withdraw, Stage::Over),       // released by a supervisor
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
    (Stage::Engaged,    Step::End,      Stage::Over),
];

/// Panics when a move is not in the table.
pub(crate) fn assert_move(from: Stage, step: Step, to: Stage) {
    assert!(
        MOVES.contains(&(from, step, to)),
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
    pub(crate) requires: Vec<SkillLevel>,
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
    /// The number of the connecting or retry timer, whichever is set.
    pub(crate) timer: u64,
    /// Its class in the matching; derived, so not part of the hash.
    pub(crate) class: u32,
}

impl Contact {
    /// A contact that has just come in.
    pub(crate) fn new(
        id: ContactId,
        request: Request,
        at: Micros,
        sequence: u64,
        class: u32,
    ) -> Self {
        Self {
            id,
            channel: request.channel,
            key: request.key,
            queue: request.queue,
            requires: request.requires,
            weight: request.weight,
            head_start_us: request.head_start_us,
            tier: 2,
            arrived_at: at,
            enqueued_at: at,
            sequence,
            state: ContactState::Waiting,
            attempted: Vec::new(),
            retry_at: None,
            timer: 0,
            class,
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

    pub(crate) const fn waits(&self) -> bool {
        matches!(self.state, ContactState::Waiting)
    }

    /// Since when it is engaged; 0 unless it is.
    pub(crate) const fn engaged_at(&self) -> Micros {
        match self.state {
            ContactState::Engaged { since, .. } => since,
            _ => 0,
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
        }
    }
}

/// The stage that a live contact's state is.
pub(crate) const fn stage_of(state: ContactState) -> Stage {
    match state {
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
        };
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
            .word(self.requires.len() as u64)
            .words(
                self.requires
                    .iter()
                    .flat_map(|r| [u64::from(r.skill), u64::from(r.level)]),
            )
            .end()
    }
}

/// A contact that is over.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) id: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) outcome: Outcome,
    pub(crate) last_agent: AgentId,
    pub(crate) ended_at: Micros,
}

impl Ended {
    pub(crate) fn view(&self) -> EndedView {
        view::EndedView {
            contact: self.id,
            channel: self.channel,
            key: self.key,
            outcome: self.outcome,
            last_agent: self.last_agent,
            ended_at: self.ended_at,
        }
    }
}

impl Keyed for Ended {
    type Key = ContactId;
    fn key(&self) -> ContactId {
        self.id
    }
}

impl Hashed for Ended {
    fn hash(&self) -> u64 {
        Fold::new(2)
            .words([self.id, u64::from(self.channel)])
            .key(&self.key)
            .words([
                self.outcome as u64,
                u64::from(self.last_agent),
                self.ended_at,
            ])
            .end()
    }
}

/// Which contact an arrival key belongs to, live or over.
#[derive(Clone, Debug)]
pub(crate) struct KnownKey {
    pub(crate) key: ArrivalKey,
    pub(crate) contact: ContactId,
}

impl Keyed for KnownKey {
    type Key = ArrivalKey;
    fn key(&self) -> ArrivalKey {
        self.key
    }
}
