//! What is left of what is asked once steps of the queue apply.
//!
//! 1. Steps take skills and levels off the queue's requirement and the contact's own alike. What is
//!    negated stays: a step never asks for more.
//! 2. A need whose level falls to 0 goes; an alternative without needs asks for nothing.
//! 3. A widened queue's requirement will do instead of the own queue's, relaxed by the same steps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::config::{QueueConfig, Step};
use crate::demand::{Need, Requirement};
use crate::ids::{Level, QueueId, SkillId};
use crate::setup::Setup;

/// What a contact asks for at its step.
#[derive(Clone, Debug)]
pub(crate) struct Effective<'a> {
    pub(crate) own: Cow<'a, Requirement>,
    /// One of them will do: its queue's, and those of the queues that it was widened to.
    pub(crate) queues: Vec<Cow<'a, Requirement>>,
}

impl Effective<'_> {
    /// Every need of every alternative.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &Need> {
        let queues = self.queues.iter().flat_map(|queue| queue.needs());
        self.own.needs().chain(queues)
    }
}

impl Setup {
    /// What a contact of this queue asks for after so many steps.
    pub(crate) fn effective<'a>(
        &'a self,
        queue: QueueId,
        own: &'a Requirement,
        step: u8,
    ) -> Effective<'a> {
        let Some(queue) = self.queue(queue) else {
            let (own, queues) = (Cow::Borrowed(own), vec![Cow::Owned(Requirement::default())]);
            return Effective { own, queues };
        };
        let steps = applied(queue, step);
        if steps.is_empty() {
            let (own, queues) = (Cow::Borrowed(own), vec![Cow::Borrowed(&queue.requires)]);
            return Effective { own, queues };
        }
        let loss = Loss::of(steps);
        let widened: BTreeSet<QueueId> = steps.iter().flat_map(|s| s.widen.clone()).collect();
        let widened = widened.into_iter().filter_map(|other| self.queue(other));
        let queues = std::iter::once(queue).chain(widened);
        Effective {
            own: Cow::Owned(loss.left_of(own)),
            queues: queues
                .map(|queue| Cow::Owned(loss.left_of(&queue.requires)))
                .collect(),
        }
    }
}

/// The steps that apply; a queue may have fewer than it had.
fn applied(queue: &QueueConfig, step: u8) -> &[Step] {
    &queue.steps[..queue.steps.len().min(usize::from(step))]
}

/// What steps take away together.
struct Loss {
    dropped: BTreeSet<SkillId>,
    lowered: BTreeMap<SkillId, u32>,
}

impl Loss {
    fn of(steps: &[Step]) -> Self {
        let mut lowered = BTreeMap::new();
        for lower in steps.iter().flat_map(|step| &step.lower) {
            *lowered.entry(lower.skill).or_default() += u32::from(lower.by);
        }
        let dropped = steps.iter().flat_map(|step| step.drop.clone()).collect();
        Self { dropped, lowered }
    }

    fn left_of(&self, requirement: &Requirement) -> Requirement {
        let alternatives = requirement.alternatives.iter();
        let left = |needs: &Vec<Need>| needs.iter().filter_map(|need| self.left(*need)).collect();
        Requirement {
            alternatives: alternatives.map(left).collect(),
        }
    }

    fn left(&self, need: Need) -> Option<Need> {
        if need.negated {
            return Some(need);
        }
        let lower = self.lowered.get(&need.skill).copied().unwrap_or(0);
        let level = u32::from(need.level).saturating_sub(lower) as Level;
        (level > 0 && !self.dropped.contains(&need.skill)).then_some(Need { level, ..need })
    }
}
