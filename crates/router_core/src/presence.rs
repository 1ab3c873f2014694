//! What agents declare: signed in, ready, not ready, signed out. `agent.rs` has the table.

use crate::agent::{Answer, Counters, Declares, Standing, answer};
use crate::event::{Event, QueuedCause, WithdrawnCause};
use crate::ids::{AgentId, OfferId, ReasonId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::view::Presence;

impl Router {
    pub(crate) fn validate_agent(&self, agent: AgentId) -> Result<(), Rejection> {
        if self.agents.knows(agent) {
            Ok(())
        } else {
            refuse(Code::UnknownAgent, agent)
        }
    }

    pub(crate) fn validate_reason(&self, reason: ReasonId) -> Result<(), Rejection> {
        if self.setup.knows_reason(reason) {
            Ok(())
        } else {
            refuse(Code::UnknownReason, reason)
        }
    }

    /// Whether a declaration takes effect.
    pub(crate) fn takes_effect(
        &self,
        agent: AgentId,
        declares: Declares,
    ) -> Result<bool, Rejection> {
        let Some(known) = self.agents.get(agent) else {
            return refuse(Code::UnknownAgent, agent);
        };
        match answer(declares, known.standing()) {
            Answer::Do => Ok(true),
            Answer::Already => Ok(false),
            Answer::Refuse => refuse(Code::SignedOut, agent),
        }
    }

    pub(crate) fn sign_in(&mut self, agent: AgentId, ready: bool) -> Result<(), Rejection> {
        if self.takes_effect(agent, Declares::SignIn)? {
            let known = self.agents.coming_or_going(agent);
            if known.standing() == Standing::Out {
                known.counters = Counters::new();
            }
            known.signing_out = false;
            self.emit(Event::AgentSignedIn {
                at: self.now,
                agent,
            });
            if ready {
                self.make_ready(agent);
            } else {
                let now = self.now;
                let known = self.agents.coming_or_going(agent);
                known.idle_since = now;
                known.presence = Presence::NotReady(0);
                self.emit(Event::AgentNotReady {
                    at: now,
                    agent,
                    reason: 0,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn ready(&mut self, agent: AgentId) -> Result<(), Rejection> {
        if self.takes_effect(agent, Declares::Ready)? {
            self.make_ready(agent);
        }
        Ok(())
    }

    fn make_ready(&mut self, agent: AgentId) {
        let now = self.now;
        let known = self.agents.coming_or_going(agent);
        known.presence = Presence::Ready;
        known.idle_since = now;
        self.emit(Event::AgentReady { at: now, agent });
        self.dirty.agent(agent);
    }

    pub(crate) fn not_ready(&mut self, agent: AgentId, reason: ReasonId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        self.validate_reason(reason)?;
        let declared = Presence::NotReady(reason);
        if self.takes_effect(agent, Declares::NotReady)? {
            let known = self.agents.coming_or_going(agent);
            if known.presence != declared {
                known.presence = declared;
                self.emit(Event::AgentNotReady {
                    at: self.now,
                    agent,
                    reason,
                });
                let offers = self.agents.of(agent).offers.clone();
                self.agent_gone(offers);
            }
        }
        Ok(())
    }

    pub(crate) fn sign_out(&mut self, agent: AgentId) -> Result<(), Rejection> {
        if self.takes_effect(agent, Declares::SignOut)? {
            self.take_back_all(agent);
            self.go_out(agent);
        }
        Ok(())
    }

    /// Takes back everything that an agent was asked.
    pub(crate) fn take_back_all(&mut self, agent: AgentId) {
        let known = self.agents.of(agent);
        let mut offers = known.offers.clone();
        offers.extend(&known.invitations);
        offers.sort_unstable();
        self.agent_gone(offers);
    }

    /// An agent who was there leaves, at once if it has nothing in hand.
    pub(crate) fn go_out(&mut self, agent: AgentId) {
        let at = self.now;
        let known = self.agents.coming_or_going(agent);
        if known.has_nothing_in_hand() {
            known.presence = Presence::SignedOut;
            self.emit(Event::AgentSignedOut { at, agent });
        } else {
            known.signing_out = true;
            self.emit(Event::AgentSigningOut { at, agent });
        }
        self.somebody_left |= self.floor.wants_agents;
        self.call_bots(agent);
    }

    /// Takes back what an agent who leaves or pauses was asked.
    fn agent_gone(&mut self, offers: Vec<OfferId>) {
        self.take_back(offers, WithdrawnCause::AgentLeft, QueuedCause::OfferEnded);
    }

    pub(crate) fn unlock(&mut self, agent: AgentId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        let known = self.agents.coming_or_going(agent);
        if known.locked {
            known.locked = false;
            known.misses = 0;
            self.emit(Event::AgentUnlocked {
                at: self.now,
                agent,
            });
            self.dirty.agent(agent);
        }
        Ok(())
    }
}
