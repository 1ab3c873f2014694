//! The router (skeleton: the signatures are final, the bodies follow).

use crate::command::Command;
use crate::config::{Config, Limits};
use crate::event::Event;
use crate::ids::{AgentId, ContactId};
use crate::rejection::Rejection;
use crate::snapshot::RestoreError;
use crate::time::Micros;
use crate::view::{ContactView, Desk, EndedView, Overview};

/// The router.
#[derive(Clone, Debug)]
pub struct Router {
    limits: Limits,
}

#[allow(unused_variables, missing_docs)]
impl Router {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
    /// The value is the contact's id for `Arrive`, 0 otherwise.
    pub fn apply(
        &mut self,
        at: Micros,
        command: Command,
        out: &mut Vec<Event>,
    ) -> Result<u64, Rejection> {
        todo!()
    }
    pub fn advance(&mut self, at: Micros, out: &mut Vec<Event>) {
        todo!()
    }
    #[must_use]
    pub fn next_deadline(&self) -> Option<Micros> {
        todo!()
    }
    /// Panics when an invariant is broken.
    pub fn check(&self) {
        todo!()
    }
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        todo!()
    }
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        todo!()
    }
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        todo!()
    }
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
    #[must_use]
    pub fn now(&self) -> Micros {
        todo!()
    }
    #[must_use]
    pub fn config(&self) -> Option<&Config> {
        todo!()
    }
    #[must_use]
    pub fn overview(&self) -> Overview {
        todo!()
    }
    /// Contacts that stand before it in its queue; `None` unless it waits.
    #[must_use]
    pub fn position(&self, contact: ContactId) -> Option<u64> {
        todo!()
    }
    #[must_use]
    pub fn desk(&self, agent: AgentId) -> Option<Desk> {
        todo!()
    }
    #[must_use]
    pub fn contact(&self, contact: ContactId) -> Option<ContactView> {
        todo!()
    }
    #[must_use]
    pub fn ended(&self, contact: ContactId) -> Option<EndedView> {
        todo!()
    }
}
