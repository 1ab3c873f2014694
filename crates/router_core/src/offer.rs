//! An offer: one contact proposed to one agent.
//!
//! 1. An open offer has a deadline and ends in exactly one way: accepted, declined, expired, withdrawn.
//! 2. How it ended is remembered for a while, so that a late or repeated answer gets the right
//!    reply ([`LATE`]).
//! 3. Declined and expired count the agent as attempted and restart its idle time; withdrawn does
//!    not. Where everybody is rung, expired leaves idle time as it is and is no miss.
//! 4. An invitation is an offer to join ([`Purpose`]); none of this concerns it.

use crate::Code;
use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ContactId, OfferId};
use crate::slab::Keyed;
use crate::time::Micros;

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum How {
    Accepted = 0,
    Declined = 1,
    Expired = 2,
    Withdrawn = 3,
}

/// The reply to an answer that comes after the offer ended so; the same answer again is accepted.
#[rustfmt::skip]
pub(crate) const LATE: &[(How, Code)] = &[
    (How::Accepted,  Code::OfferAccepted),
    (How::Declined,  Code::OfferDeclined),
    (How::Expired,   Code::OfferExpired),
    (How::Withdrawn, Code::OfferWithdrawn),
];

/// What an agent is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// To serve a contact that waits.
    Serve = 0,
    /// To join an engaged one: an invitation.
    Join = 1,
}

/// An open offer.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) id: OfferId,
    pub(crate) contact: ContactId,
    pub(crate) agent: AgentId,
    pub(crate) deadline: Micros,
    pub(crate) purpose: Purpose,
    /// The number of its timer.
    pub(crate) timer: u64,
}

impl Keyed for Offer {
    type Key = OfferId;
    fn key(&self) -> OfferId {
        self.id
    }
}

impl Hashed for Offer {
    fn hash(&self) -> u64 {
        Fold::new(4)
            .words([self.id, self.contact, u64::from(self.agent), self.deadline])
            .word(self.purpose as u64)
            .end()
    }
}

/// An offer that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedOffer {
    pub(crate) id: OfferId,
    pub(crate) contact: ContactId,
    pub(crate) agent: AgentId,
    pub(crate) how: How,
    pub(crate) closed_at: Micros,
}

impl Keyed for ClosedOffer {
    type Key = OfferId;
    fn key(&self) -> OfferId {
        self.id
    }
}

impl Hashed for ClosedOffer {
    fn hash(&self) -> u64 {
        Fold::new(5)
            .words([
                self.id,
                self.contact,
                u64::from(self.agent),
                self.how as u64,
                self.closed_at,
            ])
            .end()
    }
}

/// A command id that was carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenCommand {
    pub(crate) id: crate::ids::CommandId,
    pub(crate) at: Micros,
}

impl Keyed for SeenCommand {
    type Key = crate::ids::CommandId;
    fn key(&self) -> Self::Key {
        self.id
    }
}

impl Hashed for SeenCommand {
    fn hash(&self) -> u64 {
        Fold::new(6).key(&self.id).word(self.at).end()
    }
}
