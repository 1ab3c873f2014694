//! Small days whose outcome can be worked out by hand, and long ones that must add up.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Code, Config, DAY, Event, NO_LIMIT, Order,
    QUEUE_WRAP_UP, QueueConfig, Requirement, SECOND, Strategy,
};
use router_sim::{Duty, Outcome, Row, SimContact, Workload, run, run_with, try_run_with};

fn workload(agents: u32, contacts: Vec<SimContact>) -> Workload {
    let agent = |id| AgentConfig {
        id,
        skills: Vec::new(),
        capacity: vec![ChannelUnits {
            channel: 1,
            units: 1,
        }],
        share: 100,
        stealth: false,
        auto_accept: false,
        wrap_up_us: QUEUE_WRAP_UP,
        domain: 0,
    };
    let config = Config {
        order: Order::Longest,
        miss_limit: 3,
        retry_after_us: 5 * SECOND,
        max_waiting: NO_LIMIT,
        key_retention_us: DAY,
        memory_us: 60 * SECOND,
        seed: 0,
        domains: Vec::new(),
        reserve_after_us: 0,
        reply_margin_us: 0,
        channels: vec![ChannelConfig {
            id: 1,
            exclusive: true,
            instant: false,
            connect_timeout_us: 10 * SECOND,
            interruptible: false,
            domain: 0,
        }],
        skills: Vec::new(),
        reasons: Vec::new(),
        targets: Vec::new(),
        queues: vec![QueueConfig {
            id: 1,
            requires: Requirement::default(),
            rank_skill: 0,
            max_waiting: NO_LIMIT,
            offer_timeout_us: 20 * SECOND,
            wrap_up_us: 5 * SECOND,
            strategy: Strategy::LongestIdle,
            priority: 5,
            service_level_us: 20 * SECOND,
            ratio: 100,
            steps: Vec::new(),
            ring_limit: 50,
            expected_handle_us: 180 * SECOND,
            overflow: Vec::new(),
            tier: 2,
            max_in_hand: NO_LIMIT,
            announce_us: 0,
            domain: 0,
            fallback: Strategy::LongestIdle,
            choice_timeout_us: 200_000,
        }],
        agents: (1..=agents).map(agent).collect(),
        contracts: Vec::new(),
        names: Vec::new(),
        hash: [0; 32],
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
