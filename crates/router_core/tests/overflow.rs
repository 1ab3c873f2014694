//! Contacts that leave a queue by its rules.

#[allow(dead_code, reason = "each test uses a part")]
mod site;

use router_core::{Outcome, Router};
use site::Site;

const KINDS: [&str; 4] = ["overflowed", "queued", "offer_made", "blocked"];

fn site(rules: &str) -> Site {
    Site::new(&format!(
        "queue 1\n queue 2 max=2\n queue 3\n {rules}\n agent 1 skills=1:50 capacity=1:1"
    ))
}

/// Who has gone where, and why.
fn gone(site: &mut Site, lines: &str) -> Vec<String> {
    let short = |line: String| {
        let words = line.split(' ').skip(2);
        let words = words.filter(|word| !word.starts_with("channel="));
        words.collect::<Vec<_>>().join(" ")
    };
    let all = site.told(&["overflowed"], lines).into_iter();
    all.map(short).collect()
}

fn queue_of(router: &Router, contact: u64) -> u32 {
    router.contact(contact).map_or(0, |live| live.queue)
}

#[test]
fn size_lets_go_who_comes_in_beyond_it() {
    let mut site = site("overflow queue=1 when=size contacts=2 to=2");
    let told = gone(
        &mut site,
        "arrive channel=1 key=1 queue=1\n arrive channel=1 key=2 queue=1
         arrive channel=1 key=3 queue=1\n arrive channel=1 key=4 queue=1
         arrive channel=1 key=5 queue=1",
    );
    // Two go; then the other queue is full, and the rule leads nowhere.
    let expected = [
        "contact=3 queue=1 cause=size to_kind=queue to=2",
        "contact=4 queue=1 cause=size to_kind=queue to=2",
    ];
    assert_eq!(told, expected);
    assert_eq!(queue_of(&site.router, 5), 1);
}

