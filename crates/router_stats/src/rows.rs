//! The rows while they may still change; `engine/stats/schema.sql` explains each column.

use router_core::{
    AgentId, ArrivalKey, ChannelId, ChoiceId, ContactId, MILLISECOND, Micros, OfferId, QueueId,
    ReasonId, TargetId,
};

use crate::columns::Cellwise;
use crate::ledger::Row;

/// What has no word yet: the row of an offer or a segment that is not over.
pub(crate) const OPEN: &str = "open";

/// From one instant to a later one, in whole milliseconds.
pub(crate) fn ms(from: Micros, until: Micros) -> u64 {
    until.saturating_sub(from) / MILLISECOND
}

/// A number that may not be there yet, in the room of one: a hundred thousand contacts wait at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maybe(u64);

impl Maybe {
    const NONE: u64 = u64::MAX;

    pub(crate) fn get(self) -> Option<u64> {
        (self.0 != Self::NONE).then_some(self.0)
    }

    pub(crate) fn set(&mut self, value: u64) {
        self.0 = value;
    }

    pub(crate) fn take(&mut self) -> Option<u64> {
        std::mem::take(self).get()
    }
}

impl Default for Maybe {
    fn default() -> Self {
        Self(Self::NONE)
    }
}

/// A row of `configurations`, which is final at once.
#[derive(Debug)]
pub(crate) struct ConfigurationRow {
    pub(crate) number: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) at: Micros,
    pub(crate) seq: u64,
}

impl Row for ConfigurationRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.number)
            .hex(&self.hash)
            .wide(self.at)
            .wide(self.seq);
    }
}

/// A row of `contacts`.
#[derive(Debug, Default)]
pub(crate) struct ContactRow {
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) key: ArrivalKey,
    pub(crate) queue: QueueId,
    pub(crate) first_queue: QueueId,
    pub(crate) weight: u32,
    pub(crate) arrived_at: Micros,
    pub(crate) enqueued_at: Micros,
    pub(crate) seq: u64,
    pub(crate) state: &'static str,
    pub(crate) agent: Option<AgentId>,
    pub(crate) tier: u8,
    pub(crate) head_start_us: Micros,
    pub(crate) first_offered_at: Maybe,
    pub(crate) engaged_at: Maybe,
    pub(crate) ended_at: Maybe,
    pub(crate) ended_by: Option<&'static str>,
    pub(crate) offers: u32,
    pub(crate) misses: u32,
    pub(crate) transfers: u32,
    pub(crate) wait_ms: Maybe,
    pub(crate) talk_ms: u64,
    pub(crate) relaxed: u32,
    pub(crate) preference_over: Option<&'static str>,
    pub(crate) hold_ms: u64,
    pub(crate) parked_ms: u64,
    pub(crate) target: Option<TargetId>,
    pub(crate) announcements: u32,
    pub(crate) overflows: u32,
    pub(crate) scheduled_for: Maybe,
    pub(crate) kept_place: bool,
    pub(crate) lifted_at: Maybe,
    pub(crate) reply_by: Maybe,
    pub(crate) reserved: u32,
    /// The open segment of who serves it; not a column.
    pub(crate) segment: Maybe,
    /// (open offer, agent), the first one first; not a column.
    pub(crate) ringing: Vec<(OfferId, AgentId)>,
    /// (agent, its open segment) of those beside who serves; not a column.
    pub(crate) joined: Vec<(AgentId, u64)>,
    /// The open choice; not a column.
    pub(crate) choice: Maybe,
}

impl ContactRow {
    /// Takes out an agent beside who serves; its segment, `None` when it is not there.
    pub(crate) fn parts(&mut self, agent: AgentId) -> Option<u64> {
        let at = self.joined.iter().position(|one| one.0 == agent)?;
        Some(self.joined.remove(at).1)
    }

    /// For how long its customer has waited; nobody has before the time that was agreed.
    pub(crate) fn waited_ms(&self, until: Micros) -> u64 {
        ms(self.scheduled_for.get().unwrap_or(self.arrived_at), until)
    }
}

