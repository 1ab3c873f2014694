//! One connection's reader: splits the stream, decodes, numbers, checks who may say what. What
//! passes is journaled byte for byte as it came.

use std::collections::{BTreeMap, BTreeSet};

use router_core::{AgentId, ChannelId, Command, Micros, QueueId};

use crate::fault::DecodeError;
use crate::field::Field;
use crate::frame::{LENGTH_BYTES, MAX_CONFIGURE_BYTES, MAX_FRAME_BYTES, body_length};
use crate::message::{FIRST_CONTROL_KIND, FIRST_EVENT_KIND, VERSION, decode_command, kind};
use crate::reader::Reader;

const CONFIGURE_KIND: u64 = 1;
const ATTACH_KIND: u64 = 136;
const DETACH_KIND: u64 = 137;
/// What has to be there of a body to tell its kind: an array's beginning (5) and an integer (9).
const KIND_ROOM: usize = 14;

/// Who is at the other end, and so what it may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A channel plugin: its own contacts.
    Plugin(ChannelId),
    /// A web edge: the commands of the agents that it has attached.
    Edge(BTreeSet<AgentId>),
    /// Everything.
    Admin,
    /// Listens only.
    Follower,
}

/// Why a frame was not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is no command.
    Malformed,
    /// It is somebody else's.
    NotAllowed,
}

impl Reason {
    /// Its code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// A frame that was not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The request's number; `None` = it was not a request.
    pub request_no: Option<u64>,
    /// Why.
    pub reason: Reason,
    /// Why, for people.
    pub text: String,
}

/// Command frames whose numbers follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The number of the first.
    pub first_request_no: u64,
    /// The frames as they came.
    pub frames: Vec<u8>,
    /// How many.
    pub count: u64,
}

/// What a piece of the stream held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// What may be journaled.
    pub runs: Vec<Run>,
    /// What may not.
    pub refusals: Vec<Refusal>,
    /// The bodies of control frames.
    pub control: Vec<Vec<u8>>,
    /// Why the stream cannot be read any further.
    pub fatal: Option<String>,
}

/// One connection's reader.
#[derive(Clone, Debug)]
pub struct Intake {
    scope: Scope,
    /// The longest head start of each queue that has a limit.
    head_starts: BTreeMap<QueueId, Micros>,
    next_request_no: u64,
    /// Whether somebody else says which agents an `attach` of the stream has attached.
    attaches_checked: bool,
    /// A frame that is not all there yet.
    pending: Vec<u8>,
    fatal: Option<String>,
}

