//! A contact that is over, and remembered until its key's retention ends.

use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ArrivalKey, ChannelId, ContactId};
use crate::slab::Keyed;
use crate::time::Micros;
use crate::view::{EndedView, Outcome};

/// A contact that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) id: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) outcome: Outcome,
    pub(crate) last_agent: AgentId,
    pub(crate) ended_at: Micros,
    /// Of its last place; of a contact that was still scheduled, when it would have been queued.
    pub(crate) enqueued_at: Micros,
    /// Another contact has taken that place.
    pub(crate) place_used: bool,
}

impl Ended {
    pub(crate) fn view(&self) -> EndedView {
        EndedView {
            contact: self.id,
            channel: self.channel,
            key: self.key,
            outcome: self.outcome,
            last_agent: self.last_agent,
            ended_at: self.ended_at,
            enqueued_at: self.enqueued_at,
            place_used: self.place_used,
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
            .words([self.enqueued_at, u64::from(self.place_used)])
            .end()
    }
}
