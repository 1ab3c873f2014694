//! A configuration's lines.

use router_core::{
    AgentConfig, ChannelConfig, ChannelUnits, Config, Contract, DomainConfig, NO_LIMIT, Order,
    QUEUE_WRAP_UP, QueueConfig, Strategy,
};

use super::parse::{Arguments, micros, pairs};

/// The indented lines below `configure`.
pub fn read(lines: &[String]) -> Config {
    let mut config = Config {
        order: Order::Longest,
        miss_limit: 3,
        retry_after_us: 5_000_000,
        max_waiting: NO_LIMIT,
        key_retention_us: 604_800_000_000,
        memory_us: 600_000_000,
        seed: 0,
        domains: Vec::new(),
        reserve_after_us: 0,
        reply_margin_us: 60_000_000,
        channels: Vec::new(),
        skills: Vec::new(),
        reasons: Vec::new(),
        targets: Vec::new(),
        queues: Vec::new(),
        agents: Vec::new(),
        contracts: Vec::new(),
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
        "target" => config.targets.extend(numbers()),
        "channel" => config.channels.push(ChannelConfig {
            id: id(),
            exclusive: flags.contains(&"exclusive"),
            instant: flags.contains(&"instant"),
            connect_timeout_us: given.micros("connect_ms", "10000"),
            interruptible: flags.contains(&"interruptible"),
            domain: given.number_or("domain", 0),
        }),
        "queue" => config.queues.push(QueueConfig {
            id: id(),
            requires: given.requirement(),
            rank_skill: given.number_or("rank", 0),
            max_waiting: given.limit("max"),
            offer_timeout_us: given.micros("offer_ms", "20000"),
            wrap_up_us: given.micros("wrap_ms", "0"),
            strategy: strategy(given.get("strategy", "longest_idle")),
            priority: u8::try_from(given.number_or("priority", 5)).expect("u8"),
            service_level_us: given.micros("service_level_ms", "20000"),
            ratio: given.number_or("ratio", 100),
            steps: Vec::new(),
            ring_limit: given.number_or("ring_limit", 50),
            expected_handle_us: given.micros("handle_ms", "180000"),
            overflow: Vec::new(),
            tier: u8::try_from(given.number_or("tier", 2)).expect("u8"),
            max_in_hand: given.limit("in_hand"),
            announce_us: given.micros("announce_ms", "0"),
            domain: given.number_or("domain", 0),
            fallback: strategy(given.get("fallback", "longest_idle")),
            choice_timeout_us: given.micros("choice_ms", "200"),
        }),
        "step" => {
            let queue = given.id("queue");
            let mut queues = config.queues.iter_mut().rev();
            let queue = queues.find(|one| one.id == queue);
            queue.expect("a queue above").steps.push(given.step());
        }
        "domain" => config.domains.push(DomainConfig {
            id: id(),
            share: given.number_or("share", 100),
        }),
        "contract" => config.contracts.push(Contract {
            queue: given.id("queue"),
            domain: given.id("domain"),
        }),
        "overflow" => {
            let queue = given.id("queue");
            let mut queues = config.queues.iter_mut().rev();
            let queue = queues.find(|one| one.id == queue);
            queue
                .expect("a queue above")
                .overflow
                .push(given.overflow());
        }
        "agent" => config.agents.push(AgentConfig {
            id: id(),
            skills: given.levels("skills"),
            capacity: pairs(given.get("capacity", ""))
                .into_iter()
                .map(|(channel, units)| ChannelUnits { channel, units })
                .collect(),
            share: given.number_or("share", 100),
            stealth: flags.contains(&"stealth"),
            auto_accept: flags.contains(&"auto_accept"),
            wrap_up_us: match given.get("wrap_ms", "-") {
                "-" => QUEUE_WRAP_UP,
                text => micros(text),
            },
            domain: given.number_or("domain", 0),
        }),
        other => panic!("not a line of a configuration: {other}"),
    }
    given.done();
}

fn read_routing(config: &mut Config, given: &mut Arguments<'_>) {
    config.order = match given.get("order", "longest") {
        "longest" => Order::Longest,
        "agent_level" => Order::AgentLevel,
        "deadline" => Order::Deadline,
        "ratio" => Order::Ratio,
        other => panic!("order={other}"),
    };
    config.miss_limit = given.number_or("miss_limit", 3);
    config.retry_after_us = given.micros("retry_after_ms", "5000");
    config.max_waiting = given.limit("max_waiting");
    config.key_retention_us = given.micros("key_retention_ms", "604800000");
    config.memory_us = given.micros("memory_ms", "600000");
    config.reserve_after_us = given.micros("reserve_after_ms", "0");
    config.reply_margin_us = given.micros("reply_margin_ms", "60000");
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
        "ring_all" => Strategy::RingAll,
        "outside" => Strategy::Outside,
        other => panic!("strategy={other}"),
    }
}

fn read_hash(config: &mut Config, hex: &str) {
    for (byte, digits) in config.hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).expect("hex digits");
        *byte = u8::from_str_radix(digits, 16).expect("hex digits");
    }
}
