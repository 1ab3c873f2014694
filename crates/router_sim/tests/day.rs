//! Small days whose outcome can be worked out by hand, and long ones that must add up.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Code, Config, DAY, Event, QueueConfig, SECOND,
};
use router_sim::{Duty, Outcome, Row, SimContact, Workload, run, run_with, try_run_with};

fn workload(agents: u32, contacts: Vec<SimContact>) -> Workload {
    let agent = |id| AgentConfig {
        capacity: vec![ChannelUnits {
            channel: 1,
            units: 1,
        }],
        ..AgentConfig::new(id)
    };
    let config = Config {
        key_retention_us: DAY,
        memory_us: 60 * SECOND,
        channels: vec![ChannelConfig::voice(1)],
        queues: vec![QueueConfig {
            wrap_up_us: 5 * SECOND,
            ..QueueConfig::new(1)
        }],
        agents: (1..=agents).map(agent).collect(),
        ..Config::default()
    };
    let duty = |agent| Duty {
        agent,
        sign_in_us: 0,
        sign_out_us: None,
    };
    Workload {
        config,
        contacts,
        duty: (1..=agents).map(duty).collect(),
        reached_talk_us: 60 * SECOND,
    }
}

fn contact(arrive_s: u64, service_s: u64, patience_s: Option<u64>) -> SimContact {
    SimContact {
        arrive_us: arrive_s * SECOND,
        channel: 1,
        queue: 1,
        service_us: Some(service_s * SECOND),
        patience_us: patience_s.map(|seconds| seconds * SECOND),
        head_start_us: 0,
        weight: 1,
        requires: Vec::new(),
    }
}

fn row(outcome: Outcome, wait_s: u64, agent: u32) -> Row {
    Row {
        outcome,
        wait_us: wait_s * SECOND,
        agent,
    }
}

#[test]
fn one_agent_serves_in_turn_and_the_impatient_leave() {
    let day = workload(
        1,
        vec![
            contact(10, 100, None),
            contact(20, 50, Some(30)),
            // Free again at 115, the instant in which the patience of the third ends: served.
            contact(30, 10, Some(85)),
            contact(115, 10, Some(0)),
        ],
    );
    let rows = run(&day).rows;
    assert_eq!(rows[0], row(Outcome::Served, 0, 1));
    assert_eq!(rows[1], row(Outcome::Abandoned, 30, 0));
    assert_eq!(rows[2], row(Outcome::Served, 85, 1));
    assert_eq!(rows[3], row(Outcome::Abandoned, 0, 0));
}

#[test]
fn who_still_waits_at_the_end_is_unserved() {
    let mut day = workload(1, vec![contact(200, 10, None), contact(50, 10, None)]);
    day.duty[0].sign_out_us = Some(100 * SECOND);
    let report = run(&day);
    assert_eq!(report.rows[0], row(Outcome::Unserved, 0, 0));
    assert_eq!(report.rows[1], row(Outcome::Served, 0, 1));
}

#[test]
fn a_long_day_adds_up() {
    let mut seed = 3_u64;
    let mut random = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % limit
    };
    let mut at = 0;
    let contacts = (0..20_000).map(|_| {
        at += random(11);
        contact(at, random(100), Some(random(120)))
    });
    let day = workload(10, contacts.collect());
    let (mut ended, mut abandoned, mut events) = (0, 0, 0);
    let report = run_with(&day, &mut |event| {
        events += 1;
        ended += usize::from(matches!(event, Event::Ended { .. }));
        abandoned += usize::from(matches!(event, Event::Abandoned { .. }));
    });
    let count = |outcome| {
        let rows = report.rows.iter();
        rows.filter(|row| row.outcome == outcome).count()
    };
    assert_eq!(count(Outcome::Served), ended);
    assert_eq!(count(Outcome::Abandoned), abandoned);
    assert_eq!(ended + abandoned, 20_000);
    assert!(abandoned > 1_000, "{abandoned}");
    assert_eq!(report.events, events);
    assert_eq!(report, run(&day), "the same day again is the same");
}

#[test]
fn what_the_router_refuses_is_named() {
    let mut day = workload(1, vec![contact(1, 1, None)]);
    day.contacts[0].queue = 9;
    let refused = try_run_with(&day, &mut |_| {}).expect_err("no such queue");
    assert_eq!(
        (refused.index, refused.rejection.code),
        (0, Code::UnknownQueue)
    );
    assert_eq!(refused.to_string(), "contact 0: refused unknown_queue 9");
}
