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
//! 6. Contacts, offers and agents are state machines; `machines.md` beside this crate is drawn from
//!    their tables.
//!
//! ```
//! use router_core::{
//!     AgentConfig, ChannelConfig, ChannelUnits, Command, Config, Demand, Event, Limits, QueueConfig,
//!     Requirement, Router, SECOND, SkillLevel, Terms,
//! };
//!
//! let (chat, sales, english, ann) = (1, 1, 1, 1);
//! let config = Config {
//!     channels: vec![ChannelConfig::new(chat)],
//!     skills: vec![english],
//!     queues: vec![QueueConfig {
//!         requires: Requirement::all_of(&[SkillLevel { skill: english, level: 50 }]),
//!         rank_skill: english,
//!         ..QueueConfig::new(sales)
//!     }],
//!     agents: vec![AgentConfig {
//!         skills: vec![SkillLevel { skill: english, level: 80 }],
//!         capacity: vec![ChannelUnits { channel: chat, units: 3 }],
//!         ..AgentConfig::new(ann)
//!     }],
//!     ..Config::default()
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
//!         demand: Demand::default(),
//!         terms: Terms::default(),
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
mod alone;
mod announcing;
mod bits;
mod calibration;
mod check;
mod check_classes;
mod check_company;
mod check_domains;
mod check_overflow;
mod check_reserving;
mod check_wishes;
mod choosing;
mod chunked;
mod class;
mod codec;
pub mod command;
mod company;
pub mod config;
mod configure;
mod contact;
mod deciding;
pub mod demand;
mod domains;
mod door;
mod ended;
mod engagement;
mod estimate;
pub mod event;
pub mod explain;
mod few;
mod flow;
mod grouping;
mod handling;
mod hash;
mod hours;
pub mod ids;
mod index;
mod intake;
mod lease;
mod matching;
mod memory;
mod naive;
mod offer;
mod offering;
mod order;
mod overflow;
mod pace;
mod pages;
#[cfg(test)]
mod picture;
mod placing;
mod plain;
mod pool;
mod preference;
mod presence;
mod queue;
mod ranked;
mod reads;
pub mod rejection;
mod relaxation;
mod reply;
mod reserving;
mod restart;
mod restoring;
mod retry;
mod ringing;
mod room;
mod roster;
mod router;
mod rows;
mod scheduling;
mod setup;
mod several;
mod slab;
mod snapshot;
mod stealth;
mod supervision;
pub mod time;
mod timer;
mod validate;
mod validate_demand;
mod view;
mod wake;
mod wishes;

pub use alone::{Match, Matcher};
pub use command::{Command, KEEP_HEAD_START};
pub use config::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Contract, DomainConfig, HoursState, Limits,
    Lower, MAX_AHEAD_US, MAX_ALTERNATIVES, MAX_CANDIDATES, MAX_CHOICE_US, MAX_EXCLUDES,
    MAX_HEAD_START_US, MAX_HOPS, MAX_OVERFLOW, MAX_PARTICIPANTS, MAX_PREFERRED, MAX_PREFERS,
    MAX_PRIORITY, MAX_RATIO, MAX_REQUIREMENT, MAX_RING_LIMIT, MAX_SHARE, MAX_SKILL_WEIGHT,
    MAX_STEPS, MAX_TIMEOUT_US, MAX_UNANSWERED, MAX_WEIGHT, NO_LIMIT, Order, Overflow, OverflowTo,
    OverflowWhen, QUEUE_WRAP_UP, QueueConfig, SkillLevel, Step, Strategy,
};
pub use demand::{Demand, Need, Requirement, SkillWeight, Terms};
pub use event::{
    BlockedCause, ChoiceCause, EndedBy, Event, InvitationEnd, PreferenceOverCause, QueuedCause,
    ReleasedBy, WithdrawnCause,
};
pub use ids::{
    AgentId, ArrivalKey, ChannelId, ChoiceId, CommandId, ContactId, DomainId, Level, OfferId,
    QueueId, ReasonId, SkillId, TargetId,
};
pub use rejection::{Code, Rejection};
pub use router::{LAST_TIME, Router};
pub use snapshot::RestoreError;
pub use time::{DAY, MILLISECOND, Micros, SECOND};
pub use view::{
    AgentView, ContactState, ContactView, Desk, DeskContact, DeskInvitation, DeskJoined, DeskOffer,
    DeskWrapUp, EndedView, Estimate, Outcome, Overview, Presence, QueueView,
};
