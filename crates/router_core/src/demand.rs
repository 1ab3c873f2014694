//! What is asked of the agent who shall serve a contact.

use crate::agent::level_of;
use crate::config::SkillLevel;
use crate::hash::Fold;
use crate::ids::{AgentId, ContactId, Level, SkillId};
use crate::time::Micros;

/// One `skill >= level`, or its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The skill.
    pub skill: SkillId,
    /// The lowest level that will do; negated, the lowest that will not.
    pub level: Level,
    /// The agent's level must be lower. An agent that lacks the skill has level 0.
    pub negated: bool,
}

impl Need {
    /// Whether an agent with these skills meets it.
    pub(crate) fn holds(&self, skills: &[SkillLevel]) -> bool {
        (level_of(skills, self.skill) >= self.level) != self.negated
    }
}

/// Alternatives, of which one must be met whole; none at all asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// Each a list of needs that is strictly increasing by skill, then negated.
    pub alternatives: Vec<Vec<Need>>,
}

impl Requirement {
    /// All of these levels.
    #[must_use]
    pub fn all_of(levels: &[SkillLevel]) -> Self {
        if levels.is_empty() {
            return Self::default();
        }
        let need = |has: &SkillLevel| Need {
            skill: has.skill,
            level: has.level,
            negated: false,
        };
        Self {
            alternatives: vec![levels.iter().map(need).collect()],
        }
    }

    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.alternatives.is_empty()
    }

    /// Every need of every alternative.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &Need> {
        self.alternatives.iter().flatten()
    }
}

/// How much a skill counts in the choice between agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkillWeight {
    /// The skill.
    pub skill: SkillId,
    /// What each of its levels counts, 1..=100.
    pub weight: u8,
}

/// What a contact asks for itself, beyond what its queue asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// What its agent must be able to do, besides the queue's own requirement.
    pub requires: Requirement,
    /// What makes one agent better than another; strictly increasing by skill.
    pub prefers: Vec<SkillWeight>,
    /// Only these agents may have it for a while, as long as one of them could; strictly increasing.
    pub preferred: Vec<AgentId>,
    /// How long that while is.
    pub preferred_wait_us: Micros,
    /// These agents never get it; strictly increasing.
    pub excludes: Vec<AgentId>,
    /// The preferred ones get it whatever they hold, as long as the preference runs.
    pub beyond_capacity: bool,
}

impl Demand {
    /// Whether nothing is asked but skills, as most contacts do.
    #[inline]
    pub(crate) const fn is_plain(&self) -> bool {
        self.prefers.is_empty()
            && self.preferred.is_empty()
            && self.excludes.is_empty()
            && self.preferred_wait_us == 0
            && !self.beyond_capacity
    }
}

/// When a contact may be served, where that is not from its arrival on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The earlier contact whose place it takes; 0 = none.
    pub place: ContactId,
    /// When it gets into its queue; 0, or what has passed = now.
    pub not_before: Micros,
    /// Until when it may be offered to anybody, because its channel lets nobody reply after that; 0 = for ever.
    pub reply_by: Micros,
}

/// What makes the demands of a class alike. The word comes first, since it tells them apart quickly.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asks {
    /// What stands for it in a contact's hash; 0 = nothing is asked.
    pub(crate) word: u64,
    pub(crate) requires: Requirement,
    pub(crate) prefers: Vec<SkillWeight>,
}

impl Asks {
    pub(crate) fn new(requires: Requirement, prefers: Vec<SkillWeight>) -> Self {
        Self {
            word: word_of(&requires, &prefers),
            requires,
            prefers,
        }
    }
}

fn word_of(requires: &Requirement, prefers: &[SkillWeight]) -> u64 {
    if requires.is_empty() && prefers.is_empty() {
        return 0;
    }
    let mut fold = Fold::new(8).word(requires.alternatives.len() as u64);
    for needs in &requires.alternatives {
        let words = |need: &Need| {
            [
                u64::from(need.skill),
                u64::from(need.level),
                u64::from(need.negated),
            ]
        };
        fold = fold
            .word(needs.len() as u64)
            .words(needs.iter().flat_map(words));
    }
    let words = |one: &SkillWeight| [u64::from(one.skill), u64::from(one.weight)];
    fold.word(prefers.len() as u64)
        .words(prefers.iter().flat_map(words))
        .end()
}

/// The sum of weight times level over the preferred skills: higher is better.
pub(crate) fn score(prefers: &[SkillWeight], skills: &[SkillLevel]) -> u32 {
    let part = |one: &SkillWeight| u32::from(one.weight) * u32::from(level_of(skills, one.skill));
    prefers.iter().map(part).sum()
}
