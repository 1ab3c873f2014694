//! Random commands over a small floor, with every invariant checked after every one of them.
//! `STORM_SEEDS` and `STORM_STEPS` make it longer; `STORM_FIRST` begins at another seed.
//!
//! In debug builds every single choice is also compared with a naive scan of everybody.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Write};

use router_core::explain::{Check, Predicate};
use router_core::{Code, Command, ContactId, Event, Limits, RestoreError, Router};
use world::{Rng, mix, next_command, next_time};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(default, |value| value.parse().expect("a number"))
}

fn seeds() -> std::ops::Range<u64> {
    let first = setting("STORM_FIRST", 0);
    first..first + setting("STORM_SEEDS", 20)
}

fn limits() -> Limits {
    Limits {
        max_contacts: 30,
        max_remembered_offers: 50,
        max_remembered_commands: 8,
        ..Limits::default()
    }
}

/// One router that only applies, and others that must come to the same.
struct Storm {
    rng: Rng,
    /// Only ever applies, and is replaced by its own snapshot now and then.
    plain: Router,
    /// Is advanced in many steps before it applies.
    stepped: Router,
    /// Contacts that are for whom they prefer, whatever that agent holds.
    beyond: BTreeSet<ContactId>,
    counts: Counts,
}

/// How often a storm has met what there is.
#[derive(Default)]
struct Counts {
    /// Accepted and refused.
    commands: BTreeMap<String, (u64, u64)>,
    answers: BTreeMap<&'static str, u64>,
    events: BTreeMap<String, u64>,
    /// Offers that were made although units or exclusivity spoke against them, by condition.
    beyond: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn add(&mut self, other: Self) {
        for (name, (accepted, refused)) in other.commands {
            let sum = self.commands.entry(name).or_default();
            *sum = (sum.0 + accepted, sum.1 + refused);
        }
        for (name, count) in other.answers {
            *self.answers.entry(name).or_default() += count;
        }
        for (name, count) in other.events {
            *self.events.entry(name).or_default() += count;
        }
        for (name, count) in other.beyond {
            *self.beyond.entry(name).or_default() += count;
        }
    }

    fn print(&self) {
        let total: u64 = self.commands.values().map(|(ok, no)| ok + no).sum();
        println!("{total} commands (accepted, refused): {:?}", self.commands);
        println!("answers: {:?}", self.answers);
        println!("events: {:?}", self.events);
        println!("beyond the capacity: {:?}", self.beyond);
    }
}

/// The variant's name: what its debug form begins with.
fn name_of(value: &impl Debug) -> String {
    struct Word(String);
    impl Write for Word {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_alphanumeric());
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            end.map_or(Ok(()), |_| Err(fmt::Error))
        }
    }
    let mut word = Word(String::new());
    // Its own error says that the word is whole.
    let _ = write!(word, "{value:?}");
    word.0
}

