//! The core's views as tuples: the shapes that `_router.pyi` promises.

use router_core::{
    AgentView, ContactState, ContactView, DeskContact, DeskInvitation, DeskJoined, DeskOffer,
    EndedView, Estimate, Presence, Router,
};

type QueueRow = (u32, u32, u64, u8);
type AgentRow = (u32, u8, u32, bool, bool, u32, u32, u32, u32, u64, u32);
type States = (u64, u64, u64, u64, u64);
pub(crate) type OverviewRows = (Vec<QueueRow>, Vec<AgentRow>, States);
type OfferRow = (u64, u64, u32, u32, u64, u64);
type HeldRow = (u64, u32, u32, u8, u64, u64, bool, bool, Vec<u32>);
type WrapUpRow = (u64, u32, u64);
type InvitationRow = (u64, u64, u32, u32, u32, u64);
type JoinedRow = (u64, u32, u32, u32, u64, u64);
pub(crate) type DeskRow = (
    u8,
    u32,
    bool,
    bool,
    u32,
    u64,
    Vec<OfferRow>,
    Vec<HeldRow>,
    Vec<WrapUpRow>,
    Vec<InvitationRow>,
    Vec<JoinedRow>,
);
pub(crate) type ContactRow = (u32, u32, u8, u32, u64, u64, bool, bool, Vec<u32>);
pub(crate) type EstimateRow = (u64, u64, u64, u64, u64);
pub(crate) type EndedRow = (u32, u8, u32, u64, u64, bool);
pub(crate) type ChannelContactRow = (u64, u8, u32, [u8; 16]);

pub(crate) fn overview(router: &Router) -> OverviewRows {
    let view = router.overview();
    let mut states = (0, 0, 0, 0, 0);
    for queue in &view.queues {
        states.0 += u64::from(queue.waiting);
        states.1 += u64::from(queue.offered);
        states.2 += u64::from(queue.connecting);
        states.3 += u64::from(queue.engaged);
        states.4 += u64::from(queue.scheduled);
    }
    let queues = view.queues.iter();
    let queues = queues.map(|one| {
        let oldest = one.oldest_arrived_at.unwrap_or(0);
        (one.queue, one.waiting, oldest, one.hours as u8)
    });
    (
        queues.collect(),
        view.agents.iter().map(|one| agent(router, one)).collect(),
        states,
    )
}

fn agent(router: &Router, view: &AgentView) -> AgentRow {
    let (presence, reason) = presence(view.presence);
    // The view counts connecting and engaged contacts together; only a desk tells them apart.
    let desk = (view.contacts > 0)
        .then(|| router.desk(view.agent))
        .flatten();
    let connecting = desk.map_or(0, |desk| {
        desk.contacts
            .iter()
            .filter(|held| held.connecting_until.is_some())
            .count() as u32
    });
    (
        view.agent,
        presence,
        reason,
        view.signing_out,
        view.locked,
        view.offers,
        connecting,
        view.contacts - connecting,
        view.wrap_ups,
        view.idle_since,
        view.joined,
    )
}

fn presence(presence: Presence) -> (u8, u32) {
    match presence {
        Presence::SignedOut => (0, 0),
        Presence::NotReady(reason) => (1, reason),
        Presence::Ready => (2, 0),
    }
}

pub(crate) fn desk(router: &Router, agent: u32) -> Option<DeskRow> {
    let desk = router.desk(agent)?;
    let (presence, reason) = presence(desk.agent.presence);
    let offer = |one: &DeskOffer| {
        let enqueued_at = router
            .contact(one.contact)
            .map_or(0, |contact| contact.enqueued_at);
        (
            one.offer,
            one.contact,
            one.channel,
            one.queue,
            one.deadline,
            enqueued_at,
        )
    };
    let held = |one: &DeskContact| {
        let arrived_at = router
            .contact(one.contact)
            .map_or(0, |contact| contact.arrived_at);
        let state = if one.connecting_until.is_some() { 2 } else { 3 };
        let deadline = one.connecting_until.unwrap_or(0);
        (
            one.contact,
            one.channel,
            one.queue,
            state,
            deadline,
            arrived_at,
            one.on_hold,
            one.parked,
            one.participants.clone(),
        )
    };
    let joined = |one: &DeskJoined| {
        let arrived_at = router
            .contact(one.contact)
            .map_or(0, |contact| contact.arrived_at);
        (
            one.contact,
            one.channel,
            one.queue,
            one.served_by,
            one.joined_at,
            arrived_at,
        )
    };
    Some((
        presence,
        reason,
        desk.agent.signing_out,
        desk.agent.locked,
        desk.agent.misses,
        desk.agent.idle_since,
        desk.offers.iter().map(offer).collect(),
        desk.contacts.iter().map(held).collect(),
        desk.wrap_ups
            .iter()
            .map(|one| (one.contact, one.channel, one.deadline))
            .collect(),
        desk.invitations.iter().map(invitation).collect(),
        desk.joined.iter().map(joined).collect(),
    ))
}

const fn invitation(one: &DeskInvitation) -> InvitationRow {
    (
        one.offer,
        one.contact,
        one.channel,
        one.queue,
        one.served_by,
        one.deadline,
    )
}

fn state(state: ContactState) -> (u8, u32) {
    match state {
        ContactState::Waiting => (0, 0),
        ContactState::Offered { agent, .. } => (1, agent),
        ContactState::Connecting { agent, .. } => (2, agent),
        ContactState::Engaged { agent, .. } => (3, agent),
        ContactState::Scheduled { .. } => (4, 0),
    }
}

pub(crate) fn channel_contact(view: &ContactView) -> ChannelContactRow {
    let (state, agent) = state(view.state);
    (view.contact, state, agent, view.key)
}

pub(crate) fn contact(view: &ContactView) -> ContactRow {
    let (state, agent) = state(view.state);
    (
        view.channel,
        view.queue,
        state,
        agent,
        view.arrived_at,
        view.enqueued_at,
        view.on_hold,
        view.parked,
        view.participants.clone(),
    )
}

pub(crate) fn estimate(view: &Estimate) -> EstimateRow {
    let Estimate {
        position,
        ahead,
        mean_us,
        p50_us,
        p90_us,
    } = *view;
    (position, ahead, mean_us, p50_us, p90_us)
}

pub(crate) fn ended(view: &EndedView) -> EndedRow {
    (
        view.channel,
        view.outcome as u8,
        view.last_agent,
        view.ended_at,
        view.enqueued_at,
        view.place_used,
    )
}
