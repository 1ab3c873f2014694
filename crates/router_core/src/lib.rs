//! Paidui's routing core: commands and time in, events out. Pure: std only, no I/O, no clock.
//!
//! 1. [`Router::apply`] = advance the clock, validate, mutate, match to a fixed point. A refused
//!    command changes nothing but the clock.
//! 2. Time is an argument, [`Router::next_deadline`] a result; the host owns the clock. Calling
//!    [`Router::advance`] late, early or often gives the same events.
//! 3. Events are returned, never called back. An event that a timer caused carries the deadline's
//!    own time.
//! 4. Everything is an integer, and no decision depends on a data structure: the same commands give
//!    the same events and the same [`Router::state_hash`] on every machine.
//! 5. After every call there is no waiting contact and agent that fit each other;
//!    [`Router::check`] asserts that and every other invariant the slow way.
//!
//! ```
//! use router_core::{
//!     AgentConfig, ChannelConfig, ChannelUnits, Command, Config, DAY, Event, Limits, NO_LIMIT,
//!     Order, QueueConfig, Router, SECOND, SkillLevel, Strategy,
//! };
//!
//! let (chat, sales, english, ann) = (1, 1, 1, 1);
//! let config = Config {
//!     order: Order::Longest,
//!     miss_limit: 3,
//!     retry_after_us: 5 * SECOND,
//!     max_waiting: NO_LIMIT,
//!     key_retention_us: 7 * DAY,
//!     memory_us: 600 * SECOND,
//!     seed: 0,
//!     channels: vec![ChannelConfig {
//!         id: chat,
//!         exclusive: false,
//!         instant: true,
//!         connect_timeout_us: 10 * SECOND,
//!     }],
//!     skills: vec![english],
//!     reasons: vec![],
//!     queues: vec![QueueConfig {
//!         id: sales,
//!         requires: vec![SkillLevel { skill: english, level: 50 }],
//!         rank_skill: english,
//!         max_waiting: NO_LIMIT,
//!         offer_timeout_us: 20 * SECOND,
//!         wrap_up_us: 0,
//!         strategy: Strategy::LongestIdle,
//!     }],
//!     agents: vec![AgentConfig {
//!         id: ann,
//!         skills: vec![SkillLevel { skill: english, level: 80 }],
//!         capacity: vec![ChannelUnits { channel: chat, units: 3 }],
//!         share: 100,
//!     }],
//!     names: vec![],
//!     hash: [0; 32],
//! };
//! let mut router = Router::new(Limits::default());
//! let mut events = Vec::new();
//! router.apply(0, Command::Configure { config: Box::new(config) }, &mut events)?;
//! router.apply(0, Command::SignIn { agent: ann, ready: true, command_id: None }, &mut events)?;
//!
//! events.clear();
//! let contact = router.apply(
//!     SECOND,
//!     Command::Arrive {
//!         channel: chat,
//!         key: [7; 16],
//!         queue: sales,
//!         head_start_us: 0,
//!         weight: 1,
//!         requires: vec![],
//!     },
//!     &mut events,
//! )?;
//! let Some(&Event::OfferMade { offer, agent, deadline, .. }) = events.last() else { panic!() };
//! assert_eq!((agent, deadline), (ann, 21 * SECOND));
//! assert_eq!(router.next_deadline(), Some(deadline));
//!
//! events.clear();
//! router.apply(2 * SECOND, Command::Accept { agent: ann, offer }, &mut events)?;
//! assert_eq!(
//!     events.last(),
//!     Some(&Event::Engaged { at: 2 * SECOND, contact, channel: chat, agent: ann }),
//! );
//! router.check();
//! # Ok::<(), router_core::Rejection>(())
//! ```

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod agent;
mod bits;
mod check;
mod check_classes;
mod chunked;
mod class;
mod codec;
pub mod command;
pub mod config;
mod configure;
mod contact;
pub mod event;
pub mod explain;
mod flow;
mod grouping;
mod handling;
mod hash;
pub mod ids;
mod index;
mod intake;
mod matching;
mod naive;
mod offer;
mod offering;
mod order;
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
mod supervision;
pub mod time;
mod timer;
mod validate;
mod view;

pub use command::{Command, KEEP_HEAD_START};
pub use config::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Limits, MAX_HEAD_START_US, MAX_REQUIREMENT,
    MAX_SHARE, MAX_TIMEOUT_US, MAX_WEIGHT, NO_LIMIT, Order, QueueConfig, SkillLevel, Strategy,
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
