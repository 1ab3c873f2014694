//! What room an agent has: nothing beside what is exclusive, nothing exclusive beside what may not
//! be interrupted, and never less than nothing.

use crate::agent::Agent;
use crate::class::Lane;
use crate::ids::ChannelId;
use crate::setup::Setup;

/// Whether an agent takes nothing, whatever the channel: absent, kept for a contact that is looked
/// at apart (`reserving.rs`), or holding something exclusive.
pub(crate) fn is_shut(agent: &Agent, setup: &Setup) -> bool {
    !agent.present() || agent.kept_for != 0 || holds_exclusive(agent, setup)
}

pub(crate) fn holds_exclusive(agent: &Agent, setup: &Setup) -> bool {
    let exclusive = |&(channel, _): &(ChannelId, u64)| setup.is_exclusive(channel);
    agent.held.iter().any(exclusive)
}

/// Whether an agent has no open offer and holds nothing but what is interruptible.
fn may_be_interrupted(agent: &Agent, setup: &Setup) -> bool {
    let interruptible = |held: &(ChannelId, u64)| setup.is_interruptible(held.0);
    agent.offers.is_empty() && agent.held.iter().all(interruptible)
}

impl Lane {
    /// Free units of an agent who holds nothing exclusive and is present.
    pub(crate) fn room_for(&self, agent: &Agent, setup: &Setup) -> u32 {
        if self.exclusive {
            let idle = agent.held_total == 0 || may_be_interrupted(agent, setup);
            return if idle { self.units } else { 0 };
        }
        // Unparked, joined and taken over contacts and a reconfiguration may make an agent hold
        // more than it may take.
        let free = u64::from(self.units).saturating_sub(agent.held_on(self.channel));
        u32::try_from(free).unwrap_or(u32::MAX)
    }
}
