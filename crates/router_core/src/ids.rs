//! Identifiers. Contacts and offers are numbered by the core; everything else is named in the
//! configuration and numbered by the service (semantics 27).

/// One customer's request on one channel; from 1, below 2^53.
pub type ContactId = u64;
/// One contact proposed to one agent; from 1, below 2^53.
pub type OfferId = u64;
/// One question whom a contact shall be offered to; from 1, below 2^53.
pub type ChoiceId = u64;
/// An agent of the configuration; 0 means "nobody".
pub type AgentId = u32;
/// A queue of the configuration; 0 means "none".
pub type QueueId = u32;
/// A domain; 0 = the site's own.
pub type DomainId = u32;
/// A skill of the configuration; 0 means "none".
pub type SkillId = u32;
/// A channel account of the configuration.
pub type ChannelId = u32;
/// A reason for being not ready, or for declining; 0 means "none given".
pub type ReasonId = u32;
/// A place outside that contacts can be passed on to.
pub type TargetId = u32;
/// How good an agent is at a skill, or how good it must be: 1..=100, more is better.
pub type Level = u8;
/// The keyed hash of `(channel, account, external id)` that makes intake exactly once.
pub type ArrivalKey = [u8; 16];
/// What makes a repeated command without a natural name recognisable.
pub type CommandId = [u8; 16];
