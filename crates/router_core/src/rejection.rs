//! Everything that can be refused. Codes are stable: plugins and journals carry them.

/// Why a command was refused. Nothing changed but the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What was wrong.
    pub code: Code,
    /// The offending id or value.
    pub detail: u64,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// The stable codes of [`Rejection`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Code { $($(#[doc = $doc])* $variant = $number,)* }

        impl Code {
            /// Every code there is, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code's name on the wire's human side: scenarios, logs, exceptions.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The first command must be `configure`.
    NotConfigured = 1, "not_configured";
    /// `at` lies before the router's clock; detail = the clock.
    TimeBackwards = 2, "time_backwards";
    /// No such channel.
    UnknownChannel = 10, "unknown_channel";
    /// No such queue.
    UnknownQueue = 11, "unknown_queue";
    /// No such skill.
    UnknownSkill = 12, "unknown_skill";
    /// No such agent.
    UnknownAgent = 13, "unknown_agent";
    /// No such contact, or another's.
    UnknownContact = 14, "unknown_contact";
    /// No such offer, or another's.
    UnknownOffer = 15, "unknown_offer";
    /// No such reason.
    UnknownReason = 16, "unknown_reason";
    /// No such target.
    UnknownTarget = 17, "unknown_target";
    /// No such domain.
    UnknownDomain = 19, "unknown_domain";
    /// No such choice, or it is over.
    UnknownChoice = 18, "unknown_choice";
    /// A level is not 1..=100.
    BadLevel = 20, "bad_level";
    /// A weight of a contact, or of a skill that it prefers, is not 1..=100.
    BadWeight = 21, "bad_weight";
    /// A head start is longer than a week.
    BadHeadStart = 22, "bad_head_start";
    /// A requirement has more than 8 alternatives, one of them none or more than 16 needs, or the skills in it are
    /// not strictly increasing; or so with preferred skills or a queue's steps; detail = the skill, or the count.
    BadRequirement = 23, "bad_requirement";
    /// More than 8 preferred or 16 excluded agents, or they are not strictly increasing; detail = the agent, or the count.
    BadAgents = 24, "bad_agents";
    /// No contact whose place could be taken: none is remembered, it is live, was served or blocked or has not yet
    /// had one, or the new contact is not to wait yet; detail = the contact named.
    BadPlace = 25, "bad_place";
    /// The place of that contact has been taken; detail = the contact named.
    PlaceUsed = 26, "place_used";
    /// The agent is signed out, or on the way out.
    SignedOut = 30, "signed_out";
    /// The contact is not in a state for this; detail = the contact, or the agent who is in it already.
    WrongState = 31, "wrong_state";
    /// The offer expired before the answer came.
    OfferExpired = 32, "offer_expired";
    /// The offer was withdrawn before the answer came.
    OfferWithdrawn = 33, "offer_withdrawn";
    /// The agent has declined this offer.
    OfferDeclined = 34, "offer_declined";
    /// The agent has accepted this offer.
    OfferAccepted = 35, "offer_accepted";
    /// The queue is not open; detail = the queue.
    QueueClosed = 36, "queue_closed";
    /// The queue is another domain's, and no contract opens it; detail = the queue.
    OtherDomain = 37, "other_domain";
    /// As many contacts are live as the router may hold; detail = the limit.
    TooManyContacts = 40, "too_many_contacts";
    /// As many agents are in the contact, or invited, as may be; detail = the limit.
    TooManyParticipants = 41, "too_many_participants";
    /// The configuration lists an id twice, or not in order.
    DuplicateId = 50, "duplicate_id";
    /// The new configuration lacks an agent who is not signed out or has something in hand.
    AgentInUse = 51, "agent_in_use";
    /// The new configuration lacks a queue that holds live contacts.
    QueueInUse = 52, "queue_in_use";
    /// The new configuration lacks a channel that has live contacts.
    ChannelInUse = 53, "channel_in_use";
    /// More agents than the limit.
    TooManyAgents = 54, "too_many_agents";
    /// More queues than the limit.
    TooManyQueues = 55, "too_many_queues";
    /// More channels than the limit.
    TooManyChannels = 56, "too_many_channels";
    /// More skills than the limit.
    TooManySkills = 57, "too_many_skills";
    /// A duration is out of its range, or a time too early or too far ahead; detail = the value.
    BadDuration = 58, "bad_duration";
    /// The new configuration lacks a skill that a live contact needs.
    SkillInUse = 59, "skill_in_use";
    /// An agent's or a domain's share is not 1..=1000; detail = the value.
    BadShare = 60, "bad_share";
    /// A queue's priority is not 1..=9; detail = the value.
    BadPriority = 61, "bad_priority";
    /// A queue's ratio is not 1..=1000; detail = the value.
    BadRatio = 62, "bad_ratio";
    /// A queue's ring limit is not 1..=1000; detail = the value.
    BadRingLimit = 63, "bad_ring_limit";
    /// A channel is exclusive and interruptible; detail = the channel.
    BadChannel = 64, "bad_channel";
    /// A queue has more than 8 overflow rules, one of them leads to itself, or its threshold is out of range; detail =
    /// the rule's index.
    BadOverflow = 65, "bad_overflow";
    /// A queue's tier is not 2 or 3; detail = the value.
    BadTier = 66, "bad_tier";
    /// A queue's fallback is a strategy from outside itself; detail = the queue.
    BadStrategy = 67, "bad_strategy";
}

impl From<Code> for u16 {
    fn from(code: Code) -> Self {
        code as Self
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code.name(), self.detail)
    }
}

impl std::error::Error for Rejection {}