impl Row for ContactRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .wide(self.first_queue)
            .hex(&self.key)
            .text(self.state)
            .maybe(self.agent.map(u64::from))
            .wide(self.arrived_at)
            .wide(self.enqueued_at)
            .maybe(self.first_offered_at.get())
            .maybe(self.engaged_at.get())
            .maybe(self.ended_at.get())
            .maybe_text(self.ended_by)
            .wide(self.head_start_us / MILLISECOND)
            .small(self.tier)
            .middle(self.weight)
            .middle(self.offers)
            .middle(self.misses)
            .middle(self.transfers)
            .maybe(self.wait_ms.get())
            .wide(self.talk_ms)
            .middle(self.relaxed)
            .maybe_text(self.preference_over)
            .wide(self.hold_ms)
            .wide(self.parked_ms)
            .maybe(self.target.map(u64::from))
            .middle(self.announcements)
            .middle(self.overflows)
            .maybe(self.scheduled_for.get())
            .flag(self.kept_place)
            .maybe(self.lifted_at.get())
            .maybe(self.reply_by.get())
            .middle(self.reserved)
            .wide(self.seq);
    }
}

/// A row of `offers`.
#[derive(Debug)]
pub(crate) struct OfferRow {
    pub(crate) offer: OfferId,
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) queue: QueueId,
    pub(crate) agent: AgentId,
    pub(crate) made_at: Micros,
    pub(crate) deadline_at: Micros,
    pub(crate) config: u64,
    pub(crate) seq: u64,
    pub(crate) outcome: &'static str,
    pub(crate) cause: Option<&'static str>,
    pub(crate) reason: Option<ReasonId>,
    pub(crate) closed_at: Option<Micros>,
}

impl Row for OfferRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.offer)
            .wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .wide(self.agent)
            .wide(self.made_at)
            .wide(self.deadline_at)
            .maybe(self.closed_at)
            .text(self.outcome)
            .maybe_text(self.cause)
            .maybe(self.reason.map(u64::from))
            .maybe(self.closed_at.map(|closed| ms(self.made_at, closed)))
            .wide(self.config)
            .wide(self.seq);
    }
}

/// A row of `segments`.
#[derive(Debug)]
pub(crate) struct SegmentRow {
    pub(crate) segment: u64,
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) queue: QueueId,
    pub(crate) agent: AgentId,
    pub(crate) seq: u64,
    pub(crate) role: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) connecting_at: Option<Micros>,
    pub(crate) engaged_at: Option<Micros>,
    pub(crate) ended_at: Option<Micros>,
    pub(crate) talk_ms: Option<u64>,
    pub(crate) hold_ms: u64,
    pub(crate) parked_ms: u64,
    pub(crate) wrap_up_started_at: Option<Micros>,
    pub(crate) wrap_up_ended_at: Option<Micros>,
    pub(crate) wrap_up_ended_by: Option<&'static str>,
    /// Since when the customer is on hold; not a column.
    pub(crate) held_since: Option<Micros>,
    /// Likewise.
    pub(crate) parked_since: Option<Micros>,
}

impl Row for SegmentRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        let wrap_up = self.wrap_up_started_at.zip(self.wrap_up_ended_at);
        out.wide(self.segment)
            .wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .wide(self.agent)
            .text(self.role)
            .text(self.outcome)
            .maybe(self.connecting_at)
            .maybe(self.engaged_at)
            .maybe(self.ended_at)
            .maybe(self.talk_ms)
            .wide(self.hold_ms)
            .wide(self.parked_ms)
            .maybe(self.wrap_up_started_at)
            .maybe(self.wrap_up_ended_at)
            .maybe_text(self.wrap_up_ended_by)
            .maybe(wrap_up.map(|(started, ended)| ms(started, ended)))
            .wide(self.seq);
    }
}

