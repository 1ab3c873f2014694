//! A random world for the router: a seed decides configurations, commands and times.

mod choices;
pub mod configs;
pub mod demands;
mod engaged;
mod spoiling;
mod terms;

use router_core::{
    AgentId, Command, ContactId, ContactState, HoursState, KEEP_HEAD_START, MILLISECOND, OfferId,
    Presence, ReleasedBy, Router, SECOND,
};

/// SplitMix64.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0.wrapping_sub(0x9e37_79b9_7f4a_7c15))
    }

    /// 0..limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn id(&mut self, limit: u32) -> u32 {
        self.below(u64::from(limit)) as u32
    }

    /// 1..limit, or now and then one beyond either end.
    pub fn some(&mut self, limit: u32) -> u32 {
        if self.chance(3) {
            self.id(2) * limit
        } else {
            1 + self.id(limit - 1)
        }
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        (!items.is_empty()).then(|| items[self.below(items.len() as u64) as usize])
    }
}

/// SplitMix64's finaliser, as in the specification of the state hash.
pub fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub const CHANNELS: u32 = 4;
pub const SKILLS: u32 = 5;
pub const QUEUES: u32 = 5;
pub const AGENTS: u32 = 8;

/// The time of the next command: often the same, often a deadline, seldom far away.
pub fn next_time(rng: &mut Rng, router: &Router) -> u64 {
    let now = router.now();
    let deadline = router.next_deadline().unwrap_or(now);
    match rng.below(80) {
        0..=34 => now,
        35..=71 => now + rng.below(2 * SECOND),
        72..=74 => deadline,
        75 => deadline.saturating_sub(1).max(now),
        76..=77 => now + 20 * SECOND,
        78 => now + rng.below(10) * rng.below(90) * SECOND,
        _ => now.saturating_sub(rng.below(2 * MILLISECOND)),
    }
}

/// The next command: mostly one that makes sense, sometimes one that does not.
pub fn next_command(rng: &mut Rng, router: &Router) -> Command {
    if rng.chance(40)
        && let Some(command) = next_in_life(rng, router)
    {
        return command;
    }
    if rng.chance(12)
        && let Some(command) = engaged::answer(rng, router)
    {
        return command;
    }
    if rng.chance(35)
        && let Some(command) = choices::next(rng, router)
    {
        return command;
    }
    if rng.chance(20) {
        return engaged::next(rng, router);
    }
    match rng.below(100) {
        0..=23 => arrive(rng, router),
        24..=27 => by_channel(rng, router, |channel, contact| Command::Abandon {
            channel,
            contact,
        }),
        28..=39 => by_channel(rng, router, |channel, contact| Command::Connected {
            channel,
            contact,
        }),
        40..=41 => by_channel(rng, router, |channel, contact| Command::ConnectFailed {
            channel,
            contact,
        }),
        42..=53 => presence(rng),
        54..=74 => answer(rng, router),
        75..=88 => handle(rng, router),
        89..=92 => transfer(rng, router),
        93..=96 => supervise(rng, router),
        97 if rng.chance(60) => hours(rng),
        97 if rng.chance(50) => Command::Restarted,
        98 => Command::Configure {
            config: Box::new(configs::random(rng)),
        },
        _ => arrive(rng, router),
    }
}

/// What moves some contact on.
fn next_in_life(rng: &mut Rng, router: &Router) -> Option<Command> {
    let (channel, contact) = contact(rng, router);
    let away = |agent| {
        router
            .desk(agent)
            .is_some_and(|desk| desk.agent.presence != Presence::Ready)
    };
    Some(match router.contact(contact)?.state {
        ContactState::Offered { agent, offer } => Command::Accept { agent, offer },
        ContactState::Connecting { .. } => Command::Connected { channel, contact },
        ContactState::Engaged { agent, .. } if rng.chance(20) => Command::End { agent, contact },
        ContactState::Engaged { .. } | ContactState::Scheduled { .. } => return None,
        ContactState::Waiting => {
            let agent = rng.some(AGENTS);
            let command_id = None;
            if away(agent) {
                Command::SignIn {
                    agent,
                    ready: true,
                    command_id,
                }
            } else {
                Command::Unlock { agent, command_id }
            }
        }
    })
}

fn arrive(rng: &mut Rng, router: &Router) -> Command {
    Command::Arrive {
        channel: rng.some(CHANNELS),
        key: u128::from(rng.below(5_000)).to_be_bytes(),
        queue: rng.some(QUEUES),
        head_start_us: if rng.chance(2) {
            u64::MAX
        } else {
            [0, 0, 90, 3_600][rng.below(4) as usize] * SECOND
        },
        weight: if rng.chance(2) {
            0
        } else {
            [1, 1, 1, 2, 3][rng.below(5) as usize]
        },
        demand: demands::demand(rng),
        terms: terms::terms(rng, router),
    }
}

/// A contact that exists in some state, or one that does not.
fn contact(rng: &mut Rng, router: &Router) -> (u32, ContactId) {
    let last = router.overview().next_contact;
    let first = last.saturating_sub(40);
    for _ in 0..20 {
        let id = first + rng.below(41);
        if let Some(live) = router.contact(id) {
            return (live.channel, id);
        }
    }
    (rng.some(CHANNELS), first + rng.below(42))
}

