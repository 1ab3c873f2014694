//! What each agent was doing when: intervals without gaps and overlaps.
//!
//! An interval ends when the agent's state, reason, lock or activity changes. Changes at one and the
//! same microsecond leave no interval of length zero behind.

use router_core::{AgentId, Event, Micros, ReasonId};

use crate::history::History;
use crate::ledger::{Ledger, Numbered};
use crate::rows::AgentStateRow;
use crate::waiting::given;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Declared {
    #[default]
    SignedOut,
    NotReady,
    Ready,
}

/// What an agent has declared and has in hand; `engaged` has those that are parked in it.
#[derive(Debug, Default)]
pub(crate) struct AgentNow {
    pub(crate) presence: Declared,
    pub(crate) reason: Option<ReasonId>,
    pub(crate) signing_out: bool,
    pub(crate) locked: bool,
    pub(crate) offers: u32,
    pub(crate) connecting: u32,
    pub(crate) engaged: u32,
    pub(crate) parked: u32,
    pub(crate) joined: u32,
    pub(crate) wrap_ups: u32,
}

impl AgentNow {
    /// The one word for what the agent has declared.
    fn state(&self) -> &'static str {
        match self.presence {
            _ if self.signing_out => "signing_out",
            Declared::SignedOut => "signed_out",
            Declared::NotReady => "not_ready",
            Declared::Ready => "ready",
        }
    }

    /// The one word for what the agent has in hand, the most demanding first.
    fn activity(&self) -> &'static str {
        if self.engaged > self.parked {
            "engaged"
        } else if self.joined > 0 {
            "joined"
        } else if self.connecting > 0 {
            "connecting"
        } else if self.wrap_ups > 0 {
            "wrap_up"
        } else if self.offers > 0 {
            "offered"
        } else if self.parked > 0 {
            "parked"
        } else {
            "idle"
        }
    }
}

/// Keeps `agent_states`.
#[derive(Debug, Default)]
pub(crate) struct AgentStates {
    pub(crate) rows: Ledger<AgentStateRow>,
    now: Numbered<AgentId, AgentNow>,
}

impl AgentStates {
    /// Changes an agent's present, and begins a new interval if that differs from the open one.
    pub(crate) fn change(
        &mut self,
        agent: AgentId,
        at: Micros,
        seq: u64,
        change: impl FnOnce(&mut AgentNow),
    ) {
        let now = self.now.entry(agent).or_default();
        change(now);
        let (state, activity) = (now.state(), now.activity());
        let key = agent.into();
        if let Some(row) = self.rows.get(key) {
            let (same_words, lock) = (row.state == state && row.activity == activity, now.locked);
            if same_words && row.locked == lock && row.reason == now.reason {
                return;
            }
            if row.started_at == at {
                self.rows.drop(key);
            } else {
                let row = self.rows.change(key);
                (row.ended_at, row.seq) = (Some(at), seq);
                self.rows.close(key);
            }
        }
        let row = AgentStateRow {
            agent,
            started_at: at,
            state,
            reason: now.reason,
            locked: now.locked,
            activity,
            seq,
            ended_at: None,
        };
        self.rows.add(key, row);
    }

    /// Changes an agent's present of which the rows say nothing by itself.
    pub(crate) fn change_quietly(&mut self, agent: AgentId, change: impl FnOnce(&mut AgentNow)) {
        change(self.now.entry(agent).or_default());
    }

    /// Forgets the lock of agents who left the configuration: the core does, without an event.
    pub(crate) fn keep_only(&mut self, configured: &[AgentId], at: Micros, seq: u64) {
        let mut gone: Vec<AgentId> = self
            .now
            .iter()
            .filter(|(agent, now)| now.locked && !configured.contains(agent))
            .map(|(agent, _)| *agent)
            .collect();
        gone.sort_unstable();
        for agent in gone {
            self.change(agent, at, seq, |now| now.locked = false);
        }
    }
}

impl History {
    pub(crate) fn declares(&mut self, event: &Event) {
        let seq = self.seq;
        let agents = &mut self.agents;
        match *event {
            Event::AgentSignedIn { at, agent } => agents.change(agent, at, seq, |now| {
                now.signing_out = false;
                (now.presence, now.reason) = (Declared::NotReady, None);
            }),
            Event::AgentReady { at, agent } => agents.change(agent, at, seq, |now| {
                (now.presence, now.reason) = (Declared::Ready, None);
            }),
            Event::AgentNotReady { at, agent, reason } => agents.change(agent, at, seq, |now| {
                (now.presence, now.reason) = (Declared::NotReady, given(reason));
            }),
            Event::AgentSigningOut { at, agent } => agents.change(agent, at, seq, |now| {
                (now.signing_out, now.reason) = (true, None);
            }),
            Event::AgentSignedOut { at, agent } => agents.change(agent, at, seq, |now| {
                now.signing_out = false;
                (now.presence, now.reason) = (Declared::SignedOut, None);
            }),
            Event::AgentLocked { at, agent, .. } => {
                agents.change(agent, at, seq, |now| now.locked = true);
            }
            Event::AgentUnlocked { at, agent } => {
                agents.change(agent, at, seq, |now| now.locked = false);
            }
            _ => unreachable!("only what is named above comes here"),
        }
    }
}
