//! Strategies as orders of agents: each turns an agent into one number, smaller first. Equal
//! numbers go by idle time, then position.
//!
//! 1. An order is kept only while a queue of the configuration uses it.
//! 2. `BestSkill` is the order of `LongestIdle` below the level, which classes know; `RingAll` is that order, asked for more than the first.
//! 3. A number changes only when its agent does, so that whoever has changed is placed anew and
//!    nobody else is looked at.

use crate::agent::Agent;
use crate::config::{AgentConfig, Config, Strategy};
use crate::hash::mix;
use crate::pool::AgentKey;

/// The order that a strategy chooses in.
pub(crate) const fn order_of(strategy: Strategy) -> Strategy {
    match strategy {
        Strategy::BestSkill | Strategy::RingAll | Strategy::Outside => Strategy::LongestIdle,
        other => other,
    }
}

/// Every order that a configuration's queues use, each once; at least one.
pub(crate) fn orders_of(config: &Config) -> Vec<Strategy> {
    let queues = config.queues.iter();
    let mut orders: Vec<Strategy> = queues.map(|queue| order_of(queue.ordered_by())).collect();
    orders.sort_unstable();
    orders.dedup();
    if orders.is_empty() {
        orders.push(Strategy::LongestIdle);
    }
    orders
}

/// Where an agent stands in an order; `units` is its whole capacity.
pub(crate) fn key_in(
    order: Strategy,
    agent: &Agent,
    config: &AgentConfig,
    units: u64,
    seed: u64,
) -> AgentKey {
    let done = &agent.counters;
    let number = match order {
        Strategy::LongestIdle | Strategy::BestSkill | Strategy::RingAll | Strategy::Outside => {
            agent.held_total
        }
        Strategy::LeastOccupied => agent.held_total.saturating_mul(1_000) / units.max(1),
        Strategy::FewestContacts => done.accepted,
        Strategy::LeastTalk => done.talk_us,
        Strategy::LeastAverageTalk => done.talk_us / done.talks.max(1),
        Strategy::LongestAverageIdle => u64::MAX - done.idle_us / done.idles.max(1),
        Strategy::RoundRobin => agent.last_offer,
        Strategy::TopDown => u64::from(agent.position),
        Strategy::Random => mix(seed ^ (u64::from(agent.id) << 32) ^ agent.last_offer),
        // A share of 0 is refused.
        Strategy::Weighted => {
            done.offers.saturating_mul(1_000_000) / u64::from(config.share.max(1))
        }
    };
    AgentKey {
        number,
        idle_since: agent.idle_since,
        position: agent.position,
    }
}
