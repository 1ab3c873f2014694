//! A new configuration: whole, checked before anything changes, and without losing what is going on.
//!
//! 1. Agents keep their presence, idle time and everything in hand; open offers and running
//!    deadlines stay as they are.
//! 2. Nothing that is in use may be missing from it.
//! 3. A contact keeps the steps that apply to it, as far as its queue still has them.
//! 4. Every waiting contact is looked at anew, and no choice runs any more; queues stay open, closing
//!    or closed.

use std::collections::BTreeSet;

use crate::agent::{Agent, Standing};
use crate::config::Config;
use crate::event::Event;
use crate::ids::{AgentId, ChannelId, QueueId, SkillId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::setup::Setup;
use crate::validate::validate;

impl Router {
    pub(crate) fn configure(&mut self, config: Config) -> Result<(), Rejection> {
        let setup = Setup {
            config,
            configured: true,
        };
        validate(&setup, &self.limits)?;
        self.validate_use(&setup)?;
        self.end_choices();
        let new: BTreeSet<AgentId> = setup.config.agents.iter().map(|agent| agent.id).collect();
        for old in &self.setup.config.agents {
            if !new.contains(&old.id) {
                self.agents.remove(old.id);
            }
        }
        for (position, config) in setup.config.agents.iter().enumerate() {
            match self.agents.get_mut(config.id) {
                Some(agent) => agent.position = position as u32,
                None => self.agents.insert(Agent::new(config.id, position as u32)),
            }
        }
        self.setup = setup;
        self.nothing_old_before = 0;
        self.floor.rebuild(&self.setup);
        self.hours.configure(&self.setup);
        self.still_all();
        self.count_tenants();
        self.somebody_left = self.floor.wants_agents;
        self.calibrations.configure(&self.setup.config.queues);
        self.mark_reduced();
        self.watch.lose_all();
        self.hopes.lose_all();
        let waiting = self.floor.waiting().map(|(_, id)| id);
        self.dirty.contacts.extend(waiting);
        self.fit_steps();
        self.configurations += 1;
        self.emit(Event::Configured {
            at: self.now,
            hash: self.setup.config.hash,
            number: self.configurations,
        });
        Ok(())
    }

    /// Nothing that is in use may be missing.
    fn validate_use(&self, new: &Setup) -> Result<(), Rejection> {
        let kept: BTreeSet<AgentId> = new.config.agents.iter().map(|agent| agent.id).collect();
        let old = &self.setup.config;
        for agent in old.agents.iter().filter(|agent| !kept.contains(&agent.id)) {
            let known = self.agents.get(agent.id);
            if known.is_some_and(|a| a.standing() != Standing::Out || !a.has_nothing_in_hand()) {
                return refuse(Code::AgentInUse, agent.id);
            }
        }
        let (channels, skills) = self.in_use();
        let in_use = |queue: QueueId| self.queues.of(queue).total() > 0;
        if let Some(queue) = old
            .queues
            .iter()
            .find(|q| new.queue(q.id).is_none() && in_use(q.id))
        {
            return refuse(Code::QueueInUse, queue.id);
        }
        let lost = |id: &ChannelId| new.channel(*id).is_none();
        if let Some(&channel) = channels.iter().find(|id| lost(id)) {
            return refuse(Code::ChannelInUse, channel);
        }
        if let Some(&skill) = skills.iter().find(|id| !new.knows_skill(**id)) {
            return refuse(Code::SkillInUse, skill);
        }
        Ok(())
    }

    /// The channels of live contacts, and the skills that they ask for themselves.
    fn in_use(&self) -> (BTreeSet<ChannelId>, BTreeSet<SkillId>) {
        let live = self
            .floor
            .contacts
            .iter()
            .filter(|class| class.contacts > 0);
        let keys = live.map(|class| &class.key);
        keys.fold(Default::default(), |(mut channels, mut named), key| {
            channels.insert(key.channel);
            named.extend(key.asks.requires.needs().map(|need| need.skill));
            (channels, named)
        })
    }
}
