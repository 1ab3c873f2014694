//! Everything that can have happened. The number behind a name is its kind on the wire; fields go
//! on the wire in the order written here, `at` first. `at` is the deadline's own time for what a
//! timer did.

use crate::ids::{AgentId, ArrivalKey, ChannelId, ContactId, OfferId, QueueId, ReasonId};
use crate::time::Micros;

/// Why a contact stands in a queue (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum QueuedCause {
    /// It has just come in.
    Arrival = 0,
    /// An agent passed it on.
    Transfer = 1,
    /// Its offer was declined, expired or withdrawn; it stands at its old place.
    OfferEnded = 2,
    /// It could not be connected; it stands at its old place.
    ConnectFailed = 3,
    /// The service restarted while it was offered; it stands at its old place.
    Restart = 4,
}

/// Why a contact was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BlockedCause {
    /// The queue's `max_waiting`.
    QueueFull = 0,
    /// The site's `max_waiting`.
    SiteFull = 1,
}

/// Why an offer was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WithdrawnCause {
    /// The customer left.
    Abandoned = 0,
    /// The agent went not ready or signed out.
    AgentLeft = 1,
    /// The service restarted.
    Restart = 2,
    /// A supervisor released the contact.
    Released = 3,
}

/// Who or what ended something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EndedBy {
    /// The customer, as the channel reported.
    Customer = 0,
    /// The agent.
    Agent = 1,
    /// A deadline.
    Deadline = 2,
    /// A supervisor.
    Supervisor = 3,
}

/// One fact, as the journal's followers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[rustfmt::skip]
#[allow(missing_docs, reason = "the fields are the glossary's words")]
pub enum Event {
    /// 64: a configuration is in force.
    Configured { at: Micros, hash: [u8; 32] },
    /// 65: the service has started again.
    Restarted { at: Micros },
    /// 66: a contact exists from here on.
    Arrived { at: Micros, contact: ContactId, channel: ChannelId, key: ArrivalKey, queue: QueueId, weight: u32 },
    /// 67: a contact waits, at the place that `tier`, `enqueued_at - head_start_us` and the order of queueing give.
    Queued { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, tier: u8, enqueued_at: Micros, head_start_us: Micros, cause: QueuedCause },
    /// 68: there was no room; the contact is over.
    Blocked { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, cause: BlockedCause },
    /// 69: a contact is proposed to an agent until `deadline`.
    OfferMade { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, deadline: Micros },
    /// 70: the agent took it.
    OfferAccepted { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 71: the agent refused it.
    OfferDeclined { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, agent: AgentId, reason: ReasonId },
    /// 72: the agent did not answer (RONA).
    OfferExpired { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 73: the engine took it back.
    OfferWithdrawn { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, agent: AgentId, cause: WithdrawnCause },
    /// 74: the channel is asked to connect customer and agent until `deadline`.
    Connecting { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId, deadline: Micros },
    /// 75: customer and agent are talking.
    Engaged { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 76: they could not be connected.
    ConnectFailed { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId, by: EndedBy },
    /// 77: the customer left before anyone was engaged; the contact is over.
    Abandoned { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId },
    /// 78: an engaged contact is over: served.
    Ended { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, by: EndedBy },
    /// 79: an agent passed the contact on.
    Transferred { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId, from_queue: QueueId, to_queue: QueueId },
    /// 80: an agent has started work; `AgentReady` or `AgentNotReady` follows.
    AgentSignedIn { at: Micros, agent: AgentId },
    /// 81: the agent wants contacts.
    AgentReady { at: Micros, agent: AgentId },
    /// 82: the agent wants none.
    AgentNotReady { at: Micros, agent: AgentId, reason: ReasonId },
    /// 83: the agent leaves after what it has in hand.
    AgentSigningOut { at: Micros, agent: AgentId },
    /// 84: the agent has left.
    AgentSignedOut { at: Micros, agent: AgentId },
    /// 85: too many offers in a row expired.
    AgentLocked { at: Micros, agent: AgentId, misses: u32 },
    /// 86: the lock was lifted.
    AgentUnlocked { at: Micros, agent: AgentId },
    /// 87: after-contact work, until `deadline` or earlier.
    WrapUpStarted { at: Micros, agent: AgentId, contact: ContactId, channel: ChannelId, deadline: Micros },
    /// 88: it is over.
    WrapUpEnded { at: Micros, agent: AgentId, contact: ContactId, channel: ChannelId, by: EndedBy },
    /// 89: a waiting contact was given another queue, head start or requirement; these are the new ones.
    Changed { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, head_start_us: Micros },
    /// 90: a supervisor released the contact before anyone was engaged; it is over.
    Withdrawn { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId },
}
