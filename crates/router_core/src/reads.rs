//! Reads for the service: copies, without any effect.

use std::collections::BTreeMap;

use crate::agent::Agent;
use crate::config::{Config, HoursState, Limits};
use crate::ids::{AgentId, ChannelId, ContactId, OfferId, QueueId};
use crate::router::Router;
use crate::time::Micros;
use crate::view::{
    ContactState, ContactView, Desk, DeskContact, DeskInvitation, DeskJoined, DeskOffer,
    DeskWrapUp, EndedView, Overview, QueueView,
};

impl Router {
    /// What the router may hold.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The router's clock.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// The configuration in force; `None` before the first.
    #[must_use]
    pub fn config(&self) -> Option<&Config> {
        self.setup.configured.then_some(&self.setup.config)
    }

    /// Waiting contacts in all queues together, in constant time.
    #[must_use]
    pub const fn waiting(&self) -> u32 {
        self.queues.waiting()
    }

    /// Every queue's and every agent's line. Takes time in proportion to the waiting contacts.
    #[must_use]
    pub fn overview(&self) -> Overview {
        let mut oldest: BTreeMap<QueueId, Micros> = BTreeMap::new();
        for (_, id) in self.floor.waiting() {
            if let Some(contact) = self.contacts.get(id) {
                let earliest = oldest.entry(contact.queue).or_insert(contact.arrived_at);
                *earliest = contact.arrived_at.min(*earliest);
            }
        }
        let queues = self.setup.config.queues.iter().map(|queue| {
            let counts = self.queues.of(queue.id);
            QueueView {
                queue: queue.id,
                waiting: counts.waiting,
                offered: counts.offered,
                connecting: counts.connecting,
                engaged: counts.engaged,
                scheduled: counts.scheduled,
                oldest_arrived_at: oldest.get(&queue.id).copied(),
                hours: self.hours.of(queue.id),
            }
        });
        let agents = self
            .setup
            .config
            .agents
            .iter()
            .filter_map(|agent| self.agents.get(agent.id));
        Overview {
            now: self.now,
            queues: queues.collect(),
            agents: agents.map(Agent::view).collect(),
            remembered_contacts: self.ended.len() as u32,
            next_contact: self.next_contact,
        }
    }

    /// Whether a configured queue is open.
    #[must_use]
    pub fn queue_hours(&self, queue: QueueId) -> Option<HoursState> {
        self.setup.queue(queue).map(|one| self.hours.of(one.id))
    }

    /// How many waiting contacts of its queue stand before a waiting contact; 0 = it is next.
    #[must_use]
    pub fn position(&self, contact: ContactId) -> Option<u64> {
        let contact = self
            .contacts
            .get(contact)
            .filter(|contact| contact.waits())?;
        Some(self.floor.position(contact))
    }

    /// All that an agent has in hand.
    #[must_use]
    pub fn desk(&self, agent: AgentId) -> Option<Desk> {
        let agent = self.agents.get(agent)?;
        let offers = agent
            .offers
            .iter()
            .filter_map(|&id| self.offers.get(id))
            .filter_map(|offer| {
                let contact = self.contacts.get(offer.contact)?;
                Some(DeskOffer {
                    offer: offer.id,
                    contact: contact.id,
                    channel: contact.channel,
                    queue: contact.queue,
                    deadline: offer.deadline,
                })
            });
        let contacts = agent.contacts.iter().filter_map(|&id| {
            let contact = self.contacts.get(id)?;
            let connecting_until = match contact.state {
                ContactState::Connecting { deadline, .. } => Some(deadline),
                _ => None,
            };
            let (channel, queue) = (contact.channel, contact.queue);
            let several = contact.several();
            Some(DeskContact {
                contact: id,
                channel,
                queue,
                connecting_until,
                on_hold: several.on_hold,
                parked: several.parked,
                participants: several.who(),
            })
        });
        let wrap_ups = agent.wrap_ups.iter().map(|wrap| DeskWrapUp {
            contact: wrap.contact,
            channel: wrap.channel,
            weight: wrap.weight,
            deadline: wrap.deadline,
        });
        Some(Desk {
            agent: agent.view(),
            offers: offers.collect(),
            contacts: contacts.collect(),
            wrap_ups: wrap_ups.collect(),
            invitations: self.invitations_of(agent),
            joined: self.joined_by(agent),
        })
    }

    fn invitations_of(&self, agent: &Agent) -> Vec<DeskInvitation> {
        let open = agent.invitations.iter();
        let open = open
            .filter_map(|&id| self.offers.get(id))
            .filter_map(|offer| {
                let contact = self.contacts.get(offer.contact)?;
                Some(DeskInvitation {
                    offer: offer.id,
                    contact: contact.id,
                    channel: contact.channel,
                    queue: contact.queue,
                    served_by: contact.served_by(),
                    deadline: offer.deadline,
                })
            });
        open.collect()
    }

    fn joined_by(&self, agent: &Agent) -> Vec<DeskJoined> {
        let contacts = agent.joined.iter().filter_map(|&id| self.contacts.get(id));
        let joined = contacts.filter_map(|contact| {
            let mut participants = contact.several().participants.iter();
            let own = participants.find(|one| one.agent == agent.id)?;
            Some(DeskJoined {
                contact: contact.id,
                channel: contact.channel,
                queue: contact.queue,
                served_by: contact.served_by(),
                joined_at: own.joined_at,
            })
        });
        joined.collect()
    }

    /// A live contact.
    #[must_use]
    pub fn contact(&self, contact: ContactId) -> Option<ContactView> {
        self.contacts
            .get(contact)
            .map(crate::contact::Contact::view)
    }

    /// Who has been asked to join an engaged contact and has not answered: invitation, agent and
    /// deadline, in the order in which they were asked.
    #[must_use]
    pub fn invited(&self, contact: ContactId) -> Vec<(OfferId, AgentId, Micros)> {
        let contact = self.contacts.get(contact);
        let open = contact.map_or(&[][..], |contact| &contact.several().invitations);
        let open = open.iter().filter_map(|&id| self.offers.get(id));
        open.map(|offer| (offer.id, offer.agent, offer.deadline))
            .collect()
    }

    /// A channel's live contacts, by id: what a plugin that comes back has to know. Takes time in
    /// proportion to all live contacts.
    #[must_use]
    pub fn channel_contacts(&self, channel: ChannelId) -> Vec<ContactView> {
        let all = self.contacts.sorted();
        let own = all.iter().filter(|contact| contact.channel == channel);
        own.map(|contact| contact.view()).collect()
    }

    /// A contact that is over and still remembered.
    #[must_use]
    pub fn ended(&self, contact: ContactId) -> Option<EndedView> {
        self.ended.get(contact).map(crate::ended::Ended::view)
    }
}
