//! Arrivals at the place of another, for later, and with a deadline for the reply.

#[allow(dead_code, reason = "the text is shared with the scenarios")]
mod text;

use text::play::Player;

const FLOOR: &str = "\
  routing reply_margin_ms=10000
  channel 1 connect_ms=1000
  skill 1
  queue 1 offer_ms=5000
  queue 2 offer_ms=5000 max=1
  step queue=1 after_ms=30000 drop=1
  agent 1 capacity=1:1
  agent 2 capacity=1:1";

const SIGN_IN: &str = "@1000 sign_in agent=1";

/// Contact 1 has waited from 2 s to 9 s, contact 2 waits since 5 s.
fn with_a_place() -> Player {
    let mut story = Player::configured(FLOOR);
    story.after(
        [
            "@2000 arrive channel=1 key=1 queue=1",
            "@5000 arrive channel=1 key=2 queue=1",
        ],
        "@9000 abandon channel=1 contact=1",
    );
    story
}

#[test]
fn a_place_is_that_of_the_contact_that_left_and_goes_once() {
    let mut story = with_a_place();
    assert_eq!(
        story.tell("@10000 arrive channel=1 key=3 queue=2 place=1")[2],
        "10000 queued contact=3 channel=1 queue=2 tier=2 enqueued_at_ms=2000 head_start_ms=0 cause=arrival"
    );
    let offer = story.tell("@11000 sign_in agent=1").pop();
    let offer = offer.expect("an offer");
    assert!(offer.contains("offer_made offer=1 contact=3"), "{offer}");
    let again = story.tell("@12000 arrive channel=1 key=4 queue=1 place=1");
    assert_eq!(again, ["refused place_used 1"]);
}

#[test]
fn only_of_who_left_before_being_served_there_is_a_place() {
    let mut story = with_a_place();
    for (of, code) in [(2, "bad_place"), (3, "bad_place"), (99, "bad_place")] {
        let answer = story.tell(&format!("arrive channel=1 key=7 queue=1 place={of}"));
        assert_eq!(answer, [format!("refused {code} {of}")]);
    }
    let served = [
        "@20000 sign_in agent=1",
        "accept agent=1 offer=1",
        "connected channel=1 contact=2",
        "end agent=1 contact=2",
    ];
    let answer = story.after(served, "arrive channel=1 key=7 queue=1 place=2");
    assert_eq!(answer, ["refused bad_place 2"]);
    // What is to come later gets no place; what has passed is as nothing.
    let later = "arrive channel=1 key=7 queue=1 place=1 not_before_ms=20001";
    assert_eq!(story.tell(later), ["refused bad_place 1"]);
    let now = "arrive channel=1 key=7 queue=1 place=1 not_before_ms=20000";
    assert_eq!(story.tell(now)[0], "ok 3");
}

#[test]
fn a_contact_that_is_blocked_has_not_used_the_place() {
    let mut story = with_a_place();
    let full = story.after(
        ["arrive channel=1 key=3 queue=2"],
        "arrive channel=1 key=4 queue=2 place=1",
    );
    assert!(full[2].contains("blocked contact=4"), "{full:?}");
    let of_blocked = story.tell("arrive channel=1 key=5 queue=1 place=4");
    assert_eq!(of_blocked, ["refused bad_place 4"]);
    let again = story.tell("arrive channel=1 key=5 queue=1 place=1");
    assert_eq!(again[0], "ok 5");
}

#[test]
fn who_stands_at_an_old_place_gives_up_at_once_what_it_would_have_given_up() {
    let mut story = with_a_place();
    story.tell("@32000 arrive channel=1 key=3 queue=1 place=1 requires=1:5");
    assert_eq!(story.tell("next_deadline"), ["32000"]);
    let relaxed = story.tell("@32000 advance");
    assert!(relaxed[0].contains("relaxed contact=3"), "{relaxed:?}");
}

#[test]
fn a_contact_for_later_is_in_no_line_until_its_time() {
    let mut story = Player::configured(FLOOR);
    let arrived = story.after(
        [SIGN_IN],
        "@2000 arrive channel=1 key=1 queue=2 not_before_ms=9000",
    );
    assert_eq!(
        arrived[2..],
        ["2000 scheduled contact=1 channel=1 queue=2 until_ms=9000"]
    );
    assert_eq!(story.tell("position contact=1"), ["-"]);
    assert_eq!(story.tell("estimate contact=1"), ["-"]);
    for refused in [
        "change contact=1 queue=1",
        "connected channel=1 contact=1",
        "connect_failed channel=1 contact=1",
    ] {
        assert_eq!(story.tell(refused), ["refused wrong_state 1"], "{refused}");
    }
    let states = story.router.overview().queues;
    assert_eq!((states[1].waiting, states[1].scheduled), (0, 1));
    // It keeps nobody out, and there is no room that it needs.
    story.after(
        ["not_ready agent=1"],
        "@8000 arrive channel=1 key=2 queue=2",
    );
    assert_eq!(
        story.tell("@9000 advance"),
        [
            "9000 queued contact=1 channel=1 queue=2 tier=2 enqueued_at_ms=9000 head_start_ms=0 cause=scheduled"
        ]
    );
    assert_eq!(story.tell("position contact=1"), ["1"]);
    assert_eq!(story.router.overview().queues[1].scheduled, 0);
}

