//! Scenario text to commands. Malformed text panics: it is a test's own mistake.

use std::collections::BTreeMap;

use router_core::{
    Command, CommandId, Demand, HoursState, KEEP_HEAD_START, Lower, NO_LIMIT, Need, Overflow,
    OverflowTo, OverflowWhen, ReleasedBy, Requirement, SkillLevel, SkillWeight, Step, Terms,
};

/// One command, what it must answer, and where it stands.
pub struct Block {
    pub line: usize,
    pub source: Vec<String>,
    pub expected: Vec<String>,
}

/// What a block asks.
pub enum Request {
    Command(Command),
    Advance,
    NextDeadline,
    Position(u64),
    Estimate(u64),
    StateHash,
    Snapshot,
    Check,
}

/// Splits a scenario into its blocks.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for (number, line) in text.lines().chain([""]).enumerate() {
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            continue;
        }
        if lines.is_empty() {
            continue;
        }
        let first = number + 1 - lines.len();
        let rest: Vec<String> = lines
            .drain(..)
            .skip_while(|line| line.starts_with('#'))
            .collect();
        let cut = rest.iter().position(|line| line == "----");
        let cut = cut.unwrap_or_else(|| panic!("line {first}: no line of ----"));
        let (source, expected) = (rest[..cut].to_vec(), rest[cut + 1..].to_vec());
        blocks.push(Block {
            line: first,
            source,
            expected,
        });
    }
    blocks
}

/// The time, if it is said, and the request.
pub fn request(source: &[String]) -> (Option<u64>, Request) {
    let mut words: Vec<&str> = source[0].split_whitespace().collect();
    let at = words[0].strip_prefix('@').map(micros);
    if at.is_some() {
        words.remove(0);
    }
    let mut given = Arguments::new(&words[1..]);
    let request = match words[0] {
        "advance" => Request::Advance,
        "next_deadline" => Request::NextDeadline,
        "position" => Request::Position(given.number("contact")),
        "estimate" => Request::Estimate(given.number("contact")),
        "state_hash" => Request::StateHash,
        "snapshot" => Request::Snapshot,
        "check" => Request::Check,
        "configure" => {
            let config = Box::new(super::config::read(&source[1..]));
            Request::Command(Command::Configure { config })
        }
        verb => Request::Command(command(verb, &mut given)),
    };
    given.done();
    (at, request)
}

/// The `k=v` words of a line; every one must be asked for.
pub struct Arguments<'a>(pub BTreeMap<&'a str, &'a str>);

impl<'a> Arguments<'a> {
    pub fn new(words: &[&'a str]) -> Self {
        let pair = |word: &&'a str| {
            word.split_once('=')
                .unwrap_or_else(|| panic!("{word}: no ="))
        };
        Self(words.iter().map(pair).collect())
    }

