//! The one table of kinds: what each message's array holds, in order. It matches over the core's
//! own enums, so that a variant or a field that is missing here does not compile.

use router_core::{Command, Demand, Event, Terms};

use crate::fault::DecodeError;
use crate::field::Field;
use crate::reader::Reader;
use crate::writer::{put_array, put_uint};

/// The version of every message there is.
pub const VERSION: u64 = 1;
/// Kinds from here on are control frames: never journaled, read by Python.
pub const FIRST_CONTROL_KIND: u64 = 128;
/// Kinds below this are commands.
pub const FIRST_EVENT_KIND: u64 = 64;

/// One kind of message: for tools and parity tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub name: &'static str,
    /// Its fields, without kind and version.
    pub fields: &'static [&'static str],
}

/// What is left of a message's array behind kind and version.
struct Fields<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl Fields<'_> {
    #[inline]
    fn next<T: Field>(&mut self, name: &str) -> Result<T, DecodeError> {
        if self.left == 0 {
            return T::absent().ok_or_else(|| DecodeError::new("is missing").in_field(name));
        }
        self.left -= 1;
        T::read(&mut self.reader).map_err(|fault| fault.in_field(name))
    }

    /// Something that may be missing at the end.
    #[inline]
    fn next_or_default<T: Field + Default>(&mut self, name: &str) -> Result<T, DecodeError> {
        if self.left == 0 {
            return Ok(T::default());
        }
        self.next(name)
    }

    #[inline]
    fn end(self) -> Result<(), DecodeError> {
        match (self.left, self.reader.left()) {
            (0, 0) => Ok(()),
            (0, bytes) => Err(DecodeError::new(format!(
                "{bytes} bytes follow the message"
            ))),
            (fields, _) => Err(DecodeError::new(format!("{fields} fields too many"))),
        }
    }
}

/// A variant's fields; behind `..` those of a part of it, which may be missing but for those before the `;`.
macro_rules! messages {
    ($type:ident, $kinds:ident, $encode:ident, $decode:ident, $what:literal;
     $($number:literal $name:literal $variant:ident {
         $($field:ident),* $(, ..$part:ident: $of:ident { $($must:ident),*; $($may:ident),* })*
     })*) => {
        #[doc = concat!("Every ", $what, " there is, by number.")]
        pub const $kinds: &[Kind] = &[$(
            Kind { number: $number, name: $name, fields: &[$(stringify!($field),)* $($(stringify!($must),)* $(stringify!($may),)*)*] },
        )*];

        #[doc = concat!("Appends the body of a ", $what, ", without a length.")]
        pub fn $encode(message: &$type, out: &mut Vec<u8>) {
            match message { $(
                $type::$variant { $($field,)* $($part,)* } => {
                    put_array(out, 2 + <[&str]>::len(&[$(stringify!($field),)* $($(stringify!($must),)* $(stringify!($may),)*)*]));
                    put_uint(out, $number);
                    put_uint(out, VERSION);
                    $($field.write(out);)*
                    $(
                        let $of { $($must,)* $($may),* } = $part;
                        $($must.write(out);)*
                        $($may.write(out);)*
                    )*
                }
            )* }
        }

        #[doc = concat!("The ", $what, " that a body holds.\n\n# Errors\n\nWhen it holds none; the text names kind and field.")]
        pub fn $decode(body: &[u8]) -> Result<$type, DecodeError> {
            let (number, mut fields) = open(body)?;
            match number {
                $($number => (|| {
                    version(&mut fields)?;
                    let message = $type::$variant {
                        $($field: fields.next(stringify!($field))?,)*
                        $($part: $of {
                            $($must: fields.next(stringify!($must))?,)*
                            $($may: fields.next_or_default(stringify!($may))?),*
                        },)*
                    };
                    fields.end()?;
                    Ok(message)
                })().map_err(|fault: DecodeError| fault.in_field($name)),)*
                _ => Err(DecodeError::new(format!(concat!("kind {} is no ", $what), number))),
            }
        }
    };
}

messages! { Command, COMMANDS, encode_command, decode_command, "command";
    1 "configure" Configure { config }
    2 "restarted" Restarted {}
    3 "arrive" Arrive { channel, key, queue, head_start_us, weight, ..demand: Demand { requires; prefers, preferred, preferred_wait_us, excludes, beyond_capacity }, ..terms: Terms { ; place, not_before, reply_by } }
    4 "abandon" Abandon { channel, contact }
    5 "connected" Connected { channel, contact }
    6 "connect_failed" ConnectFailed { channel, contact }
    7 "sign_in" SignIn { agent, ready, command_id }
    8 "sign_out" SignOut { agent, command_id }
    9 "ready" Ready { agent, command_id }
    10 "not_ready" NotReady { agent, reason, command_id }
    11 "unlock" Unlock { agent, command_id }
    12 "accept" Accept { agent, offer }
    13 "decline" Decline { agent, offer, reason }
    14 "end" End { agent, contact }
    15 "end_wrap_up" EndWrapUp { agent, contact }
    16 "transfer" Transfer { agent, contact, queue, head_start_us, ..demand: Demand { requires; prefers, preferred, preferred_wait_us, excludes, beyond_capacity } }
    17 "change" Change { contact, queue, head_start_us, requires, command_id }
    18 "release" Release { contact, command_id, by }
    19 "hold" Hold { agent, contact }
    20 "resume" Resume { agent, contact }
    21 "park" Park { agent, contact }
    22 "unpark" Unpark { agent, contact }
    23 "invite" Invite { agent, contact, invitee, command_id }
    24 "leave" Leave { agent, contact }
    25 "take_over" TakeOver { agent, contact, command_id }
    26 "move" Move { contact, queue, head_start_us, requires, command_id }
    27 "transfer_out" TransferOut { agent, contact, target }
    28 "hours" Hours { queue, state, command_id }
    29 "choose" Choose { choice, agent }
    30 "lease_lost" LeaseLost { agent }
}