impl Intake {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            head_starts: BTreeMap::new(),
            next_request_no: 0,
            attaches_checked: false,
            pending: Vec::new(),
            fatal: None,
        }
    }

    /// Arrivals and transfers to these queues are refused when they ask for a longer head start: the
    /// bound of overtaking follows from it. In the place of the limits that were set before.
    pub fn limit_head_starts(&mut self, limits: impl IntoIterator<Item = (QueueId, Micros)>) {
        self.head_starts = limits.into_iter().collect();
    }

    /// An `attach` of the stream attaches nobody by itself from now on: its agents are checked first,
    /// and then given to [`Intake::attach`]. What stands behind it is kept until the next piece comes,
    /// which may be empty.
    pub fn check_attaches(&mut self) {
        self.attaches_checked = true;
    }

    /// This edge acts for these agents from now on; nothing for other scopes.
    pub fn attach(&mut self, agents: impl IntoIterator<Item = AgentId>) {
        if let Scope::Edge(attached) = &mut self.scope {
            attached.extend(agents);
        }
    }

    /// This edge no longer acts for these agents.
    pub fn detach(&mut self, agents: impl IntoIterator<Item = AgentId>) {
        if let Scope::Edge(attached) = &mut self.scope {
            agents.into_iter().for_each(|agent| {
                attached.remove(&agent);
            });
        }
    }

    /// The next piece of the stream, cut anywhere.
    pub fn feed(&mut self, data: &[u8]) -> Fed {
        let mut fed = Fed::default();
        if self.fatal.is_none() {
            if self.pending.is_empty() {
                let used = self.scan(data, &mut fed);
                self.pending.extend_from_slice(&data[used..]);
            } else {
                let mut pending = std::mem::take(&mut self.pending);
                pending.extend_from_slice(data);
                let used = self.scan(&pending, &mut fed);
                pending.drain(..used);
                self.pending = pending;
            }
        }
        if self.fatal.is_some() {
            self.pending = Vec::new();
        }
        fed.fatal.clone_from(&self.fatal);
        fed
    }

    /// Takes every whole frame; how many bytes they had.
    fn scan(&mut self, data: &[u8], fed: &mut Fed) -> usize {
        let mut used = 0;
        while let Some(length) = body_length(&data[used..]) {
            let start = used + LENGTH_BYTES;
            if let Err(fatal) = self.check_length(length, &data[start..]) {
                self.fatal = Some(fatal);
                break;
            }
            let Some(body) = data[start..].get(..length) else {
                break;
            };
            let frame = &data[used..start + length];
            if let Err(fault) = self.take(frame, body, fed) {
                self.fatal = Some(format!("a frame that is no message: {fault}"));
                break;
            }
            used += frame.len();
            if self.attaches_checked && kind(body) == Ok(ATTACH_KIND) {
                break;
            }
        }
        used
    }

    /// A length is believed only as far as its sender may go, before any byte is kept for it.
    fn check_length(&self, length: usize, body: &[u8]) -> Result<(), String> {
        if length <= MAX_FRAME_BYTES {
            return Ok(());
        }
        let may_configure = self.scope == Scope::Admin && length <= MAX_CONFIGURE_BYTES;
        let is_other = || match kind(body) {
            Ok(kind) => kind != CONFIGURE_KIND,
            Err(_) => body.len() >= KIND_ROOM,
        };
        if !may_configure || is_other() {
            return Err(format!(
                "a frame of {length} bytes; at most {MAX_FRAME_BYTES} are allowed"
            ));
        }
        Ok(())
    }

    /// One whole frame. An error when not even its kind can be read: whoever sent it may have
    /// counted it as a request, so that no number after it can be trusted.
    fn take(&mut self, frame: &[u8], body: &[u8], fed: &mut Fed) -> Result<(), DecodeError> {
        let kind = kind(body)?;
        if kind >= FIRST_CONTROL_KIND {
            self.control(kind, body)?;
            fed.control.push(body.to_vec());
            return Ok(());
        }
        if kind >= FIRST_EVENT_KIND {
            let text = format!("kind {kind} is not a client's");
            fed.refusals.push(Refusal {
                request_no: None,
                reason: Reason::Malformed,
                text,
            });
            return Ok(());
        }
        let request_no = self.next_request_no;
        self.next_request_no += 1;
        let checked = decode_command(body)
            .map_err(|fault| (Reason::Malformed, fault.to_string()))
            .and_then(|command| {
                self.allow(&command)
                    .and_then(|()| self.within_head_start(&command))
                    .map_err(|text| (Reason::NotAllowed, text))
            });
        match checked {
            Ok(()) => fed.accept(request_no, frame),
            Err((reason, text)) => {
                fed.refusals.push(Refusal {
                    request_no: Some(request_no),
                    reason,
                    text,
                });
            }
        }
        Ok(())
    }

    /// Attach and detach act at their place in the stream: what stands behind an attach in the same
    /// piece is that agent's already. Python learns of them too, for the fan-out, or to check them.
    fn control(&mut self, kind: u64, body: &[u8]) -> Result<(), DecodeError> {
        if kind == ATTACH_KIND {
            let agents = agent_list(body, 4).map_err(|fault| fault.in_field("attach"))?;
            if !self.attaches_checked {
                self.attach(agents);
            }
        } else if kind == DETACH_KIND {
            self.detach(agent_list(body, 3).map_err(|fault| fault.in_field("detach"))?);
        }
        Ok(())
    }

    fn within_head_start(&self, command: &Command) -> Result<(), String> {
        let (Command::Arrive {
            queue,
            head_start_us,
            ..
        }
        | Command::Transfer {
            queue,
            head_start_us,
            ..
        }) = command
        else {
            return Ok(());
        };
        match self.head_starts.get(queue) {
            Some(limit) if head_start_us > limit => Err(format!(
                "head_start_us: expected at most {limit} for queue {queue}, got {head_start_us}"
            )),
            _ => Ok(()),
        }
    }

    fn allow(&self, command: &Command) -> Result<(), String> {
        match (&self.scope, party(command)) {
            (Scope::Admin, _) => Ok(()),
            (Scope::Plugin(own), Party::Channel(channel)) if *own == channel => Ok(()),
            (Scope::Edge(agents), Party::Agent(agent)) if agents.contains(&agent) => Ok(()),
            (Scope::Plugin(_), Party::Channel(other)) => {
                Err(format!("channel {other} is not this plugin's"))
            }
            (Scope::Edge(_), Party::Agent(other)) => Err(format!("agent {other} is not attached")),
            (Scope::Plugin(_), _) => Err("a plugin speaks for its channel only".into()),
            (Scope::Edge(_), _) => Err("an edge speaks for its agents only".into()),
            (Scope::Follower, _) => Err("a follower only listens".into()),
        }
    }
}

