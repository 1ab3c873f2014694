//! What only some contacts have: several open offers, several agents, a hold, a parking. Kept
//! apart, because memory for every waiting contact matters.

use crate::ids::{AgentId, ContactId, OfferId};
use crate::router::Router;
use crate::time::Micros;

/// An agent in an engaged contact, beside whoever serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Participant {
    pub(crate) agent: AgentId,
    pub(crate) joined_at: Micros,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Several {
    /// Open offers besides the one that the state names, ascending and above it.
    pub(crate) ringing: Vec<OfferId>,
    /// Open invitations, ascending.
    pub(crate) invitations: Vec<OfferId>,
    /// In the order of joining.
    pub(crate) participants: Vec<Participant>,
    pub(crate) on_hold: bool,
    /// Put aside: in the agent's hands, but holding no units.
    pub(crate) parked: bool,
    /// Whoever serves it took its units without asking for room.
    pub(crate) unparked: bool,
}

static NOTHING: Several = Several::new();

impl Several {
    pub(crate) const fn new() -> Self {
        Self {
            ringing: Vec::new(),
            invitations: Vec::new(),
            participants: Vec::new(),
            on_hold: false,
            parked: false,
            unparked: false,
        }
    }

    /// Who else is in the contact, in the order of joining.
    pub(crate) fn who(&self) -> Vec<AgentId> {
        self.participants.iter().map(|one| one.agent).collect()
    }

    pub(crate) fn has_in(&self, agent: AgentId) -> bool {
        self.participants.iter().any(|one| one.agent == agent)
    }
}

impl crate::contact::Contact {
    /// Who has it engaged; 0 = nobody.
    pub(crate) const fn served_by(&self) -> AgentId {
        match self.state {
            crate::view::ContactState::Engaged { agent, .. } => agent,
            _ => 0,
        }
    }

    pub(crate) fn several(&self) -> &Several {
        self.several.as_deref().unwrap_or(&NOTHING)
    }

    pub(crate) fn several_mut(&mut self) -> &mut Several {
        self.several.get_or_insert_with(|| Box::new(Several::new()))
    }

    /// The units that it holds of whoever serves it.
    pub(crate) fn units(&self) -> u32 {
        if self.several().parked {
            0
        } else {
            self.weight
        }
    }
}

impl Router {
    /// Whether an offer of the contact is open.
    pub(crate) fn rings(&self, id: ContactId) -> bool {
        let Some(contact) = self.contacts.get(id) else {
            return false;
        };
        let crate::view::ContactState::Offered { offer, .. } = contact.state else {
            return false;
        };
        !contact.several().ringing.is_empty() || self.offers.get(offer).is_some()
    }

    /// The open offers of a contact that is offered, ascending.
    pub(crate) fn open_offers(&self, id: ContactId) -> Vec<OfferId> {
        let Some(contact) = self.contacts.get(id) else {
            return Vec::new();
        };
        let crate::view::ContactState::Offered { offer, .. } = contact.state else {
            return Vec::new();
        };
        let others = contact.several().ringing.iter().copied();
        let named = Some(offer).filter(|&offer| self.offers.get(offer).is_some());
        named.into_iter().chain(others).collect()
    }
}
