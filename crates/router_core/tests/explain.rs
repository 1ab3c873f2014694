//! Explanations in random worlds: the conditions are `eligible` taken apart, and right before an
//! offer its pair is eligible and first.

#[allow(dead_code, reason = "the world is shared with the storm")]
mod world;

use router_core::explain::NAMED;
use router_core::{Command, Event, Limits, Router, Strategy};
use world::{AGENTS, Rng, mix, next_command, next_time};

const SEEDS: u64 = 12;
const STEPS: u64 = 300;

/// Calls `look` with the router before each step, the step's time and command, and its events.
fn storm(seed: u64, mut look: impl FnMut(&Router, u64, Command, &[Event], &Router)) {
    let mut rng = Rng(mix(seed));
    let mut router = Router::new(Limits::default());
    for step in 0..STEPS {
        let command = if step == 0 {
            Command::Configure {
                config: Box::new(world::configs::random(&mut rng)),
            }
        } else {
            next_command(&mut rng, &router)
        };
        let at = next_time(&mut rng, &router);
        let before = router.clone();
        let mut events = Vec::new();
        // Refused commands are part of a storm.
        let _ = router.apply(at, command.clone(), &mut events);
        look(&before, at, command, &events, &router);
    }
}

#[test]
fn the_conditions_are_eligible_taken_apart() {
    let (mut pairs, mut failing) = (0, std::collections::BTreeSet::new());
    for seed in 0..3 * SEEDS {
        storm(seed, |_, _, _, _, router| {
            let hash = router.state_hash();
            let newest = router.overview().next_contact;
            for contact in newest.saturating_sub(12)..newest {
                for told in (1..=AGENTS).filter_map(|agent| router.explain(contact, agent)) {
                    pairs += 1;
                    // Nothing waits for an agent that could take it, and all conditions say so.
                    assert!(!told.eligible);
                    assert!(told.checks.iter().any(|check| !check.holds), "{told:?}");
                    assert_eq!((told.candidates, told.agents_ahead), (0, 0));
                    assert!(told.contacts_ahead <= told.rivals);
                    assert!(told.ahead.len() <= NAMED);
                    let fails = told.checks.iter().filter(|check| !check.holds);
                    failing.extend(fails.map(|check| check.predicate));
                }
            }
            assert_eq!(router.state_hash(), hash);
        });
    }
    assert!(pairs > 10_000, "{pairs}");
    assert_eq!(failing.len(), 21, "{failing:?}");
}

#[test]
fn right_before_an_offer_its_pair_is_eligible_and_first() {
    let mut choices = 0;
    for seed in 100..100 + SEEDS {
        storm(seed, |before, at, command, events, _| {
            for event in events {
                let &Event::OfferMade {
                    at: made,
                    offer,
                    contact,
                    agent,
                    ..
                } = event
                else {
                    continue;
                };
                choices += 1;
                let then = before
                    .before_offer(at, vec![command.clone()], offer)
                    .expect("the command makes the offer again");
                assert_eq!(then.now(), made);
                let told = then.explain(contact, agent).expect("both are known");
                assert!(told.eligible && told.checks.iter().all(|check| check.holds));
                assert!(told.best.contains(&told.key));
                // Ringing goes past the first agent, who may have better contacts to take.
                let rings = told.key.strategy == Strategy::RingAll;
                assert!(rings || told.agents_ahead == 0 || told.contacts_ahead == 0);
                assert_eq!(told.best[told.agents_ahead as usize], told.key);
            }
            assert!(before.before_offer(at, vec![command], u64::MAX).is_none());
        });
    }
    assert!(choices > 300, "{choices}");
}

#[test]
fn what_is_not_known_is_not_explained() {
    let router = Router::new(Limits::default());
    assert_eq!(router.explain(1, 1), None);
    assert!(router.before_offer(5, vec![], 1).is_none());
}
