//! Paidui's routing core: commands and time in, events out.

mod agent;
mod bits;
mod check;
mod check_classes;
mod class;
mod codec;
pub mod command;
pub mod config;
mod configure;
mod contact;
pub mod event;
mod flow;
mod grouping;
mod handling;
mod hash;
pub mod ids;
mod intake;
mod matching;
mod naive;
mod offer;
mod offering;
mod pool;
mod presence;
mod queue;
mod ranked;
mod reads;
pub mod rejection;
mod restart;
mod retry;
mod roster;
mod router;
mod setup;
mod slab;
mod snapshot;
pub mod time;
mod timer;
mod validate;
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
pub use router::{LAST_TIME, Router};
pub use snapshot::RestoreError;
pub use time::{DAY, MILLISECOND, Micros, SECOND};
pub use view::{
    AgentView, ContactState, ContactView, Desk, DeskContact, DeskOffer, DeskWrapUp, EndedView,
    Outcome, Overview, Presence, QueueView,
};
