//! A flood against the core itself: no sockets, a clock that the test moves, and connections that
//! can be made to lie.

use router_core::{AgentConfig, ChannelConfig, ChannelUnits, Command, Config, QueueConfig, Router};
use router_wire::{Fanout, Part, apply_batch, encode_command, put_frame};

use crate::asking::Side;
use crate::crowd::Crowd;
use crate::ledger::Ledger;
use crate::settings::{Address, Agent, Load, Planned, Plugin, Queue, Settings};
use crate::skim::{Event, Skim};

const PLUGIN: u64 = 1;
const EDGE: u64 = 2;
const ENDED: u64 = 78;
const STEP_US: u64 = 1_000;

fn settings(load: Load, talk_us: u64, wrap_up_us: u64) -> Settings {
    let plan = (0..300).map(|number| Planned {
        at_us: number * 2_000,
        plugin: 0,
        queue: (number % 2) as usize,
        head_start_us: 0,
        talk_us,
    });
    let queues = [(5, true), (6, false)].map(|(id, wraps_up)| Queue { id, wraps_up });
    Settings {
        address: Address::Tcp(([127, 0, 0, 1], 1).into()),
        plugins: vec![Plugin {
            opening: Vec::new(),
            channel: 3,
        }],
        edges: vec![Vec::new()],
        agents: (1..=20).map(|id| Agent { id, single: true }).collect(),
        queues: queues.to_vec(),
        plan: plan.collect(),
        load,
        wrap_up_us,
        salt: *b"saltsalt",
        from_us: 0,
        until_us: 600_000,
        drain_us: 4_000_000,
    }
}

fn config() -> Config {
    let queue = |id, wrap_up_us| QueueConfig {
        wrap_up_us,
        offer_timeout_us: 20_000_000,
        ..QueueConfig::new(id)
    };
    let agent = |id| AgentConfig {
        capacity: vec![ChannelUnits {
            channel: 3,
            units: 1,
        }],
        ..AgentConfig::new(id)
    };
    Config {
        channels: vec![ChannelConfig {
            instant: false,
            ..ChannelConfig::new(3)
        }],
        queues: vec![queue(5, 60_000_000), queue(6, 0)],
        agents: (1..=20).map(agent).collect(),
        ..Config::default()
    }
}

/// Plays to the end; `spoil` sees each event before its channel does, and says how often it is told.
fn play(settings: &Settings, mut spoil: impl FnMut(&Event<'_>) -> usize) -> Ledger {
    let mut router = Router::new(router_core::Limits::default());
    let start = 1_000_000_000;
    let configure = Command::Configure {
        config: Box::new(config()),
    };
    router
        .apply(start, configure, &mut Vec::new())
        .expect("a good configuration");
    let mut fanout = Fanout::default();
    fanout.subscribe_channel(PLUGIN, 3);
    (1..=20).for_each(|agent| fanout.attach_agent(EDGE, agent));
    let mut crowd = Crowd::new(settings);
    crowd.sign_in(0);
    let mut seq = 0;
    for now_us in (0..5_000_000).step_by(STEP_US as usize) {
        if now_us >= settings.until_us {
            crowd.close();
        }
        if now_us >= settings.until_us + settings.drain_us / 2 && !crowd.hurried {
            crowd.hurry(now_us);
        }
        crowd.step(now_us);
        let asks = std::mem::take(&mut crowd.asks);
        if asks.is_empty() && crowd.is_empty() && !crowd.arriving() {
            break;
        }
        // As the service does: agents first.
        let (agents, customers): (Vec<_>, Vec<_>) = asks
            .into_iter()
            .partition(|(_, ask)| matches!(crowd.side(*ask), Side::Edge(_)));
        let frames: Vec<Vec<u8>> = [&agents, &customers]
            .map(|asks| encoded(&crowd, asks))
            .into();
        let part = |source, frames| Part {
            source,
            first_request_no: 0,
            frames,
        };
        seq += 1;
        let parts = [part(EDGE, &frames[0][..]), part(PLUGIN, &frames[1][..])];
        let applied = apply_batch(&mut router, seq, start + now_us, &parts);
        for ((meant_us, ask), (code, value)) in
            agents.into_iter().chain(customers).zip(&applied.results)
        {
            crowd.hear_ack(now_us + STEP_US, meant_us, ask, *code, *value);
        }
        for (subscriber, frame) in fanout.route(seq, start + now_us, &applied.events) {
            for event in events(&frame) {
                if subscriber == EDGE {
                    crowd.hear_edge(now_us + STEP_US, &event);
                    continue;
                }
                for _ in 0..spoil(&event) {
                    crowd.hear_plugin(now_us + STEP_US, 0, &event);
                }
            }
        }
    }
    router.check();
    crowd.into_ledger()
}

fn encoded(crowd: &Crowd<'_>, asks: &[(u64, crate::asking::Ask)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (_, ask) in asks {
        put_frame(&mut out, |out| encode_command(&crowd.command(*ask), out));
    }
    out
}

