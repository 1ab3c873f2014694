//! Commands about engaged contacts: several agents, hold, park, other hands, outside.

use router_core::{AgentId, Command, CommandId, ContactId, ContactState, Router};

use super::demands::requirement;
use super::{AGENTS, QUEUES, Rng, contact};

/// An engaged contact, if one is found, and whoever serves it.
fn engaged(rng: &mut Rng, router: &Router) -> (AgentId, ContactId) {
    let mut id = contact(rng, router).1;
    for _ in 0..12 {
        if let Some(ContactState::Engaged { agent, .. }) = router.contact(id).map(|one| one.state) {
            return (agent, id);
        }
        id = contact(rng, router).1;
    }
    (rng.some(AGENTS), id)
}

/// Mostly whoever serves the contact, sometimes a participant or anybody.
fn somebody_in(rng: &mut Rng, router: &Router, agent: AgentId, contact: ContactId) -> AgentId {
    let others = router.contact(contact).map(|one| one.participants);
    match rng.below(10) {
        0 => rng.some(AGENTS),
        1..=4 => rng.pick(&others.unwrap_or_default()).unwrap_or(agent),
        _ => agent,
    }
}

fn command_id(rng: &mut Rng) -> Option<CommandId> {
    rng.chance(10)
        .then(|| u128::from(rng.below(40)).to_be_bytes())
}

pub fn next(rng: &mut Rng, router: &Router) -> Command {
    let (by, contact) = engaged(rng, router);
    let agent = somebody_in(rng, router, by, contact);
    let command_id = command_id(rng);
    match rng.below(20) {
        0..=1 => Command::Hold { agent, contact },
        2 => Command::Resume { agent, contact },
        3..=5 => Command::Park { agent, contact },
        6..=7 => Command::Unpark { agent, contact },
        8..=12 => Command::Invite {
            agent,
            contact,
            invitee: rng.some(AGENTS),
            command_id,
        },
        13..=15 => Command::Leave { agent, contact },
        16..=17 => Command::TakeOver {
            agent: rng.some(AGENTS),
            contact,
            command_id,
        },
        18 => Command::Move {
            contact,
            queue: rng.some(QUEUES),
            head_start_us: 0,
            requires: requirement(rng),
            command_id,
        },
        _ => Command::TransferOut {
            agent,
            contact,
            target: rng.some(3),
        },
    }
}

/// An open invitation is answered.
pub fn answer(rng: &mut Rng, router: &Router) -> Option<Command> {
    let desks = (1..AGENTS).filter_map(|agent| router.desk(agent));
    let open: Vec<(AgentId, u64)> = desks
        .flat_map(|desk| {
            let agent = desk.agent.agent;
            let open = desk.invitations.into_iter();
            open.map(move |invitation| (agent, invitation.offer))
        })
        .collect();
    let (agent, offer) = rng.pick(&open)?;
    Some(if rng.chance(70) {
        Command::Accept { agent, offer }
    } else {
        Command::Decline {
            agent,
            offer,
            reason: 0,
        }
    })
}
