//! Answers to choices.

use router_core::{Command, ContactId, Router};

use super::{AGENTS, Rng};

/// A choice that runs is answered, or one that does not.
pub fn next(rng: &mut Rng, router: &Router) -> Option<Command> {
    let last = router.next_contact();
    let live = (last.saturating_sub(40)..last).filter_map(|id: ContactId| router.contact(id));
    let running: Vec<u64> = live.map(|one| one.choice).filter(|&one| one > 0).collect();
    let choice = rng.pick(&running)?;
    let choice = if rng.chance(8) {
        choice.saturating_sub(rng.below(4))
    } else {
        choice
    };
    let agent = if rng.chance(10) { 0 } else { rng.some(AGENTS) };
    Some(Command::Choose { choice, agent })
}
