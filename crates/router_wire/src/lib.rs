//! Paidui's wire: what crosses between the routing core and everything else, as bytes.
//!
//! A frame is a length (u32, big-endian) and a body, the MessagePack array `[kind, version,
//! fields...]`. [`message`](crate::COMMANDS) has the table of kinds. On top of it stand the three
//! things that a gateway does with whole streams of them, here and not in Python because no message
//! on the hot path becomes an object: [`Intake`] reads a connection, [`apply_batch`] feeds the
//! router, [`Fanout`] gives each subscriber its events.
//!
//! ```
//! use router_core::Command;
//! use router_wire::{decode_command, encode_command};
//!
//! let mut body = Vec::new();
//! encode_command(&Command::Accept { agent: 7, offer: 300 }, &mut body);
//! assert_eq!(body, [0x94, 12, 1, 7, 0xcd, 0x01, 0x2c]);
//! assert_eq!(decode_command(&body), Ok(Command::Accept { agent: 7, offer: 300 }));
//!
//! let fault = decode_command(&[0x94, 12, 1, 7, 0xa1, b'x']).unwrap_err();
//! assert_eq!(
//!     fault.to_string(),
//!     "accept.offer: expected an integer 0..18446744073709551615, got str"
//! );
//! ```

mod batch;
mod fanout;
mod fault;
mod field;
mod frame;
mod intake;
mod message;
mod reader;
mod writer;

pub use batch::{Applied, Part, apply_batch};
pub use fanout::{Delivery, EventIndex, Fanout};
pub use fault::DecodeError;
pub use frame::{
    Frames, LENGTH_BYTES, MAX_CONFIGURE_BYTES, MAX_FRAME_BYTES, body_length, put_frame,
};
pub use intake::{Fed, Intake, Reason, Refusal, Run, Scope};
pub use message::{
    COMMANDS, EVENTS, FIRST_CONTROL_KIND, FIRST_EVENT_KIND, Kind, VERSION, decode_command,
    decode_event, encode_command, encode_event, kind,
};