fn by_channel(
    rng: &mut Rng,
    router: &Router,
    command: impl Fn(u32, ContactId) -> Command,
) -> Command {
    let (channel, contact) = contact(rng, router);
    command(
        if rng.chance(5) {
            rng.some(CHANNELS)
        } else {
            channel
        },
        contact,
    )
}

fn presence(rng: &mut Rng) -> Command {
    let agent = rng.some(AGENTS);
    let command_id = rng
        .chance(30)
        .then(|| u128::from(rng.below(40)).to_be_bytes());
    match rng.below(12) {
        0..=3 => Command::SignIn {
            agent,
            ready: rng.chance(80),
            command_id,
        },
        4 => Command::SignOut { agent, command_id },
        5..=7 => Command::Ready { agent, command_id },
        8 => Command::NotReady {
            agent,
            reason: [0, 1, 2, 0, 1, 2, 0, 1, 2, 3][rng.below(10) as usize],
            command_id,
        },
        9 if rng.chance(40) => Command::LeaseLost { agent },
        _ => Command::Unlock { agent, command_id },
    }
}

fn answer(rng: &mut Rng, router: &Router) -> Command {
    let (mut agent, mut offer) = open_offer(rng, router);
    if rng.chance(8) {
        agent = rng.some(AGENTS);
    }
    if rng.chance(15) {
        offer = offer.saturating_sub(rng.below(6));
    }
    if rng.chance(75) {
        Command::Accept { agent, offer }
    } else {
        Command::Decline {
            agent,
            offer,
            reason: [0, 1, 2, 0, 1, 2, 0, 1, 2, 3][rng.below(10) as usize],
        }
    }
}

fn open_offer(rng: &mut Rng, router: &Router) -> (AgentId, OfferId) {
    let desks = (1..AGENTS).filter_map(|agent| router.desk(agent));
    let open: Vec<(AgentId, OfferId)> = desks
        .flat_map(|desk| {
            desk.offers
                .into_iter()
                .map(move |offer| (desk.agent.agent, offer.offer))
        })
        .collect();
    rng.pick(&open).unwrap_or((rng.some(AGENTS), rng.below(30)))
}

/// An agent with something in hand.
fn held(rng: &mut Rng, router: &Router) -> (AgentId, ContactId) {
    let (_, mut id) = contact(rng, router);
    for _ in 0..8 {
        let state = router.contact(id).map(|contact| contact.state);
        if matches!(state, Some(ContactState::Engaged { .. })) {
            break;
        }
        id = contact(rng, router).1;
    }
    let desks = (1..AGENTS).filter_map(|agent| router.desk(agent));
    let wrapping: Vec<(AgentId, ContactId)> = desks
        .flat_map(|desk| {
            desk.wrap_ups
                .into_iter()
                .map(move |w| (desk.agent.agent, w.contact))
        })
        .collect();
    if rng.chance(30) {
        return rng.pick(&wrapping).unwrap_or((rng.some(AGENTS), id));
    }
    match router.contact(id).map(|contact| contact.state) {
        Some(ContactState::Engaged { agent, .. } | ContactState::Connecting { agent, .. }) => {
            (agent, id)
        }
        _ => (rng.some(AGENTS), id),
    }
}

fn handle(rng: &mut Rng, router: &Router) -> Command {
    let (agent, contact) = held(rng, router);
    if rng.chance(60) {
        Command::End { agent, contact }
    } else {
        Command::EndWrapUp { agent, contact }
    }
}

fn transfer(rng: &mut Rng, router: &Router) -> Command {
    let (agent, contact) = held(rng, router);
    Command::Transfer {
        agent,
        contact,
        queue: rng.some(QUEUES),
        head_start_us: [0, 0, 60 * SECOND][rng.below(3) as usize],
        demand: demands::demand(rng),
    }
}

/// A queue opens or closes; open ones are more often told to be so.
fn hours(rng: &mut Rng) -> Command {
    use HoursState::{Closed, Closing, Open};
    Command::Hours {
        queue: rng.some(QUEUES),
        state: [Open, Open, Closing, Closed][rng.below(4) as usize],
        command_id: rng
            .chance(10)
            .then(|| u128::from(rng.below(40)).to_be_bytes()),
    }
}

fn supervise(rng: &mut Rng, router: &Router) -> Command {
    let mut contact = contact(rng, router).1;
    let command_id = rng
        .chance(10)
        .then(|| u128::from(rng.below(40)).to_be_bytes());
    if rng.chance(15) {
        let by = [ReleasedBy::Supervisor, ReleasedBy::Engine][rng.below(2) as usize];
        return Command::Release {
            contact,
            command_id,
            by,
        };
    }
    for _ in 0..4 {
        let state = router.contact(contact).map(|contact| contact.state);
        if state == Some(ContactState::Waiting) {
            break;
        }
        contact = self::contact(rng, router).1;
    }
    Command::Change {
        contact,
        queue: if rng.chance(40) { 0 } else { rng.some(QUEUES) },
        head_start_us: [
            KEEP_HEAD_START,
            KEEP_HEAD_START,
            0,
            60 * SECOND,
            KEEP_HEAD_START - 1,
        ][rng.below(5) as usize],
        requires: rng.chance(50).then(|| demands::requirement(rng)),
        command_id,
    }
}
