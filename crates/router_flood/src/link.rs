//! One connection to the gateway, non-blocking: frames out, frames in, and what is not answered yet.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use router_core::Command;
use router_wire::{LENGTH_BYTES, body_length, encode_command, put_frame};

use crate::Fault;
use crate::asking::Ask;
use crate::settings::Address;
use crate::skim::{Event, Skim};

const RECEIVE_BYTES: usize = 256 * 1024;
const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

const WELCOME: u64 = 129;
const ACK: u64 = 130;
const REFUSED: u64 = 131;
const EVENTS: u64 = 132;
const CLOSING: u64 = 133;
const PING: u64 = 134;
const PONG: u8 = 135;

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What a frame said that came in.
pub(crate) enum Heard<'a> {
    Welcome,
    Event(Event<'a>),
    /// An acknowledgement: when it was meant to be asked, what, the code and the value.
    Ack(u64, Ask, u16, u64),
    /// Refused before the journal, to be asked again after so many milliseconds.
    Busy(u64, Ask, u64),
}

/// A connection.
pub(crate) struct Link {
    socket: Socket,
    name: String,
    out: Vec<u8>,
    /// How much of `out` has gone.
    gone: usize,
    input: Vec<u8>,
    /// What was asked and is not answered, from number `first` on; answered ones are `None`.
    asked: VecDeque<Option<(u64, Ask)>>,
    first: u64,
    unanswered: u64,
}

impl Link {
    /// Connects and says the opening; the welcome is heard later.
    pub(crate) fn open(address: &Address, opening: &[u8], name: String) -> Result<Self, Fault> {
        let unreachable = |error: io::Error| Fault(format!("{name}: no gateway there: {error}"));
        let socket = match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).map_err(unreachable)?;
                stream.set_nodelay(true).map_err(unreachable)?;
                stream.set_nonblocking(true).map_err(unreachable)?;
                Socket::Tcp(stream)
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(unreachable)?;
                stream.set_nonblocking(true).map_err(unreachable)?;
                Socket::Unix(stream)
            }
        };
        Ok(Self {
            socket,
            name,
            out: opening.to_vec(),
            gone: 0,
            input: Vec::with_capacity(RECEIVE_BYTES),
            asked: VecDeque::new(),
            first: 0,
            unanswered: 0,
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }

    /// Whether something waits for the socket.
    pub(crate) fn wants_to_write(&self) -> bool {
        self.gone < self.out.len()
    }

    /// How many commands are not answered.
    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Queues a command; [`Link::flush`] sends it.
    pub(crate) fn ask(&mut self, meant_us: u64, ask: Ask, command: &Command) {
        put_frame(&mut self.out, |out| encode_command(command, out));
        self.asked.push_back(Some((meant_us, ask)));
        self.unanswered += 1;
    }

    /// Sends what is queued, as far as the socket takes it now.
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        while self.wants_to_write() {
            let rest = &self.out[self.gone..];
            let sent = match &mut self.socket {
                Socket::Tcp(stream) => stream.write(rest),
                Socket::Unix(stream) => stream.write(rest),
            };
            match sent {
                Ok(length) => self.gone += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(self.fault(&error.to_string())),
            }
        }
        self.out.clear();
        self.gone = 0;
        Ok(())
    }

    /// Takes in what has come, once; `hear` is told each thing that it says, in order.
    pub(crate) fn receive(&mut self, mut hear: impl FnMut(Heard<'_>)) -> Result<(), Fault> {
        let held = self.input.len();
        self.input.resize(held + RECEIVE_BYTES, 0);
        let room = &mut self.input[held..];
        let got = match &mut self.socket {
            Socket::Tcp(stream) => stream.read(room),
            Socket::Unix(stream) => stream.read(room),
        };
        self.input.truncate(held + *got.as_ref().unwrap_or(&0));
        match got {
            Ok(0) => return Err(self.fault("the site closed the connection")),
            Ok(_) => (),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(());
            }
            Err(error) => return Err(self.fault(&error.to_string())),
        }
        let input = std::mem::take(&mut self.input);
        let mut used = 0;
        while let Some(length) = body_length(&input[used..]) {
            if length > MAX_FRAME_BYTES {
                return Err(self.fault(&format!("a frame of {length} bytes")));
            }
            let start = used + LENGTH_BYTES;
            let Some(body) = input.get(start..start + length) else {
                break;
            };
            match self.take(body, &mut hear) {
                Some(None) => (),
                Some(Some(reason)) => return Err(self.fault(&reason)),
                None => return Err(self.fault("a frame that cannot be read")),
            }
            used = start + length;
        }
        self.input = input;
        self.input.drain(..used);
        Ok(())
    }

    /// One frame; `None` = it cannot be read, a text = it ends the flood.
    fn take(&mut self, body: &[u8], hear: &mut impl FnMut(Heard<'_>)) -> Option<Option<String>> {
        let mut skim = Skim::new(body);
        skim.array()?;
        let kind = skim.uint()?;
        skim.token()?;
        match kind {
            EVENTS => {
                skim.uint()?;
                skim.uint()?;
                for _ in 0..skim.array()? {
                    skim.array()?;
                    skim.uint()?;
                    hear(Heard::Event(skim.event()?));
                }
            }
            ACK => {
                skim.uint()?;
                for _ in 0..skim.array()? {
                    skim.array()?;
                    let number = skim.uint()?;
                    skim.uint()?;
                    let (code, value) = (skim.uint()?, skim.uint()?);
                    let (meant_us, ask) = self.answered(number)?;
                    hear(Heard::Ack(meant_us, ask, code as u16, value));
                }
            }
            REFUSED => return self.refused(skim, hear),
            PING => {
                let number = skim.uint()?;
                put_frame(&mut self.out, |out| {
                    out.extend([0x93, 0xcc, PONG, 1, 0xcf]);
                    out.extend(number.to_be_bytes());
                });
            }
            CLOSING => {
                let code = skim.text()?;
                return Some(Some(format!("the site closes: {code}: {}", skim.text()?)));
            }
            WELCOME => hear(Heard::Welcome),
            // What was in hand before this flood began is somebody else's.
            _ => (),
        }
        Some(None)
    }

    fn refused(
        &mut self,
        mut skim: Skim<'_>,
        hear: &mut impl FnMut(Heard<'_>),
    ) -> Option<Option<String>> {
        let number = skim.token()?;
        let (code, text) = (skim.text()?, skim.text()?);
        let after_ms = skim.uint().unwrap_or(0);
        if let crate::skim::Token::Uint(number) = number
            && code == "busy"
        {
            let (meant_us, ask) = self.answered(number)?;
            hear(Heard::Busy(meant_us, ask, after_ms));
            return Some(None);
        }
        Some(Some(format!("the site refuses: {code}: {text}")))
    }

    /// What request `number` was; each is answered once.
    fn answered(&mut self, number: u64) -> Option<(u64, Ask)> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let asked = self.asked.get_mut(place)?.take()?;
        self.unanswered -= 1;
        while self.asked.front().is_some_and(Option::is_none) {
            self.asked.pop_front();
            self.first += 1;
        }
        Some(asked)
    }

    fn fault(&self, text: &str) -> Fault {
        Fault(format!("{}: {text}", self.name))
    }
}
