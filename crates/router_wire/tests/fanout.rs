//! Each subscriber gets what concerns it, once, in order.

mod common;

use common::Random;
use router_core::Event;
use router_wire::{EventIndex, Fanout, Frames};

fn index(events: &[Event]) -> EventIndex {
    let mut index = EventIndex::with_capacity(events.len());
    events.iter().for_each(|event| index.push(event));
    index
}

/// The indices in an events frame; small batches only.
fn indices(frame: &[u8], events: &[Event]) -> Vec<usize> {
    let bodies: Vec<_> = Frames::new(frame)
        .collect::<Result<_, _>>()
        .expect("one frame");
    let [body] = bodies[..] else {
        panic!("one frame")
    };
    let header = [0x95, 0xcc, 132, 1, 3, 9];
    let mut rest = body.strip_prefix(&header).expect("the header");
    let count = rest[0] & 0x0f;
    rest = &rest[1..];
    let found = (0..count).map(|_| {
        let number = usize::from(rest[1]);
        let mut event = vec![0x92, number as u8];
        router_wire::encode_event(&events[number], &mut event);
        rest = rest.strip_prefix(&event[..]).expect("the event itself");
        number
    });
    let found = found.collect();
    assert!(rest.is_empty());
    found
}

fn few() -> Vec<Event> {
    vec![
        Event::Restarted { at: 1 },
        Event::Abandoned {
            at: 1,
            contact: 1,
            channel: 7,
            queue: 1,
            agent: 0,
        },
        Event::Engaged {
            at: 1,
            contact: 2,
            channel: 7,
            agent: 5,
        },
        Event::AgentReady { at: 1, agent: 5 },
        Event::AgentReady { at: 1, agent: 6 },
        Event::Engaged {
            at: 1,
            contact: 3,
            channel: 8,
            agent: 6,
        },
    ]
}

fn routed(fanout: &Fanout, events: &[Event]) -> Vec<(u64, Vec<usize>)> {
    let batch = index(events);
    let frames = fanout.route(3, 9, &batch);
    for (subscriber, frame) in &frames {
        assert_eq!(
            fanout.route_one(*subscriber, 3, 9, &batch).as_ref(),
            Some(frame)
        );
    }
    frames
        .iter()
        .map(|(subscriber, frame)| (*subscriber, indices(frame, events)))
        .collect()
}

#[test]
fn each_gets_its_own() {
    let mut fanout = Fanout::default();
    assert_eq!(routed(&fanout, &few()), []);
    fanout.subscribe_all(40);
    fanout.subscribe_channel(30, 7);
    fanout.attach_agent(20, 5);
    fanout.attach_agent(10, 6);
    fanout.attach_agent(10, 99);
    fanout.attach_agent(9, 99);
    let expected = vec![
        (10, vec![4, 5]),
        (20, vec![2, 3]),
        (30, vec![1, 2]),
        (40, vec![0, 1, 2, 3, 4, 5]),
    ];
    assert_eq!(routed(&fanout, &few()), expected);
    assert_eq!(fanout.route_one(9, 3, 9, &index(&few())), None);
    assert_eq!(fanout.route_one(1, 3, 9, &index(&few())), None);
}

#[test]
fn two_interests_in_one_event_bring_it_once() {
    let mut fanout = Fanout::default();
    fanout.subscribe_channel(1, 7);
    fanout.subscribe_channel(1, 7);
    fanout.attach_agent(1, 5);
    fanout.attach_agent(1, 6);
    assert_eq!(routed(&fanout, &few()), [(1, vec![1, 2, 3, 4, 5])]);
    fanout.subscribe_all(1);
    fanout.subscribe_all(1);
    assert_eq!(routed(&fanout, &few()), [(1, vec![0, 1, 2, 3, 4, 5])]);
}

#[test]
fn an_event_of_two_agents_goes_to_both_desks() {
    let (at, contact, channel, queue) = (1, 1, 7, 1);
    let (agent, invitee, deadline) = (5, 6, 9);
    let events = [
        Event::Invited {
            at,
            offer: 1,
            contact,
            channel,
            queue,
            agent,
            invitee,
            deadline,
        },
        Event::Joined {
            at,
            contact,
            channel,
            agent: invitee,
        },
        Event::HandedOver {
            at,
            contact,
            channel,
            queue,
            from_agent: agent,
            to_agent: invitee,
        },
        Event::Abandoned {
            at,
            contact,
            channel,
            queue,
            agent,
        },
    ];
    let mut fanout = Fanout::default();
    fanout.attach_agent(1, agent);
    fanout.attach_agent(2, invitee);
    fanout.attach_agent(3, agent);
    fanout.attach_agent(3, invitee);
    let expected = [
        (1, vec![0, 2, 3]),
        (2, vec![0, 1, 2]),
        (3, vec![0, 1, 2, 3]),
    ];
    assert_eq!(routed(&fanout, &events), expected);
}

#[test]
fn who_leaves_gets_nothing() {
    let mut fanout = Fanout::default();
    for subscriber in [1, 2] {
        fanout.subscribe_all(subscriber);
        fanout.subscribe_channel(subscriber, 7);
        fanout.attach_agent(subscriber, 5);
    }
    fanout.unsubscribe(1);
    fanout.unsubscribe(1);
    assert_eq!(routed(&fanout, &few()), [(2, vec![0, 1, 2, 3, 4, 5])]);
    fanout.unsubscribe(2);
    fanout.attach_agent(3, 5);
    assert_eq!(routed(&fanout, &few()), [(3, vec![2, 3])]);
    fanout.detach_agent(3, 5);
    fanout.detach_agent(3, 5);
    fanout.detach_agent(4, 5);
    assert_eq!(routed(&fanout, &few()), []);
}

#[test]
fn an_index_that_is_read_routes_like_the_one_that_was_written() {
    let events = Random(7).events();
    let written = index(&events);
    let read = EventIndex::read(written.bytes()).expect("events");
    assert_eq!((read.len(), read.bytes()), (events.len(), written.bytes()));
    let mut fanout = Fanout::default();
    fanout.subscribe_all(1);
    let Event::Arrived { channel, .. } = events[2] else {
        panic!("the order of kinds")
    };
    fanout.subscribe_channel(2, channel);
    assert_eq!(fanout.route(1, 2, &read), fanout.route(1, 2, &written));
    assert!(EventIndex::read(&written.bytes()[1..]).is_err());
    assert!(
        EventIndex::read(&[0, 0, 0, 3, 0x92, 2, 1]).is_err(),
        "a command is no event"
    );
}
