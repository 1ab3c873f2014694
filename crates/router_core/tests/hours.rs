//! Queues that are open, closing and closed.

#[allow(dead_code, reason = "each test uses a part")]
mod site;

use router_core::HoursState;
use router_core::explain::Predicate;
use site::Site;

const TWO: &str = "queue 1\n queue 2\n agent 1 capacity=1:1\n agent 2 capacity=1:1";

fn offers(site: &mut Site, lines: &str) -> Vec<String> {
    site.told(&["offer_made"], lines)
}

#[test]
fn a_closed_queue_keeps_its_contacts_and_serves_nobody() {
    let mut site = Site::new(TWO);
    site.all("arrive channel=1 key=1 queue=1\n arrive channel=1 key=2 queue=2");
    assert_eq!(
        site.run("hours queue=1 state=closed"),
        ["0 hours_changed queue=1 state=closed"]
    );
    // The agent takes the later contact of the queue that is open, the second agent nothing.
    let offered = offers(&mut site, "sign_in agent=1\n sign_in agent=2");
    assert_eq!(
        offered,
        ["0 offer_made offer=1 contact=2 channel=1 queue=2 agent=1 deadline_ms=20000 config=1"]
    );
    let again = offers(&mut site, "@1000 hours queue=1 state=open");
    assert_eq!(
        again,
        ["1000 offer_made offer=2 contact=1 channel=1 queue=1 agent=2 deadline_ms=21000 config=1"]
    );
}

#[test]
fn a_closing_queue_serves_who_waits_and_lets_nobody_in() {
    let mut site = Site::new(TWO);
    site.all("arrive channel=1 key=1 queue=1\n hours queue=1 state=closing");
    let told = site.run("arrive channel=1 key=2 queue=1");
    assert!(told[1].ends_with("blocked contact=2 channel=1 queue=1 cause=closed"));
    assert_eq!(offers(&mut site, "sign_in agent=1").len(), 1);
    // From closed to closing they are served too.
    site.all("hours queue=1 state=open\n arrive channel=1 key=3 queue=1");
    site.all("hours queue=1 state=closed");
    assert_eq!(offers(&mut site, "sign_in agent=2"), [""; 0]);
    assert_eq!(offers(&mut site, "hours queue=1 state=closing").len(), 1);
}

#[test]
fn what_is_so_already_is_no_event_and_what_is_not_known_is_refused() {
    let mut site = Site::new(TWO);
    assert_eq!(site.run("hours queue=1 state=open"), [""; 0]);
    assert_eq!(
        site.run("hours queue=3 state=open"),
        ["refused unknown_queue 3"]
    );
    assert_eq!(site.run("hours queue=1 state=closed id=5").len(), 1);
    assert_eq!(site.run("hours queue=1 state=open id=5"), [""; 0]);
    let view = site.router.overview();
    assert_eq!(view.queues[0].hours, HoursState::Closed);
    assert_eq!(view.queues[1].hours, HoursState::Open);
}

#[test]
fn nobody_is_passed_on_to_a_queue_that_is_not_open() {
    let mut site = Site::new(TWO);
    site.all(
        "sign_in agent=1\n arrive channel=1 key=1 queue=1\n accept agent=1 offer=1
         arrive channel=1 key=2 queue=1\n hours queue=2 state=closing",
    );
    let closed = ["refused queue_closed 2"];
    for command in [
        "transfer agent=1 contact=1 queue=2",
        "move contact=1 queue=2",
        "change contact=2 queue=2",
    ] {
        assert_eq!(site.run(command), closed, "{command}");
    }
    assert_eq!(
        site.run("transfer agent=1 contact=1 queue=3"),
        ["refused unknown_queue 3"]
    );
    // Where it is, it may be changed whatever the hours.
    site.all("hours queue=1 state=closed");
    let told = site.run("change contact=2 queue=1 head_start_ms=5000");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        site.run("move contact=1 queue=1"),
        ["refused queue_closed 1"]
    );
}

#[test]
fn open_offers_stay_and_whoever_comes_back_to_a_closed_queue_waits() {
    let mut site = Site::new(TWO);
    site.all("sign_in agent=1\n sign_in agent=2\n arrive channel=1 key=1 queue=1");
    site.all("hours queue=1 state=closed");
    let told = site.run("@1000 decline agent=1 offer=1");
    assert_eq!(told.len(), 2, "declined and queued, not offered: {told:?}");
    // The queue is hidden from the retry of attempted agents as well.
    assert_eq!(offers(&mut site, "@90000 advance"), [""; 0]);
    let offered = offers(&mut site, "@90000 hours queue=1 state=open");
    assert_eq!(offered.len(), 1, "{offered:?}");
}

#[test]
fn a_configuration_keeps_what_queues_were_told() {
    let mut site = Site::new(TWO);
    site.all("hours queue=1 state=closed\n hours queue=2 state=closing");
    site.all("arrive channel=1 key=1 queue=1");
    site.configure("queue 1\n agent 1 capacity=1:1");
    site.configure(TWO);
    let view = site.router.overview();
    assert_eq!(view.queues[0].hours, HoursState::Closed);
    assert_eq!(
        view.queues[1].hours,
        HoursState::Open,
        "configured anew, open"
    );
    assert_eq!(offers(&mut site, "sign_in agent=1"), [""; 0]);
}

#[test]
fn a_preference_and_a_stealth_agent_wait_for_the_hours_too() {
    let mut site = Site::new("queue 1\n agent 1 capacity=1:1\n agent 2 capacity=1:1 stealth");
    site.all("hours queue=1 state=closed");
    site.all("hours queue=1 state=open\n sign_in agent=1 ready=no");
    site.all("arrive channel=1 key=1 queue=1 preferred=1 preferred_wait_ms=60000");
    site.all("hours queue=1 state=closed\n sign_in agent=2");
    assert_eq!(offers(&mut site, "ready agent=1"), [""; 0]);
    let offered = offers(&mut site, "@1000 hours queue=1 state=open");
    assert_eq!(offered.len(), 1, "{offered:?}");
    assert!(offered[0].contains("agent=1"));
}

#[test]
fn an_explanation_says_so_first() {
    let mut site = Site::new(TWO);
    site.all("sign_in agent=1\n hours queue=1 state=closing");
    site.all("hours queue=1 state=open\n hours queue=1 state=closed");
    assert_eq!(site.router.explain(1, 1), None, "there is no contact");
    site.all("hours queue=1 state=open\n arrive channel=1 key=1 queue=1");
    site.all("hours queue=1 state=closed\n decline agent=1 offer=1");
    let told = site.router.explain(1, 1).expect("both are known");
    let first = told.checks[0];
    assert_eq!(first.predicate, Predicate::QueueOpen);
    assert_eq!(
        (first.holds, first.subject, first.has, first.needs),
        (false, 1, 2, 0)
    );
    assert!(!told.eligible);
}
