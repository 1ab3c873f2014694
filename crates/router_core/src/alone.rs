//! The matcher alone: classes, pools and lines, driven without offers, timers, events or hashes.
//!
//! For measurements beside other matchers (`make bench`): it makes the decisions of [`crate::Router`]
//! where every offer is taken at once and nobody is passed over, with the same structures and the
//! same two choices. Agents go by their position in the configuration.

use crate::agent::Agent;
use crate::class::{ClassKey, Floor};
use crate::config::Config;
use crate::contact::{Contact, Place};
use crate::demand::{Asks, Requirement};
use crate::domains::Tenants;
use crate::ids::{ChannelId, ContactId, QueueId};
use crate::matching::Sight;
use crate::queue::Queues;
use crate::setup::Setup;
use crate::slab::{Keyed, Slab, Tracked};
use crate::time::Micros;
use crate::view::Presence;
use crate::wishes::PassedOver;

/// Who gets whom: an agent's position, and a contact.
pub type Match = (usize, ContactId);

/// Where a waiting contact stands.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    contact: ContactId,
    class: u32,
    place: Place,
}

impl Keyed for Waiting {
    type Key = ContactId;
    fn key(&self) -> ContactId {
        self.contact
    }
}

/// A floor of agents and lines, and nothing else.
#[derive(Debug)]
pub struct Matcher {
    setup: Setup,
    floor: Floor,
    agents: Vec<Agent>,
    waiting: Slab<Waiting>,
    sequence: u64,
    /// What a choice may look up in general; nobody here has any of it.
    contacts: Tracked<Contact>,
    queues: Queues,
    tenants: Tenants,
}

impl Matcher {
    /// Everybody is signed out.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let setup = Setup {
            config,
            configured: true,
        };
        let mut floor = Floor::default();
        floor.rebuild(&setup);
        let agents = (0..).zip(&setup.config.agents);
        Self {
            agents: agents.map(|(at, agent)| Agent::new(agent.id, at)).collect(),
            setup,
            floor,
            waiting: Slab::default(),
            sequence: 0,
            contacts: Tracked::default(),
            queues: Queues::default(),
            tenants: Tenants::default(),
        }
    }

    /// The class of contacts that ask for this; all of them before anybody is ready.
    pub fn class(&mut self, queue: QueueId, channel: ChannelId, requires: &Requirement) -> u32 {
        let key = ClassKey {
            queue,
            asks: Asks::new(requires.clone(), Vec::new()),
            channel,
            weight: 1,
            step: 0,
            reserved: false,
            beyond: false,
            choosing: false,
        };
        let class = self.floor.class_for(key, &self.setup);
        // Never spare: it stays whether somebody waits in it or not.
        self.floor.add_contact(class);
        class
    }

    /// An agent is ready, and takes the first contact that waits for it.
    pub fn ready(&mut self, agent: usize, at: Micros) -> Option<Match> {
        self.agents[agent].presence = Presence::Ready;
        self.agents[agent].idle_since = at;
        self.serve(agent)
    }

    /// An agent takes no more contacts.
    pub fn not_ready(&mut self, agent: usize) {
        self.agents[agent].presence = Presence::NotReady(0);
        self.floor.refresh(&self.agents[agent], &self.setup);
    }

    /// A contact comes, and goes to the best agent or waits.
    pub fn arrive(&mut self, class: u32, contact: ContactId, at: Micros) -> Option<Match> {
        let nobody = PassedOver {
            attempted: &[],
            excludes: &[],
        };
        if let Some(position) = self.floor.best_position(class, nobody) {
            let agent = position as usize;
            let channel = self.floor.heads[class as usize].channel;
            self.agents[agent].hold(channel, 1);
            self.floor.refresh(&self.agents[agent], &self.setup);
            return Some((agent, contact));
        }
        self.sequence += 1;
        let place = Place {
            tier: 2,
            time: at as i64,
            sequence: self.sequence,
        };
        self.waiting.insert(Waiting {
            contact,
            class,
            place,
        });
        self.floor.enter(class, place, contact, &[]);
        None
    }

    /// An agent's contact of a class is over; the agent takes the first one that waits for it.
    pub fn release(&mut self, agent: usize, channel: ChannelId, at: Micros) -> Option<Match> {
        self.agents[agent].give_back(channel, 1);
        self.agents[agent].idle_since = at;
        self.serve(agent)
    }

    /// A waiting contact goes.
    pub fn abandon(&mut self, contact: ContactId) {
        if let Some((_, one)) = self.waiting.remove(contact) {
            self.floor.leave(one.class, one.place, contact, &[]);
        }
    }

    fn serve(&mut self, agent: usize) -> Option<Match> {
        let sight = Sight {
            contacts: &self.contacts,
            queues: &self.queues,
            setup: &self.setup,
            tenants: &self.tenants,
        };
        let known = &self.agents[agent];
        let lines = self.floor.lines();
        let first = known
            .present()
            .then(|| self.floor.first_head(known, lines, &sight));
        let Some(class) = first.flatten() else {
            self.floor.refresh(&self.agents[agent], &self.setup);
            return None;
        };
        let (_, contact) = self.floor.contacts[class].waiting.first()?;
        self.abandon(contact);
        let channel = self.floor.heads[class].channel;
        self.agents[agent].hold(channel, 1);
        self.floor.refresh(&self.agents[agent], &self.setup);
        Some((agent, contact))
    }
}
