//! Asking again. A contact whose every present and qualified agent has been attempted waits
//! `retry_after_us`, then all of them may be asked again.
//!
//! The rule is about every waiting contact after every change; to look only at those that can be
//! concerned, each keeps a witness: one agent who is left to ask. It is looked at again when its
//! witness leaves.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AgentId, ContactId};

#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// Contacts to look at in the next pass.
    pending: BTreeSet<ContactId>,
    witness: BTreeMap<ContactId, AgentId>,
    /// `witness`, the other way round.
    relied_on: BTreeMap<AgentId, BTreeSet<ContactId>>,
}

impl Watch {
    pub(crate) fn add(&mut self, contact: ContactId) {
        self.forget(contact);
        self.pending.insert(contact);
    }

    pub(crate) fn forget(&mut self, contact: ContactId) {
        self.pending.remove(&contact);
        if let Some(agent) = self.witness.remove(&contact)
            && let Some(contacts) = self.relied_on.get_mut(&agent)
        {
            contacts.remove(&contact);
            if contacts.is_empty() {
                self.relied_on.remove(&agent);
            }
        }
    }

    pub(crate) fn rely(&mut self, contact: ContactId, agent: AgentId) {
        self.witness.insert(contact, agent);
        self.relied_on.entry(agent).or_default().insert(contact);
    }

    /// An agent has left: whoever relied on it is looked at again.
    pub(crate) fn lose(&mut self, agent: AgentId) {
        for contact in self.relied_on.remove(&agent).unwrap_or_default() {
            self.witness.remove(&contact);
            self.pending.insert(contact);
        }
    }

    /// Who agents are has changed: everybody is looked at again.
    pub(crate) fn lose_all(&mut self) {
        self.relied_on.clear();
        self.pending
            .extend(std::mem::take(&mut self.witness).into_keys());
    }

    pub(crate) fn take_first(&mut self) -> Option<ContactId> {
        self.pending.pop_first()
    }

    pub(crate) fn witness_of(&self, contact: ContactId) -> Option<AgentId> {
        self.witness.get(&contact).copied()
    }
}
