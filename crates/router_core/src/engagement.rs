//! What an agent does with an engaged contact without ending it: hold, park.
//!
//! 1. Hold and park are independent, and end silently with the engagement of whoever serves.
//! 2. A parked contact holds no units and stays in the agent's hands; taking it up again is never
//!    refused, so that an agent may come to hold more than its capacity. No offer comes of that.

use crate::event::Event;
use crate::ids::{AgentId, ContactId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};

impl Router {
    /// The agent has the contact engaged, or this is refused.
    pub(crate) fn serves(&self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.validate_agent(agent)?;
        if self.engaged_with(agent, contact)? {
            Ok(())
        } else {
            refuse(Code::UnknownContact, contact)
        }
    }

    pub(crate) fn hold(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.serves(agent, contact)?;
        let at = self.now;
        let held = self.live(contact);
        let channel = held.channel;
        if !std::mem::replace(&mut held.several_mut().on_hold, true) {
            self.emit(Event::Held {
                at,
                contact,
                channel,
                agent,
            });
        }
        Ok(())
    }

    pub(crate) fn resume(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.serves(agent, contact)?;
        let at = self.now;
        let held = self.live(contact);
        let channel = held.channel;
        if held.several().on_hold {
            held.several_mut().on_hold = false;
            self.emit(Event::Resumed {
                at,
                contact,
                channel,
                agent,
            });
        }
        Ok(())
    }

    pub(crate) fn park(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.serves(agent, contact)?;
        let at = self.now;
        let held = self.live(contact);
        let (channel, weight) = (held.channel, held.weight);
        if self.setup.is_exclusive(channel) {
            return refuse(Code::WrongState, contact);
        }
        let several = self.live(contact).several_mut();
        if !std::mem::replace(&mut several.parked, true) {
            several.unparked = false;
            self.agents.of(agent).give_back(channel, weight);
            self.dirty.agent(agent);
            self.emit(Event::Parked {
                at,
                contact,
                channel,
                agent,
            });
        }
        Ok(())
    }

    pub(crate) fn unpark(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Rejection> {
        self.serves(agent, contact)?;
        let at = self.now;
        let held = self.live(contact);
        let (channel, weight) = (held.channel, held.weight);
        if held.several().parked {
            let several = held.several_mut();
            several.parked = false;
            several.unparked = true;
            self.agents.of(agent).hold(channel, weight);
            self.emit(Event::Unparked {
                at,
                contact,
                channel,
                agent,
            });
        }
        Ok(())
    }
}
