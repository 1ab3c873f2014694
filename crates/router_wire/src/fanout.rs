//! Who wants which events, and the frames that carry them there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use router_core::{AgentId, ChannelId, Event, Micros};

use crate::batch::Applied;
use crate::fault::DecodeError;
use crate::frame::{Frames, put_frame};
use crate::message::{VERSION, decode_event};
use crate::writer::{put_array, put_uint};

/// The kind of the control frame that carries events.
const EVENTS_KIND: u64 = 132;
/// Room for what stands in an events frame before its first event, and for one event's index.
const HEADER_ROOM: usize = 40;
const INDEX_ROOM: usize = 6;

/// Encoded events, in order, and whom each concerns.
#[derive(Clone, Debug, Default)]
pub struct EventIndex {
    /// Frames, one after the other.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its body begins and ends in `bytes`.
    body: (usize, usize),
    channel: Option<ChannelId>,
    agents: [Option<AgentId>; 2],
}

impl EventIndex {
    /// Room for about so many events.
    #[must_use]
    pub fn with_capacity(events: usize) -> Self {
        // 40 bytes: most events are a kind, a time of nine bytes and four to six small numbers.
        Self {
            bytes: Vec::with_capacity(events * 40),
            entries: Vec::with_capacity(events),
        }
    }

    /// Reads encoded events, frame after frame.
    ///
    /// # Errors
    ///
    /// When they are none.
    pub fn read(frames: &[u8]) -> Result<Self, DecodeError> {
        let mut index = Self::default();
        index.bytes.extend_from_slice(frames);
        let mut end = 0;
        for body in Frames::new(frames) {
            let body = body?;
            let start = end + crate::frame::LENGTH_BYTES;
            end = start + body.len();
            let (channel, agents) = concerned(&decode_event(body)?);
            index.entries.push(Entry {
                body: (start, end),
                channel,
                agents,
            });
        }
        Ok(index)
    }

    /// Encodes and appends one event.
    pub fn push(&mut self, event: &Event) {
        let start = self.bytes.len() + crate::frame::LENGTH_BYTES;
        put_frame(&mut self.bytes, |out| {
            crate::message::encode_event(event, out)
        });
        let (channel, agents) = concerned(event);
        self.entries.push(Entry {
            body: (start, self.bytes.len()),
            channel,
            agents,
        });
    }

    /// All events as frames, in order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The events frame with these of its events.
    fn frame(&self, seq: u64, at: Micros, chosen: &[usize]) -> Vec<u8> {
        let bodies = chosen.iter().map(|&index| self.entries[index].body);
        let room: usize = bodies.map(|(start, end)| end - start + INDEX_ROOM).sum();
        let mut out = Vec::with_capacity(room + HEADER_ROOM);
        put_frame(&mut out, |out| {
            put_array(out, 5);
            put_uint(out, EVENTS_KIND);
            put_uint(out, VERSION);
            put_uint(out, seq);
            put_uint(out, at);
            put_array(out, chosen.len());
            for &index in chosen {
                let (start, end) = self.entries[index].body;
                put_array(out, 2);
                put_uint(out, index as u64);
                out.extend_from_slice(&self.bytes[start..end]);
            }
        });
        out
    }
}

#[derive(Clone, Debug, Default)]
struct Interests {
    /// Where it stands in every list: a small number that is used again.
    slot: usize,
    channels: BTreeSet<ChannelId>,
    agents: BTreeSet<AgentId>,
    all: bool,
}

impl Interests {
    fn includes(&self, entry: &Entry) -> bool {
        self.all
            || entry
                .channel
                .is_some_and(|channel| self.channels.contains(&channel))
            || entry
                .agents
                .iter()
                .flatten()
                .any(|agent| self.agents.contains(agent))
    }
}

/// Who wants which events. The maps are only looked up, never iterated.
#[derive(Clone, Debug, Default)]
pub struct Fanout {
    subscribers: BTreeMap<u64, Interests>,
    channels: HashMap<ChannelId, Vec<usize>>,
    agents: HashMap<AgentId, Vec<usize>>,
    all: Vec<usize>,
    /// Who hears the answers to a source's commands.
    answers: HashMap<u64, u64>,
    /// Slots of those who have left.
    free: Vec<usize>,
}

