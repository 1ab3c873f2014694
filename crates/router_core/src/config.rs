//! What is configured: the only way to change the rules is the command `configure`.

use crate::demand::Requirement;
use crate::ids::{AgentId, ChannelId, DomainId, Level, QueueId, ReasonId, SkillId, TargetId};
use crate::time::Micros;

/// "Not limited", for every `max_waiting`.
pub const NO_LIMIT: u32 = u32::MAX;

/// "As long as the queue says", for [`AgentConfig::wrap_up_us`].
pub const QUEUE_WRAP_UP: Micros = Micros::MAX;

/// What decides between two candidates, for the agent that chooses a contact and the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The longest waiting contact; the least occupied, then longest idle agent.
    Longest,
    /// The agent's level for the queue first, then as `Longest`.
    AgentLevel,
    /// The contact whose queue's service level ends first; agents as in `Longest`.
    Deadline,
    /// The queue whose part of all who wait is the most above its ratio; agents as in `Longest`.
    Ratio,
}

/// Which agent a contact takes: the smallest key first, then the longest idle, then the first in the
/// configuration. Counts begin at the agent's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Strategy {
    /// The least units held.
    LongestIdle = 0,
    /// The least share of its units held.
    LeastOccupied = 1,
    /// The fewest contacts accepted.
    FewestContacts = 2,
    /// The least time engaged.
    LeastTalk = 3,
    /// The shortest engaged contacts on average.
    LeastAverageTalk = 4,
    /// The longest idle times on average.
    LongestAverageIdle = 5,
    /// The best level in the queue's `rank_skill`, then as `LongestIdle`.
    BestSkill = 6,
    /// The one whose last offer is the oldest, whenever that was.
    RoundRobin = 7,
    /// The first in the configuration.
    TopDown = 8,
    /// By lot, drawn anew with every offer to the agent.
    Random = 9,
    /// Offers in proportion to the agents' shares.
    Weighted = 10,
    /// As `LongestIdle`, but everybody is offered the contact at once, and the first to accept has it.
    RingAll = 11,
    /// Somebody outside is asked; else by the queue's fallback.
    Outside = 12,
}

/// How good an agent is at a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkillLevel {
    /// The skill.
    pub skill: SkillId,
    /// The level that it has.
    pub level: Level,
}

/// A channel account: where contacts come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Its number.
    pub id: ChannelId,
    /// Offered only to an agent who holds nothing but what is interruptible, and blocks every other
    /// offer (voice).
    pub exclusive: bool,
    /// Accepting connects at once: the contact skips `connecting`.
    pub instant: bool,
    /// How long `connecting` may last before the contact goes back to its place.
    pub connect_timeout_us: Micros,
    /// What is held here does not keep an exclusive contact away (mail).
    pub interruptible: bool,
    /// The domain whose contacts come from here.
    pub domain: DomainId,
}

/// A queue: where contacts wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Its number.
    pub id: QueueId,
    /// What every one of its contacts asks of an agent.
    pub requires: Requirement,
    /// The skill whose level is "the agent's level for the queue"; 0 = none.
    pub rank_skill: SkillId,
    /// Waiting contacts before an arrival without a free agent is blocked; [`NO_LIMIT`] for none.
    pub max_waiting: u32,
    /// How long an offer rings.
    pub offer_timeout_us: Micros,
    /// After-contact work; 0 = none.
    pub wrap_up_us: Micros,
    /// Which agent its contacts take.
    pub strategy: Strategy,
    /// Of several queues a freed agent serves the lower number first, within a tier; 1..=9.
    pub priority: u8,
    /// Within what time its contacts shall be served: what [`Order::Deadline`] goes by.
    pub service_level_us: Micros,
    /// Its part of all who wait under [`Order::Ratio`], against the others' ratios, 1..=1000.
    pub ratio: u32,
    /// What its contacts give up while they wait, in the order of time.
    pub steps: Vec<Step>,
    /// How many agents [`Strategy::RingAll`] rings at once, 1..=1000.
    pub ring_limit: u32,
    /// How long a contact is in an agent's hands, wrap-up included, until it is known better.
    pub expected_handle_us: Micros,
    /// When its contacts go elsewhere; the first rule that holds and whose destination takes the contact wins.
    pub overflow: Vec<Overflow>,
    /// The tier of its arrivals: 2, or 3 for what stands below everything that comes in by itself.
    pub tier: u8,
    /// How many of its contacts may be offered, connecting or engaged at once; [`NO_LIMIT`] for none.
    pub max_in_hand: u32,
    /// How often a waiting contact is told its position; 0 = never.
    pub announce_us: Micros,
    /// Whose queue it is.
    pub domain: DomainId,
    /// What agents go by under [`Strategy::Outside`] where nobody else has chosen one; not that itself.
    pub fallback: Strategy,
    /// How long an answer may take there.
    pub choice_timeout_us: Micros,
}

