//! The naive twin: every contact with every agent, by scanning. No index of any kind.

use router_core::{Need, SkillLevel};

use crate::setting::{Setting, Signature};

/// One input as a distributor without an offer's life sees it. Agents by position, from 0.
#[derive(Clone, Copy)]
pub enum Step {
    Ready { agent: usize },
    NotReady { agent: usize },
    Arrive { signature: usize, contact: u64 },
    Accept { agent: usize, contact: u64 },
    End { agent: usize, contact: u64 },
    Abandon { contact: u64 },
}

/// Who gets whom.
pub type Decision = Option<(usize, u64)>;

struct Agent {
    skills: Vec<SkillLevel>,
    is_ready: bool,
    is_busy: bool,
    idle_since: u64,
}

pub struct Naive {
    agents: Vec<Agent>,
    needs: Vec<Vec<Need>>,
    /// In order of arrival.
    waiting: Vec<(u64, usize)>,
}

/// What a signature asks for in all; nobody here has a choice.
pub fn needs(setting: &Setting, signature: &Signature) -> Vec<Need> {
    let queue = &setting.config.queues[signature.queue as usize - 1];
    let both = [&queue.requires, &signature.requires].into_iter();
    both.flat_map(|one| &one.alternatives)
        .flatten()
        .copied()
        .collect()
}

pub fn meets(skills: &[SkillLevel], needs: &[Need]) -> bool {
    needs.iter().all(|need| {
        let is_enough = |has: &SkillLevel| has.skill == need.skill && has.level >= need.level;
        skills.iter().any(is_enough)
    })
}

impl Naive {
    pub fn new(setting: &Setting) -> Self {
        let agents = setting.config.agents.iter().map(|agent| Agent {
            skills: agent.skills.clone(),
            is_ready: false,
            is_busy: false,
            idle_since: 0,
        });
        let needs = setting.signatures.iter().map(|each| needs(setting, each));
        Self {
            agents: agents.collect(),
            needs: needs.collect(),
            waiting: Vec::new(),
        }
    }

    pub fn step(&mut self, at: u64, step: Step) -> Decision {
        match step {
            Step::Ready { agent } => {
                self.agents[agent].is_ready = true;
                self.agents[agent].idle_since = at;
                self.contact_for(agent)
            }
            Step::NotReady { agent } => {
                self.agents[agent].is_ready = false;
                None
            }
            Step::Arrive { signature, contact } => self.agent_for(signature, contact),
            Step::Accept { .. } => None,
            Step::End { agent, .. } => {
                self.agents[agent].is_busy = false;
                self.agents[agent].idle_since = at;
                self.contact_for(agent)
            }
            Step::Abandon { contact } => {
                self.waiting.retain(|(id, _)| *id != contact);
                None
            }
        }
    }

    fn agent_for(&mut self, signature: usize, contact: u64) -> Decision {
        let needs = &self.needs[signature];
        let eligible =
            self.agents.iter().enumerate().filter(|(_, agent)| {
                agent.is_ready && !agent.is_busy && meets(&agent.skills, needs)
            });
        let best = eligible.min_by_key(|(position, agent)| (agent.idle_since, *position));
        let Some((position, _)) = best else {
            self.waiting.push((contact, signature));
            return None;
        };
        self.agents[position].is_busy = true;
        Some((position, contact))
    }

    fn contact_for(&mut self, position: usize) -> Decision {
        let agent = &mut self.agents[position];
        if agent.is_busy || !agent.is_ready {
            return None;
        }
        let fits = |(_, signature): &(u64, usize)| meets(&agent.skills, &self.needs[*signature]);
        let first = self.waiting.iter().position(fits)?;
        let (contact, _) = self.waiting.remove(first);
        agent.is_busy = true;
        Some((position, contact))
    }
}
