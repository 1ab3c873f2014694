//! The checks of several offers and several agents, and of what an agent may hold beyond its capacity.

use crate::agent::{Agent, units_of};
use crate::check::{Sound, hold};
use crate::config::MAX_PARTICIPANTS;
use crate::contact::Contact;
use crate::ids::{AgentId, ChannelId};
use crate::offer::Purpose;
use crate::router::Router;
use crate::view::ContactState;

impl Router {
    /// What only some contacts have belongs to their states, and desks say the same.
    pub(crate) fn audit_several(&self, contact: &Contact) -> Sound {
        let id = contact.id;
        let several = contact.several();
        match contact.state {
            ContactState::Offered { offer, .. } => {
                let above = several.ringing.first().is_none_or(|&first| offer < first);
                let ascends = above && several.ringing.is_sorted_by(|a, b| a < b);
                hold(ascends, "the state names the smallest offer", id)?;
            }
            _ => hold(several.ringing.is_empty(), "who is not offered rings", id)?,
        }
        let ContactState::Engaged { agent: by, .. } = contact.state else {
            let alone = several.participants.is_empty() && several.invitations.is_empty();
            let plain = !several.on_hold && !several.parked && !several.unparked;
            return hold(alone && plain, "only an engaged contact has company", id);
        };
        let both = several.parked && several.unparked;
        hold(!both, "parked or unparked, not both", id)?;
        let company = several.participants.len() + several.invitations.len();
        hold(
            company <= MAX_PARTICIPANTS as usize,
            "company is limited",
            id,
        )?;
        let mut known: Vec<AgentId> = several.who();
        let joined = |who: &AgentId| {
            let agent = self.agents.get(*who);
            agent.is_some_and(|agent| agent.joined.contains(&id))
        };
        hold(known.iter().all(joined), "a participant has joined", id)?;
        let times = several.participants.iter().map(|one| one.joined_at);
        let in_time = times.clone().is_sorted() && times.max() <= Some(self.now);
        hold(in_time, "participants stand in the order of joining", id)?;
        for &offer in &several.invitations {
            let open = self.offers.get(offer);
            let open = open.filter(|o| o.purpose == Purpose::Join && o.contact == id);
            let asked = open.and_then(|open| self.agents.get(open.agent));
            let listed = asked.filter(|agent| agent.invitations.contains(&offer));
            hold(listed.is_some(), "an invitation is on a desk", offer)?;
            known.extend(listed.map(|agent| agent.id));
        }
        let everybody = known.len() + 1;
        known.push(by);
        known.sort_unstable();
        known.dedup();
        hold(
            known.len() == everybody,
            "each is in it or invited once",
            id,
        )?;
        let ascends = several.invitations.is_sorted_by(|a, b| a < b);
        hold(ascends, "invitations ascend", id)
    }

    /// Every open offer to serve is on its agent's desk, and the other way round.
    pub(crate) fn audit_desk_offers(&self) -> Sound {
        let mut listed: u64 = 0;
        for agent in self.agents.sorted() {
            listed += (agent.offers.len() + agent.invitations.len()) as u64;
            let ascends = |ids: &[u64]| ids.is_sorted_by(|a, b| a < b);
            let right = ascends(&agent.offers)
                && ascends(&agent.invitations)
                && ascends(&agent.contacts)
                && ascends(&agent.joined);
            hold(right, "desks are in the order of ids", agent.id)?;
        }
        let open = self.offers.len() as u64;
        hold(listed == open, "every open offer is on one desk", open)
    }

    /// Whether what an agent was given by offers alone fits its capacity.
    pub(crate) fn fits(&self, agent: &Agent) -> bool {
        let Some(config) = self.setup.config.agents.get(agent.position as usize) else {
            return false;
        };
        agent.held.iter().all(|&(channel, held)| {
            let units = u64::from(units_of(&config.capacity, channel));
            held.saturating_sub(self.taken_unasked(agent, channel)) <= units
        })
    }

    /// The units on a channel that an agent took by unparking, joining and taking over, or of contacts
    /// that go beyond its capacity.
    fn taken_unasked(&self, agent: &Agent, channel: ChannelId) -> u64 {
        let served = agent
            .contacts
            .iter()
            .filter_map(|&id| self.contacts.get(id));
        let unasked = |one: &&Contact| one.several().unparked || one.may_exceed(agent.id);
        let served = served.filter(|one| one.units() > 0).filter(unasked);
        let offers = agent.offers.iter().filter_map(|&id| self.offers.get(id));
        let rung = offers.filter_map(|offer| self.contacts.get(offer.contact));
        let rung = rung.filter(|contact| contact.goes_beyond());
        let joined = agent.joined.iter().filter_map(|&id| self.contacts.get(id));
        let all = served.chain(rung).chain(joined);
        let live = all.filter(|live| live.channel == channel);
        let wraps = agent.wrap_ups.iter().filter(|wrap| wrap.unasked);
        let wraps = wraps.filter(|wrap| wrap.channel == channel);
        let weights = live
            .map(|live| live.weight)
            .chain(wraps.map(|wrap| wrap.weight));
        weights.map(u64::from).sum()
    }

    /// After a configuration, who holds more than it allows is excused.
    pub(crate) fn mark_reduced(&mut self) {
        let all = self.agents.sorted().into_iter();
        let reduced: Vec<(AgentId, bool)> =
            all.map(|agent| (agent.id, !self.fits(agent))).collect();
        for (agent, reduced) in reduced {
            self.agents.of(agent).reduced = reduced;
        }
    }
}
