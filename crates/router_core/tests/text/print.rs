//! Events as scenario lines.

use std::fmt::Debug;

use router_core::Event;

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
        Event::Configured { at, hash } => (at, format!(" hash={}", hex(&hash))),
        Event::Restarted { at } => (at, String::new()),
        Event::Arrived { at, contact, channel, key, queue, weight } =>
            (at, format!(" contact={contact} channel={channel} key={} queue={queue} weight={weight}", u128::from_be_bytes(key))),
        Event::Queued { at, contact, channel, queue, tier, enqueued_at, head_start_us, cause } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} tier={tier} enqueued_at_ms={} head_start_ms={} cause={}", ms(enqueued_at), ms(head_start_us), snake(cause))),
        Event::Blocked { at, contact, channel, queue, cause } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} cause={}", snake(cause))),
        Event::OfferMade { at, offer, contact, channel, queue, agent, deadline } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} queue={queue} agent={agent} deadline_ms={}", ms(deadline))),
        Event::OfferAccepted { at, offer, contact, channel, agent } | Event::OfferExpired { at, offer, contact, channel, agent } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent}")),
        Event::OfferDeclined { at, offer, contact, channel, agent, reason } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent} reason={reason}")),
        Event::OfferWithdrawn { at, offer, contact, channel, agent, cause } =>
            (at, format!(" offer={offer} contact={contact} channel={channel} agent={agent} cause={}", snake(cause))),
        Event::Connecting { at, contact, channel, agent, deadline } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} deadline_ms={}", ms(deadline))),
        Event::Engaged { at, contact, channel, agent } =>
            (at, format!(" contact={contact} channel={channel} agent={agent}")),
        Event::ConnectFailed { at, contact, channel, agent, by } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} by={}", snake(by))),
        Event::Abandoned { at, contact, channel, queue } | Event::Withdrawn { at, contact, channel, queue } =>
            (at, format!(" contact={contact} channel={channel} queue={queue}")),
        Event::Changed { at, contact, channel, queue, head_start_us } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} head_start_ms={}", ms(head_start_us))),
        Event::Ended { at, contact, channel, queue, agent, by } =>
            (at, format!(" contact={contact} channel={channel} queue={queue} agent={agent} by={}", snake(by))),
        Event::Transferred { at, contact, channel, agent, from_queue, to_queue } =>
            (at, format!(" contact={contact} channel={channel} agent={agent} from_queue={from_queue} to_queue={to_queue}")),
        Event::AgentSignedIn { at, agent } | Event::AgentReady { at, agent } | Event::AgentSigningOut { at, agent }
        | Event::AgentSignedOut { at, agent } | Event::AgentUnlocked { at, agent } => (at, format!(" agent={agent}")),
        Event::AgentNotReady { at, agent, reason } => (at, format!(" agent={agent} reason={reason}")),
        Event::AgentLocked { at, agent, misses } => (at, format!(" agent={agent} misses={misses}")),
        Event::WrapUpStarted { at, agent, contact, channel, deadline } =>
            (at, format!(" agent={agent} contact={contact} channel={channel} deadline_ms={}", ms(deadline))),
        Event::WrapUpEnded { at, agent, contact, channel, by } =>
            (at, format!(" agent={agent} contact={contact} channel={channel} by={}", snake(by))),
    };
    format!("{} {}{fields}", ms(at), snake(event))
}
