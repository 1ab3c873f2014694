//! A batch is its commands one after the other, whoever sent them and however they were cut.

mod common;

use common::{frame, framed};
use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Command, Config, Demand, Limits, QueueConfig, Router,
    SECOND, Terms,
};
use router_wire::{Applied, Fanout, Frames, Part, apply_batch, encode_event};

fn configure() -> Command {
    let config = Config {
        channels: vec![ChannelConfig::new(1)],
        queues: vec![QueueConfig::new(1)],
        agents: vec![AgentConfig {
            capacity: vec![ChannelUnits {
                channel: 1,
                units: 2,
            }],
            ..AgentConfig::new(1)
        }],
        ..Config::default()
    };
    Command::Configure {
        config: Box::new(config),
    }
}

fn arrive(key: u8) -> Command {
    let key = [key; 16];
    Command::Arrive {
        channel: 1,
        key,
        queue: 1,
        head_start_us: 0,
        weight: 1,
        demand: Demand::default(),
        terms: Terms::default(),
    }
}

fn day() -> Vec<Command> {
    vec![
        configure(),
        Command::SignIn {
            agent: 1,
            ready: true,
            command_id: None,
        },
        arrive(1),
        arrive(2),
        Command::Accept { agent: 9, offer: 1 },
        Command::Accept { agent: 1, offer: 1 },
        arrive(1),
    ]
}

fn router() -> Router {
    Router::new(Limits::default())
}

fn one_by_one(commands: &[Command]) -> (Vec<(u16, u64)>, Vec<u8>, u64) {
    let mut router = router();
    let mut events = Vec::new();
    let apply = |command: &Command| match router.apply(SECOND, command.clone(), &mut events) {
        Ok(value) => (0, value),
        Err(rejection) => (rejection.code.into(), rejection.detail),
    };
    let results = commands.iter().map(apply).collect();
    let mut bytes = Vec::new();
    for event in &events {
        let mut body = Vec::new();
        encode_event(event, &mut body);
        bytes.extend(framed(&body));
    }
    (results, bytes, router.state_hash())
}

fn parts<'a>(pieces: &'a [(u64, u64, Vec<u8>)]) -> Vec<Part<'a>> {
    let part = |(source, first_request_no, frames): &'a (u64, u64, Vec<u8>)| Part {
        source: *source,
        first_request_no: *first_request_no,
        frames,
    };
    pieces.iter().map(part).collect()
}

fn together(commands: &[Command]) -> Vec<u8> {
    commands.iter().flat_map(frame).collect()
}

#[test]
fn a_batch_is_its_commands_one_after_the_other() {
    let day = day();
    let (results, events, state_hash) = one_by_one(&day);
    assert_eq!(results[2..4], [(0, 1), (0, 2)], "contacts");
    assert_eq!(results[4], (13, 9), "unknown agent 9");
    assert_eq!(results[6], (0, 1), "the same contact again");
    let whole = vec![(0, 0, together(&day))];
    let cut = vec![
        (5, 0, together(&day[..3])),
        (6, 100, vec![]),
        (7, 40, together(&day[3..])),
    ];
    for pieces in [whole, cut] {
        let mut router = router();
        let applied = apply_batch(&mut router, 1, SECOND, &parts(&pieces));
        assert_eq!(applied.results, results);
        assert_eq!(applied.events.bytes(), events);
        assert_eq!(router.state_hash(), state_hash);
    }
}

fn acks(applied: &Applied) -> Vec<(u64, Vec<u8>)> {
    let body = |frame: Vec<u8>| {
        Frames::new(&frame)
            .next()
            .expect("a frame")
            .expect("whole")
            .to_vec()
    };
    applied
        .acks()
        .into_iter()
        .map(|(source, frame)| (source, body(frame)))
        .collect()
}

#[test]
fn each_source_has_one_acknowledgement() {
    let day = day();
    let pieces = vec![
        (8, 3, together(&day[..2])),
        (5, 200, together(&day[2..3])),
        (8, 9, together(&day[4..5])),
    ];
    let applied = apply_batch(&mut router(), 700, SECOND, &parts(&pieces));
    let head = [0x94, 0xcc, 130, 1, 0xcd, 0x02, 0xbc];
    let of_8 = [0x93, 0x94, 3, 0, 0, 0, 0x94, 4, 1, 0, 0, 0x94, 9, 3, 13, 9];
    let of_5 = [0x91, 0x94, 0xcc, 200, 2, 0, 1];
    let expected = vec![
        (8, [&head[..], &of_8].concat()),
        (5, [&head[..], &of_5].concat()),
    ];
    assert_eq!(acks(&applied), expected);
}

#[test]
fn an_empty_batch_advances_the_clock() {
    let mut router = router();
    let pieces = vec![(0, 0, together(&day()[..4]))];
    apply_batch(&mut router, 1, SECOND, &parts(&pieces));
    let before = router.next_deadline().expect("an open offer");
    let applied = apply_batch(&mut router, 2, before, &[]);
    assert_eq!(router.now(), before);
    assert!(applied.results.is_empty() && applied.acks().is_empty());
    assert!(applied.events.len() >= 2, "the offer has expired");
}

#[test]
#[should_panic(expected = "batch 3 cannot be decoded: kind 99 is no command")]
fn what_was_journaled_can_be_decoded_or_the_process_ends() {
    let frames = framed(&[0x92, 99, 1]);
    let part = Part {
        source: 0,
        first_request_no: 0,
        frames: &frames,
    };
    apply_batch(&mut router(), 3, SECOND, &[part]);
}

#[test]
fn whoever_answers_for_a_source_gets_its_acks_ahead_of_the_events() {
    let mut fanout = Fanout::default();
    fanout.subscribe_all(7);
    fanout.answer(7, 70);
    fanout.answer(8, 80);
    let frames: Vec<Vec<u8>> = [configure(), arrive(1), arrive(2), arrive(3)]
        .map(|one| frame(&one))
        .into();
    let part = |source, frames| Part {
        source,
        first_request_no: 0,
        frames,
    };
    let parts = [
        part(60, &frames[0]),
        part(70, &frames[1]),
        part(80, &frames[2]),
        part(90, &frames[3]),
    ];
    let applied = apply_batch(&mut router(), 1, SECOND, &parts);
    let acks: Vec<Vec<u8>> = applied.acks().into_iter().map(|(_, ack)| ack).collect();
    let (_, events) = fanout.route(1, SECOND, &applied.events).remove(0);
    let delivery = fanout.deliver(&applied);
    assert_eq!(
        delivery.answers,
        [(60, acks[0].clone()), (90, acks[3].clone())]
    );
    // 8 has subscribed to nothing yet, as an edge before its agents, and hears of its own command.
    assert_eq!(
        delivery.frames,
        [
            (7, [acks[1].clone(), events.clone()].concat()),
            (8, acks[2].clone())
        ]
    );

    fanout.unsubscribe(7);
    let left = fanout.deliver(&applied);
    assert_eq!(left.answers.len(), 3, "who has left answers for nobody");
    assert_eq!(left.frames, [(8, acks[2].clone())]);
}
