//! Events as scenario lines.

use std::fmt::Debug;

use router_core::{Estimate, Event};

/// Milliseconds without needless decimals.
pub fn ms(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000, micros % 1_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}")
        .trim_end_matches('0')
        .to_owned()
}

/// Position, contacts ahead, and the wait: mean, median, ninetieth percentile.
pub fn estimate(estimate: Estimate) -> String {
    let Estimate {
        position,
        ahead,
        mean_us,
        p50_us,
        p90_us,
    } = estimate;
    let [mean, p50, p90] = [mean_us, p50_us, p90_us].map(ms);
    format!("position={position} ahead={ahead} mean_ms={mean} p50_ms={p50} p90_ms={p90}")
}

/// A variant's name in snake case.
fn snake(variant: impl Debug) -> String {
    let name = format!("{variant:?}");
    let name = name.split([' ', '{']).next().unwrap_or_default();
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn hex(bytes: &[u8]) -> String {
    let all: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let trimmed = all.trim_end_matches('0');
    if trimmed.is_empty() {
        "-".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// One event as one line.
#[rustfmt::skip]
pub fn event(event: &Event) -> String {
    let (at, fields) = match *event {
        Event::Configured { at, hash, number } => (at, format!(" hash={} number={number}", hex(&hash))),
        Event::Restarted { at } => (at, String::new()),
        Event::Arrived { at, contact, channel, key, queue, weight } =>
            (at, format!(" contact={contact} channel={channel} key={} queue={queue} weight={weight}", u128::from_be_bytes(key))),
        Event::Queued { at, contact, channel, queue, tier, enqueued_at, head_start_us, cause } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} tier={tier} enqueued_at_ms={} head_start_ms={} cause={}", ms(enqueued_at), ms(head_start_us), snake(cause))),
        Event::Blocked { at, contact, channel, queue, cause } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} cause={}", snake(cause))),
        Event::OfferMade { at, offer, contact, channel, queue, agent, deadline, config } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} queue={queue} agent={agent} deadline_ms={} config={config}", ms(deadline))),
        Event::OfferAccepted { at, offer, contact, channel, agent } | Event::OfferExpired { at, offer, contact, channel, agent } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent}")),
        Event::OfferDeclined { at, offer, contact, channel, agent, reason } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent} reason={reason}")),
        Event::OfferWithdrawn { at, offer, contact, channel, agent, cause } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent} cause={}", snake(cause))),
        Event::Connecting { at, contact, channel, agent, deadline } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} deadline_ms={}", ms(deadline))),
        Event::Engaged { at, contact, channel, agent } | Event::Held { at, contact, channel, agent } | Event::Resumed { at, contact, channel, agent }
        | Event::Reserved { at, contact, channel, agent } | Event::Unreserved { at, contact, channel, agent } | Event::Parked { at, contact, channel, agent } | Event::Unparked { at, contact, channel, agent } | Event::Joined { at, contact, channel, agent } =>
            (at, format!(" contact={contact} channel={channel} agent={agent}")),
        Event::ConnectFailed { at, contact, channel, agent, by } | Event::Left { at, contact, channel, agent, by } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} by={}", snake(by))),
        Event::Abandoned { at, contact, channel, queue, agent } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} agent={agent}")),
        Event::Relaxed { at, contact, channel, queue, step, head_start_us } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} step={step} head_start_ms={}", ms(head_start_us))),
        Event::PreferenceOver { at, contact, channel, queue, cause } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} cause={}", snake(cause))),
        Event::Changed { at, contact, channel, queue, head_start_us } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} head_start_ms={}", ms(head_start_us))),
        Event::Ended { at, contact, channel, queue, agent, by } | Event::Withdrawn { at, contact, channel, queue, agent, by } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} agent={agent} by={}", snake(by))),
        Event::Transferred { at, contact, channel, agent, from_queue, to_queue, by } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} from_queue={from_queue} to_queue={to_queue} by={}", snake(by))),
        Event::AgentSignedIn { at, agent } | Event::AgentReady { at, agent } | Event::AgentSigningOut { at, agent }
        | Event::AgentSignedOut { at, agent } | Event::AgentUnlocked { at, agent } => (at, format!(" agent={agent}")),
        Event::AgentNotReady { at, agent, reason } => (at, format!(" agent={agent} reason={reason}")),
        Event::AgentLocked { at, agent, misses } => (at, format!(" agent={agent} misses={misses}")),
        Event::WrapUpStarted { at, agent, contact, channel, deadline } =>
            (at, format!(" agent={agent} contact={contact} channel={channel} deadline_ms={}", ms(deadline))),
        Event::WrapUpEnded { at, agent, contact, channel, by } =>
            (at, format!(" agent={agent} contact={contact} channel={channel} by={}", snake(by))),
        Event::Invited { at, offer, contact, channel, queue, agent, invitee, deadline } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} queue={queue} agent={agent} invitee={invitee} deadline_ms={}", ms(deadline))),
        Event::InvitationOver { at, offer, contact, channel, agent, how } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent} how={}", snake(how))),
        Event::HandedOver { at, contact, channel, queue, from_agent, to_agent } | Event::TakenOver { at, contact, channel, queue, from_agent, to_agent } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} from_agent={from_agent} to_agent={to_agent}")),
        Event::TransferredOut { at, contact, channel, queue, agent, target } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} agent={agent} target={target}")),
        Event::EstimateScored { at, contact, channel, queue, estimate_us, p90_us, actual_us } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} estimate_ms={} p90_ms={} actual_ms={}", ms(estimate_us), ms(p90_us), ms(actual_us))),
        Event::HoursChanged { at, queue, state } => (at, format!(" queue={queue} state={}", snake(state))),
        Event::Overflowed { at, contact, channel, queue, cause, to_kind, to } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} cause={} to_kind={} to={to}", snake(cause), snake(to_kind))),
        Event::AnnouncementDue { at, contact, channel, queue, position, p50_us, p90_us } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} position={position} p50_ms={} p90_ms={}", ms(p50_us), ms(p90_us))),
        Event::Scheduled { at, contact, channel, queue, until } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} until_ms={}", ms(until))),
        Event::Lifted { at, contact, channel, queue, tier, reply_by } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} tier={tier} reply_by_ms={}", ms(reply_by))),
        Event::ChoiceWanted { at, choice, contact, channel, queue, deadline, ref agents } => {
            let agents: Vec<String> = agents.iter().map(ToString::to_string).collect();
            (at, format!(" choice={choice} contact={contact} channel={channel} queue={queue} deadline_ms={} agents={}", ms(deadline), agents.join(",")))
        }
        Event::LeaseLost { at, agent, ref contacts } => {
            let contacts: Vec<String> = contacts.iter().map(ToString::to_string).collect();
            (at, format!(" agent={agent} contacts={}", if contacts.is_empty() { "-".to_owned() } else { contacts.join(",") }))
        }
        Event::ChoiceOver { at, choice, contact, channel, agent, cause } =>
            (at, format!(" choice={choice} contact={contact} channel={channel} agent={agent} cause={}", snake(cause))),
    };
    format!("{} {}{fields}", ms(at), snake(event))
}
