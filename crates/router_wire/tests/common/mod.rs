//! Random messages of every kind, and a seeded generator of random numbers.
#![allow(dead_code, reason = "each test uses a part")]

use router_core::{
    AgentConfig, BlockedCause, ChannelConfig, ChannelUnits, ChoiceCause, Command, Config, Contract,
    Demand, DomainConfig, EndedBy, Event, HoursState, InvitationEnd, Lower, Need, Order, Overflow,
    OverflowTo, OverflowWhen, PreferenceOverCause, QueueConfig, QueuedCause, ReleasedBy,
    Requirement, SkillLevel, SkillWeight, Step, Strategy, Terms, WithdrawnCause,
};

const OVERFLOW: [OverflowWhen; 6] = [
    OverflowWhen::Size,
    OverflowWhen::Wait,
    OverflowWhen::Estimate,
    OverflowWhen::NoAgent,
    OverflowWhen::Closed,
    OverflowWhen::NoAnswer,
];
const HOURS: [HoursState; 3] = [HoursState::Open, HoursState::Closing, HoursState::Closed];

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// A number of any size: small ones as often as large ones.
    pub fn number(&mut self) -> u64 {
        let bits = self.raw() % 64;
        self.raw() >> bits
    }

    pub fn raw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.raw() % limit
    }

    pub fn u32(&mut self) -> u32 {
        self.number() as u32
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.raw() as u8)
    }

    fn list<T>(&mut self, limit: u64, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(limit)).map(|_| item(self)).collect()
    }

    fn levels(&mut self) -> Vec<SkillLevel> {
        self.list(20, |r| SkillLevel {
            skill: r.u32(),
            level: r.raw() as u8,
        })
    }

    fn requirement(&mut self) -> Requirement {
        let need = |r: &mut Self| Need {
            skill: r.u32(),
            level: r.raw() as u8,
            negated: r.below(3) == 0,
        };
        Requirement {
            alternatives: self.list(4, |r| r.list(20, need)),
        }
    }

    fn demand(&mut self) -> Demand {
        Demand {
            requires: self.requirement(),
            prefers: self.list(4, |r| SkillWeight {
                skill: r.u32(),
                weight: r.raw() as u8,
            }),
            preferred: self.list(4, Self::u32),
            preferred_wait_us: self.number(),
            excludes: self.list(20, Self::u32),
            beyond_capacity: self.below(2) == 0,
        }
    }

    fn terms(&mut self) -> Terms {
        Terms {
            place: self.number(),
            not_before: self.number(),
            reply_by: self.number(),
        }
    }

    fn step(&mut self) -> Step {
        Step {
            after_us: self.number(),
            drop: self.list(3, Self::u32),
            lower: self.list(3, |r| Lower {
                skill: r.u32(),
                by: r.raw() as u8,
            }),
            widen: self.list(3, Self::u32),
            head_start_us: self.number(),
        }
    }

    fn command_id(&mut self) -> Option<[u8; 16]> {
        (self.below(2) == 0).then(|| self.bytes())
    }

    pub fn config(&mut self) -> Config {
        Config {
            order: [
                Order::Longest,
                Order::AgentLevel,
                Order::Deadline,
                Order::Ratio,
            ][self.below(4) as usize],
            miss_limit: self.u32(),
            retry_after_us: self.number(),
            max_waiting: self.u32(),
            key_retention_us: self.number(),
            memory_us: self.number(),
            seed: self.number(),
            domains: self.list(3, |r| DomainConfig {
                id: r.u32(),
                share: r.u32(),
            }),
            reserve_after_us: self.number(),
            reply_margin_us: self.number(),
            channels: self.list(4, |r| ChannelConfig {
                id: r.u32(),
                exclusive: r.below(2) == 0,
                instant: r.below(2) == 0,
                connect_timeout_us: r.number(),
                interruptible: r.below(2) == 0,
                domain: r.u32(),
            }),
            skills: self.list(300, Self::u32),
            reasons: self.list(3, Self::u32),
            targets: self.list(3, Self::u32),
            queues: self.list(4, |r| QueueConfig {
                id: r.u32(),
                requires: r.requirement(),
                rank_skill: r.u32(),
                max_waiting: r.u32(),
                offer_timeout_us: r.number(),
                wrap_up_us: r.number(),
                strategy: [
                    Strategy::LongestIdle,
                    Strategy::BestSkill,
                    Strategy::Weighted,
                ][r.below(3) as usize],
                priority: r.raw() as u8,
                service_level_us: r.number(),
                ratio: r.u32(),
                steps: r.list(3, Self::step),
                ring_limit: r.u32(),
                expected_handle_us: r.number(),
                overflow: r.list(9, |r| Overflow {
                    when: OVERFLOW[r.below(6) as usize],
                    threshold: r.number(),
                    to_kind: [OverflowTo::Queue, OverflowTo::Target][r.below(2) as usize],
                    to: r.u32(),
                }),
                tier: r.raw() as u8,
                max_in_hand: r.u32(),
                announce_us: r.number(),
                domain: r.u32(),
                fallback: [Strategy::TopDown, Strategy::Outside][r.below(2) as usize],
                choice_timeout_us: r.number(),
            }),
            agents: self.list(20, |r| AgentConfig {
                id: r.u32(),
                skills: r.levels(),
                capacity: r.list(4, |r| ChannelUnits {
                    channel: r.u32(),
                    units: r.u32(),
                }),
                share: r.u32(),
                stealth: r.below(2) == 0,
                auto_accept: r.below(2) == 0,
                wrap_up_us: r.number(),
                domain: r.u32(),
            }),
            contracts: self.list(3, |r| Contract {
                queue: r.u32(),
                domain: r.u32(),
            }),
            names: self.list(70_000, |r| r.raw() as u8),
            hash: self.bytes(),
        }
    }

    /// One command of every kind.
    #[rustfmt::skip]
    pub fn commands(&mut self) -> Vec<Command> {
        let (channel, queue, agent, reason) = (self.u32(), self.u32(), self.u32(), self.u32());
        let (contact, offer, head_start_us) = (self.number(), self.number(), self.number());
        let (requires, command_id) = (self.requirement(), self.command_id());
        vec![
            Command::Configure { config: Box::new(self.config()) },
            Command::Restarted,
            Command::Arrive { channel, key: self.bytes(), queue, head_start_us, weight: self.u32(), demand: self.demand(), terms: self.terms() },
            Command::Abandon { channel, contact },
            Command::Connected { channel, contact },
            Command::ConnectFailed { channel, contact },
            Command::SignIn { agent, ready: self.below(2) == 0, command_id },
            Command::SignOut { agent, command_id },
            Command::Ready { agent, command_id },
            Command::NotReady { agent, reason, command_id },
            Command::Unlock { agent, command_id },
            Command::Accept { agent, offer },
            Command::Decline { agent, offer, reason },
            Command::End { agent, contact },
            Command::EndWrapUp { agent, contact },
            Command::Transfer { agent, contact, queue, head_start_us, demand: self.demand() },
            Command::Change { contact, queue, head_start_us, requires: (self.below(2) == 0).then_some(requires.clone()), command_id },
            Command::Release { contact, command_id, by: [ReleasedBy::Supervisor, ReleasedBy::Engine][self.below(2) as usize] },
            Command::Hold { agent, contact },
            Command::Resume { agent, contact },
            Command::Park { agent, contact },
            Command::Unpark { agent, contact },
            Command::Invite { agent, contact, invitee: self.u32(), command_id },
            Command::Leave { agent, contact },
            Command::TakeOver { agent, contact, command_id },
            Command::Move { contact, queue, head_start_us, requires, command_id },
            Command::TransferOut { agent, contact, target: self.u32() },
            Command::Hours { queue, state: HOURS[self.below(3) as usize], command_id },
            Command::Choose { choice: self.number(), agent },
            Command::LeaseLost { agent },
        ]
    }

    /// One event of every kind.
    #[rustfmt::skip]
    pub fn events(&mut self) -> Vec<Event> {
        let (channel, queue, agent, reason) = (self.u32(), self.u32(), self.u32(), self.u32());
        let (at, contact, offer, deadline) = (self.number(), self.number(), self.number(), self.number());
        let queued = [QueuedCause::Arrival, QueuedCause::Transfer, QueuedCause::OfferEnded, QueuedCause::ConnectFailed, QueuedCause::Restart, QueuedCause::Overflow, QueuedCause::Scheduled, QueuedCause::LeaseLost];
        let withdrawn = [WithdrawnCause::Abandoned, WithdrawnCause::AgentLeft, WithdrawnCause::Restart, WithdrawnCause::Released, WithdrawnCause::Taken];
        let by = [EndedBy::Customer, EndedBy::Agent, EndedBy::Deadline, EndedBy::Supervisor, EndedBy::Engine][self.below(5) as usize];
        vec![
            Event::Configured { at, hash: self.bytes(), number: self.number() },
            Event::Restarted { at },
            Event::Arrived { at, contact, channel, key: self.bytes(), queue, weight: self.u32() },
            Event::Queued { at, contact, channel, queue, tier: self.raw() as u8, enqueued_at: self.number(), head_start_us: self.number(), cause: queued[self.below(8) as usize] },
            Event::Blocked { at, contact, channel, queue, cause: [BlockedCause::QueueFull, BlockedCause::SiteFull, BlockedCause::Closed][self.below(3) as usize] },
            Event::OfferMade { at, offer, contact, channel, queue, agent, deadline, config: self.number() },
            Event::OfferAccepted { at, offer, contact, channel, agent },
            Event::OfferDeclined { at, offer, contact, channel, agent, reason },
            Event::OfferExpired { at, offer, contact, channel, agent },
            Event::OfferWithdrawn { at, offer, contact, channel, agent, cause: withdrawn[self.below(5) as usize] },
            Event::Connecting { at, contact, channel, agent, deadline },
            Event::Engaged { at, contact, channel, agent },
            Event::ConnectFailed { at, contact, channel, agent, by },
            Event::Abandoned { at, contact, channel, queue, agent },
            Event::Ended { at, contact, channel, queue, agent, by },
            Event::Transferred { at, contact, channel, agent, from_queue: queue, to_queue: self.u32(), by },
            Event::AgentSignedIn { at, agent },
            Event::AgentReady { at, agent },
            Event::AgentNotReady { at, agent, reason },
            Event::AgentSigningOut { at, agent },
            Event::AgentSignedOut { at, agent },
            Event::AgentLocked { at, agent, misses: self.u32() },
            Event::AgentUnlocked { at, agent },
            Event::WrapUpStarted { at, agent, contact, channel, deadline },
            Event::WrapUpEnded { at, agent, contact, channel, by },
            Event::Changed { at, contact, channel, queue, head_start_us: self.number() },
            Event::Withdrawn { at, contact, channel, queue, agent, by },
            Event::Relaxed { at, contact, channel, queue, step: self.raw() as u8, head_start_us: self.number() },
            Event::PreferenceOver { at, contact, channel, queue, cause: [PreferenceOverCause::Deadline, PreferenceOverCause::Absent][self.below(2) as usize] },
            Event::Held { at, contact, channel, agent },
            Event::Resumed { at, contact, channel, agent },
            Event::Parked { at, contact, channel, agent },
            Event::Unparked { at, contact, channel, agent },
            Event::Invited { at, offer, contact, channel, queue, agent, invitee: self.u32(), deadline },
            Event::Joined { at, contact, channel, agent },
            Event::InvitationOver { at, offer, contact, channel, agent, how: [InvitationEnd::Declined, InvitationEnd::Expired, InvitationEnd::Withdrawn][self.below(3) as usize] },
            Event::Left { at, contact, channel, agent, by },
            Event::HandedOver { at, contact, channel, queue, from_agent: agent, to_agent: self.u32() },
            Event::TakenOver { at, contact, channel, queue, from_agent: agent, to_agent: self.u32() },
            Event::TransferredOut { at, contact, channel, queue, agent, target: self.u32() },
            Event::EstimateScored { at, contact, channel, queue, estimate_us: self.number(), p90_us: self.number(), actual_us: self.number() },
            Event::HoursChanged { at, queue, state: HOURS[self.below(3) as usize] },
            Event::Overflowed { at, contact, channel, queue, cause: OVERFLOW[self.below(6) as usize], to_kind: OverflowTo::Target, to: self.u32() },
            Event::AnnouncementDue { at, contact, channel, queue, position: self.number(), p50_us: self.number(), p90_us: self.number() },
            Event::Reserved { at, contact, channel, agent },
            Event::Unreserved { at, contact, channel, agent },
            Event::Scheduled { at, contact, channel, queue, until: self.number() },
            Event::Lifted { at, contact, channel, queue, tier: self.raw() as u8, reply_by: self.number() },
            Event::ChoiceWanted { at, choice: self.number(), contact, channel, queue, deadline, agents: self.list(70, Self::u32) },
            Event::ChoiceOver { at, choice: self.number(), contact, channel, agent, cause: [ChoiceCause::Chosen, ChoiceCause::Deadline, ChoiceCause::NotEligible, ChoiceCause::LeftToFallback][self.below(4) as usize] },
            Event::LeaseLost { at, agent, contacts: self.list(70, Self::number) },
        ]
    }
}

/// A command as a frame.
pub fn frame(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    router_wire::put_frame(&mut out, |out| router_wire::encode_command(command, out));
    out
}

/// A body as a frame.
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    router_wire::put_frame(&mut out, |out| out.extend_from_slice(body));
    out
}
