//! What is told of demands is what decides: each stated fix, applied to a copy, makes its condition
//! hold.

#[allow(dead_code, reason = "the world is shared with the storm")]
mod world;

use std::collections::BTreeMap;

use router_core::explain::{Check, Predicate};
use router_core::{
    AgentConfig, AgentId, Command, Config, ContactId, ContactState, Limits, Router, SECOND,
    SkillLevel,
};
use world::{AGENTS, Rng, mix, next_command, next_time};

const SEEDS: u64 = 4;
const STEPS: u64 = 300;

/// Calls `look` with every failing condition of a waiting contact, and a router to try things on.
fn failing(seed: u64, mut look: impl FnMut(&Router, ContactId, AgentId, &[Check])) {
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
        // Refused commands are part of a storm.
        let _ = router.apply(at, command, &mut Vec::new());
        let newest = router.overview().next_contact;
        for contact in newest.saturating_sub(6)..newest {
            for agent in (1..=AGENTS).filter(|_| waits(&router, contact)) {
                if let Some(told) = router.explain(contact, agent) {
                    let fails = told.checks.into_iter().filter(|check| !check.holds);
                    look(&router, contact, agent, &fails.collect::<Vec<_>>());
                }
            }
        }
    }
}

fn waits(router: &Router, contact: ContactId) -> bool {
    let live = router.contact(contact);
    live.is_some_and(|live| live.state == ContactState::Waiting)
}

/// A copy after one more command, which must be accepted.
fn after(router: &Router, command: Command) -> Router {
    let mut copy = router.clone();
    let at = copy.now();
    let done = copy.apply(at, command, &mut Vec::new());
    assert!(done.is_ok(), "{done:?}");
    copy
}

fn check_of(router: &Router, contact: ContactId, agent: AgentId, which: Predicate) -> Vec<Check> {
    let told = router.explain(contact, agent);
    let checks = told.map(|told| told.checks).unwrap_or_default();
    checks
        .into_iter()
        .filter(|c| c.predicate == which)
        .collect()
}

/// The levels that an agent would have with everything mended; `None` = two of them contradict.
fn mended(agent: &AgentConfig, checks: &[Check]) -> Option<Vec<SkillLevel>> {
    let has = agent.skills.iter().map(|has| (has.skill, has.level));
    let mut levels: BTreeMap<u32, u8> = has.collect();
    let (mut least, mut most) = (BTreeMap::new(), BTreeMap::new());
    for check in checks {
        let level = check.needs as u8;
        if is_skill(check) {
            let least = least.entry(check.subject).or_insert(0);
            *least = level.max(*least);
        } else if is_not_skill(check) {
            let most = most.entry(check.subject).or_insert(100);
            *most = (level - 1).min(*most);
        }
    }
    for (&skill, &level) in &least {
        levels.insert(skill, level);
    }
    for (&skill, &level) in &most {
        levels.insert(skill, level);
    }
    levels.retain(|_, level| *level > 0);
    let sensible = least.keys().all(|skill| !most.contains_key(skill));
    let list = levels
        .into_iter()
        .map(|(skill, level)| SkillLevel { skill, level });
    sensible.then(|| list.collect())
}

fn is_skill(check: &Check) -> bool {
    matches!(
        check.predicate,
        Predicate::QueueSkill | Predicate::ContactSkill
    )
}

fn is_not_skill(check: &Check) -> bool {
    matches!(
        check.predicate,
        Predicate::QueueNotSkill | Predicate::ContactNotSkill
    )
}

fn with_skills(config: &Config, agent: AgentId, skills: Vec<SkillLevel>) -> Command {
    let mut config = config.clone();
    let known = config.agents.iter_mut().find(|one| one.id == agent);
    known
        .expect("an agent that is explained is configured")
        .skills = skills;
    Command::Configure {
        config: Box::new(config),
    }
}