impl Storm {
    fn new(seed: u64) -> Self {
        let router = Router::new(limits());
        Self {
            rng: Rng(mix(seed)),
            plain: router.clone(),
            stepped: router,
            beyond: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    fn step(&mut self, first: bool) {
        let command = if first {
            Command::Configure {
                config: Box::new(world::configs::random(&mut self.rng)),
            }
        } else {
            next_command(&mut self.rng, &self.plain)
        };
        let at = next_time(&mut self.rng, &self.plain);
        let before = self.plain.clone();
        let (mut events, mut stepped) = (Vec::new(), Vec::new());
        let result = self.plain.apply(at, command.clone(), &mut events);
        self.plain.check();
        // A restart withdraws offers as of the last thing that happened; and after a shorter memory
        // is configured, even advancing to the very same time forgets.
        if command != Command::Restarted && at >= self.stepped.now() {
            self.advance_in_steps(at, &mut stepped);
        }
        assert_eq!(
            self.stepped.apply(at, command.clone(), &mut stepped),
            result,
            "{command:?}"
        );
        assert_eq!(
            stepped, events,
            "advancing often or late gives the same events"
        );
        assert_eq!(self.stepped.state_hash(), self.plain.state_hash());
        let tried = self.counts.commands.entry(name_of(&command)).or_default();
        match result {
            Ok(value) => {
                tried.0 += 1;
                *self.counts.answers.entry("ok").or_default() += 1;
                self.count_beyond(&before, (at, value), command, &events);
            }
            Err(refused) => {
                tried.1 += 1;
                *self.counts.answers.entry(refused.code.name()).or_default() += 1;
                self.assert_nothing_changed(before, at, refused.code, &events);
            }
        }
        assert!(
            events.iter().map(time_of).is_sorted(),
            "events come in the order of time"
        );
        for event in &events {
            *self.counts.events.entry(name_of(event)).or_default() += 1;
        }
        if self.rng.chance(10) {
            self.restore();
        }
    }

    fn advance_in_steps(&mut self, at: u64, out: &mut Vec<Event>) {
        for _ in 0..self.rng.below(5) {
            let now = self.stepped.now();
            let ahead = at.saturating_sub(now);
            let to = match self
                .stepped
                .next_deadline()
                .filter(|deadline| *deadline <= at)
            {
                Some(deadline) if self.rng.chance(50) => deadline,
                _ => now + self.rng.below(ahead + 1),
            };
            self.stepped.advance(to, out);
            self.stepped.check();
            self.stepped.advance(to.saturating_sub(1), out);
        }
    }

    /// Looks at the offers of contacts that go beyond capacities as the choice saw them.
    fn count_beyond(
        &mut self,
        before: &Router,
        (at, value): (u64, u64),
        command: Command,
        events: &[Event],
    ) {
        let asked = match &command {
            Command::Arrive { demand, .. } => Some((value, demand)),
            Command::Transfer {
                contact, demand, ..
            } => Some((*contact, demand)),
            _ => None,
        };
        let asked = asked.filter(|(_, demand)| demand.beyond_capacity);
        self.beyond.extend(asked.map(|(contact, _)| contact));
        for event in events {
            let Event::OfferMade {
                offer,
                contact,
                agent,
                ..
            } = *event
            else {
                continue;
            };
            if !self.beyond.contains(&contact) {
                continue;
            }
            let then = before.before_offer(at, vec![command.clone()], offer);
            let told = then.and_then(|then| then.explain(contact, agent));
            let told = told.expect("an offer that was made has a state before it");
            assert!(told.eligible && told.checks.iter().all(|check| check.holds));
            for check in told.checks.iter().filter(|check| is_against(check)) {
                let count = self.counts.beyond.entry(check.predicate.name());
                *count.or_default() += 1;
            }
        }
    }

    /// A refused command changes nothing but the clock.
    fn assert_nothing_changed(&self, mut before: Router, at: u64, code: Code, events: &[Event]) {
        let mut out = Vec::new();
        if code != Code::TimeBackwards {
            before.advance(at, &mut out);
        }
        assert_eq!(out, events);
        assert_eq!(before.state_hash(), self.plain.state_hash(), "{code:?}");
    }

    fn restore(&mut self) {
        let bytes = self.plain.snapshot();
        let restored = Router::restore(&bytes).expect("an own snapshot");
        restored.check();
        assert_eq!(restored.state_hash(), self.plain.state_hash());
        assert_eq!(restored.next_deadline(), self.plain.next_deadline());
        assert_eq!(restored.overview(), self.plain.overview());
        assert_eq!(
            restored.snapshot(),
            bytes,
            "a snapshot of a snapshot is the same"
        );
        self.plain = restored;
    }
}

/// What an agent holds speaks against the offer.
fn is_against(check: &Check) -> bool {
    match check.predicate {
        Predicate::Capacity => check.needs > check.has,
        Predicate::EmptyHands | Predicate::NoOffer | Predicate::NothingExclusive => check.has > 0,
        _ => false,
    }
}

fn time_of(event: &Event) -> u64 {
    // Every event begins with its time; its debug form is the one way to it that fits all.
    let text = format!("{event:?}");
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().expect("a time")
}

#[test]
fn every_invariant_holds_after_every_command() {
    let mut counts = Counts::default();
    for seed in seeds() {
        let mut storm = Storm::new(seed);
        for step in 0..setting("STORM_STEPS", 500) {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                storm.step(step == 0);
            }));
            if let Err(panic) = caught {
                println!("STORM_FIRST={seed} STORM_SEEDS=1, step {step}");
                std::panic::resume_unwind(panic);
            }
        }
        counts.add(storm.counts);
    }
    counts.print();
    let few = seeds().count() < 10;
    assert!(
        few || counts.events.len() == 51,
        "every kind of event: {:?}",
        counts.events
    );
    let accepted = counts.commands.values().filter(|(ok, _)| *ok > 0).count();
    assert!(
        few || accepted == 30,
        "every kind of command, accepted: {:?}",
        counts.commands
    );
    assert!(
        few || counts.beyond.len() == 4,
        "every condition was given way to: {:?}",
        counts.beyond
    );
}

/// The check sum of the snapshot format, so that what is behind it is tested too.
fn seal(bytes: &mut [u8]) {
    let body = bytes.len() - 8;
    let sum = bytes[..body].chunks(8).fold(body as u64, |sum, chunk| {
        let word = chunk
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        mix(sum ^ word)
    });
    bytes[body..].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_broken_snapshot_is_an_error() {
    let mut storm = Storm::new(1);
    (0..200).for_each(|step| storm.step(step == 0));
    let sound = storm.plain.snapshot();
    assert_eq!(Router::restore(&[]).err(), Some(RestoreError::NotASnapshot));
    for length in 0..sound.len() {
        assert!(
            Router::restore(&sound[..length]).is_err(),
            "cut at {length}"
        );
    }
    let mut other = sound.clone();
    other[8] = 9;
    assert_eq!(
        Router::restore(&other).err(),
        Some(RestoreError::UnknownVersion(9))
    );
    for at in 0..sound.len() {
        let mut broken = sound.clone();
        broken[at] ^= 1 << (mix(at as u64) % 8);
        assert!(Router::restore(&broken).is_err(), "flipped at {at}");
    }
}

#[test]
fn a_forged_snapshot_does_not_panic() {
    let mut rng = Rng(7);
    for seed in seeds() {
        let mut storm = Storm::new(seed);
        (0..60).for_each(|step| storm.step(step == 0));
        let sound = storm.plain.snapshot();
        let mut same = sound.clone();
        seal(&mut same);
        assert_eq!(same, sound, "the test knows the check sum");
        for _ in 0..200 {
            let mut forged = sound.clone();
            for _ in 0..=rng.below(2) {
                let at = 12 + rng.below(sound.len() as u64 - 20) as usize;
                forged[at] = if rng.chance(50) {
                    rng.next() as u8
                } else {
                    forged[at] ^ 1
                };
            }
            seal(&mut forged);
            // Either answer will do: some fields are nobody else's business (limits, names).
            let _ = Router::restore(&forged);
        }
    }
}
