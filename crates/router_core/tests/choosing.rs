//! Strategies from outside: who is asked, what counts as an answer, and what ends the question.

#[allow(dead_code, reason = "the text is shared with the scenarios")]
mod text;

use text::play::Player;

const FLOOR: &str = "\
  channel 1 instant
  skill 1
  queue 1 strategy=outside fallback=top_down choice_ms=200 offer_ms=5000
  queue 2 offer_ms=5000
  step queue=1 after_ms=500 drop=1
  agent 1 capacity=1:1
  agent 2 capacity=1:1
  agent 3 capacity=1:1";

const WANTED: &str =
    "2000 choice_wanted choice=1 contact=1 channel=1 queue=1 deadline_ms=2200 agents=1,2,3";

/// Three agents, and contact 1 for whom a choice runs since 2 s.
fn with_a_choice(floor: &str) -> Player {
    let mut story = Player::configured(floor);
    let wanted = story.after(
        [
            "@1000 sign_in agent=3",
            "sign_in agent=2",
            "sign_in agent=1",
        ],
        "@2000 arrive channel=1 key=1 queue=1",
    );
    assert_eq!(wanted.last().map(String::as_str), Some(WANTED));
    story
}

fn over(agent: u32, cause: &str) -> String {
    format!(" choice_over choice=1 contact=1 channel=1 agent={agent} cause={cause}")
}

#[test]
fn whoever_is_named_gets_the_contact() {
    let mut story = with_a_choice(FLOOR);
    assert_eq!(story.tell("next_deadline"), ["2200"]);
    let answer = story.tell("@2100 choose choice=1 agent=2");
    assert_eq!(answer[1], format!("2100{}", over(2, "chosen")));
    assert!(
        answer[2].contains("offer_made offer=1 contact=1"),
        "{answer:?}"
    );
    assert!(answer[2].contains("agent=2 deadline_ms=7100"), "{answer:?}");
    let again = story.tell("choose choice=1 agent=2");
    assert_eq!(again, ["refused unknown_choice 1"]);
    assert_eq!(story.tell("choose choice=2"), ["refused unknown_choice 2"]);
}

#[test]
fn the_fallback_chooses_at_the_deadline_and_where_nobody_is_named() {
    let mut story = with_a_choice(FLOOR);
    let answer = story.tell("@2200 advance");
    assert_eq!(answer[0], format!("2200{}", over(1, "deadline")));
    assert!(answer[1].contains("agent=1 "), "{answer:?}");
    let mut story = with_a_choice(FLOOR);
    let answer = story.tell("@2100 choose choice=1 agent=0");
    assert_eq!(answer[1], format!("2100{}", over(1, "left_to_fallback")));
}

#[test]
fn nothing_is_kept_meanwhile_and_who_is_not_eligible_does_not_count() {
    let mut story = with_a_choice(FLOOR);
    // Another queue's contact takes an agent who may be named.
    let other = story.tell("@2050 arrive channel=1 key=2 queue=2");
    assert!(other[3].contains("agent=1 "), "{other:?}");
    let answer = story.tell("@2100 choose choice=1 agent=1");
    assert_eq!(answer[1], format!("2100{}", over(2, "not_eligible")));
    let mut story = with_a_choice(FLOOR);
    let answer = story.tell("@2100 choose choice=1 agent=77");
    assert_eq!(answer[1], format!("2100{}", over(1, "not_eligible")));
}

#[test]
fn where_nobody_is_left_it_waits_on_and_asks_again_when_somebody_comes() {
    let mut story = with_a_choice(FLOOR);
    let gone = [
        "not_ready agent=1",
        "not_ready agent=2",
        "not_ready agent=3",
    ];
    let answer = story.after(gone, "@2100 choose choice=1 agent=2");
    assert_eq!(answer[1..], [format!("2100{}", over(0, "not_eligible"))]);
    let asked = story.tell("@3000 ready agent=2");
    assert_eq!(
        asked.last().map(String::as_str),
        Some("3000 choice_wanted choice=2 contact=1 channel=1 queue=1 deadline_ms=3200 agents=2")
    );
}

#[test]
fn a_freed_agent_leaves_it_to_whoever_is_asked() {
    let mut story = Player::configured(FLOOR);
    story.tell("@500 arrive channel=1 key=1 queue=1");
    story.tell("@600 arrive channel=1 key=2 queue=2");
    let asked = story.tell("@700 sign_in agent=2");
    assert!(
        asked[3].contains("choice_wanted choice=1 contact=1"),
        "{asked:?}"
    );
    // A choice is no offer: the agent takes what comes next.
    assert!(
        asked[4].contains("offer_made offer=1 contact=2"),
        "{asked:?}"
    );
    let nobody = story.tell("@900 advance");
    assert_eq!(nobody, [format!("900{}", over(0, "deadline"))]);
}

#[test]
fn whatever_else_happens_to_the_contact_ends_the_choice_without_a_word() {
    let mut story = with_a_choice(FLOOR);
    let answer = story.tell("@2100 abandon channel=1 contact=1");
    assert_eq!(
        answer[1..],
        ["2100 abandoned contact=1 channel=1 queue=1 agent=0"]
    );
    assert_eq!(story.tell("next_deadline"), ["-"]);
    let mut story = with_a_choice(FLOOR);
    // The same again is no change.
    assert_eq!(story.tell("@2100 change contact=1 queue=1"), ["ok"]);
    let answer = story.tell("@2100 change contact=1 queue=2");
    assert!(
        answer[2].contains("offer_made offer=1 contact=1"),
        "{answer:?}"
    );
    let mut story = with_a_choice(FLOOR);
    let answer = story.tell("@2100 change contact=1 head_start_ms=5");
    assert!(
        answer[2].contains("choice_wanted choice=2 contact=1"),
        "{answer:?}"
    );
    assert_eq!(
        story.tell("choose choice=1 agent=1"),
        ["refused unknown_choice 1"]
    );
}