/// What an events frame holds: [132, version, seq, at, [[index, event]...]].
fn events(frame: &[u8]) -> Vec<Event<'_>> {
    let mut skim = Skim::new(&frame[4..]);
    skim.array();
    (0..4).for_each(|_| assert!(skim.uint().is_some()));
    let count = skim.array().expect("events");
    let read = |_| {
        skim.array();
        skim.uint();
        skim.event().expect("an event")
    };
    (0..count).map(read).collect()
}

#[test]
fn in_an_open_loop_everybody_is_served_and_every_step_is_measured() {
    // 20 agents, a life of some 36 ms, 500 a second: about one too many at times.
    let ledger = play(&settings(Load::Open, 30_000, 1_000), |_| 1);
    assert_eq!(
        (ledger.arrivals, ledger.acknowledged, ledger.served),
        (300, 300, 300)
    );
    assert_eq!(
        (ledger.lifecycles, ledger.missing, ledger.doubled),
        (300, 0, 0)
    );
    assert!(ledger.refused.is_empty(), "{:?}", ledger.refused);
    let idle = &ledger.arrival_offer_idle;
    assert!(idle.count() >= 20, "the first ones find idle agents");
    assert_eq!(
        idle.percentile_us(1),
        Some(STEP_US),
        "heard at the end of the step of the arrival"
    );
    assert_eq!(
        (ledger.arrival_offer.count(), ledger.answered.count()),
        (300, 300)
    );
    assert_eq!(ledger.answered_in_time, 300);
}

#[test]
fn with_idle_agents_all_the_time_nothing_counts_as_freed() {
    let ledger = play(&settings(Load::Open, 0, 0), |_| 1);
    assert_eq!(
        (
            ledger.arrival_offer_idle.count(),
            ledger.freed_offer.count()
        ),
        (300, 0)
    );
}

#[test]
fn in_a_saturation_some_always_wait_and_each_freed_agent_is_measured() {
    let load = Load::Saturated {
        waiting: 50,
        contacts: 1_000,
    };
    let ledger = play(&settings(load, 0, 0), |_| 1);
    assert_eq!(
        (ledger.arrivals, ledger.served, ledger.missing),
        (1_000, 1_000, 0)
    );
    assert_eq!(ledger.lifecycles, 1_000);
    let freed = &ledger.freed_offer;
    assert!(
        freed.count() > 800,
        "all but the first offers: {}",
        freed.count()
    );
    assert_eq!(
        (freed.percentile_us(50), freed.largest_us),
        (Some(STEP_US), STEP_US)
    );
}

#[test]
fn a_talk_counts_from_when_it_was_meant_to_end() {
    // Talks end between two steps: the half step that the client is late is in the figure.
    let load = Load::Saturated {
        waiting: 50,
        contacts: 500,
    };
    let mut planned = settings(load, 10_500, 0);
    planned.queues.iter_mut().for_each(|queue| queue.id = 6);
    planned.queues[0].wraps_up = false;
    let ledger = play(&planned, |_| 1);
    assert_eq!(ledger.freed_offer.largest_us, STEP_US + STEP_US / 2);
}

#[test]
fn a_talk_without_an_end_is_cut_short_and_nobody_is_missing() {
    let ledger = play(&settings(Load::Open, 600_000_000, 600_000_000), |_| 1);
    assert_eq!(
        (ledger.acknowledged, ledger.served, ledger.missing),
        (300, 300, 0)
    );
    assert_eq!(
        ledger.hurried, 20,
        "as many talks as agents; all others are short from the beginning"
    );
}

#[test]
fn a_lost_end_is_missing() {
    let mut lost = 0;
    let ledger = play(&settings(Load::Open, 0, 0), |event| {
        let lose = event.fields[0] == ENDED && lost == 0;
        lost += u64::from(lose) * event.fields[3];
        usize::from(!lose)
    });
    assert_eq!((ledger.missing, ledger.missing_contacts), (1, vec![lost]));
}

#[test]
fn an_end_or_an_acceptance_that_is_told_twice_is_noticed() {
    for kind in [ENDED, 70] {
        let mut told = false;
        let ledger = play(&settings(Load::Open, 0, 0), |event| {
            let first = event.fields[0] == kind && !std::mem::replace(&mut told, true);
            1 + usize::from(first)
        });
        assert_eq!(ledger.doubled, 1, "kind {kind}");
    }
}
