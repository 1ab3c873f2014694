//! Endless plays: the same seed is the same play, nobody gets lost, luck is what was drawn.

use router_core::{AgentConfig, ChannelConfig, ChannelUnits, Config, QueueConfig, SECOND};
use router_sim::{Centre, Flow, Law, Play};

/// Three agents, room for four waiting, customers of little patience.
fn centre(seed: u64) -> Centre {
    let agent = |id| AgentConfig {
        capacity: vec![ChannelUnits {
            channel: 1,
            units: 1,
        }],
        ..AgentConfig::new(id)
    };
    let config = Config {
        miss_limit: 0,
        max_waiting: 4,
        // Endless plays: what is over is forgotten at once.
        key_retention_us: 1,
        memory_us: 1,
        channels: vec![ChannelConfig {
            exclusive: true,
            ..ChannelConfig::new(1)
        }],
        queues: vec![QueueConfig::new(1)],
        agents: vec![agent(30), agent(10), agent(20)],
        ..Config::default()
    };
    let flow = |mean| Flow {
        channel: 1,
        queue: 1,
        head_start_us: 0,
        gap: Law::Hyperexponential {
            share: 0.5,
            means: [mean, 2.0 * mean],
        },
        patience: Some(Law::Erlang {
            phases: 2,
            mean: 1e6,
        }),
    };
    Centre {
        config,
        flows: vec![flow(1e6), flow(2e6)],
        service: Law::Exponential(3e6),
        pools: vec![0, 1, 1],
        within_us: [0, SECOND],
        seed,
    }
}

#[test]
fn nobody_gets_lost() {
    let mut play = Play::new(centre(1));
    let mut sums = play.arrivals(20_000);
    sums.add(&play.close());
    for flow in &sums.flows {
        assert_eq!(flow.arrived, flow.blocked + flow.answered + flow.abandoned);
        assert!(flow.blocked > 10 && flow.abandoned > 100, "{flow:?}");
        assert!(flow.answered_within[0] <= flow.answered_within[1]);
    }
    let all = sums.all();
    assert_eq!(all.arrived, 20_000);
    assert_eq!(
        sums.waiting_us,
        all.wait_us(),
        "the area under the queue is the sum of waits"
    );
    assert!(sums.all_busy_us() <= 3 * sums.time_us);
    play.router().check();
    assert_eq!(play.router().next_deadline(), None);
    assert_eq!(play.router().overview().queues[0].waiting, 0);
}

#[test]
fn a_seed_is_a_play() {
    let after = |seed| Play::new(centre(seed)).arrivals(2_000);
    assert_eq!(after(1), after(1));
    assert_ne!(after(1), after(2));
}

#[test]
fn luck_is_what_was_drawn_beyond_the_mean() {
    let mut centre = centre(3);
    centre.flows.truncate(1);
    let mut play = Play::new(centre);
    let sums = play.arrivals(5_000);
    // Every gap but the last has passed, and the first was drawn before the play began.
    let drawn = sums.time_us as f64 / 1.5e6 - 5_000.0;
    assert!(
        (drawn - sums.luck[0]).abs() < 20.0,
        "{drawn} {:?}",
        sums.luck
    );
    assert!(drawn.abs() > 20.0, "no luck to speak of: {drawn}");
    assert!(
        sums.luck
            .iter()
            .all(|luck| *luck != 0.0 && luck.abs() < 500.0)
    );
}
