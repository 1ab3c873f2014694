//! Everything that can have happened. The number behind a name is its kind on the wire; fields go
//! on the wire in the order written here, `at` first. `at` is the deadline's own time for what a
//! timer did.

use crate::config::{HoursState, OverflowTo, OverflowWhen};
use crate::ids::{
    AgentId, ArrivalKey, ChannelId, ChoiceId, ContactId, OfferId, QueueId, ReasonId, TargetId,
};
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
    /// It has left another queue by one of that queue's overflow rules; it keeps its place.
    Overflow = 5,
    /// The time has come before which it was not to wait.
    Scheduled = 6,
    /// The lease of the agent who served it was lost; it stands at its old place.
    LeaseLost = 7,
}

/// Why a contact was blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BlockedCause {
    /// The queue's `max_waiting`.
    QueueFull = 0,
    /// The site's `max_waiting`.
    SiteFull = 1,
    /// The queue is not open.
    Closed = 2,
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
    /// A supervisor, or the engine whose plugin is gone, released the contact.
    Released = 3,
    /// Another agent took the contact.
    Taken = 4,
}

/// How an invitation ended without its agent joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InvitationEnd {
    /// The agent refused it.
    Declined = 1,
    /// The agent did not answer.
    Expired = 2,
    /// There is nothing left to join, or nobody to do so.
    Withdrawn = 3,
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
    /// The engine, because nobody stands behind it any more: an agent's lease or a plugin's grace is over.
    Engine = 4,
}

/// Who releases a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ReleasedBy {
    /// A supervisor.
    #[default]
    Supervisor = 0,
    /// The engine, whose plugin is gone.
    Engine = 1,
}

impl From<ReleasedBy> for EndedBy {
    fn from(by: ReleasedBy) -> Self {
        match by {
            ReleasedBy::Supervisor => Self::Supervisor,
            ReleasedBy::Engine => Self::Engine,
        }
    }
}

/// Why a contact no longer waits for the agents that it prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PreferenceOverCause {
    /// It has waited for them as long as it would.
    Deadline = 0,
    /// None of them could take it.
    Absent = 1,
}

/// How a choice came to its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ChoiceCause {
    /// The agent was named.
    Chosen = 0,
    /// Nobody answered in time.
    Deadline = 1,
    /// The agent who was named is not eligible.
    NotEligible = 2,
    /// The answer was to name nobody.
    LeftToFallback = 3,
}

/// One fact, as the journal's followers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[rustfmt::skip]
#[allow(missing_docs, reason = "the fields are the glossary's words")]
pub enum Event {
    /// 64: a configuration is in force; `number` counts those that were accepted, from 1.
    Configured { at: Micros, hash: [u8; 32], number: u64 },
    /// 65: the service has started again.
    Restarted { at: Micros },
    /// 66: a contact exists from here on.
    Arrived { at: Micros, contact: ContactId, channel: ChannelId, key: ArrivalKey, queue: QueueId, weight: u32 },
    /// 67: a contact waits, at the place that `tier`, `enqueued_at - head_start_us` and the order of queueing give.
    Queued { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, tier: u8, enqueued_at: Micros, head_start_us: Micros, cause: QueuedCause },
    /// 68: there was no room; the contact is over.
    Blocked { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, cause: BlockedCause },
    /// 69: a contact is proposed to an agent until `deadline`; `config` is the number of the configuration by which it was chosen.
    OfferMade { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, deadline: Micros, config: u64 },
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
    /// 77: the customer left before anyone was engaged; the contact is over. `agent` was connecting it; 0 = nobody.
    Abandoned { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId },
    /// 78: an engaged contact is over: served.
    Ended { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, by: EndedBy },
    /// 79: the agent or a supervisor passed the contact on that `agent` served.
    Transferred { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId, from_queue: QueueId, to_queue: QueueId, by: EndedBy },
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
    /// 90: a supervisor or the engine released the contact before anyone was engaged, or it may not be offered any more; it is over. `agent` was connecting it; 0 = nobody.
    Withdrawn { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, by: EndedBy },
    /// 91: a waiting contact has given something up: as many steps of its queue apply now.
    Relaxed { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, step: u8, head_start_us: Micros },
    /// 92: a waiting contact may be offered to agents that it did not prefer.
    PreferenceOver { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, cause: PreferenceOverCause },
    /// 93: the customer waits while the agent does something else about the contact.
    Held { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 94: the agent goes on with it.
    Resumed { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 95: the agent has put the contact aside; its units are free.
    Parked { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 96: the agent has taken it up again; its units are held.
    Unparked { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 97: `agent` asks `invitee` to join the contact, until `deadline`.
    Invited { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, invitee: AgentId, deadline: Micros },
    /// 98: the agent is in the contact, beside whoever serves it.
    Joined { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 99: the agent who was asked to join does not.
    InvitationOver { at: Micros, offer: OfferId, contact: ContactId, channel: ChannelId, agent: AgentId, how: InvitationEnd },
    /// 100: a participant is in the contact no longer.
    Left { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId, by: EndedBy },
    /// 101: whoever served the contact has left it to a participant.
    HandedOver { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, from_agent: AgentId, to_agent: AgentId },
    /// 102: a supervisor serves it from now on.
    TakenOver { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, from_agent: AgentId, to_agent: AgentId },
    /// 103: the agent passed the contact on to somewhere outside; `Ended` follows.
    TransferredOut { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, agent: AgentId, target: TargetId },
    /// 104: a contact that its queue's estimates are measured by is engaged: what was estimated when it was queued, and how long it waited.
    EstimateScored { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, estimate_us: Micros, p90_us: Micros, actual_us: Micros },
    /// 105: a queue has opened, takes nobody new, or has closed.
    HoursChanged { at: Micros, queue: QueueId, state: HoursState },
    /// 106: a contact leaves `queue` by one of its rules; to a queue: `Queued` follows, to a target: it is over. `to` is the queue or the target.
    Overflowed { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, cause: OverflowWhen, to_kind: OverflowTo, to: u32 },
    /// 107: a waiting contact may be told its position (1 = next) and the wait that is estimated, half and nine in ten; 0 = no estimate.
    AnnouncementDue { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, position: u64, p50_us: Micros, p90_us: Micros },
    /// 108: the agent is eligible for nobody but this contact, which others have passed for too long.
    Reserved { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 109: the agent is no longer qualified for it.
    Unreserved { at: Micros, contact: ContactId, channel: ChannelId, agent: AgentId },
    /// 110: a contact waits from `until` on; before that it has no place.
    Scheduled { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, until: Micros },
    /// 111: a waiting contact goes before others, because it may be offered until `reply_by` only.
    Lifted { at: Micros, contact: ContactId, channel: ChannelId, queue: QueueId, tier: u8, reply_by: Micros },
    /// 112: somebody outside is asked, until `deadline`, who of `agents`, the first by the queue's fallback, gets a waiting contact.
    ChoiceWanted { at: Micros, choice: ChoiceId, contact: ContactId, channel: ChannelId, queue: QueueId, deadline: Micros, agents: Vec<AgentId> },
    /// 113: the contact goes to `agent`, or waits on; 0 = nobody is eligible.
    ChoiceOver { at: Micros, choice: ChoiceId, contact: ContactId, channel: ChannelId, agent: AgentId, cause: ChoiceCause },
    /// 114: an agent's lease was lost. What follows takes everything out of its hands but contacts that go on without a desk, and wrap-ups; `contacts` are the engaged ones that go back to their places, ascending.
    LeaseLost { at: Micros, agent: AgentId, contacts: Vec<ContactId> },
}
