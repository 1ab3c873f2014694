//! Scenario text to commands. Malformed text panics: it is a test's own mistake.

use std::collections::BTreeMap;

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Command, CommandId, Config, KEEP_HEAD_START,
    NO_LIMIT, Order, QueueConfig, SkillLevel, Strategy,
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
        "state_hash" => Request::StateHash,
        "snapshot" => Request::Snapshot,
        "check" => Request::Check,
        "configure" => {
            let config = Box::new(config(&source[1..]));
            Request::Command(Command::Configure { config })
        }
        verb => Request::Command(command(verb, &mut given)),
    };
    given.done();
    (at, request)
}

/// The `k=v` words of a line; every one must be asked for.
struct Arguments<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Arguments<'a> {
    fn new(words: &[&'a str]) -> Self {
        let pair = |word: &&'a str| {
            word.split_once('=')
                .unwrap_or_else(|| panic!("{word}: no ="))
        };
        Self(words.iter().map(pair).collect())
    }

    fn get(&mut self, name: &str, default: &'a str) -> &'a str {
        self.0.remove(name).unwrap_or(default)
    }

    fn number(&mut self, name: &str) -> u64 {
        let text = self.0.remove(name).unwrap_or_else(|| panic!("no {name}="));
        u64::try_from(whole(text)).expect("a 64-bit number")
    }

    fn id(&mut self, name: &str) -> u32 {
        u32::try_from(self.number(name)).expect("a 32-bit id")
    }

    fn number_or(&mut self, name: &str, default: u32) -> u32 {
        if self.0.contains_key(name) {
            self.id(name)
        } else {
            default
        }
    }

    fn limit(&mut self, name: &str) -> u32 {
        match self.get(name, "-") {
            "-" => NO_LIMIT,
            text => text.parse().expect("a limit"),
        }
    }

    fn micros(&mut self, name: &str, default: &'a str) -> u64 {
        micros(self.get(name, default))
    }

    fn levels(&mut self, name: &str) -> Vec<SkillLevel> {
        let level = |(skill, level)| SkillLevel {
            skill,
            level: u8::try_from(level).expect("u8"),
        };
        pairs(self.get(name, "")).into_iter().map(level).collect()
    }

    fn command_id(&mut self) -> Option<CommandId> {
        self.0.remove("id").map(|text| whole(text).to_be_bytes())
    }

    fn done(&self) {
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
fn micros(text: &str) -> u64 {
    let (ms, decimals) = text.split_once('.').unwrap_or((text, ""));
    assert!(decimals.len() <= 3, "{text}: at most three decimals");
    let ms: u64 = ms.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    ms * 1_000 + format!("{decimals:0<3}").parse::<u64>().expect("decimals")
}

/// `1:50,2:1`; nothing, `-` or `none` is none.
fn pairs(text: &str) -> Vec<(u32, u32)> {
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

#[rustfmt::skip]
fn command(verb: &str, given: &mut Arguments<'_>) -> Command {
    match verb {
        "restarted" => Command::Restarted,
        "arrive" => {
            let key = whole(given.get("key", "")).to_be_bytes();
            Command::Arrive {
                channel: given.id("channel"), key, queue: given.id("queue"),
                head_start_us: given.micros("head_start_ms", "0"),
                weight: given.number_or("weight", 1), requires: given.levels("requires"),
            }
        }
        "abandon" => Command::Abandon { channel: given.id("channel"), contact: given.number("contact") },
        "connected" => Command::Connected { channel: given.id("channel"), contact: given.number("contact") },
        "connect_failed" => Command::ConnectFailed { channel: given.id("channel"), contact: given.number("contact") },
        "sign_in" => {
            let ready = match given.get("ready", "yes") { "yes" => true, "no" => false, other => panic!("ready={other}") };
            Command::SignIn { agent: given.id("agent"), ready, command_id: given.command_id() }
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
            head_start_us: given.micros("head_start_ms", "0"), requires: given.levels("requires"),
        },
        "change" => {
            let head_start_us = if given.0.contains_key("head_start_ms") { given.micros("head_start_ms", "0") } else { KEEP_HEAD_START };
            let requires = given.0.contains_key("requires").then(|| given.levels("requires"));
            Command::Change {
                contact: given.number("contact"), queue: given.number_or("queue", 0),
                head_start_us, requires, command_id: given.command_id(),
            }
        }
        "release" => Command::Release { contact: given.number("contact"), command_id: given.command_id() },
        other => panic!("unknown command {other}"),
    }
}

/// The indented lines below `configure`.
fn config(lines: &[String]) -> Config {
    let mut config = Config {
        order: Order::Longest,
        miss_limit: 3,
        retry_after_us: 5_000_000,
        max_waiting: NO_LIMIT,
        key_retention_us: 604_800_000_000,
        memory_us: 600_000_000,
        seed: 0,
        channels: Vec::new(),
        skills: Vec::new(),
        reasons: Vec::new(),
        queues: Vec::new(),
        agents: Vec::new(),
        names: Vec::new(),
        hash: [0; 32],
    };
    for line in lines {
        read_line(&mut config, &line.split_whitespace().collect::<Vec<_>>());
    }
    config
}

fn read_line(config: &mut Config, words: &[&str]) {
    let numbers = || {
        words[1..]
            .iter()
            .map(|word| word.parse::<u32>().expect("a number"))
    };
    let (flags, rest): (Vec<&str>, Vec<&str>) =
        words.iter().skip(1).partition(|word| !word.contains('='));
    let id = || flags[0].parse().expect("an id");
    let mut given = if words[0].starts_with("hash=") {
        read_hash(config, &words[0][5..]);
        return;
    } else {
        Arguments::new(&rest)
    };
    match words[0] {
        "routing" => read_routing(config, &mut given),
        "skill" => config.skills.extend(numbers()),
        "reason" => config.reasons.extend(numbers()),
        "channel" => config.channels.push(ChannelConfig {
            id: id(),
            exclusive: flags.contains(&"exclusive"),
            instant: flags.contains(&"instant"),
            connect_timeout_us: given.micros("connect_ms", "10000"),
        }),
        "queue" => config.queues.push(QueueConfig {
            id: id(),
            requires: given.levels("requires"),
            rank_skill: given.number_or("rank", 0),
            max_waiting: given.limit("max"),
            offer_timeout_us: given.micros("offer_ms", "20000"),
            wrap_up_us: given.micros("wrap_ms", "0"),
            strategy: strategy(given.get("strategy", "longest_idle")),
        }),
        "agent" => config.agents.push(AgentConfig {
            id: id(),
            skills: given.levels("skills"),
            capacity: pairs(given.get("capacity", ""))
                .into_iter()
                .map(|(channel, units)| ChannelUnits { channel, units })
                .collect(),
            share: given.number_or("share", 100),
        }),
        other => panic!("not a line of a configuration: {other}"),
    }
    given.done();
}

fn read_routing(config: &mut Config, given: &mut Arguments<'_>) {
    config.order = match given.get("order", "longest") {
        "longest" => Order::Longest,
        "agent_level" => Order::AgentLevel,
        other => panic!("order={other}"),
    };
    config.miss_limit = given.number_or("miss_limit", 3);
    config.retry_after_us = given.micros("retry_after_ms", "5000");
    config.max_waiting = given.limit("max_waiting");
    config.key_retention_us = given.micros("key_retention_ms", "604800000");
    config.memory_us = given.micros("memory_ms", "600000");
    if given.0.contains_key("seed") {
        config.seed = given.number("seed");
    }
}

fn strategy(name: &str) -> Strategy {
    match name {
        "longest_idle" => Strategy::LongestIdle,
        "least_occupied" => Strategy::LeastOccupied,
        "fewest_contacts" => Strategy::FewestContacts,
        "least_talk" => Strategy::LeastTalk,
        "least_average_talk" => Strategy::LeastAverageTalk,
        "longest_average_idle" => Strategy::LongestAverageIdle,
        "best_skill" => Strategy::BestSkill,
        "round_robin" => Strategy::RoundRobin,
        "top_down" => Strategy::TopDown,
        "random" => Strategy::Random,
        "weighted" => Strategy::Weighted,
        other => panic!("strategy={other}"),
    }
}

fn read_hash(config: &mut Config, hex: &str) {
    for (byte, digits) in config.hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).expect("hex digits");
        *byte = u8::from_str_radix(digits, 16).expect("hex digits");
    }
}