/// What goes to whom after a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// (source, one acknowledgement frame) of each source whose answers no subscriber hears.
    pub answers: Vec<(u64, Vec<u8>)>,
    /// (subscriber, its acknowledgement frame and its events frame), by subscriber.
    pub frames: Vec<(u64, Vec<u8>)>,
}

impl Fanout {
    /// The events of a channel.
    pub fn subscribe_channel(&mut self, subscriber: u64, channel: ChannelId) {
        let interests = self.interests(subscriber);
        if interests.channels.insert(channel) {
            let slot = interests.slot;
            self.channels.entry(channel).or_default().push(slot);
        }
    }

    /// The events of an agent.
    pub fn attach_agent(&mut self, subscriber: u64, agent: AgentId) {
        let interests = self.interests(subscriber);
        if interests.agents.insert(agent) {
            let slot = interests.slot;
            self.agents.entry(agent).or_default().push(slot);
        }
    }

    /// No longer the events of an agent.
    pub fn detach_agent(&mut self, subscriber: u64, agent: AgentId) {
        let Some(interests) = self.subscribers.get_mut(&subscriber) else {
            return;
        };
        if interests.agents.remove(&agent) {
            forget(&mut self.agents, agent, interests.slot);
        }
    }

    /// Every event.
    pub fn subscribe_all(&mut self, subscriber: u64) {
        let interests = self.interests(subscriber);
        if !std::mem::replace(&mut interests.all, true) {
            let slot = interests.slot;
            self.all.push(slot);
        }
    }

    /// The answers to a source's commands, ahead of the same batch's events, if there are any.
    pub fn answer(&mut self, subscriber: u64, source: u64) {
        self.interests(subscriber);
        self.answers.insert(source, subscriber);
    }

    /// Forgets everything of a subscriber.
    pub fn unsubscribe(&mut self, subscriber: u64) {
        let Some(interests) = self.subscribers.remove(&subscriber) else {
            return;
        };
        for channel in interests.channels {
            forget(&mut self.channels, channel, interests.slot);
        }
        for agent in interests.agents {
            forget(&mut self.agents, agent, interests.slot);
        }
        self.all.retain(|&slot| slot != interests.slot);
        self.answers.retain(|_, to| *to != subscriber);
        self.free.push(interests.slot);
    }

    fn interests(&mut self, subscriber: u64) -> &mut Interests {
        let taken = self.subscribers.len();
        self.subscribers
            .entry(subscriber)
            .or_insert_with(|| Interests {
                // Taken and free slots together are 0.. without a gap.
                slot: self.free.pop().unwrap_or(taken),
                ..Interests::default()
            })
    }

    /// One frame for everybody whom one of the events concerns, by subscriber.
    #[must_use]
    pub fn route(&self, seq: u64, at: Micros, events: &EventIndex) -> Vec<(u64, Vec<u8>)> {
        const NOBODY: &Vec<usize> = &Vec::new();
        let mut chosen = vec![Vec::new(); self.subscribers.len() + self.free.len()];
        for (index, entry) in events.entries.iter().enumerate() {
            let by_channel = entry
                .channel
                .and_then(|id| self.channels.get(&id))
                .unwrap_or(NOBODY);
            let [by_agent, by_other] = entry
                .agents
                .map(|agent| agent.and_then(|id| self.agents.get(&id)).unwrap_or(NOBODY));
            let by_agents = by_agent.iter().chain(by_other);
            for slot in by_channel.iter().chain(by_agents).chain(&self.all) {
                let indices = &mut chosen[*slot];
                // Once, even where two interests of one subscriber meet in an event.
                if indices.last() != Some(&index) {
                    indices.push(index);
                }
            }
        }
        let frame = |(subscriber, interests): (&u64, &Interests)| {
            let chosen = &chosen[interests.slot];
            (!chosen.is_empty()).then(|| (*subscriber, events.frame(seq, at, chosen)))
        };
        self.subscribers.iter().filter_map(frame).collect()
    }

