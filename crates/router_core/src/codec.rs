//! How the state's parts are written: little-endian, counts as u64, nothing between.

use crate::agent::{Agent, Counters, WrapUp};
use crate::calibration::{Calibration, Sample};
use crate::choosing::Choice;
use crate::config::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Contract, DomainConfig, HoursState, Limits,
    Lower, Order, Overflow, OverflowTo, OverflowWhen, QueueConfig, SkillLevel, Step, Strategy,
};
use crate::contact::Contact;
use crate::demand::{Need, Requirement, SkillWeight};
use crate::domains::Given;
use crate::ended::Ended;
use crate::hours::NotOpen;
use crate::offer::{ClosedOffer, How, Offer, Purpose, SeenCommand};
use crate::several::{Participant, Several};
use crate::snapshot::RestoreError;
use crate::view::{ContactState, Outcome, Presence};
use crate::wishes::Wishes;

pub(crate) type Read<T> = Result<T, RestoreError>;

/// Bytes that are being read.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(RestoreError::Corrupt("it ends too early"))?;
        self.0 = rest;
        Ok(head)
    }
}

/// Whatever can be part of a snapshot.
pub(crate) trait Stored: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(from: &mut Reader<'_>) -> Read<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        impl Stored for $number {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read(from: &mut Reader<'_>) -> Read<Self> {
                let bytes = <[u8; size_of::<$number>()]>::read(from)?;
                Ok(Self::from_le_bytes(bytes))
            }
        }
    )* };
}
numbers!(u8, u32, u64);

impl<const N: usize> Stored for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let bytes = from.take(N)?;
        Self::try_from(bytes).map_err(|_| RestoreError::Corrupt("it ends too early"))
    }
}

impl Stored for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        match u8::read(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RestoreError::Corrupt("a flag is neither 0 nor 1")),
        }
    }
}

impl<T: Stored> Stored for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        if bool::read(from)? {
            T::read(from).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<T: Stored> Stored for Box<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        T::read(from).map(Self::new)
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        write_all(self, out);
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let count = u64::read(from)?;
        // Every item takes a byte at least, so a wrong count cannot claim more memory than it has bytes.
        if count > from.0.len() as u64 {
            return Err(RestoreError::Corrupt("a count is too high"));
        }
        (0..count).map(|_| T::read(from)).collect()
    }
}

/// Writes items as `Vec` reads them.
pub(crate) fn write_all<'a, T: Stored + 'a>(
    items: impl IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>,
    out: &mut Vec<u8>,
) {
    let items = items.into_iter();
    (items.len() as u64).write(out);
    items.for_each(|item| item.write(out));
}

/// Structs as their fields in order; what is derived gets the value given.
macro_rules! structs {
    ($($name:ident { $($field:ident),* $(; $($derived:ident = $value:expr),*)? })*) => { $(
        impl Stored for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(from: &mut Reader<'_>) -> Read<Self> {
                Ok(Self { $($field: Stored::read(from)?,)* $($($derived: $value,)*)? })
            }
        }
    )* };
}