/// Whether a queue works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HoursState {
    /// It takes contacts, and they are served.
    Open = 0,
    /// Those who wait are served, nobody new gets in.
    Closing = 1,
    /// Nobody is served, nobody gets in; those who wait stay.
    Closed = 2,
}

/// When a contact goes elsewhere; behind it what [`Overflow::threshold`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OverflowWhen {
    /// It has got into the queue, and more contacts wait there: contacts, at least 1.
    Size = 0,
    /// It has waited so long since it was queued: microseconds, at most a day.
    Wait = 1,
    /// It has got into the queue, and the mean of its estimate is longer: microseconds, at most a day.
    Estimate = 2,
    /// It has got into the queue or an agent has left, and nobody who could serve it is signed in: 0.
    NoAgent = 3,
    /// It comes in while the queue is not open, or waits when the queue closes: 0.
    Closed = 4,
    /// So many offers of it were declined or expired in this queue: offers, at most 1,000.
    NoAnswer = 5,
}

/// What kind of place a contact overflows to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OverflowTo {
    /// Another queue.
    Queue = 0,
    /// A place outside: for the router the contact is over.
    Target = 1,
}

/// A rule by which contacts leave a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// What it looks at.
    pub when: OverflowWhen,
    /// From when on it holds; [`OverflowWhen`] says of what.
    pub threshold: u64,
    /// What kind of place `to` is.
    pub to_kind: OverflowTo,
    /// The queue or the target.
    pub to: u32,
}

/// What a contact gives up when it has waited so long in its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long, counted from when it was queued.
    pub after_us: Micros,
    /// Skills that are no longer asked for; strictly increasing.
    pub drop: Vec<SkillId>,
    /// Skills of which less is asked for; strictly increasing by skill.
    pub lower: Vec<Lower>,
    /// Queues whose requirement will do instead of its own queue's; strictly increasing.
    pub widen: Vec<QueueId>,
    /// What is added to its head start.
    pub head_start_us: Micros,
}

/// By how much less of a skill will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lower {
    /// The skill.
    pub skill: SkillId,
    /// What is taken off the level, 1..=100.
    pub by: Level,
}

/// How many units an agent has on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelUnits {
    /// The channel.
    pub channel: ChannelId,
    /// How much weight the agent can hold there at once.
    pub units: u32,
}

/// An agent. Its position in [`Config::agents`] is the last tie-break of every choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentConfig {
    /// Its number.
    pub id: AgentId,
    /// What it can do; strictly increasing by skill.
    pub skills: Vec<SkillLevel>,
    /// What it can hold; strictly increasing by channel. A channel that is missing is not served.
    pub capacity: Vec<ChannelUnits>,
    /// Its part of the offers under [`Strategy::Weighted`], 1..=1000.
    pub share: u32,
    /// Gets a contact only while no agent without this who could serve it is signed in (a bot).
    pub stealth: bool,
    /// Accepts every offer in the instant in which it is made.
    pub auto_accept: bool,
    /// After-contact work of this agent; [`QUEUE_WRAP_UP`] = as the contact's queue says.
    pub wrap_up_us: Micros,
    /// Whose agent it is.
    pub domain: DomainId,
}

/// A part of the site that works by itself, as a rule: its agents and its channels' contacts use its
/// queues only. Domain 0 is always there, with a share of 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainConfig {
    /// Its number.
    pub id: DomainId,
    /// Its part of the offers to agents who serve several domains, 1..=1000.
    pub share: u32,
}

/// Agents and contacts of another domain may use a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract {
    /// The queue.
    pub queue: QueueId,
    /// The domain.
    pub domain: DomainId,
}

