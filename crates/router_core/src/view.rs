//! What the service may read: copies of the state, without any effect on it.

use crate::config::HoursState;
use crate::ids::{AgentId, ArrivalKey, ChannelId, ChoiceId, ContactId, OfferId, QueueId, ReasonId};
use crate::time::Micros;

/// What an agent has declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Not at work.
    SignedOut,
    /// At work, wants no contacts, and why.
    NotReady(ReasonId),
    /// Wants contacts.
    Ready,
}

/// Where a live contact stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactState {
    /// For later, and in no line yet.
    Scheduled {
        /// From when on it waits.
        until: Micros,
    },
    /// In its queue.
    Waiting,
    /// Proposed to an agent.
    Offered {
        /// The open offer.
        offer: OfferId,
        /// To whom.
        agent: AgentId,
    },
    /// Accepted; the channel is connecting customer and agent.
    Connecting {
        /// With whom.
        agent: AgentId,
        /// Until when, or back to its place.
        deadline: Micros,
    },
    /// Customer and agent are talking.
    Engaged {
        /// With whom.
        agent: AgentId,
        /// Since when.
        since: Micros,
    },
}

/// How a contact ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It was engaged.
    Served = 0,
    /// The customer left before.
    Abandoned = 1,
    /// There was no room.
    Blocked = 2,
    /// It was released before anyone was engaged, or may not be offered any more.
    Withdrawn = 3,
    /// One of its queue's overflow rules led out of the site.
    Overflowed = 4,
}

/// A live contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactView {
    /// Its number.
    pub contact: ContactId,
    /// Where it came from.
    pub channel: ChannelId,
    /// What makes it this request and no other.
    pub key: ArrivalKey,
    /// Where it waits or waited last.
    pub queue: QueueId,
    /// The units that it takes.
    pub weight: u32,
    /// Its head start.
    pub head_start_us: Micros,
    /// Its tier, lower first.
    pub tier: u8,
    /// When it came in.
    pub arrived_at: Micros,
    /// When it was queued last (arrival or transfer), or will be.
    pub enqueued_at: Micros,
    /// What is being done with it.
    pub state: ContactState,
    /// The choice that runs for it; 0 = none.
    pub choice: ChoiceId,
    /// Its customer waits on hold.
    pub on_hold: bool,
    /// Its agent has put it aside.
    pub parked: bool,
    /// Who else is in it, in the order of joining.
    pub participants: Vec<AgentId>,
}

/// How long a waiting contact will go on waiting; `estimate.rs` has the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Waiting contacts of its queue that stand before it.
    pub position: u64,
    /// Waiting contacts, of all queues, that whichever working agent comes to it first would still
    /// be offered before it.
    pub ahead: u64,
    /// The expected wait from now on.
    pub mean_us: Micros,
    /// Half of the waits are shorter.
    pub p50_us: Micros,
    /// Nine in ten waits are shorter.
    pub p90_us: Micros,
}

/// A contact that is over and still remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedView {
    /// Its number.
    pub contact: ContactId,
    /// Where it came from.
    pub channel: ChannelId,
    /// What makes it this request and no other.
    pub key: ArrivalKey,
    /// How it ended.
    pub outcome: Outcome,
    /// Who had it in hand at the end; 0 = nobody.
    pub last_agent: AgentId,
    /// When it ended.
    pub ended_at: Micros,
    /// When it was queued last, or was to be.
    pub enqueued_at: Micros,
    /// Another contact has taken its place.
    pub place_used: bool,
}

/// An open offer on an agent's desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskOffer {
    /// The offer.
    pub offer: OfferId,
    /// What is proposed.
    pub contact: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its queue.
    pub queue: QueueId,
    /// Until when.
    pub deadline: Micros,
}

/// An open invitation on an agent's desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskInvitation {
    /// The offer to join.
    pub offer: OfferId,
    /// What it is about.
    pub contact: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its queue.
    pub queue: QueueId,
    /// Who serves it.
    pub served_by: AgentId,
    /// Until when.
    pub deadline: Micros,
}

/// A contact that an agent is in beside whoever serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskJoined {
    /// The contact.
    pub contact: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its queue.
    pub queue: QueueId,
    /// Who serves it.
    pub served_by: AgentId,
    /// Since when the agent is in it.
    pub joined_at: Micros,
}

/// A connecting or engaged contact on an agent's desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskContact {
    /// The contact.
    pub contact: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its queue.
    pub queue: QueueId,
    /// Until when it may connect; `None` = engaged.
    pub connecting_until: Option<Micros>,
    /// Its customer waits on hold.
    pub on_hold: bool,
    /// It is put aside.
    pub parked: bool,
    /// Who else is in it, in the order of joining.
    pub participants: Vec<AgentId>,
}

/// A wrap-up on an agent's desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskWrapUp {
    /// The contact that was served.
    pub contact: ContactId,
    /// Its channel.
    pub channel: ChannelId,
    /// The units that are still held.
    pub weight: u32,
    /// Until when.
    pub deadline: Micros,
}

/// All that an agent has in hand: what its page shows after a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The agent's own line.
    pub agent: AgentView,
    /// Open offers, by id.
    pub offers: Vec<DeskOffer>,
    /// Connecting and engaged contacts, by id.
    pub contacts: Vec<DeskContact>,
    /// Wrap-ups, in order of their start.
    pub wrap_ups: Vec<DeskWrapUp>,
    /// Open invitations, by id.
    pub invitations: Vec<DeskInvitation>,
    /// Contacts that it is in beside whoever serves them, by id.
    pub joined: Vec<DeskJoined>,
}

/// One agent's line in the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// The agent.
    pub agent: AgentId,
    /// What the agent has declared.
    pub presence: Presence,
    /// On the way out, after what is in hand.
    pub signing_out: bool,
    /// Gets no offers until unlocked.
    pub locked: bool,
    /// Consecutive expired offers.
    pub misses: u32,
    /// What idle time counts from.
    pub idle_since: Micros,
    /// Units held on all channels.
    pub held_total: u64,
    /// Open offers.
    pub offers: u32,
    /// Connecting and engaged contacts.
    pub contacts: u32,
    /// Contacts that it is in beside whoever serves them.
    pub joined: u32,
    /// Wrap-ups.
    pub wrap_ups: u32,
}

/// One queue's line in the overview; each live contact counts in exactly one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// The queue.
    pub queue: QueueId,
    /// Contacts that wait.
    pub waiting: u32,
    /// Contacts that are proposed to an agent.
    pub offered: u32,
    /// Contacts that are being connected.
    pub connecting: u32,
    /// Contacts that are engaged.
    pub engaged: u32,
    /// Contacts for later.
    pub scheduled: u32,
    /// The earliest arrival among those that wait.
    pub oldest_arrived_at: Option<Micros>,
    /// Whether it works.
    pub hours: HoursState,
}

/// The whole floor at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Overview {
    /// The router's clock.
    pub now: Micros,
    /// Every configured queue, by id.
    pub queues: Vec<QueueView>,
    /// Every configured agent, by position.
    pub agents: Vec<AgentView>,
    /// Ended contacts that are still remembered.
    pub remembered_contacts: u32,
    /// The next contact's id: one more than ever arrived.
    pub next_contact: ContactId,
}
