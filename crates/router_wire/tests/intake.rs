//! One connection's reader: numbers without gaps, scopes, limits, and any cut of the stream.

mod common;

use common::{Random, frame, framed};
use router_core::{Command, Demand, Terms};
use router_wire::{Fed, Intake, MAX_CONFIGURE_BYTES, MAX_FRAME_BYTES, Reason, Run, Scope};

const PING: [u8; 5] = [0x93, 0xcc, 134, 1, 9];

fn abandon(channel: u32) -> Vec<u8> {
    frame(&Command::Abandon {
        channel,
        contact: 300,
    })
}

fn ready(agent: u32) -> Vec<u8> {
    frame(&Command::Ready {
        agent,
        command_id: None,
    })
}

fn edge() -> Intake {
    Intake::new(Scope::Edge(Default::default()))
}

/// Runs (first number, count), refusals (number, code), control frames.
type Summary = (Vec<(u64, u64)>, Vec<(Option<u64>, &'static str)>, usize);

fn summary(fed: &Fed) -> Summary {
    (
        fed.runs
            .iter()
            .map(|run| (run.first_request_no, run.count))
            .collect(),
        fed.refusals
            .iter()
            .map(|one| (one.request_no, one.reason.code()))
            .collect(),
        fed.control.len(),
    )
}

fn arrive(queue: u32, head_start_us: u64) -> Vec<u8> {
    frame(&Command::Arrive {
        channel: 7,
        key: [9; 16],
        queue,
        head_start_us,
        weight: 1,
        demand: Demand::default(),
        terms: Terms::default(),
    })
}

#[test]
fn no_longer_head_start_than_a_queue_gives() {
    let mut intake = Intake::new(Scope::Plugin(7));
    intake.limit_head_starts([(3, 90_000_000)]);
    let stream = [
        arrive(3, 90_000_000),
        arrive(3, 90_000_001),
        arrive(4, 90_000_001),
    ];
    let fed = intake.feed(&stream.concat());
    let refused = vec![(Some(1), "not_allowed")];
    assert_eq!(summary(&fed), (vec![(0, 1), (2, 1)], refused, 0));
    assert_eq!(
        fed.refusals[0].text,
        "head_start_us: expected at most 90000000 for queue 3, got 90000001"
    );
}

#[test]
fn runs_have_numbers_without_a_gap() {
    let mut intake = Intake::new(Scope::Plugin(7));
    let stream = [
        abandon(7),
        framed(&PING),
        abandon(7),
        abandon(8),
        abandon(7),
        framed(&[0x92, 4, 1]),
    ];
    let fed = intake.feed(&stream.concat());
    let refused = vec![(Some(2), "not_allowed"), (Some(4), "malformed")];
    assert_eq!(summary(&fed), (vec![(0, 2), (3, 1)], refused, 1));
    assert_eq!(fed.runs[0].frames, [abandon(7), abandon(7)].concat());
    assert_eq!(fed.refusals[0].text, "channel 8 is not this plugin's");
    assert_eq!(fed.refusals[1].text, "abandon.channel: is missing");
    assert_eq!(fed.control, [PING]);
    assert_eq!(
        summary(&intake.feed(&abandon(7))).0,
        [(5, 1)],
        "numbers go on"
    );
}

#[test]
fn the_stream_may_be_cut_anywhere() {
    let mut random = Random(5);
    let mut stream = Vec::new();
    for _ in 0..40 {
        let commands = random.commands();
        stream.extend(frame(&commands[1 + random.below(15) as usize]));
    }
    let whole = Intake::new(Scope::Admin).feed(&stream);
    assert_eq!(summary(&whole).0, [(0, 40)]);
    for piece in [1, 2, 3, 5, 17, 64, 1000] {
        let mut intake = Intake::new(Scope::Admin);
        let mut runs: Vec<Run> = Vec::new();
        for data in stream.chunks(piece) {
            let fed = intake.feed(data);
            assert!(fed.fatal.is_none() && fed.refusals.is_empty());
            runs.extend(fed.runs);
        }
        let frames: Vec<u8> = runs.iter().flat_map(|run| run.frames.clone()).collect();
        assert_eq!(frames, stream);
        assert_eq!(runs.iter().map(|run| run.count).sum::<u64>(), 40);
        for pair in runs.windows(2) {
            assert_eq!(
                pair[0].first_request_no + pair[0].count,
                pair[1].first_request_no
            );
        }
    }
}

#[test]
fn an_edge_speaks_for_the_agents_it_has_attached() {
    let mut intake = edge();
    assert_eq!(
        intake.feed(&ready(5)).refusals[0].text,
        "agent 5 is not attached"
    );
    intake.attach([5, 6]);
    assert_eq!(summary(&intake.feed(&ready(5))).0, [(1, 1)]);
    intake.detach([5]);
    assert_eq!(
        intake.feed(&ready(5)).refusals[0].reason,
        Reason::NotAllowed
    );
    assert_eq!(summary(&intake.feed(&ready(6))).0, [(3, 1)]);
    assert_eq!(
        intake.feed(&abandon(1)).refusals[0].text,
        "an edge speaks for its agents only"
    );
}

#[test]
fn attach_and_detach_act_at_their_place_in_the_stream() {
    let attach = framed(&[0x93, 0xcc, 136, 1, 0x91, 5]);
    let detach = framed(&[0x93, 0xcc, 137, 1, 0x91, 5]);
    let stream = [ready(5), attach.clone(), ready(5), detach, ready(5)].concat();
    let fed = edge().feed(&stream);
    let refused = vec![(Some(0), "not_allowed"), (Some(2), "not_allowed")];
    assert_eq!(summary(&fed), (vec![(1, 1)], refused, 2));
    let mut plugin = Intake::new(Scope::Plugin(1));
    assert_eq!(
        summary(&plugin.feed(&[attach, ready(5)].concat())).1.len(),
        1,
        "of no use to others"
    );
    let bad = edge().feed(&framed(&[0x93, 0xcc, 136, 1, 0x91, 0xc0]));
    let text = bad.fatal.expect("fatal");
    assert!(
        text.ends_with("attach.agents[0]: expected an integer 0..4294967295, got nil"),
        "{text}"
    );
}

#[test]
fn attaches_that_are_checked_wait_for_whoever_checks_them() {
    let mut intake = edge();
    intake.check_attaches();
    let attach = framed(&[0x94, 0xcc, 136, 1, 0x92, 5, 6, 0x92, 0xa1, 0x61, 0xa1, 0x62]);
    let stream = [ready(5), attach.clone(), ready(5), attach, ready(6)].concat();
    let fed = intake.feed(&stream);
    assert_eq!(summary(&fed), (vec![], vec![(Some(0), "not_allowed")], 1));
    intake.attach([5]);
    let fed = intake.feed(&[]);
    assert_eq!(summary(&fed), (vec![(1, 1)], vec![], 1), "up to the next");
    let fed = intake.feed(&ready(5));
    let refused = vec![(Some(2), "not_allowed")];
    assert_eq!(
        summary(&fed),
        (vec![(3, 1)], refused, 0),
        "6 was not let in"
    );
    let detach = framed(&[0x93, 0xcc, 137, 1, 0x91, 5]);
    let fed = intake.feed(&[detach, ready(5)].concat());
    assert_eq!(summary(&fed), (vec![], vec![(Some(4), "not_allowed")], 1));
    let long = framed(&[0x94, 0xcc, 137, 1, 0x91, 5, 0x90]);
    let text = intake.feed(&long).fatal.expect("fatal");
    assert!(
        text.ends_with("detach: expected [kind, version, [agent...]], got 4 items"),
        "{text}"
    );
}

#[test]
fn each_scope_passes_its_own() {
    let commands = Random(6).commands();
    let (Command::Abandon { channel, .. }, Command::End { agent, .. }) =
        (&commands[3], &commands[13])
    else {
        panic!("the order of kinds");
    };
    let stream: Vec<u8> = commands.iter().flat_map(frame).collect();
    assert_eq!(
        summary(&Intake::new(Scope::Admin).feed(&stream)).0,
        [(0, 30)]
    );
    // `configure` is too large for anybody but an admin here, so it is left out.
    let small = |scope: Scope| {
        let stream: Vec<u8> = commands[1..].iter().flat_map(frame).collect();
        let fed = Intake::new(scope).feed(&stream);
        fed.runs
            .iter()
            .map(|run| (run.first_request_no + 2, run.count))
            .collect::<Vec<_>>()
    };
    assert_eq!(small(Scope::Plugin(*channel)), [(3, 4)]);
    assert_eq!(
        small(Scope::Edge([*agent].into())),
        [(7, 10), (19, 6), (27, 1)]
    );
    assert_eq!(small(Scope::Follower), []);
    assert_eq!(small(Scope::Plugin(channel ^ 1)), []);
    assert_eq!(small(Scope::Edge([agent ^ 1].into())), []);
}

#[test]
fn a_length_is_not_believed() {
    let header = |length: usize| (length as u32).to_be_bytes().to_vec();
    let fatal = |scope: &Scope, bytes: &[u8]| Intake::new(scope.clone()).feed(bytes).fatal;
    assert!(fatal(&Scope::Plugin(1), &header(MAX_FRAME_BYTES)).is_none());
    let text = fatal(&Scope::Plugin(1), &header(MAX_FRAME_BYTES + 1)).expect("fatal");
    assert_eq!(text, "a frame of 65537 bytes; at most 65536 are allowed");
    assert!(fatal(&Scope::Admin, &header(MAX_CONFIGURE_BYTES + 1)).is_some());
    assert!(fatal(&Scope::Admin, &header(usize::MAX)).is_some());
    let large = header(MAX_CONFIGURE_BYTES);
    assert!(
        fatal(&Scope::Admin, &large).is_none(),
        "it may become a configure"
    );
    assert!(fatal(&Scope::Admin, &[&large[..], &[0x93, 1, 1]].concat()).is_none());
    assert!(
        fatal(
            &Scope::Admin,
            &[&large[..], &[0x98, 3, 1], &[0; 9]].concat()
        )
        .is_some()
    );
    assert!(fatal(&Scope::Admin, &[&large[..], &[0xc1; 20]].concat()).is_some());
}

#[test]
fn a_frame_without_a_kind_ends_the_stream_and_what_stands_before_it_counts() {
    for body in [
        &[][..],
        &[0x90],
        &[0xc0],
        &[0x91, 0xa1, b'x'],
        b"GET / HTTP/1.1",
    ] {
        let mut intake = Intake::new(Scope::Plugin(7));
        let fed = intake.feed(&[abandon(7), framed(body), abandon(7)].concat());
        assert_eq!(summary(&fed).0, [(0, 1)]);
        let fatal = fed.fatal.expect("fatal");
        assert!(fatal.starts_with("a frame that is no message: "), "{fatal}");
        let after = intake.feed(&abandon(7));
        assert!(after.runs.is_empty());
        assert_eq!(after.fatal, Some(fatal));
    }
    let http = Intake::new(Scope::Plugin(7)).feed(b"GET / HTTP/1.1\r\n\r\n");
    assert!(http.fatal.is_some(), "another protocol");
}

#[test]
fn an_event_is_not_a_clients() {
    let fed = Intake::new(Scope::Admin).feed(&framed(&[0x93, 65, 1, 0]));
    assert_eq!(summary(&fed).1, [(None, "malformed")]);
    assert_eq!(fed.refusals[0].text, "kind 65 is not a client's");
}