#[test]
fn a_restart_and_a_configuration_ask_anew() {
    let mut story = with_a_choice(FLOOR);
    assert_eq!(story.tell("snapshot"), ["same"]);
    let answer = story.tell("@9000 restarted");
    assert_eq!(
        answer[1],
        "2500 relaxed contact=1 channel=1 queue=1 step=1 head_start_ms=0"
    );
    assert!(
        answer[3].contains("9000 choice_wanted choice=2 contact=1"),
        "{answer:?}"
    );
    let answer = story.tell(&format!(
        "configure\n{}",
        FLOOR.replace("queue 1 strategy=outside", "queue 1")
    ));
    assert!(
        answer[2].contains("offer_made offer=1 contact=1"),
        "{answer:?}"
    );
}

#[test]
fn steps_and_preferences_leave_a_choice_alone() {
    let mut story = Player::configured(&FLOOR.replace("choice_ms=200", "choice_ms=5000"));
    let arrive = "@2000 arrive channel=1 key=1 queue=1 preferred=2,3 preferred_wait_ms=1000";
    let asked = story.after(["@1000 sign_in agent=3", "sign_in agent=1"], arrive);
    assert!(asked[3].ends_with("deadline_ms=7000 agents=3"), "{asked:?}");
    let relaxed = story.tell("@2500 advance");
    assert_eq!(
        relaxed,
        ["2500 relaxed contact=1 channel=1 queue=1 step=1 head_start_ms=0"]
    );
    let lost = story.tell("@3000 advance");
    assert_eq!(
        lost,
        ["3000 preference_over contact=1 channel=1 queue=1 cause=deadline"]
    );
    let answer = story.tell("choose choice=1 agent=1");
    assert_eq!(answer[1], format!("3000{}", over(1, "chosen")));
}

#[test]
fn as_many_are_named_as_may_be_in_the_order_of_the_fallback() {
    let agents: String = (1..=70)
        .map(|id| format!("\n  agent {id} capacity=1:1"))
        .collect();
    let mut story = Player::configured(&format!(
        "  channel 1 instant\n  queue 1 strategy=outside fallback=ring_all{agents}"
    ));
    for agent in (1..=70).rev() {
        story.tell(&format!("@{} sign_in agent={agent}", 100 - agent));
    }
    let asked = story.tell("@2000 arrive channel=1 key=1 queue=1");
    let named = asked[3].split("agents=").nth(1).expect("agents");
    let named: Vec<u32> = named
        .split(',')
        .map(|id| id.parse().expect("an id"))
        .collect();
    assert!(named.iter().copied().eq((7..=70).rev()), "{named:?}");
    // Whoever else is eligible may be named, too; and one is rung, not all.
    let answer = story.tell("choose choice=1 agent=1");
    assert_eq!(answer.len(), 3, "{answer:?}");
    assert!(answer[2].contains("agent=1 "), "{answer:?}");
    let expired = story.tell("@22000 advance");
    assert!(expired[0].contains("offer_expired"), "{expired:?}");
}

#[test]
fn an_agent_who_accepts_at_once_does_so() {
    let mut story = with_a_choice(&FLOOR.replace("agent 2", "agent 2 auto_accept"));
    let answer = story.tell("@2100 choose choice=1 agent=2");
    assert_eq!(answer[4], "2100 engaged contact=1 channel=1 agent=2");
}

#[test]
fn while_a_choice_runs_that_is_why_nobody_gets_it() {
    let story = with_a_choice(FLOOR);
    let told = story.router.explain(1, 2).expect("an explanation");
    let failing: Vec<_> = told.checks.iter().filter(|check| !check.holds).collect();
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert_eq!(
        (failing[0].predicate.name(), failing[0].has),
        ("choosing", 2_200_000)
    );
    assert!(!told.eligible);
}

#[test]
fn before_the_offer_of_a_choice_its_pair_is_eligible() {
    let story = with_a_choice(FLOOR);
    let choose = router_core::Command::Choose {
        choice: 1,
        agent: 2,
    };
    let before = story.router.before_offer(2_100_000, vec![choose], 1);
    let told = before
        .and_then(|before| before.explain(1, 2))
        .expect("an explanation");
    assert!(told.eligible, "{told:?}");
}

#[test]
fn neither_the_fallback_nor_the_time_may_be_anything() {
    let mut story = Player::configured(FLOOR);
    for (was, is, refused) in [
        ("fallback=top_down", "fallback=outside", "bad_strategy 1"),
        ("choice_ms=200", "choice_ms=0.999", "bad_duration 999"),
        (
            "choice_ms=200",
            "choice_ms=10000.001",
            "bad_duration 10000001",
        ),
    ] {
        let answer = story.tell(&format!("configure\n{}", FLOOR.replace(was, is)));
        assert_eq!(answer, [format!("refused {refused}")]);
    }
}
