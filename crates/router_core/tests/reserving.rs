//! Reserving: who is passed, who is kept for it, and until when.

#[allow(dead_code, reason = "the text is shared with the scenarios")]
mod text;

use text::play::Player;

/// Channel 1 is chat, 2 voice, 3 mail.
const FLOOR: &str = "\
  routing reserve_after_ms=20000
  channel 1 instant
  channel 2 exclusive instant
  channel 3 instant interruptible
  queue 1 offer_ms=60000 strategy=top_down
  agent 1 capacity=1:3,2:1,3:2
  agent 2 capacity=1:3,2:1,3:2";

/// Agent 1 has one chat, agent 2 is away, and a heavy one waits since 2 s.
fn with_a_heavy_one(floor: &str, heavy: &str) -> Player {
    let mut story = Player::configured(floor);
    story.after(
        [
            "@1000 sign_in agent=1",
            "arrive channel=1 key=1 queue=1",
            "accept agent=1 offer=1",
        ],
        &format!("@2000 arrive {heavy} key=2 queue=1"),
    );
    story
}

#[test]
fn a_heavy_contact_that_was_passed_gets_an_agent_of_its_own() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    assert_eq!(story.tell("next_deadline"), ["-"]);
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    assert_eq!(story.tell("next_deadline"), ["23000"]);
    assert_eq!(story.tell("@22999 advance"), ["(none)"]);
    assert_eq!(
        story.tell("@23000 advance"),
        ["23000 reserved contact=2 channel=1 agent=1"]
    );
    assert_eq!(story.tell("snapshot"), ["same"]);
    // Whatever comes now waits, though there is room.
    assert_eq!(story.tell("@24000 arrive channel=3 key=4 queue=1").len(), 3);
    story.after(["accept agent=1 offer=2"], "@25000 end agent=1 contact=1");
    let last = story.tell("@26000 end agent=1 contact=3");
    assert!(last[2].contains("offer_made offer=3 contact=2"), "{last:?}");
    // The mail comes beside it.
    assert!(last[3].contains("offer_made offer=4 contact=4"), "{last:?}");
    assert_eq!(last.len(), 4);
}

#[test]
fn a_call_is_passed_by_chats_and_not_by_mail() {
    let mut story = with_a_heavy_one(FLOOR, "channel=2");
    story.tell("@3000 arrive channel=3 key=3 queue=1");
    story.tell("@60000 advance");
    assert_eq!(story.tell("@61000 arrive channel=1 key=4 queue=1").len(), 4);
    let kept = story.tell("@81000 advance").pop();
    let expected = "81000 reserved contact=2 channel=2 agent=1";
    assert_eq!(kept.as_deref(), Some(expected));
}

#[test]
fn nobody_is_passed_by_what_stands_before_it_or_needs_other_units() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1 head_start_ms=60000");
    story.tell("@3000 arrive channel=3 key=4 queue=1");
    assert_eq!(story.tell("next_deadline"), ["63000"], "an offer's");
    // Nor where the agent could not serve it anyway.
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3 excludes=1");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    assert_eq!(story.tell("next_deadline"), ["63000"]);
}

#[test]
fn it_may_be_passed_for_ever_where_it_is_so_configured() {
    let never = FLOOR.replace("reserve_after_ms=20000", "reserve_after_ms=0");
    let mut story = with_a_heavy_one(&never, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    assert_eq!(story.tell("next_deadline"), ["63000"]);
}

#[test]
fn the_best_agent_is_kept_whatever_it_holds_and_one_who_goes_is_replaced() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    story.after(
        ["@4000 not_ready agent=1", "sign_in agent=2 ready=no"],
        "@23000 advance",
    );
    // Nobody is qualified at the time; who comes first is kept.
    let kept = story.tell("@24000 ready agent=1");
    assert_eq!(kept[2], "24000 reserved contact=2 channel=1 agent=1");
    let offered = story.tell("@25000 ready agent=2");
    assert!(
        offered[2].contains("offer_made"),
        "agent 2 takes it at once: {offered:?}"
    );
    let told = story.router.explain(2, 1).expect("an explanation");
    assert!(
        told.checks
            .iter()
            .all(|check| check.predicate.name() != "not_reserved")
    );
}

#[test]
fn an_agent_who_is_no_longer_qualified_is_let_go() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    story.after(["@23000 advance"], "@23500 arrive channel=1 key=4 queue=1");
    let told = story.router.explain(4, 1).expect("an explanation");
    let failing: Vec<_> = told.checks.iter().filter(|check| !check.holds).collect();
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert_eq!(
        (failing[0].predicate.name(), failing[0].has),
        ("not_reserved", 2)
    );
    let gone = story.tell("@24000 not_ready agent=1");
    assert_eq!(
        gone.last().map(String::as_str),
        Some("24000 unreserved contact=2 channel=1 agent=1")
    );
    let back = story.tell("@25000 ready agent=1");
    assert_eq!(back[2], "25000 reserved contact=2 channel=1 agent=1");
}

#[test]
fn who_leaves_frees_its_agent_for_the_others() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    story.after(["@23000 advance"], "@23500 arrive channel=1 key=4 queue=1");
    let left = story.tell("@24000 abandon channel=1 contact=2");
    assert!(left[2].contains("offer_made offer=3 contact=4"), "{left:?}");
    assert_eq!(left.len(), 3);
}

#[test]
fn after_another_agent_has_it_who_was_kept_serves_the_rest() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    story.after(["@23000 advance"], "@23500 arrive channel=1 key=4 queue=1");
    let came = story.tell("@24000 sign_in agent=2");
    assert!(
        came[3].contains("contact=2 channel=1 queue=1 agent=2"),
        "{came:?}"
    );
    assert!(
        came[4].contains("contact=4 channel=1 queue=1 agent=1"),
        "{came:?}"
    );
}

#[test]
fn being_offered_it_begins_anew() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    let back = story.after(["@4000 sign_in agent=2"], "@5000 decline agent=2 offer=3");
    assert!(back[2].contains("queued contact=2"), "{back:?}");
    assert_eq!(
        story.tell("next_deadline"),
        ["63000"],
        "nothing but an offer's"
    );
    // It is passed anew only by what comes now.
    story.tell("@30000 arrive channel=1 key=4 queue=1");
    assert_eq!(story.tell("next_deadline"), ["50000"]);
}

#[test]
fn a_new_time_holds_for_who_has_been_passed() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    let sooner = FLOOR.replace("reserve_after_ms=20000", "reserve_after_ms=5000");
    let kept = story.tell(&format!("@9000 configure\n{sooner}"));
    assert_eq!(kept[2], "9000 reserved contact=2 channel=1 agent=1");
    let never = FLOOR.replace("reserve_after_ms=20000", "reserve_after_ms=0");
    // It stays, and is not renewed.
    assert_eq!(story.tell(&format!("configure\n{never}")).len(), 2);
    let gone = story.after(["not_ready agent=1"], "@10000 ready agent=1");
    assert!(
        gone.iter().all(|line| !line.contains("reserved")),
        "{gone:?}"
    );
}

#[test]
fn a_restart_keeps_who_is_kept() {
    let mut story = with_a_heavy_one(FLOOR, "channel=1 weight=3");
    story.tell("@3000 arrive channel=1 key=3 queue=1");
    let back = story.tell("@40000 restarted");
    // Contact 3 was on offer and is so no more; what fell due meanwhile is decided now.
    let kept = back
        .iter()
        .position(|line| line == "40000 reserved contact=2 channel=1 agent=1");
    assert_eq!(kept, Some(back.len() - 1), "{back:?}");
}
