//! What few contacts have, apart from the others' few bytes: agents whom they prefer or exclude,
//! steps that apply to them, how often they have overflowed, a deadline for the reply, and the time
//! at which any of it changes.

use crate::demand::Demand;
use crate::hash::Fold;
use crate::ids::{AgentId, ChoiceId};
use crate::time::Micros;

#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Agents whom it waits for at first, ascending.
    pub(crate) preferred: Vec<AgentId>,
    pub(crate) preferred_wait_us: Micros,
    /// Until when; `None` = they are no longer preferred.
    pub(crate) preferred_until: Option<Micros>,
    /// Agents who never get it, ascending.
    pub(crate) excludes: Vec<AgentId>,
    /// How many steps of its queue apply.
    pub(crate) step: u8,
    /// Until when it may be offered to anybody; 0 = for ever, and from the first engagement on.
    pub(crate) reply_by: Micros,
    /// The choice that runs for it; 0 = none.
    pub(crate) choice: ChoiceId,
    /// When it was first passed since it began to wait; 0 = it was not.
    pub(crate) passed_at: Micros,
    /// When any of it changes by itself; only while waiting.
    pub(crate) wake_at: Option<Micros>,
    /// The number of its timer.
    pub(crate) wake_timer: u64,
    /// How often it has overflowed.
    pub(crate) hops: u8,
    /// Offers of it that were declined or expired since it got into its queue.
    pub(crate) unanswered: u32,
    /// When its queue's rules about waiting were looked at last; 0 = not since it got there.
    pub(crate) looked_at: Micros,
    /// When its position is told next; `None` = never, or it is engaged.
    pub(crate) announce_at: Option<Micros>,
    /// The position that was told last in this queue; 0 = none.
    pub(crate) announced: u64,
    /// Whoever is preferred gets it whatever it holds.
    pub(crate) beyond_capacity: bool,
}

impl Wishes {
    /// The rare part of a demand, if it has one; the preference runs from `at`.
    pub(crate) fn of(demand: Demand, at: Micros) -> Option<Box<Self>> {
        let Demand {
            preferred,
            preferred_wait_us,
            excludes,
            beyond_capacity,
            ..
        } = demand;
        // What goes beyond a capacity has somebody whom it prefers.
        if preferred.is_empty() && excludes.is_empty() && preferred_wait_us == 0 {
            return None;
        }
        let preferred_until = (!preferred.is_empty()).then_some(at + preferred_wait_us);
        Some(Box::new(Self {
            preferred,
            preferred_wait_us,
            preferred_until,
            excludes,
            beyond_capacity,
            ..Self::default()
        }))
    }

    /// Its word of the contact's hash; 0 = there is nothing to say.
    pub(crate) fn word(&self) -> u64 {
        let nothing = self.preferred.is_empty()
            && self.excludes.is_empty()
            && self.preferred_wait_us == 0
            && self.preferred_until.is_none()
            && self.step == 0
            && self.wake_at.is_none()
            && self.hops == 0
            && self.unanswered == 0
            && self.looked_at == 0
            && self.announce_at.is_none()
            && self.reply_by == 0
            && self.choice == 0
            && self.passed_at == 0;
        if nothing {
            return 0;
        }
        Fold::new(9)
            .word(self.preferred.len() as u64)
            .words(self.preferred.iter().map(|&agent| u64::from(agent)))
            .words([self.preferred_wait_us, self.preferred_until.unwrap_or(0)])
            .word(self.excludes.len() as u64)
            .words(self.excludes.iter().map(|&agent| u64::from(agent)))
            .words([u64::from(self.step), self.wake_at.unwrap_or(0)])
            .words([
                u64::from(self.hops),
                u64::from(self.unanswered),
                self.looked_at,
            ])
            .words([self.announce_at.unwrap_or(0), self.announced])
            .word(u64::from(self.beyond_capacity))
            .words([self.reply_by, self.choice, self.passed_at])
            .end()
    }
}

/// Agents who are passed over for a contact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassedOver<'a> {
    /// For now, ascending.
    pub(crate) attempted: &'a [AgentId],
    /// For good, ascending.
    pub(crate) excludes: &'a [AgentId],
}

impl PassedOver<'_> {
    #[inline]
    pub(crate) const fn is_nobody(&self) -> bool {
        self.attempted.is_empty() && self.excludes.is_empty()
    }

    #[inline]
    pub(crate) fn has(&self, agent: AgentId) -> bool {
        self.attempted.binary_search(&agent).is_ok() || self.excludes.binary_search(&agent).is_ok()
    }
}
