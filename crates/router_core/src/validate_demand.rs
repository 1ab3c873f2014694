//! Whether what is asked for makes sense. The order of the checks is part of the rules.

use crate::config::{
    MAX_ALTERNATIVES, MAX_EXCLUDES, MAX_PREFERRED, MAX_PREFERS, MAX_REQUIREMENT, MAX_SKILL_WEIGHT,
    MAX_TIMEOUT_US,
};
use crate::demand::{Demand, Need, Requirement, SkillWeight};
use crate::ids::AgentId;
use crate::rejection::Code;
use crate::router::{Router, refuse};
use crate::setup::Setup;
use crate::validate::{Checked, within};

impl Setup {
    /// A queue's requirement, or a contact's own.
    pub(crate) fn validate_requirement(&self, requires: &Requirement) -> Checked {
        let count = requires.alternatives.len();
        if count > MAX_ALTERNATIVES {
            return refuse(Code::BadRequirement, count as u64);
        }
        requires
            .alternatives
            .iter()
            .try_for_each(|needs| self.validate_needs(needs))
    }

    fn validate_needs(&self, needs: &[Need]) -> Checked {
        if !(1..=MAX_REQUIREMENT).contains(&needs.len()) {
            return refuse(Code::BadRequirement, needs.len() as u64);
        }
        let mut last = (0, false);
        for need in needs {
            if !self.knows_skill(need.skill) {
                return refuse(Code::UnknownSkill, need.skill);
            }
            if !(1..=100).contains(&need.level) {
                return refuse(Code::BadLevel, need.level);
            }
            let place = (need.skill, need.negated);
            if place <= last {
                return refuse(Code::BadRequirement, need.skill);
            }
            last = place;
        }
        Ok(())
    }

    fn validate_prefers(&self, prefers: &[SkillWeight]) -> Checked {
        if prefers.len() > MAX_PREFERS {
            return refuse(Code::BadRequirement, prefers.len() as u64);
        }
        let mut last = 0;
        for entry in prefers {
            if entry.skill <= last {
                return refuse(Code::BadRequirement, entry.skill);
            }
            if !self.knows_skill(entry.skill) {
                return refuse(Code::UnknownSkill, entry.skill);
            }
            if !(1..=MAX_SKILL_WEIGHT).contains(&entry.weight) {
                return refuse(Code::BadWeight, entry.weight);
            }
            last = entry.skill;
        }
        Ok(())
    }
}

impl Router {
    /// All that a contact asks for.
    pub(crate) fn validate_demand(&self, demand: &Demand) -> Checked {
        self.setup.validate_requirement(&demand.requires)?;
        if demand.is_plain() {
            return Ok(());
        }
        self.setup.validate_prefers(&demand.prefers)?;
        self.validate_agents(&demand.preferred, MAX_PREFERRED)?;
        within(demand.preferred_wait_us, 0, MAX_TIMEOUT_US)?;
        self.validate_agents(&demand.excludes, MAX_EXCLUDES)?;
        if demand.beyond_capacity && demand.preferred.is_empty() {
            return refuse(Code::BadAgents, 0_u64);
        }
        Ok(())
    }

    fn validate_agents(&self, agents: &[AgentId], most: usize) -> Checked {
        if agents.len() > most {
            return refuse(Code::BadAgents, agents.len() as u64);
        }
        let mut last = 0;
        for &agent in agents {
            if agent <= last {
                return refuse(Code::BadAgents, agent);
            }
            self.validate_agent(agent)?;
            last = agent;
        }
        Ok(())
    }
}