#[test]
fn a_contact_for_later_stays_over_a_restart_and_a_snapshot() {
    let mut story = Player::configured(FLOOR);
    story.tell("@2000 arrive channel=1 key=1 queue=1 not_before_ms=9000 preferred=2");
    assert_eq!(story.tell("snapshot"), ["same"]);
    assert_eq!(
        story.tell("@30000 restarted"),
        [
            "ok",
            "9000 queued contact=1 channel=1 queue=1 tier=2 enqueued_at_ms=9000 head_start_ms=0 cause=scheduled",
            "9000 preference_over contact=1 channel=1 queue=1 cause=absent",
            "30000 restarted",
        ]
    );
}

#[test]
fn whom_it_prefers_is_waited_for_from_its_time_on() {
    let mut story = Player::configured(&FLOOR.replace("connect_ms=1000", "instant"));
    let later = "@2000 arrive channel=1 key=1 queue=1 not_before_ms=9000 preferred=2 preferred_wait_ms=4000";
    let answer = story.after(
        [
            "@1000 sign_in agent=2",
            later,
            "@3000 arrive channel=1 key=2 queue=1",
            "accept agent=2 offer=1",
            "@8000 sign_in agent=1",
        ],
        "@9000 advance",
    );
    assert_eq!(
        answer.len(),
        1,
        "agent 1 is free, and agent 2 waited for: {answer:?}"
    );
    let over = story.tell("@13000 advance");
    assert_eq!(
        over[0],
        "13000 preference_over contact=1 channel=1 queue=1 cause=deadline"
    );
    assert!(over[1].contains("offer_made offer=2 contact=1"), "{over:?}");
}

#[test]
fn a_contact_for_later_ends_without_a_place_until_its_time_has_come() {
    let mut story = Player::configured(FLOOR);
    let later = |key| format!("arrive channel=1 key={key} queue=1 not_before_ms=9000");
    let answer = story.after(
        [&later(1), &later(2)].map(String::as_str),
        "@2000 abandon channel=1 contact=1",
    );
    assert_eq!(
        answer[1..],
        ["2000 abandoned contact=1 channel=1 queue=1 agent=0"]
    );
    assert_eq!(
        story.tell("release contact=2")[1..],
        ["2000 withdrawn contact=2 channel=1 queue=1 agent=0 by=supervisor"]
    );
    assert_eq!(story.tell("next_deadline"), ["-"]);
    let of_two = "arrive channel=1 key=3 queue=1 place=2";
    assert_eq!(
        story.tell(&format!("@8999 {of_two}")),
        ["refused bad_place 2"]
    );
    let taken = story.tell(&format!("@9500 {of_two}"));
    assert!(taken[2].contains("enqueued_at_ms=9000"), "{taken:?}");
}

#[test]
fn times_are_not_too_far_ahead_nor_too_late() {
    let mut story = Player::configured(FLOOR);
    let day: u64 = 24 * 60 * 60 * 1_000;
    story.tell("@5000 advance");
    let arrive =
        |key: u64, what: &str, ms: u64| format!("arrive channel=1 key={key} queue=1 {what}={ms}");
    let last = 5_000 + 400 * day;
    let answer = story.tell(&arrive(1, "not_before_ms", last + 1));
    assert_eq!(
        answer,
        [format!("refused bad_duration {}", (last + 1) * 1_000)]
    );
    assert_eq!(story.tell(&arrive(1, "not_before_ms", last))[0], "ok 1");
    let answer = story.tell(&arrive(2, "reply_by_ms", 5_000));
    assert_eq!(answer, ["refused bad_duration 5000000"]);
    let answer = story.tell(&arrive(2, "reply_by_ms", last + 1));
    assert_eq!(
        answer,
        [format!("refused bad_duration {}", (last + 1) * 1_000)]
    );
    assert_eq!(story.tell(&arrive(2, "reply_by_ms", 5_001))[0], "ok 2");
    // Said again it is the same contact, whatever it says.
    assert_eq!(story.tell(&arrive(2, "place", 77))[0], "ok 2");
}

