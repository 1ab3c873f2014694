//! Paidui's routing core: commands and time in, events out.

pub mod command;
pub mod config;
pub mod event;
pub mod ids;
pub mod rejection;
mod router;
mod snapshot;
pub mod time;
mod view;

pub use command::Command;
pub use config::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Limits, MAX_HEAD_START_US, MAX_REQUIREMENT,
    MAX_TIMEOUT_US, MAX_WEIGHT, NO_LIMIT, Order, QueueConfig, SkillLevel,
};
pub use event::{BlockedCause, EndedBy, Event, QueuedCause, WithdrawnCause};
pub use ids::{
    AgentId, ArrivalKey, ChannelId, CommandId, ContactId, Level, OfferId, QueueId, ReasonId,
    SkillId,
};
pub use rejection::{Code, Rejection};
pub use router::Router;
pub use snapshot::RestoreError;
pub use time::{DAY, MILLISECOND, Micros, SECOND};
pub use view::{
    AgentView, ContactState, ContactView, Desk, DeskContact, DeskOffer, DeskWrapUp, EndedView,
    Outcome, Overview, Presence, QueueView,
};
