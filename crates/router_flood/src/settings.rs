//! What a flood is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use router_core::{AgentId, ChannelId, QueueId};

/// The most connections for agents.
pub const MAX_EDGES: usize = 16;

/// Where a gateway listens.
#[derive(Clone, Debug)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A connection for one channel's contacts.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The frames that it begins with: hello.
    pub opening: Vec<u8>,
    /// The channel's number.
    pub channel: ChannelId,
}

/// An agent.
#[derive(Clone, Copy, Debug)]
pub struct Agent {
    /// Its number.
    pub id: AgentId,
    /// It holds one contact at a time: once freed it can take any that it has the skill for.
    pub single: bool,
}

/// A queue.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// Its number.
    pub id: QueueId,
    /// A contact's end is followed by a wrap-up, which the agent ends.
    pub wraps_up: bool,
}

/// One customer who will come.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// When, from the run's beginning; without meaning in a saturation.
    pub at_us: u64,
    /// Position of its channel's plugin.
    pub plugin: usize,
    /// Position of its queue.
    pub queue: usize,
    /// Its head start.
    pub head_start_us: u64,
    /// How long it and the agent talk.
    pub talk_us: u64,
}

/// How contacts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Each at its planned time, whether or not the site keeps up.
    Open,
    /// So that about `waiting` contacts always wait, `contacts` at most; the plan is used in rotation.
    Saturated {
        /// Contacts without an offer.
        waiting: u64,
        /// Arrivals in all.
        contacts: u64,
    },
}

/// A flood.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The gateway.
    pub address: Address,
    /// Connections for contacts.
    pub plugins: Vec<Plugin>,
    /// What each connection for agents begins with: hello and attach; agent `i` has edge `i % edges`.
    pub edges: Vec<Vec<u8>>,
    /// Who answers.
    pub agents: Vec<Agent>,
    /// Where contacts wait.
    pub queues: Vec<Queue>,
    /// Who comes, in the order of arrival.
    pub plan: Vec<Planned>,
    /// How they come.
    pub load: Load,
    /// How long an agent wraps up.
    pub wrap_up_us: u64,
    /// Makes the arrival keys this run's own.
    pub salt: [u8; 8],
    /// What is meant for [from, until) is measured; no contact comes after `until_us`.
    pub from_us: u64,
    /// See `from_us`.
    pub until_us: u64,
    /// How long contacts may take to end after that; halfway, talks are cut short.
    pub drain_us: u64,
}