#[test]
fn a_reply_that_grows_urgent_lifts_and_one_that_is_late_ends() {
    let mut story = Player::configured(FLOOR);
    story.after(
        ["@1000 arrive channel=1 key=1 queue=1"],
        "@2000 arrive channel=1 key=2 queue=1 reply_by_ms=20000",
    );
    assert_eq!(story.tell("position contact=2"), ["1"]);
    assert_eq!(
        story.tell("@10000 advance"),
        ["10000 lifted contact=2 channel=1 queue=1 tier=1 reply_by_ms=20000"]
    );
    assert_eq!(story.tell("position contact=2"), ["0"]);
    assert_eq!(
        story.tell("@20000 advance"),
        ["20000 withdrawn contact=2 channel=1 queue=1 agent=0 by=deadline"]
    );
    assert_eq!(
        story.tell("@99000 advance").len(),
        1,
        "contact 1 is relaxed"
    );
}

#[test]
fn without_a_margin_there_is_an_end_and_no_lift() {
    let mut story =
        Player::configured(&FLOOR.replace("reply_margin_ms=10000", "reply_margin_ms=0"));
    story.tell("@1000 arrive channel=1 key=1 queue=1 reply_by_ms=20000");
    assert_eq!(
        story.tell("@20000 advance"),
        ["20000 withdrawn contact=1 channel=1 queue=1 agent=0 by=deadline"]
    );
}

#[test]
fn an_offer_may_outlast_the_deadline_but_nobody_else_is_asked() {
    let mut story = Player::configured(FLOOR);
    let offered = [
        SIGN_IN,
        "sign_in agent=2",
        "@2000 arrive channel=1 key=1 queue=1 reply_by_ms=4000",
    ];
    assert_eq!(story.after(offered, "@5000 advance"), ["(none)"]);
    assert_eq!(
        story.tell("@6000 decline agent=1 offer=1"),
        [
            "ok",
            "6000 offer_declined offer=1 contact=1 channel=1 agent=1 reason=0",
            "6000 queued contact=1 channel=1 queue=1 tier=2 enqueued_at_ms=2000 head_start_ms=0 cause=offer_ended",
            "6000 withdrawn contact=1 channel=1 queue=1 agent=0 by=deadline",
        ]
    );
}

#[test]
fn who_could_not_be_connected_in_time_is_not_asked_for_again() {
    let mut story = Player::configured(FLOOR);
    let accepted = [
        SIGN_IN,
        "@2000 arrive channel=1 key=1 queue=1 reply_by_ms=2500",
        "accept agent=1 offer=1",
    ];
    let failed = story.after(accepted, "@3000 advance");
    assert!(failed[0].contains("connect_failed"), "{failed:?}");
    assert_eq!(
        failed.last().map(String::as_str),
        Some("3000 withdrawn contact=1 channel=1 queue=1 agent=0 by=deadline")
    );
}

#[test]
fn what_is_engaged_has_no_deadline_any_more() {
    let mut story = Player::configured(FLOOR);
    let engaged = [
        SIGN_IN,
        "@2000 arrive channel=1 key=1 queue=1 reply_by_ms=5000",
        "accept agent=1 offer=1",
        "connected channel=1 contact=1",
    ];
    let moved = story.after(engaged, "@6000 transfer agent=1 contact=1 queue=2");
    assert!(moved[2].contains("queue=2 tier=1"), "{moved:?}");
    assert_eq!(
        story.tell("next_deadline"),
        ["11000"],
        "the retry and nothing else"
    );
}

#[test]
fn a_new_margin_holds_for_who_waits() {
    let mut story = Player::configured(FLOOR);
    story.tell("@1000 arrive channel=1 key=1 queue=2 reply_by_ms=60000");
    assert_eq!(story.tell("next_deadline"), ["50000"]);
    let wider = FLOOR.replace("reply_margin_ms=10000", "reply_margin_ms=59500");
    story.tell(&format!("@2000 configure\n{wider}"));
    assert_eq!(story.tell("next_deadline"), ["2000"]);
    let lifted = story.tell("@2000 advance");
    assert_eq!(
        lifted,
        ["2000 lifted contact=1 channel=1 queue=2 tier=1 reply_by_ms=60000"]
    );
    assert_eq!(story.tell("next_deadline"), ["60000"]);
}

#[test]
fn who_begins_too_late_to_be_answered_is_not_offered() {
    let mut story = Player::configured(FLOOR);
    story.after(
        [SIGN_IN],
        "@2000 arrive channel=1 key=1 queue=1 not_before_ms=9000 reply_by_ms=9000",
    );
    let begun = story.tell("@9000 advance");
    assert!(begun[0].contains("cause=scheduled"), "{begun:?}");
    assert_eq!(
        begun[1..],
        ["9000 withdrawn contact=1 channel=1 queue=1 agent=0 by=deadline"]
    );
}
