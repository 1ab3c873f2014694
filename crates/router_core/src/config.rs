//! What is configured: the only way to change the rules is the command `configure`.

use crate::ids::{AgentId, ChannelId, Level, QueueId, ReasonId, SkillId};
use crate::time::Micros;

/// "Not limited", for every `max_waiting`.
pub const NO_LIMIT: u32 = u32::MAX;

/// What decides between two candidates, for the agent that chooses a contact and the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The longest waiting contact; the least occupied, then longest idle agent.
    Longest,
    /// The agent's level for the queue first, then as `Longest`.
    AgentLevel,
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
}

/// One `skill >= level` that an agent must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkillLevel {
    /// The skill.
    pub skill: SkillId,
    /// The lowest level that will do, or the level that an agent has.
    pub level: Level,
}

/// A channel account: where contacts come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Its number.
    pub id: ChannelId,
    /// Offered only to an agent with nothing in hand, and blocks every other offer (voice).
    pub exclusive: bool,
    /// Accepting connects at once: the contact skips `connecting`.
    pub instant: bool,
    /// How long `connecting` may last before the contact goes back to its place.
    pub connect_timeout_us: Micros,
}

/// A queue: where contacts wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Its number.
    pub id: QueueId,
    /// Every one of these must be met; strictly increasing by skill.
    pub requires: Vec<SkillLevel>,
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
    /// Channels, strictly increasing by id.
    pub channels: Vec<ChannelConfig>,
    /// Skills, strictly increasing.
    pub skills: Vec<SkillId>,
    /// Reasons, strictly increasing.
    pub reasons: Vec<ReasonId>,
    /// Queues, strictly increasing by id.
    pub queues: Vec<QueueConfig>,
    /// Agents, in the order of their positions; ids unique.
    pub agents: Vec<AgentConfig>,
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

/// The most `skill >= level` entries that a contact or a queue may ask for.
pub const MAX_REQUIREMENT: usize = 16;
/// The heaviest contact.
pub const MAX_WEIGHT: u32 = 100;
/// The longest head start: a week.
pub const MAX_HEAD_START_US: Micros = 7 * crate::time::DAY;
/// The largest share of an agent.
pub const MAX_SHARE: u32 = 1_000;
/// The longest of every configured duration but the retention: a day.
pub const MAX_TIMEOUT_US: Micros = crate::time::DAY;