    /// A batch's answers and events, each subscriber's joined: answers first.
    #[must_use]
    pub fn deliver(&self, applied: &Applied) -> Delivery {
        let mut answers = Vec::new();
        let mut frames: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (source, ack) in applied.acks() {
            match self.answers.get(&source) {
                Some(subscriber) => frames.entry(*subscriber).or_default().extend(ack),
                None => answers.push((source, ack)),
            }
        }
        for (subscriber, frame) in self.route(applied.seq, applied.at, &applied.events) {
            frames.entry(subscriber).or_default().extend(frame);
        }
        Delivery {
            answers,
            frames: frames.into_iter().collect(),
        }
    }

    /// The frame of one batch for one subscriber; `None` = nothing concerns it.
    #[must_use]
    pub fn route_one(
        &self,
        subscriber: u64,
        seq: u64,
        at: Micros,
        events: &EventIndex,
    ) -> Option<Vec<u8>> {
        let interests = self.subscribers.get(&subscriber)?;
        let included = |(index, entry)| interests.includes(entry).then_some(index);
        let chosen: Vec<usize> = events
            .entries
            .iter()
            .enumerate()
            .filter_map(included)
            .collect();
        (!chosen.is_empty()).then(|| events.frame(seq, at, &chosen))
    }
}

fn forget(lists: &mut HashMap<u32, Vec<usize>>, id: u32, slot: usize) {
    let Some(list) = lists.get_mut(&id) else {
        return;
    };
    list.retain(|&other| other != slot);
    if list.is_empty() {
        lists.remove(&id);
    }
}

/// The channel and the agents of an event.
#[rustfmt::skip]
fn concerned(event: &Event) -> (Option<ChannelId>, [Option<AgentId>; 2]) {
    let (channel, agent) = match *event {
        Event::Configured { .. } | Event::Restarted { .. } | Event::EstimateScored { .. } | Event::HoursChanged { .. }
        | Event::Reserved { .. } | Event::Unreserved { .. } | Event::ChoiceWanted { .. } | Event::ChoiceOver { .. } => (None, None),
        Event::Arrived { channel, .. } | Event::Queued { channel, .. } | Event::Blocked { channel, .. }
        | Event::Changed { channel, .. } | Event::Relaxed { channel, .. }
        | Event::PreferenceOver { channel, .. } | Event::Overflowed { channel, .. }
        | Event::AnnouncementDue { channel, .. } | Event::Scheduled { channel, .. }
        | Event::Lifted { channel, .. } => (Some(channel), None),
        Event::Abandoned { channel, agent, .. } | Event::Withdrawn { channel, agent, .. } => (Some(channel), (agent != 0).then_some(agent)),
        Event::OfferMade { channel, agent, .. } | Event::OfferAccepted { channel, agent, .. }
        | Event::OfferDeclined { channel, agent, .. } | Event::OfferExpired { channel, agent, .. }
        | Event::OfferWithdrawn { channel, agent, .. } | Event::Connecting { channel, agent, .. }
        | Event::Engaged { channel, agent, .. } | Event::ConnectFailed { channel, agent, .. }
        | Event::Ended { channel, agent, .. } | Event::Transferred { channel, agent, .. }
        | Event::WrapUpStarted { channel, agent, .. } | Event::WrapUpEnded { channel, agent, .. }
        | Event::Held { channel, agent, .. } | Event::Resumed { channel, agent, .. }
        | Event::Parked { channel, agent, .. } | Event::Unparked { channel, agent, .. }
        | Event::Joined { channel, agent, .. } | Event::InvitationOver { channel, agent, .. }
        | Event::Left { channel, agent, .. } | Event::TransferredOut { channel, agent, .. } => (Some(channel), Some(agent)),
        Event::Invited { channel, agent, invitee: other, .. }
        | Event::HandedOver { channel, from_agent: agent, to_agent: other, .. }
        | Event::TakenOver { channel, from_agent: agent, to_agent: other, .. } => return (Some(channel), [Some(agent), Some(other)]),
        Event::AgentSignedIn { agent, .. } | Event::AgentReady { agent, .. } | Event::AgentNotReady { agent, .. }
        | Event::AgentSigningOut { agent, .. } | Event::AgentSignedOut { agent, .. }
        | Event::AgentLocked { agent, .. } | Event::AgentUnlocked { agent, .. }
        | Event::LeaseLost { agent, .. } => (None, Some(agent)),
    };
    (channel, [agent, None])
}