    pub fn get(&mut self, name: &str, default: &'a str) -> &'a str {
        self.0.remove(name).unwrap_or(default)
    }

    pub fn number(&mut self, name: &str) -> u64 {
        let text = self.0.remove(name).unwrap_or_else(|| panic!("no {name}="));
        u64::try_from(whole(text)).expect("a 64-bit number")
    }

    pub fn id(&mut self, name: &str) -> u32 {
        u32::try_from(self.number(name)).expect("a 32-bit id")
    }

    pub fn number_or(&mut self, name: &str, default: u32) -> u32 {
        if self.0.contains_key(name) {
            self.id(name)
        } else {
            default
        }
    }

    pub fn limit(&mut self, name: &str) -> u32 {
        match self.get(name, "-") {
            "-" => NO_LIMIT,
            text => text.parse().expect("a limit"),
        }
    }

    pub fn micros(&mut self, name: &str, default: &'a str) -> u64 {
        micros(self.get(name, default))
    }

    pub fn levels(&mut self, name: &str) -> Vec<SkillLevel> {
        let level = |(skill, level)| SkillLevel {
            skill,
            level: u8::try_from(level).expect("u8"),
        };
        pairs(self.get(name, "")).into_iter().map(level).collect()
    }

    pub fn ids(&mut self, name: &str) -> Vec<u32> {
        let text = self.get(name, "");
        if matches!(text, "" | "-" | "none") {
            return Vec::new();
        }
        let id = |text: &str| text.parse().expect("an id");
        text.split(',').map(id).collect()
    }

    pub fn requirement(&mut self) -> Requirement {
        let text = self.get("requires", "");
        if matches!(text, "" | "-" | "none") {
            return Requirement::default();
        }
        Requirement {
            alternatives: text.split('|').map(alternative).collect(),
        }
    }

    pub fn demand(&mut self) -> Demand {
        let weight = |(skill, weight)| SkillWeight {
            skill,
            weight: u8::try_from(weight).expect("u8"),
        };
        Demand {
            requires: self.requirement(),
            prefers: pairs(self.get("prefers", ""))
                .into_iter()
                .map(weight)
                .collect(),
            preferred: self.ids("preferred"),
            preferred_wait_us: self.micros("preferred_wait_ms", "0"),
            excludes: self.ids("excludes"),
            beyond_capacity: self.flag("beyond", "no"),
        }
    }

    pub fn terms(&mut self) -> Terms {
        Terms {
            place: if self.0.contains_key("place") {
                self.number("place")
            } else {
                0
            },
            not_before: self.micros("not_before_ms", "0"),
            reply_by: self.micros("reply_by_ms", "0"),
        }
    }

    pub fn step(&mut self) -> Step {
        let lower = |(skill, by)| Lower {
            skill,
            by: u8::try_from(by).expect("u8"),
        };
        Step {
            after_us: self.micros("after_ms", "0"),
            drop: self.ids("drop"),
            lower: pairs(self.get("lower", ""))
                .into_iter()
                .map(lower)
                .collect(),
            widen: self.ids("widen"),
            head_start_us: self.micros("head_start_ms", "0"),
        }
    }

    pub fn flag(&mut self, name: &str, default: &'a str) -> bool {
        match self.get(name, default) {
            "yes" => true,
            "no" => false,
            other => panic!("{name}={other}"),
        }
    }

    pub fn overflow(&mut self) -> Overflow {
        let (when, amount) = match self.get("when", "") {
            "size" => (OverflowWhen::Size, Some(self.number("contacts"))),
            "wait" => (OverflowWhen::Wait, Some(self.micros("after_ms", ""))),
            "estimate" => (OverflowWhen::Estimate, Some(self.micros("after_ms", ""))),
            "no_agent" => (OverflowWhen::NoAgent, None),
            "closed" => (OverflowWhen::Closed, None),
            "no_answer" => (OverflowWhen::NoAnswer, Some(self.number("offers"))),
            other => panic!("when={other}"),
        };
        let bare = self.get("threshold", "0").parse().expect("a number");
        let threshold = amount.unwrap_or(bare);
        let to_queue = self.0.contains_key("to");
        let (to_kind, to) = if to_queue {
            (OverflowTo::Queue, self.id("to"))
        } else {
            (OverflowTo::Target, self.id("target"))
        };
        Overflow {
            when,
            threshold,
            to_kind,
            to,
        }
    }

    pub fn command_id(&mut self) -> Option<CommandId> {
        self.0.remove("id").map(|text| whole(text).to_be_bytes())
    }

    pub fn done(&self) {
        assert!(self.0.is_empty(), "unknown: {:?}", self.0);
    }
}

/// A decimal or 0xhex number.
fn whole(text: &str) -> u128 {
    match text.strip_prefix("0x") {
        Some(hex) => u128::from_str_radix(hex, 16).expect("a hex number"),
        None => text.parse().unwrap_or_else(|e| panic!("{text}: {e}")),
    }
}

/// Milliseconds with up to three decimals.
pub fn micros(text: &str) -> u64 {
    let (ms, decimals) = text.split_once('.').unwrap_or((text, ""));
    assert!(decimals.len() <= 3, "{text}: at most three decimals");
    let ms: u64 = ms.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    ms * 1_000 + format!("{decimals:0<3}").parse::<u64>().expect("decimals")
}

/// `1:50,2:1`; nothing, `-` or `none` is none.
pub fn pairs(text: &str) -> Vec<(u32, u32)> {
    let entry = |entry: &str| {
        let (first, second) = entry
            .split_once(':')
            .unwrap_or_else(|| panic!("{entry}: no :"));
        (
            first.parse().expect("a number"),
            second.parse().expect("a number"),
        )
    };
    if matches!(text, "" | "-" | "none") {
        Vec::new()
    } else {
        text.split(',').map(entry).collect()
    }
}

/// `1:50,!2:30`; `-` has no needs.
fn alternative(text: &str) -> Vec<Need> {
    let need = |entry: &str| {
        let bare = entry.trim_start_matches('!');
        let (skill, level) = bare
            .split_once(':')
            .unwrap_or_else(|| panic!("{entry}: no :"));
        Need {
            skill: skill.parse().expect("a skill"),
            level: level.parse().expect("a level"),
            negated: bare != entry,
        }
    };
    text.split(',').filter(|e| *e != "-").map(need).collect()
}

#[rustfmt::skip]
fn command(verb: &str, given: &mut Arguments<'_>) -> Command {
    match verb {
        "restarted" => Command::Restarted,
        "arrive" => {
            let key = whole(given.get("key", "")).to_be_bytes();
            Command::Arrive {
                channel: given.id("channel"), key, queue: given.id("queue"),
                head_start_us: given.micros("head_start_ms", "0"),
                weight: given.number_or("weight", 1), demand: given.demand(), terms: given.terms(),
            }
        }
        "abandon" => Command::Abandon { channel: given.id("channel"), contact: given.number("contact") },
        "connected" => Command::Connected { channel: given.id("channel"), contact: given.number("contact") },
        "connect_failed" => Command::ConnectFailed { channel: given.id("channel"), contact: given.number("contact") },
        "sign_in" => {
            Command::SignIn { agent: given.id("agent"), ready: given.flag("ready", "yes"), command_id: given.command_id() }
        }
        "sign_out" => Command::SignOut { agent: given.id("agent"), command_id: given.command_id() },
        "ready" => Command::Ready { agent: given.id("agent"), command_id: given.command_id() },
        "not_ready" => Command::NotReady { agent: given.id("agent"), reason: given.number_or("reason", 0), command_id: given.command_id() },
        "unlock" => Command::Unlock { agent: given.id("agent"), command_id: given.command_id() },
        "accept" => Command::Accept { agent: given.id("agent"), offer: given.number("offer") },
        "decline" => Command::Decline { agent: given.id("agent"), offer: given.number("offer"), reason: given.number_or("reason", 0) },
        "end" => Command::End { agent: given.id("agent"), contact: given.number("contact") },
        "end_wrap_up" => Command::EndWrapUp { agent: given.id("agent"), contact: given.number("contact") },
        "transfer" => Command::Transfer {
            agent: given.id("agent"), contact: given.number("contact"), queue: given.id("queue"),
            head_start_us: given.micros("head_start_ms", "0"), demand: given.demand(),
        },
        "change" => {
            let head_start_us = if given.0.contains_key("head_start_ms") { given.micros("head_start_ms", "0") } else { KEEP_HEAD_START };
            let requires = given.0.contains_key("requires").then(|| given.requirement());
            Command::Change {
                contact: given.number("contact"), queue: given.number_or("queue", 0),
                head_start_us, requires, command_id: given.command_id(),
            }
        }
        "release" => {
            let by = match given.get("by", "supervisor") { "supervisor" => ReleasedBy::Supervisor, "engine" => ReleasedBy::Engine, other => panic!("by={other}") };
            Command::Release { contact: given.number("contact"), command_id: given.command_id(), by }
        }
        "hold" => Command::Hold { agent: given.id("agent"), contact: given.number("contact") },
        "resume" => Command::Resume { agent: given.id("agent"), contact: given.number("contact") },
        "park" => Command::Park { agent: given.id("agent"), contact: given.number("contact") },
        "unpark" => Command::Unpark { agent: given.id("agent"), contact: given.number("contact") },
        "invite" => Command::Invite {
            agent: given.id("agent"), contact: given.number("contact"), invitee: given.id("invitee"), command_id: given.command_id(),
        },
        "leave" => Command::Leave { agent: given.id("agent"), contact: given.number("contact") },
        "take_over" => Command::TakeOver { agent: given.id("agent"), contact: given.number("contact"), command_id: given.command_id() },
        "move" => Command::Move {
            contact: given.number("contact"), queue: given.id("queue"), head_start_us: given.micros("head_start_ms", "0"),
            requires: given.requirement(), command_id: given.command_id(),
        },
        "transfer_out" => Command::TransferOut { agent: given.id("agent"), contact: given.number("contact"), target: given.id("target") },
        "hours" => {
            let state = match given.get("state", "") {
                "open" => HoursState::Open, "closing" => HoursState::Closing, "closed" => HoursState::Closed, other => panic!("state={other}"),
            };
            Command::Hours { queue: given.id("queue"), state, command_id: given.command_id() }
        }
        "lease_lost" => Command::LeaseLost { agent: given.id("agent") },
        "choose" => Command::Choose { choice: given.number("choice"), agent: given.number_or("agent", 0) },
        other => panic!("unknown command {other}"),
    }
}