/// A row of `choices`.
#[derive(Debug)]
pub(crate) struct ChoiceRow {
    pub(crate) choice: ChoiceId,
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) queue: QueueId,
    pub(crate) wanted_at: Micros,
    pub(crate) deadline_at: Micros,
    pub(crate) agents: u32,
    pub(crate) seq: u64,
    pub(crate) agent: Option<AgentId>,
    pub(crate) over_at: Option<Micros>,
    pub(crate) cause: Option<&'static str>,
}

impl Row for ChoiceRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.choice)
            .wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .maybe(self.agent.map(u64::from))
            .wide(self.wanted_at)
            .wide(self.deadline_at)
            .maybe(self.over_at)
            .middle(self.agents)
            .maybe_text(self.cause)
            .maybe(self.over_at.map(|over| ms(self.wanted_at, over)))
            .wide(self.seq);
    }
}

/// A row of `estimates`, which is final at once.
#[derive(Debug)]
pub(crate) struct EstimateRow {
    pub(crate) estimate: u64,
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) queue: QueueId,
    pub(crate) engaged_at: Micros,
    pub(crate) estimate_us: Micros,
    pub(crate) p90_us: Micros,
    pub(crate) actual_us: Micros,
    pub(crate) seq: u64,
}

impl Row for EstimateRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.estimate)
            .wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .wide(self.engaged_at - self.actual_us)
            .wide(self.engaged_at)
            .wide(self.estimate_us / MILLISECOND)
            .wide(self.p90_us / MILLISECOND)
            .wide(self.actual_us / MILLISECOND)
            .wide(self.seq);
    }
}

/// A row of `overflows`, which is final at once.
#[derive(Debug)]
pub(crate) struct OverflowRow {
    pub(crate) overflow: u64,
    pub(crate) contact: ContactId,
    pub(crate) channel: ChannelId,
    pub(crate) queue: QueueId,
    pub(crate) at: Micros,
    pub(crate) cause: &'static str,
    pub(crate) to_queue: Option<QueueId>,
    pub(crate) target: Option<TargetId>,
    pub(crate) waited_ms: u64,
    pub(crate) seq: u64,
}

impl Row for OverflowRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.overflow)
            .wide(self.contact)
            .wide(self.channel)
            .wide(self.queue)
            .wide(self.at)
            .text(self.cause)
            .maybe(self.to_queue.map(u64::from))
            .maybe(self.target.map(u64::from))
            .wide(self.waited_ms)
            .wide(self.seq);
    }
}

/// A row of `queue_hours`.
#[derive(Debug)]
pub(crate) struct QueueHoursRow {
    pub(crate) queue: QueueId,
    pub(crate) started_at: Micros,
    pub(crate) state: &'static str,
    pub(crate) seq: u64,
    pub(crate) ended_at: Option<Micros>,
}

impl Row for QueueHoursRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.queue)
            .wide(self.started_at)
            .maybe(self.ended_at)
            .text(self.state)
            .maybe(self.ended_at.map(|ended| ms(self.started_at, ended)))
            .wide(self.seq);
    }
}

/// A row of `agent_states`.
#[derive(Debug)]
pub(crate) struct AgentStateRow {
    pub(crate) agent: AgentId,
    pub(crate) started_at: Micros,
    pub(crate) state: &'static str,
    pub(crate) reason: Option<ReasonId>,
    pub(crate) locked: bool,
    pub(crate) activity: &'static str,
    pub(crate) seq: u64,
    pub(crate) ended_at: Option<Micros>,
}

impl Row for AgentStateRow {
    fn write(&self, out: &mut Cellwise<'_>) {
        out.wide(self.agent)
            .wide(self.started_at)
            .maybe(self.ended_at)
            .text(self.state)
            .maybe(self.reason.map(u64::from))
            .flag(self.locked)
            .text(self.activity)
            .maybe(self.ended_at.map(|ended| ms(self.started_at, ended)))
            .wide(self.seq);
    }
}
