//! The customers and agents of a flood: they are told what the site said and what time it is, and
//! leave what they want to say in a list. No sockets and no clock in here.
//!
//! What they hear is in `hearing.rs`, how they say it in `asking.rs`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use router_core::AgentId;

use crate::asking::Ask;
use crate::ledger::Ledger;
use crate::settings::{Load, Settings};

const NAMED_MISSING: usize = 20;

/// What is known of a live contact, from either side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contact {
    /// When it was meant to arrive and how long it talks; `None` before its side has heard of it.
    pub(crate) planned: Option<(u64, u64)>,
    /// The router's stamps.
    pub(crate) queued_at: Option<u64>,
    /// Of its first offer: the stamp, and when the agent heard of it.
    pub(crate) offered: Option<(u64, u64)>,
    /// Of its first offer: since when its agent was free, by its own plan and by the router's stamp.
    pub(crate) freed: Option<(u64, u64)>,
    pub(crate) acknowledged: bool,
    /// Its channel has heard that an agent has accepted it.
    pub(crate) in_hand: bool,
    /// It has been offered once, as far as its channel knows.
    pub(crate) was_offered: bool,
    /// Its channel has heard its end; its agent has.
    pub(crate) ended: bool,
    pub(crate) wrapped_up: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AgentState {
    pub(crate) single: bool,
    pub(crate) edge: usize,
    /// When it was last meant to end a wrap-up or a contact.
    pub(crate) meant_us: u64,
    /// What came of it: the intended time and the router's stamp.
    pub(crate) freed: Option<(u64, u64)>,
}

/// Everybody who takes part.
pub(crate) struct Crowd<'a> {
    pub(crate) ledger: Ledger,
    /// What is to be said now: when it was meant to be, and what.
    pub(crate) asks: Vec<(u64, Ask)>,
    pub(crate) settings: &'a Settings,
    pub(crate) live: HashMap<u64, Contact>,
    pub(crate) over: HashSet<u64>,
    pub(crate) agents: HashMap<AgentId, AgentState>,
    pub(crate) wraps_up: HashMap<u64, bool>,
    pub(crate) later: BinaryHeap<Reverse<(u64, u64, Later)>>,
    pub(crate) later_count: u64,
    pub(crate) sent: u64,
    /// Contacts that have been offered for the first time, or ended without.
    pub(crate) offered: u64,
    closed: bool,
    pub(crate) hurried: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Later {
    End(AgentId, u64),
    EndWrapUp(AgentId, u64),
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        let agents = settings.agents.iter().enumerate();
        let queues = settings.queues.iter();
        Self {
            ledger: Ledger::default(),
            asks: Vec::new(),
            settings,
            live: HashMap::new(),
            over: HashSet::new(),
            agents: agents
                .map(|(index, agent)| {
                    let (single, edge) = (agent.single, index % settings.edges.len().max(1));
                    (
                        agent.id,
                        AgentState {
                            single,
                            edge,
                            ..AgentState::default()
                        },
                    )
                })
                .collect(),
            wraps_up: queues
                .map(|queue| (queue.id.into(), queue.wraps_up))
                .collect(),
            later: BinaryHeap::new(),
            later_count: 0,
            sent: 0,
            offered: 0,
            closed: false,
            hurried: false,
        }
    }

    pub(crate) fn live(&self) -> u64 {
        self.live.len() as u64
    }

    /// Whether everybody who came has gone.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    pub(crate) fn sign_in(&mut self, now_us: u64) {
        let agents = self.settings.agents.iter();
        self.asks
            .extend(agents.map(|agent| (now_us, Ask::SignIn(agent.id))));
    }

    pub(crate) fn sign_out(&mut self, now_us: u64) {
        let agents = self.settings.agents.iter();
        self.asks
            .extend(agents.map(|agent| (now_us, Ask::SignOut(agent.id))));
    }

    /// No contact comes any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Talks and wrap-ups end now, however long they were meant to be: the flood has to.
    pub(crate) fn hurry(&mut self, now_us: u64) {
        self.hurried = true;
        while let Some(Reverse((_, _, what))) = self.later.pop() {
            self.ledger.hurried += 1;
            self.after(now_us, 0, what);
        }
    }

    /// Whether contacts are still to come.
    pub(crate) fn arriving(&self) -> bool {
        !self.closed
            && match self.settings.load {
                Load::Open => self.sent < self.settings.plan.len() as u64,
                Load::Saturated { contacts, .. } => self.sent < contacts,
            }
    }

    /// When something is due that nobody but the crowd begins.
    pub(crate) fn next_step_us(&self) -> Option<u64> {
        let later = self.later.peek().map(|Reverse((due_us, ..))| *due_us);
        let coming = (self.settings.load == Load::Open && self.arriving())
            .then(|| self.settings.plan[self.sent as usize].at_us);
        [later, coming].into_iter().flatten().min()
    }

    /// Does everything that is due.
    pub(crate) fn step(&mut self, now_us: u64) {
        while let Some(Reverse((due_us, _, what))) = self.later.peek().copied() {
            if due_us > now_us {
                break;
            }
            self.later.pop();
            match what {
                Later::End(agent, contact) => self.end(due_us, agent, contact),
                Later::EndWrapUp(agent, contact) => self.end_wrap_up(due_us, agent, contact),
            }
        }
        while self.arriving() {
            let meant_us = match self.settings.load {
                Load::Open => self.planned(self.sent).at_us,
                Load::Saturated { .. } => now_us,
            };
            let comes = match self.settings.load {
                Load::Open => meant_us <= now_us,
                Load::Saturated { waiting, .. } => self.sent - self.offered < waiting,
            };
            if !comes {
                break;
            }
            self.arrive(meant_us, now_us);
        }
    }

    pub(crate) fn planned(&self, number: u64) -> crate::settings::Planned {
        self.settings.plan[(number % self.settings.plan.len() as u64) as usize]
    }

    pub(crate) fn measured(&self, at_us: u64) -> bool {
        (self.settings.from_us..self.settings.until_us).contains(&at_us)
    }

    fn arrive(&mut self, meant_us: u64, now_us: u64) {
        self.asks.push((meant_us, Ask::Arrive(self.sent)));
        self.sent += 1;
        self.ledger.arrivals += 1;
        if self.measured(meant_us) {
            self.ledger.arrivals_measured += 1;
            self.ledger.late.add(now_us - meant_us);
        }
    }

    /// The books, at the end.
    pub(crate) fn into_ledger(self) -> Ledger {
        let mut ledger = self.ledger;
        let lost = self
            .live
            .iter()
            .filter(|(_, known)| known.acknowledged && !known.ended);
        let mut missing: Vec<u64> = lost.map(|(contact, _)| *contact).collect();
        missing.sort_unstable();
        ledger.missing = missing.len() as u64;
        missing.truncate(NAMED_MISSING);
        ledger.missing_contacts = missing;
        ledger
    }
}
