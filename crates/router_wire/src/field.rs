//! One field of a message, by its Rust type.

use router_core::{
    AgentConfig, BlockedCause, ChannelConfig, ChannelUnits, ChoiceCause, Config, Contract,
    DomainConfig, EndedBy, HoursState, InvitationEnd, Lower, Need, Order, Overflow, OverflowTo,
    OverflowWhen, PreferenceOverCause, QueueConfig, QueuedCause, ReleasedBy, Requirement,
    SkillLevel, SkillWeight, Step, Strategy, WithdrawnCause,
};

use crate::fault::DecodeError;
use crate::reader::Reader;
use crate::writer::{put_array, put_bin, put_bool, put_nil, put_uint};

/// The most items that room is made for before they have been read: a length is only a claim.
const TRUSTED_LENGTH: usize = 1024;

/// Something that a message has as a field.
pub(crate) trait Field: Sized {
    /// What it is when the array ends before it; `None` = it must be there.
    fn absent() -> Option<Self> {
        None
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);
}

/// Something that lists are made of: everything but `u8`, whose list is a byte string.
pub(crate) trait Item: Field {}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl Field for $type {
            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(reader.uint(u64::from(Self::MAX))? as Self)
            }
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                put_uint(out, u64::from(*self));
            }
        }
    )* };
}
integers!(u8, u32, u64);
impl Item for u32 {}
impl Item for u64 {}

impl Field for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.bool()
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_bool(out, *self);
    }
}

/// Arrival keys, command ids, hashes.
impl<const N: usize> Field for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.bin()?;
        bytes
            .try_into()
            .map_err(|_| DecodeError::unexpected(&format!("{N} bytes"), bytes.len()))
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_bin(out, self);
    }
}

impl Field for Vec<u8> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.bin().map(<[u8]>::to_vec)
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_bin(out, self);
    }
}

/// What may be nil or, at the end of a message, missing: a command id, a requirement that is kept.
impl<T: Field> Field for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.nil() {
            Ok(None)
        } else {
            T::read(reader).map(Some)
        }
    }
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => put_nil(out),
        }
    }
}

impl<T: Item> Field for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.array()?;
        let mut items = Self::with_capacity(length.min(TRUSTED_LENGTH));
        for index in 0..length {
            items.push(T::read(reader).map_err(|fault| fault.in_item(index))?);
        }
        Ok(items)
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_array(out, self.len());
        for item in self {
            item.write(out);
        }
    }
}

/// A list of alternatives.
impl Field for Requirement {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Field::read(reader).map(|alternatives| Self { alternatives })
    }
    fn write(&self, out: &mut Vec<u8>) {
        self.alternatives.write(out);
    }
}

/// `[skill, level]`, and a third item where it says that it is negated.
impl Field for Need {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = reader.array()?;
        if !(2..=3).contains(&length) {
            return Err(DecodeError::unexpected("2 or 3 items", length));
        }
        let named = |name| move |fault: DecodeError| fault.in_field(name);
        Ok(Self {
            skill: Field::read(reader).map_err(named("skill"))?,
            level: Field::read(reader).map_err(named("level"))?,
            negated: length == 3 && bool::read(reader).map_err(named("negated"))?,
        })
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_array(out, 2 + usize::from(self.negated));
        self.skill.write(out);
        self.level.write(out);
        if self.negated {
            self.negated.write(out);
        }
    }
}

impl Item for Need {}
impl Item for Vec<Need> {}

impl Field for Box<Config> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Config::read(reader).map(Self::new)
    }
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

macro_rules! enums {
    ($($type:ident { $($variant:ident),* })*) => { $(
        impl Field for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                // In the order of their numbers, from 0.
                const ALL: &[$type] = &[$($type::$variant),*];
                Ok(ALL[reader.uint(ALL.len() as u64 - 1)? as usize])
            }
            fn write(&self, out: &mut Vec<u8>) {
                put_uint(out, *self as u64);
            }
        }
    )* };
}
enums! {
    Order { Longest, AgentLevel, Deadline, Ratio }
    Strategy {
        LongestIdle, LeastOccupied, FewestContacts, LeastTalk, LeastAverageTalk, LongestAverageIdle,
        BestSkill, RoundRobin, TopDown, Random, Weighted, RingAll, Outside
    }
    QueuedCause { Arrival, Transfer, OfferEnded, ConnectFailed, Restart, Overflow, Scheduled, LeaseLost }
    BlockedCause { QueueFull, SiteFull, Closed }
    WithdrawnCause { Abandoned, AgentLeft, Restart, Released, Taken }
    EndedBy { Customer, Agent, Deadline, Supervisor, Engine }
    PreferenceOverCause { Deadline, Absent }
    HoursState { Open, Closing, Closed }
    OverflowWhen { Size, Wait, Estimate, NoAgent, Closed, NoAnswer }
    OverflowTo { Queue, Target }
    ChoiceCause { Chosen, Deadline, NotEligible, LeftToFallback }
}

/// May be missing at the end: a supervisor, as long as there was nobody else.
impl Field for ReleasedBy {
    fn absent() -> Option<Self> {
        Some(Self::Supervisor)
    }
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok([Self::Supervisor, Self::Engine][reader.uint(1)? as usize])
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_uint(out, *self as u64);
    }
}

impl Field for InvitationEnd {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.uint(u64::MAX)? {
            1 => Ok(Self::Declined),
            2 => Ok(Self::Expired),
            3 => Ok(Self::Withdrawn),
            other => Err(DecodeError::unexpected("an integer 1..3", other)),
        }
    }
    fn write(&self, out: &mut Vec<u8>) {
        put_uint(out, *self as u64);
    }
}

macro_rules! structs {
    ($($type:ident { $($field:ident),* $(,)? })*) => { $(
        impl Field for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                const FIELDS: usize = [$(stringify!($field)),*].len();
                let length = reader.array()?;
                if length != FIELDS {
                    return Err(DecodeError::unexpected(&format!("{FIELDS} items"), length));
                }
                Ok(Self { $(
                    $field: Field::read(reader)
                        .map_err(|fault: DecodeError| fault.in_field(stringify!($field)))?,
                )* })
            }
            fn write(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                put_array(out, [$(stringify!($field)),*].len());
                $($field.write(out);)*
            }
        }
        impl Item for $type {}
    )* };
}
structs! {
    SkillLevel { skill, level }
    ChannelConfig { id, exclusive, instant, connect_timeout_us, interruptible, domain }
    SkillWeight { skill, weight }
    Lower { skill, by }
    Step { after_us, drop, lower, widen, head_start_us }
    QueueConfig {
        id, requires, rank_skill, max_waiting, offer_timeout_us, wrap_up_us, strategy, priority,
        service_level_us, ratio, steps, ring_limit, expected_handle_us, overflow,
        tier, max_in_hand, announce_us, domain, fallback, choice_timeout_us,
    }
    Overflow { when, threshold, to_kind, to }
    ChannelUnits { channel, units }
    AgentConfig { id, skills, capacity, share, stealth, auto_accept, wrap_up_us, domain }
    DomainConfig { id, share }
    Contract { queue, domain }
    Config {
        order, miss_limit, retry_after_us, max_waiting, key_retention_us, memory_us, seed,
        reserve_after_us, reply_margin_us, domains, channels, skills, reasons, targets, queues,
        agents, contracts, names, hash,
    }
}