/// Everything that `configure` sets, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The order of every choice.
    pub order: Order,
    /// Consecutive expired offers that lock an agent; 0 = never.
    pub miss_limit: u32,
    /// How long after nobody else is left the attempted agents are asked again.
    pub retry_after_us: Micros,
    /// Waiting contacts in all queues together; [`NO_LIMIT`] for none.
    pub max_waiting: u32,
    /// How long an ended contact's arrival key is remembered.
    pub key_retention_us: Micros,
    /// How long closed offers and command ids are remembered.
    pub memory_us: Micros,
    /// What [`Strategy::Random`] draws from.
    pub seed: u64,
    /// Domains besides 0, strictly increasing by id.
    pub domains: Vec<DomainConfig>,
    /// How long a contact may be passed by lighter ones before an agent is kept for it; 0 = for ever.
    pub reserve_after_us: Micros,
    /// How long before it may no longer be offered a contact is lifted to tier 1.
    pub reply_margin_us: Micros,
    /// Channels, strictly increasing by id.
    pub channels: Vec<ChannelConfig>,
    /// Skills, strictly increasing.
    pub skills: Vec<SkillId>,
    /// Reasons, strictly increasing.
    pub reasons: Vec<ReasonId>,
    /// Places outside that contacts may be passed on to, strictly increasing.
    pub targets: Vec<TargetId>,
    /// Queues, strictly increasing by id.
    pub queues: Vec<QueueConfig>,
    /// Agents, in the order of their positions; ids unique.
    pub agents: Vec<AgentConfig>,
    /// Who else may use a queue, strictly increasing by queue, then domain.
    pub contracts: Vec<Contract>,
    /// What the service keeps with it (its names); the core never looks inside.
    pub names: Vec<u8>,
    /// The configuration's hash, as the service computed it.
    pub hash: [u8; 32],
}

/// What one router may ever hold: bounds of memory, not of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Live contacts.
    pub max_contacts: u32,
    /// Agents in a configuration.
    pub max_agents: u32,
    /// Queues in a configuration.
    pub max_queues: u32,
    /// Channels in a configuration.
    pub max_channels: u32,
    /// Skills in a configuration.
    pub max_skills: u32,
    /// Closed offers that are remembered; beyond it the oldest is forgotten first.
    pub max_remembered_offers: u32,
    /// Command ids that are remembered; beyond it the oldest is forgotten first.
    pub max_remembered_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_contacts: 2_000_000,
            max_agents: 200_000,
            max_queues: 10_000,
            max_channels: 1_000,
            max_skills: 10_000,
            max_remembered_offers: 1_000_000,
            max_remembered_commands: 1_000_000,
        }
    }
}

/// The most needs of an alternative of a requirement.
pub const MAX_REQUIREMENT: usize = 16;
/// The most alternatives of a requirement.
pub const MAX_ALTERNATIVES: usize = 8;
/// The most skills that a contact prefers.
pub const MAX_PREFERS: usize = 8;
/// The largest weight of a preferred skill.
pub const MAX_SKILL_WEIGHT: u8 = 100;
/// The most agents that a contact prefers.
pub const MAX_PREFERRED: usize = 8;
/// The most agents that a contact excludes.
pub const MAX_EXCLUDES: usize = 16;
/// The most steps of a queue.
pub const MAX_STEPS: usize = 8;
/// The most overflow rules of a queue.
pub const MAX_OVERFLOW: usize = 8;
/// The most offers that [`OverflowWhen::NoAnswer`] counts to.
pub const MAX_UNANSWERED: u64 = 1_000;
/// So often a contact overflows in its life; after that no rule applies to it.
pub const MAX_HOPS: u8 = 4;
/// The first tier that a queue's arrivals may have, and the last.
pub const TIERS: std::ops::RangeInclusive<u8> = 2..=3;
/// The shortest time between two announcements.
pub const MIN_ANNOUNCE_US: Micros = crate::time::SECOND;
/// The last priority of a queue.
pub const MAX_PRIORITY: u8 = 9;
/// The largest ratio of a queue.
pub const MAX_RATIO: u32 = 1_000;
/// The heaviest contact.
pub const MAX_WEIGHT: u32 = 100;
/// The longest head start: a week.
pub const MAX_HEAD_START_US: Micros = 7 * crate::time::DAY;
/// The share of domain 0.
pub const SITE_SHARE: u32 = 100;
/// The furthest ahead that a contact is scheduled, or its reply is due: 400 days.
pub const MAX_AHEAD_US: Micros = 400 * crate::time::DAY;
/// The largest share of an agent or a domain.
pub const MAX_SHARE: u32 = 1_000;
/// The most agents that one contact rings at once.
pub const MAX_RING_LIMIT: u32 = 1_000;
/// The most agents who are named in a choice.
pub const MAX_CANDIDATES: usize = 64;
/// The longest time for an answer to a choice.
pub const MAX_CHOICE_US: Micros = 10 * crate::time::SECOND;
/// The most participants and open invitations of a contact, besides whoever serves it.
pub const MAX_PARTICIPANTS: u32 = 64;
/// The longest of every configured duration but the retention: a day.
pub const MAX_TIMEOUT_US: Micros = crate::time::DAY;