#[test]
fn with_the_stated_levels_the_requirement_is_met() {
    let (mut tried, mut negated) = (0, 0);
    for seed in 0..SEEDS {
        failing(seed, |router, contact, agent, checks| {
            if !checks
                .iter()
                .any(|check| is_skill(check) || is_not_skill(check))
            {
                return;
            }
            let config = router.config().expect("there are contacts");
            let known = config.agents.iter().find(|one| one.id == agent);
            let known = known.expect("an agent that is explained is configured");
            // What holds now must go on to hold beside what is mended.
            let all = router
                .explain(contact, agent)
                .expect("just explained")
                .checks;
            let Some(skills) = mended(known, checks).filter(|new| agrees(new, &all)) else {
                return;
            };
            tried += 1;
            negated += usize::from(checks.iter().any(is_not_skill));
            let then = after(router, with_skills(config, agent, skills));
            let told = then.explain(contact, agent).expect("both are still known");
            let left = told.checks.iter().filter(|check| !check.holds);
            let left: Vec<&Check> = left.filter(|c| is_skill(c) || is_not_skill(c)).collect();
            assert!(left.is_empty(), "{checks:?} and then {left:?}");
        });
    }
    assert!(tried > 500 && negated > 20, "{tried} {negated}");
}

/// Whether these levels still meet what held before.
fn agrees(skills: &[SkillLevel], checks: &[Check]) -> bool {
    checks.iter().filter(|check| check.holds).all(|check| {
        let has = skills.iter().find(|has| has.skill == check.subject);
        let has = has.map_or(0, |has| u64::from(has.level));
        (!is_skill(check) || has >= check.needs) && (!is_not_skill(check) || has < check.needs)
    })
}

#[test]
fn without_the_humans_who_are_named_the_contact_is_the_bot_s() {
    let mut tried = 0;
    for seed in 20..20 + 3 * SEEDS {
        failing(seed, |router, contact, agent, checks| {
            let mut then = router.clone();
            let mut named = checks
                .iter()
                .find(|c| c.predicate == Predicate::NoHuman)
                .copied();
            while let Some(human) = named {
                tried += 1;
                let leaves = Command::SignOut {
                    agent: human.subject,
                    command_id: None,
                };
                then = after(&then, leaves);
                if !waits(&then, contact) {
                    break;
                }
                let told = check_of(&then, contact, agent, Predicate::NoHuman);
                assert!(told.iter().all(|next| next.subject != human.subject));
                named = told.into_iter().find(|next| !next.holds);
            }
        });
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn at_the_time_that_is_named_nobody_is_preferred() {
    let (mut tried, mut later) = (0, 0);
    for seed in 40..40 + 6 * SEEDS {
        failing(seed, |router, contact, agent, checks| {
            let told = checks.iter().find(|c| c.predicate == Predicate::Preferred);
            // Far ahead stand thousands of announcements, each of which would be fired for every pair.
            let near = |until| until < router.now() + 30 * SECOND;
            let Some(preferred) = told.filter(|told| near(told.has)) else {
                return;
            };
            tried += 1;
            let mut before = router.clone();
            before.advance(preferred.has.saturating_sub(1), &mut Vec::new());
            // Whom it prefers may have tried it by then, and gone.
            later += check_of(&before, contact, agent, Predicate::Preferred).len();
            let mut then = router.clone();
            // One that came back after that time is looked at as soon as time passes.
            then.advance(preferred.has.max(router.now()), &mut Vec::new());
            if waits(&then, contact) {
                let told = check_of(&then, contact, agent, Predicate::Preferred);
                assert_eq!(told, []);
            }
        });
    }
    assert!(tried > 100 && later > 20, "{tried} {later}");
}

#[test]
fn who_is_excluded_is_told_so() {
    let (mut told, mut failed) = (0, 0);
    for seed in 60..60 + SEEDS {
        failing(seed, |router, contact, agent, _| {
            for check in check_of(router, contact, agent, Predicate::NotExcluded) {
                told += 1;
                failed += usize::from(!check.holds);
            }
        });
    }
    assert!(told > failed && failed > 100, "{told} {failed}");
}