messages! { Event, EVENTS, encode_event, decode_event, "event";
    64 "configured" Configured { at, hash, number }
    65 "restarted" Restarted { at }
    66 "arrived" Arrived { at, contact, channel, key, queue, weight }
    67 "queued" Queued { at, contact, channel, queue, tier, enqueued_at, head_start_us, cause }
    68 "blocked" Blocked { at, contact, channel, queue, cause }
    69 "offer_made" OfferMade { at, offer, contact, channel, queue, agent, deadline, config }
    70 "offer_accepted" OfferAccepted { at, offer, contact, channel, agent }
    71 "offer_declined" OfferDeclined { at, offer, contact, channel, agent, reason }
    72 "offer_expired" OfferExpired { at, offer, contact, channel, agent }
    73 "offer_withdrawn" OfferWithdrawn { at, offer, contact, channel, agent, cause }
    74 "connecting" Connecting { at, contact, channel, agent, deadline }
    75 "engaged" Engaged { at, contact, channel, agent }
    76 "connect_failed" ConnectFailed { at, contact, channel, agent, by }
    77 "abandoned" Abandoned { at, contact, channel, queue, agent }
    78 "ended" Ended { at, contact, channel, queue, agent, by }
    79 "transferred" Transferred { at, contact, channel, agent, from_queue, to_queue, by }
    80 "agent_signed_in" AgentSignedIn { at, agent }
    81 "agent_ready" AgentReady { at, agent }
    82 "agent_not_ready" AgentNotReady { at, agent, reason }
    83 "agent_signing_out" AgentSigningOut { at, agent }
    84 "agent_signed_out" AgentSignedOut { at, agent }
    85 "agent_locked" AgentLocked { at, agent, misses }
    86 "agent_unlocked" AgentUnlocked { at, agent }
    87 "wrap_up_started" WrapUpStarted { at, agent, contact, channel, deadline }
    88 "wrap_up_ended" WrapUpEnded { at, agent, contact, channel, by }
    89 "changed" Changed { at, contact, channel, queue, head_start_us }
    90 "withdrawn" Withdrawn { at, contact, channel, queue, agent, by }
    91 "relaxed" Relaxed { at, contact, channel, queue, step, head_start_us }
    92 "preference_over" PreferenceOver { at, contact, channel, queue, cause }
    93 "held" Held { at, contact, channel, agent }
    94 "resumed" Resumed { at, contact, channel, agent }
    95 "parked" Parked { at, contact, channel, agent }
    96 "unparked" Unparked { at, contact, channel, agent }
    97 "invited" Invited { at, offer, contact, channel, queue, agent, invitee, deadline }
    98 "joined" Joined { at, contact, channel, agent }
    99 "invitation_over" InvitationOver { at, offer, contact, channel, agent, how }
    100 "left" Left { at, contact, channel, agent, by }
    101 "handed_over" HandedOver { at, contact, channel, queue, from_agent, to_agent }
    102 "taken_over" TakenOver { at, contact, channel, queue, from_agent, to_agent }
    103 "transferred_out" TransferredOut { at, contact, channel, queue, agent, target }
    104 "estimate_scored" EstimateScored { at, contact, channel, queue, estimate_us, p90_us, actual_us }
    105 "hours_changed" HoursChanged { at, queue, state }
    106 "overflowed" Overflowed { at, contact, channel, queue, cause, to_kind, to }
    107 "announcement_due" AnnouncementDue { at, contact, channel, queue, position, p50_us, p90_us }
    108 "reserved" Reserved { at, contact, channel, agent }
    109 "unreserved" Unreserved { at, contact, channel, agent }
    110 "scheduled" Scheduled { at, contact, channel, queue, until }
    111 "lifted" Lifted { at, contact, channel, queue, tier, reply_by }
    112 "choice_wanted" ChoiceWanted { at, choice, contact, channel, queue, deadline, agents }
    113 "choice_over" ChoiceOver { at, choice, contact, channel, agent, cause }
    114 "lease_lost" LeaseLost { at, agent, contacts }
}

/// The number of a body's kind, whatever follows it.
///
/// # Errors
///
/// When the body is no array that begins with an integer.
pub fn kind(body: &[u8]) -> Result<u64, DecodeError> {
    let mut reader = Reader::new(body);
    let fields = reader.array()?;
    if fields == 0 {
        return Err(DecodeError::unexpected(
            "[kind, version, ...]",
            "an empty array",
        ));
    }
    reader
        .uint(u64::MAX)
        .map_err(|fault| fault.in_field("kind"))
}

#[inline]
fn open(body: &[u8]) -> Result<(u64, Fields<'_>), DecodeError> {
    let mut reader = Reader::new(body);
    let mut fields = Fields {
        left: reader.array()?,
        reader,
    };
    Ok((fields.next("kind")?, fields))
}

#[inline]
fn version(fields: &mut Fields<'_>) -> Result<(), DecodeError> {
    match fields.next("version")? {
        VERSION => Ok(()),
        other => {
            let expected = VERSION.to_string();
            Err(DecodeError::unexpected(&expected, other).in_field("version"))
        }
    }
}