structs! {
    Limits { max_contacts, max_agents, max_queues, max_channels, max_skills, max_remembered_offers, max_remembered_commands }
    SkillLevel { skill, level }
    ChannelUnits { channel, units }
    ChannelConfig { id, exclusive, instant, connect_timeout_us, interruptible, domain }
    Need { skill, level, negated }
    Requirement { alternatives }
    SkillWeight { skill, weight }
    Lower { skill, by }
    Step { after_us, drop, lower, widen, head_start_us }
    QueueConfig {
        id, requires, rank_skill, max_waiting, offer_timeout_us, wrap_up_us, strategy, priority,
        service_level_us, ratio, steps, ring_limit, expected_handle_us, overflow,
        tier, max_in_hand, announce_us, domain, fallback, choice_timeout_us
    }
    Overflow { when, threshold, to_kind, to }
    AgentConfig { id, skills, capacity, share, stealth, auto_accept, wrap_up_us, domain }
    DomainConfig { id, share }
    Contract { queue, domain }
    Given { domain, given }
    Config { order, miss_limit, retry_after_us, max_waiting, key_retention_us, memory_us, seed, reserve_after_us, reply_margin_us, domains, channels, skills, reasons, targets, queues, agents, contracts, names, hash }
    WrapUp { contact, channel, weight, deadline, timer, unasked }
    Counters { accepted, talk_us, talks, idle_us, idles, offers }
    Agent { id, position, presence, signing_out, locked, misses, idle_since, counters, last_offer, wrap_ups;
        offers = Vec::new(), invitations = Vec::new(), contacts = Vec::new(), joined = Vec::new(), reduced = false, kept_for = 0, held = Vec::new(), held_total = 0 }
    Wishes { preferred, preferred_wait_us, preferred_until, excludes, step, wake_at, wake_timer, hops, unanswered, looked_at, announce_at, announced, beyond_capacity, reply_by, choice, passed_at }
    Contact { id, channel, key, queue, weight, head_start_us, tier, arrived_at, enqueued_at, sequence, state, attempted, retry_at, several, passed_on_by, connect_failed, timer, wishes;
        asks = 0, class = 0 }
    Several { participants, on_hold, parked, unparked; ringing = Vec::new(), invitations = Vec::new() }
    Participant { agent, joined_at }
    NotOpen { queue, state }
    Choice { id, contact, deadline, timer }
    Offer { id, contact, agent, deadline, purpose, timer }
    Ended { id, channel, key, outcome, last_agent, ended_at, enqueued_at, place_used }
    ClosedOffer { id, contact, agent, how, closed_at }
    SeenCommand { id, at }
    Sample { contact, raw_us, mean_us, p90_us, weight }
    Calibration { queue, handle_us, handled, waited_us, abandoned, open, actual_us, estimated_us, buckets }
}

/// Enums without fields as one byte.
macro_rules! enums {
    ($($name:ident { $($variant:ident = $number:literal),* })*) => { $(
        impl Stored for $name {
            fn write(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$variant => $number,)* });
            }
            fn read(from: &mut Reader<'_>) -> Read<Self> {
                match u8::read(from)? {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(RestoreError::Corrupt(concat!("no such ", stringify!($name)))),
                }
            }
        }
    )* };
}

enums! {
    Order { Longest = 0, AgentLevel = 1, Deadline = 2, Ratio = 3 }
    Strategy {
        LongestIdle = 0, LeastOccupied = 1, FewestContacts = 2, LeastTalk = 3, LeastAverageTalk = 4,
        LongestAverageIdle = 5, BestSkill = 6, RoundRobin = 7, TopDown = 8, Random = 9, Weighted = 10,
        RingAll = 11, Outside = 12
    }
    Outcome { Served = 0, Abandoned = 1, Blocked = 2, Withdrawn = 3, Overflowed = 4 }
    HoursState { Open = 0, Closing = 1, Closed = 2 }
    OverflowWhen { Size = 0, Wait = 1, Estimate = 2, NoAgent = 3, Closed = 4, NoAnswer = 5 }
    OverflowTo { Queue = 0, Target = 1 }
    Purpose { Serve = 0, Join = 1 }
    How { Accepted = 0, Declined = 1, Expired = 2, Withdrawn = 3 }
}

impl Stored for Presence {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::SignedOut => out.push(0),
            Self::NotReady(reason) => {
                out.push(1);
                reason.write(out);
            }
            Self::Ready => out.push(2),
        }
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match u8::read(from)? {
            0 => Self::SignedOut,
            1 => Self::NotReady(Stored::read(from)?),
            2 => Self::Ready,
            _ => return Err(RestoreError::Corrupt("no such presence")),
        })
    }
}

impl Stored for ContactState {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Waiting => out.push(0),
            Self::Offered { offer, agent } => {
                out.push(1);
                offer.write(out);
                agent.write(out);
            }
            Self::Connecting { agent, deadline } => {
                out.push(2);
                agent.write(out);
                deadline.write(out);
            }
            Self::Engaged { agent, since } => {
                out.push(3);
                agent.write(out);
                since.write(out);
            }
            Self::Scheduled { until } => {
                out.push(4);
                until.write(out);
            }
        }
    }
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match u8::read(from)? {
            0 => Self::Waiting,
            1 => Self::Offered {
                offer: Stored::read(from)?,
                agent: Stored::read(from)?,
            },
            2 => Self::Connecting {
                agent: Stored::read(from)?,
                deadline: Stored::read(from)?,
            },
            3 => Self::Engaged {
                agent: Stored::read(from)?,
                since: Stored::read(from)?,
            },
            4 => Self::Scheduled {
                until: Stored::read(from)?,
            },
            _ => return Err(RestoreError::Corrupt("no such contact state")),
        })
    }
}