impl Fed {
    fn accept(&mut self, request_no: u64, frame: &[u8]) {
        match self.runs.last_mut() {
            Some(run) if run.first_request_no + run.count == request_no => {
                run.frames.extend_from_slice(frame);
                run.count += 1;
            }
            _ => {
                let frames = frame.to_vec();
                self.runs.push(Run {
                    first_request_no: request_no,
                    frames,
                    count: 1,
                });
            }
        }
    }
}

/// Whose command it is.
enum Party {
    Site,
    Channel(ChannelId),
    Agent(AgentId),
}

fn party(command: &Command) -> Party {
    match *command {
        Command::Configure { .. }
        | Command::Restarted
        | Command::Change { .. }
        | Command::Release { .. }
        | Command::TakeOver { .. }
        | Command::Move { .. }
        | Command::Hours { .. }
        | Command::Choose { .. }
        | Command::LeaseLost { .. } => Party::Site,
        Command::Arrive { channel, .. }
        | Command::Abandon { channel, .. }
        | Command::Connected { channel, .. }
        | Command::ConnectFailed { channel, .. } => Party::Channel(channel),
        Command::SignIn { agent, .. }
        | Command::SignOut { agent, .. }
        | Command::Ready { agent, .. }
        | Command::NotReady { agent, .. }
        | Command::Unlock { agent, .. }
        | Command::Accept { agent, .. }
        | Command::Decline { agent, .. }
        | Command::End { agent, .. }
        | Command::EndWrapUp { agent, .. }
        | Command::Transfer { agent, .. }
        | Command::Hold { agent, .. }
        | Command::Resume { agent, .. }
        | Command::Park { agent, .. }
        | Command::Unpark { agent, .. }
        | Command::Invite { agent, .. }
        | Command::Leave { agent, .. }
        | Command::TransferOut { agent, .. } => Party::Agent(agent),
    }
}

/// `[kind, version, [agent...], ...]` of at most so many items; what follows the agents is for whoever
/// checks them.
fn agent_list(body: &[u8], most: usize) -> Result<Vec<AgentId>, DecodeError> {
    let mut reader = Reader::new(body);
    let length = reader.array()?;
    if !(3..=most).contains(&length) {
        return Err(DecodeError::unexpected(
            "[kind, version, [agent...]]",
            format_args!("{length} items"),
        ));
    }
    reader.uint(u64::MAX)?;
    let version = reader
        .uint(u64::MAX)
        .map_err(|fault| fault.in_field("version"))?;
    if version != VERSION {
        return Err(DecodeError::unexpected("1", version).in_field("version"));
    }
    Vec::read(&mut reader).map_err(|fault| fault.in_field("agents"))
}