#[test]
fn who_goes_elsewhere_keeps_its_place_and_is_matched_there() {
    let mut site = Site::new(
        "queue 1 requires=2:1\n queue 2\n agent 1 skills=1:50 capacity=1:1
         overflow queue=1 when=wait after_ms=10000 to=2",
    );
    site.all("sign_in agent=1\n arrive channel=1 key=1 queue=1 head_start_ms=500");
    let told = site.told(&KINDS, "@20000 advance");
    let expected = [
        "10000 overflowed contact=1 channel=1 queue=1 cause=wait to_kind=queue to=2",
        "10000 queued contact=1 channel=1 queue=2 tier=2 enqueued_at_ms=0 head_start_ms=500 cause=overflow",
        "10000 offer_made offer=1 contact=1 channel=1 queue=2 agent=1 deadline_ms=30000 config=1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_wait_that_is_over_already_is_looked_at_once_on_entry() {
    let mut site = site(
        "overflow queue=1 when=wait after_ms=10000 to=2
         overflow queue=2 when=wait after_ms=5000 to=3\n overflow queue=2 when=wait after_ms=15000 to=3",
    );
    site.all("hours queue=3 state=closing\n arrive channel=1 key=1 queue=1");
    // On entry the first rule of queue 2 is over, but leads nowhere; it is not looked at again.
    assert_eq!(gone(&mut site, "@10000 advance").len(), 1);
    assert_eq!(site.router.next_deadline(), Some(15_000_000));
    site.all("@11000 hours queue=3 state=open");
    assert_eq!(gone(&mut site, "@14999 advance"), [""; 0]);
    assert_eq!(
        gone(&mut site, "@15000 advance"),
        ["contact=1 queue=2 cause=wait to_kind=queue to=3"]
    );
}

#[test]
fn a_wait_that_fell_due_during_an_offer_is_looked_at_after_its_return() {
    let mut site = site("overflow queue=1 when=wait after_ms=5000 to=3");
    site.all("sign_in agent=1\n arrive channel=1 key=1 queue=1");
    assert_eq!(gone(&mut site, "@19999 advance"), [""; 0]);
    assert_eq!(
        gone(&mut site, "@20000 advance"),
        ["contact=1 queue=1 cause=wait to_kind=queue to=3"]
    );
}

#[test]
fn four_times_and_no_more() {
    let mut site = site(
        "overflow queue=1 when=no_agent to=2\n overflow queue=2 when=no_agent to=1
         overflow queue=2 when=wait after_ms=1000 to=1",
    );
    let told = gone(&mut site, "arrive channel=1 key=1 queue=1");
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(queue_of(&site.router, 1), 1);
    assert_eq!(site.router.next_deadline(), None, "no rule waits for it");
    // Its life long: a transfer does not count it anew.
    site.all("sign_in agent=1");
    site.all("accept agent=1 offer=1\n transfer agent=1 contact=1 queue=2");
    assert_eq!(gone(&mut site, "sign_out agent=1\n @9000 advance"), [""; 0]);
}

#[test]
fn the_first_rule_that_leads_somewhere_wins() {
    let mut site = site(
        "overflow queue=1 when=no_agent to=3\n overflow queue=1 when=size contacts=1 target=2
         overflow queue=1 when=no_agent target=1",
    );
    site.all("hours queue=3 state=closed");
    let told = gone(&mut site, "arrive channel=1 key=1 queue=1");
    assert_eq!(
        told,
        ["contact=1 queue=1 cause=no_agent to_kind=target to=1"]
    );
    let over = site.router.ended(1).expect("it is over");
    assert_eq!((over.outcome, over.last_agent), (Outcome::Overflowed, 0));
    site.all("hours queue=3 state=open");
    let told = gone(&mut site, "arrive channel=1 key=2 queue=1");
    assert_eq!(
        told,
        ["contact=2 queue=1 cause=no_agent to_kind=queue to=3"]
    );
}

#[test]
fn an_agent_who_is_signed_in_is_one_ready_or_not_tried_or_not() {
    let rules = "overflow queue=1 when=no_agent target=1";
    let mut site = Site::new(&format!(
        "queue 1 requires=1:40\n {rules}\n agent 1 skills=1:50 capacity=1:1
         agent 2 capacity=1:1\n agent 3 skills=1:50 capacity=1:1 stealth"
    ));
    // The second agent is not able; one who is leaving is none.
    site.all("sign_in agent=2\n sign_in agent=1 ready=no");
    assert_eq!(gone(&mut site, "arrive channel=1 key=1 queue=1"), [""; 0]);
    assert_eq!(
        gone(&mut site, "arrive channel=1 key=2 queue=1 excludes=1").len(),
        1
    );
    assert_eq!(
        gone(&mut site, "sign_in agent=3 ready=no\n sign_out agent=1"),
        [""; 0]
    );
    assert_eq!(gone(&mut site, "sign_out agent=3").len(), 1, "a bot is one");
}

#[test]
fn whoever_leaves_last_sends_all_away_by_place() {
    let mut site =
        site("overflow queue=1 when=no_agent to=3\n overflow queue=2 when=no_agent target=1");
    site.all(
        "sign_in agent=1 ready=no\n arrive channel=1 key=1 queue=1\n @1 arrive channel=1 key=2 queue=2
         @2 arrive channel=1 key=3 queue=1 head_start_ms=5000",
    );
    let told = gone(&mut site, "@3 sign_out agent=1");
    let expected = [
        "contact=3 queue=1 cause=no_agent to_kind=queue to=3",
        "contact=1 queue=1 cause=no_agent to_kind=queue to=3",
        "contact=2 queue=2 cause=no_agent to_kind=target to=1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_configuration_looks_for_agents_too() {
    let mut site = site("");
    site.all("arrive channel=1 key=1 queue=1");
    let told = site.configure(
        "queue 1\n queue 2\n overflow queue=1 when=no_agent to=2\n agent 1 capacity=1:1",
    );
    assert!(told[1].contains("overflowed contact=1"), "{told:?}");
}

#[test]
fn a_long_estimate_leads_elsewhere_on_entry() {
    let mut site = site("overflow queue=1 when=estimate after_ms=200000 to=3");
    // Without anybody at work there is no estimate.
    assert_eq!(gone(&mut site, "arrive channel=1 key=1 queue=1"), [""; 0]);
    site.all("sign_in agent=1\n arrive channel=1 key=2 queue=1");
    let mean = site.router.estimate(2).expect("an estimate").mean_us;
    assert!(mean <= 200_000_000, "{mean}");
    assert_eq!(queue_of(&site.router, 2), 1);
    let told = gone(&mut site, "arrive channel=1 key=3 queue=1");
    assert_eq!(
        told,
        ["contact=3 queue=1 cause=estimate to_kind=queue to=3"]
    );
}

#[test]
fn unanswered_offers_lead_elsewhere() {
    let mut site = site("overflow queue=1 when=no_answer offers=2 to=3");
    site.all("sign_in agent=1\n arrive channel=1 key=1 queue=1");
    assert_eq!(gone(&mut site, "decline agent=1 offer=1"), [""; 0]);
    // It is asked again after five seconds, and the offer expires.
    let told = site.told(&KINDS, "@25000 advance");
    let expected = [
        "5000 offer_made offer=2 contact=1 channel=1 queue=1 agent=1 deadline_ms=25000 config=1",
        "25000 queued contact=1 channel=1 queue=1 tier=2 enqueued_at_ms=0 head_start_ms=0 cause=offer_ended",
        "25000 overflowed contact=1 channel=1 queue=1 cause=no_answer to_kind=queue to=3",
        "25000 queued contact=1 channel=1 queue=3 tier=2 enqueued_at_ms=0 head_start_ms=0 cause=overflow",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_last_offer_that_is_withdrawn_looks_at_nothing() {
    let mut site = Site::new(
        "queue 1 strategy=ring_all\n queue 2\n overflow queue=1 when=no_answer offers=1 to=2
         agent 1 capacity=1:1\n agent 2 capacity=1:1",
    );
    site.all("sign_in agent=1\n sign_in agent=2\n arrive channel=1 key=1 queue=1");
    assert_eq!(gone(&mut site, "decline agent=1 offer=1"), [""; 0]);
    assert_eq!(gone(&mut site, "not_ready agent=2"), [""; 0]);
    assert_eq!(queue_of(&site.router, 1), 1);
    assert_eq!(
        gone(&mut site, "@5000 ready agent=2\n decline agent=2 offer=3").len(),
        1
    );
}

#[test]
fn an_arrival_at_a_closed_queue_goes_elsewhere_before_it_is_queued() {
    let mut site =
        site("overflow queue=1 when=closed to=2\n overflow queue=1 when=closed target=2");
    site.all("hours queue=1 state=closing");
    let told = site.run("@7 arrive channel=1 key=1 queue=1 head_start_ms=3");
    let expected = [
        "7 arrived contact=1 channel=1 key=1 queue=1 weight=1",
        "7 overflowed contact=1 channel=1 queue=1 cause=closed to_kind=queue to=2",
        "7 queued contact=1 channel=1 queue=2 tier=2 enqueued_at_ms=7 head_start_ms=3 cause=overflow",
    ];
    assert_eq!(told, expected);
    // The second one is offered from the other queue; the third finds it full, whoever is free.
    site.all("arrive channel=1 key=2 queue=2");
    let told = gone(&mut site, "arrive channel=1 key=3 queue=1");
    assert_eq!(told, ["contact=3 queue=1 cause=closed to_kind=target to=2"]);
    assert_eq!(
        site.router.ended(3).map(|over| over.outcome),
        Some(Outcome::Overflowed)
    );
}

#[test]
fn a_full_site_lets_a_closed_queue_s_arrivals_nowhere_but_out() {
    let mut site = Site::new(
        "routing max_waiting=1\n queue 1\n queue 2\n overflow queue=1 when=closed to=2
         agent 1 capacity=1:1",
    );
    site.all("hours queue=1 state=closed\n arrive channel=1 key=1 queue=2");
    let told = site.told(&KINDS, "arrive channel=1 key=2 queue=1");
    assert_eq!(told, ["0 blocked contact=2 channel=1 queue=1 cause=closed"]);
}

#[test]
fn a_queue_that_closes_lets_go_by_place_as_long_as_there_is_room() {
    let mut site = site("overflow queue=1 when=closed to=2");
    site.all(
        "arrive channel=1 key=1 queue=1\n arrive channel=1 key=2 queue=1 head_start_ms=1000
         arrive channel=1 key=3 queue=1\n hours queue=1 state=closing",
    );
    let told = gone(&mut site, "hours queue=1 state=closed");
    let expected = [
        "contact=2 queue=1 cause=closed to_kind=queue to=2",
        "contact=1 queue=1 cause=closed to_kind=queue to=2",
    ];
    assert_eq!(told, expected);
    assert_eq!(queue_of(&site.router, 3), 1);
}

#[test]
fn steps_and_tries_go_along_but_count_from_the_beginning() {
    let mut site = Site::new(
        "queue 1 requires=1:90\n step queue=1 after_ms=1000 head_start_ms=500\n queue 2
         overflow queue=1 when=wait after_ms=30000 to=2\n step queue=2 after_ms=40000 lower=1:10
         agent 1 capacity=1:1 skills=1:95",
    );
    site.all("sign_in agent=1\n arrive channel=1 key=1 queue=1\n @2000 decline agent=1 offer=1");
    // Tried at 2 s, asked again at 7 s, not answered at 27 s, again at 32 s.
    let told = site.told(&["queued", "relaxed", "offer_made"], "@50000 advance");
    let expected = [
        "2000 relaxed contact=1 channel=1 queue=1 step=1 head_start_ms=500",
        "7000 offer_made offer=2 contact=1 channel=1 queue=1 agent=1 deadline_ms=27000 config=1",
        "27000 queued contact=1 channel=1 queue=1 tier=2 enqueued_at_ms=0 head_start_ms=500 cause=offer_ended",
        "30000 queued contact=1 channel=1 queue=2 tier=2 enqueued_at_ms=0 head_start_ms=500 cause=overflow",
        "32000 offer_made offer=3 contact=1 channel=1 queue=2 agent=1 deadline_ms=52000 config=1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_restart_moves_by_time_and_looks_at_the_rest_at_its_end() {
    let mut site = site(
        "overflow queue=1 when=wait after_ms=10000 to=2\n overflow queue=2 when=no_agent to=3",
    );
    site.all("arrive channel=1 key=1 queue=1");
    let told = site.told(&["overflowed", "restarted"], "@60000 restarted");
    let expected = [
        "10000 overflowed contact=1 channel=1 queue=1 cause=wait to_kind=queue to=2",
        "60000 restarted",
        "60000 overflowed contact=1 channel=1 queue=2 cause=no_agent to_kind=queue to=3",
    ];
    assert_eq!(told, expected);
}

#[test]
fn rules_that_make_no_sense_are_refused_by_index() {
    let mut site = site("");
    for (rules, refused) in [
        ("overflow queue=1 when=closed to=9", "unknown_queue 9"),
        ("overflow queue=1 when=closed target=3", "unknown_target 3"),
        (
            "overflow queue=1 when=closed to=2\n overflow queue=1 when=closed to=1",
            "bad_overflow 1",
        ),
        (
            "overflow queue=1 when=size contacts=0 to=2",
            "bad_overflow 0",
        ),
        (
            "overflow queue=1 when=wait after_ms=86400000.001 to=2",
            "bad_overflow 0",
        ),
        (
            "overflow queue=1 when=estimate after_ms=0 to=2",
            "bad_overflow 0",
        ),
        (
            "overflow queue=1 when=no_answer offers=1001 to=2",
            "bad_overflow 0",
        ),
        (
            "overflow queue=1 when=no_agent threshold=1 to=2",
            "bad_overflow 0",
        ),
    ] {
        let told = site.configure(&format!("queue 1\n queue 2\n {rules}"));
        assert_eq!(told, [format!("refused {refused}")], "{rules}");
    }
    let nine = "overflow queue=1 when=closed to=99\n".repeat(9);
    let told = site.configure(&format!("queue 1\n {nine}"));
    assert_eq!(told, ["refused bad_overflow 8"]);
}
