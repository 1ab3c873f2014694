//! The slow checks of reserving: who has been passed, who is kept for whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Sound, hold};
use crate::ids::{AgentId, ContactId};
use crate::router::Router;

impl Router {
    pub(crate) fn audit_reservations(&self) -> Sound {
        let mut passed = BTreeSet::new();
        for contact in self.contacts.sorted() {
            let (id, passed_at) = (contact.id, contact.passed_at());
            let sense = passed_at == 0 || contact.waits() && passed_at <= self.now;
            hold(sense, "who has been passed waits", id)?;
            let kept = self.reservations.kept.get(&id);
            if passed_at != 0 && kept.is_none() {
                passed.insert((passed_at, id));
            }
            hold(
                kept.is_none() || passed_at != 0,
                "an agent is kept for who was passed",
                id,
            )?;
        }
        let listed = passed == self.reservations.passed;
        hold(listed, "who has been passed is listed", passed.len() as u64)?;
        let mut of: BTreeMap<AgentId, ContactId> = BTreeMap::new();
        for (contact, agent) in self.reservations.kept() {
            let new = of.insert(agent, contact).is_none();
            let waits = self.contacts.get(contact).is_some();
            hold(new && waits, "an agent is kept for one contact", contact)?;
        }
        for agent in self.agents.sorted() {
            let kept_for = of.get(&agent.id).copied().unwrap_or(0);
            hold(agent.kept_for == kept_for, "who is kept knows it", agent.id)?;
        }
        Ok(())
    }

    /// After a decision: nobody is kept to no purpose.
    pub(crate) fn audit_keeping(&self) -> Sound {
        for contact in self.contacts.sorted() {
            let kept = self.reservations.agent_for(contact.id);
            let kept = kept.and_then(|agent| self.agents.get(agent));
            let useful = kept.is_none_or(|agent| self.is_qualified(contact, agent));
            hold(useful, "who is kept is qualified", contact.id)?;
        }
        Ok(())
    }
}
