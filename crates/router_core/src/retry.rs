//! Asking again. A contact whose every present and qualified agent has been attempted waits
//! `retry_after_us`, then all of them may be asked again.
//!
//! The rule is about every waiting contact after every change; to look only at those that can be
//! concerned, each keeps a witness: one agent who is left to ask. It is looked at again when its
//! witness leaves.

use crate::ids::{AgentId, ContactId};
use crate::ranked::Ranked;

#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// Contacts to look at in the next pass.
    pending: Ranked<ContactId>,
    witness: Ranked<(ContactId, AgentId)>,
    /// `witness`, the other way round.
    relied_on: Ranked<(AgentId, ContactId)>,
}

impl Watch {
    pub(crate) fn add(&mut self, contact: ContactId) {
        self.forget(contact);
        self.pending.insert(contact);
    }

    pub(crate) fn forget(&mut self, contact: ContactId) {
        self.pending.remove(&contact);
        if let Some(agent) = self.witness_of(contact) {
            self.witness.remove(&(contact, agent));
            self.relied_on.remove(&(agent, contact));
        }
    }

    pub(crate) fn rely(&mut self, contact: ContactId, agent: AgentId) {
        self.witness.insert((contact, agent));
        self.relied_on.insert((agent, contact));
    }

    /// An agent has left: whoever relied on it is looked at again.
    pub(crate) fn lose(&mut self, agent: AgentId) {
        while let Some((relied_on, contact)) = self.relied_on.first_from(&(agent, 0))
            && relied_on == agent
        {
            self.relied_on.remove(&(agent, contact));
            self.witness.remove(&(contact, agent));
            self.pending.insert(contact);
        }
    }

    /// Who agents are has changed: everybody is looked at again.
    pub(crate) fn lose_all(&mut self) {
        self.relied_on.clear();
        while let Some((contact, _)) = self.witness.pop_first() {
            self.pending.insert(contact);
        }
    }

    /// Whether somebody is to be looked at in the next pass.
    #[inline]
    pub(crate) const fn is_anybody_pending(&self) -> bool {
        self.pending.len() != 0
    }

    #[inline]
    pub(crate) fn take_first(&mut self) -> Option<ContactId> {
        self.pending.pop_first()
    }

    pub(crate) fn witness_of(&self, contact: ContactId) -> Option<AgentId> {
        let found = self.witness.first_from(&(contact, 0));
        found
            .filter(|(known, _)| *known == contact)
            .map(|(_, agent)| agent)
    }
}
