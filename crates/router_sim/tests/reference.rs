//! The router against outcomes that nobody here made up: a real bank's week and three traces,
//! contact by contact (shared/reference/README.md). Skipped where that folder is absent, which
//! `STRICT=1` turns into a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use router_core::{AgentConfig, Config, MILLISECOND, NO_LIMIT, Order, SECOND, SkillLevel};
use router_sim::{Duty, Outcome, Row, SimContact, Workload, run};

#[path = "reference/setting.rs"]
mod setting;

use setting::{agent, config, contact, level, queue};

/// The rows of a csv file by the names in its header; a name's text from `(` on is a comment.
fn read(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines();
    let header: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split(',')
        .map(|name| name.split('(').next().unwrap_or_default().to_owned())
        .collect();
    let row = |line: &str| {
        header
            .iter()
            .cloned()
            .zip(line.split(',').map(str::to_owned))
            .collect()
    };
    lines.map(row).collect()
}

fn number(row: &BTreeMap<String, String>, name: &str) -> i64 {
    row[name]
        .parse()
        .unwrap_or_else(|e| panic!("{name} = {}: {e}", row[name]))
}

fn reference() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    let folder = std::env::var_os("PAIDUI_REFERENCE").map_or(near, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("STRICT").is_none_or(|strict| strict != "1"),
        "no reference data"
    );
    println!("skipped: no reference data at {}", folder.display());
    None
}

/// The bank: agents by name (id = place among the names + 1), queues by service type.
struct Bank {
    folder: PathBuf,
    types: Vec<String>,
    agents: Vec<(String, AgentConfig)>,
}

impl Bank {
    fn read(reference: &Path) -> Self {
        let folder = reference.join("bank_week");
        let mut skilled: Vec<(String, Vec<String>)> = read(&folder.join("skills.csv"))
            .iter()
            .map(|row| {
                (
                    row["agent"].clone(),
                    row["types"].split('+').map(str::to_owned).collect(),
                )
            })
            .collect();
        skilled.sort();
        let mut types: Vec<String> = read(&folder.join("calls.csv"))
            .iter()
            .map(|row| row["type"].clone())
            .collect();
        types.extend(skilled.iter().flat_map(|(_, types)| types.clone()));
        types.sort();
        types.dedup();
        let level = |name: &String| {
            let at = types.binary_search(name).expect("a known type");
            self::level(at as u32 + 1, 1)
        };
        let agents = skilled.into_iter().enumerate().map(|(at, (name, types))| {
            let mut skills: Vec<SkillLevel> = types.iter().map(level).collect();
            skills.sort();
            (name, agent(at as u32 + 1, skills))
        });
        let agents = agents.collect();
        Self {
            folder,
            types,
            agents,
        }
    }

    fn id(&self, name: &str) -> u32 {
        let at = self.agents.iter().position(|(known, _)| known == name);
        at.unwrap_or_else(|| panic!("agent {name}")) as u32 + 1
    }

    fn day(&self, day: &str, vip_head_start_us: u64) -> Workload {
        let calls = read(&self.folder.join("calls.csv"));
        let duty = read(&self.folder.join("agents.csv"));
        let seconds = |row: &BTreeMap<String, String>, name: &str| {
            (!row[name].is_empty()).then(|| number(row, name) as u64 * SECOND)
        };
        let call = |row: &BTreeMap<String, String>| {
            let kind = self
                .types
                .binary_search(&row["type"])
                .expect("a known type");
            SimContact {
                service_us: seconds(row, "service_s"),
                patience_us: seconds(row, "patience_s"),
                head_start_us: if row["priority"] == "2" {
                    vip_head_start_us
                } else {
                    0
                },
                ..contact(number(row, "arrive_s") as u64 * SECOND, kind as u32 + 1)
            }
        };
        let interval = |row: &BTreeMap<String, String>| Duty {
            agent: self.id(&row["agent"]),
            sign_in_us: number(row, "login_s") as u64 * SECOND,
            sign_out_us: Some(number(row, "logout_s") as u64 * SECOND),
        };
        let queues = (1..=self.types.len() as u32)
            .map(|id| queue(id, 5 * SECOND))
            .collect();
        let agents = self.agents.iter().map(|(_, agent)| agent.clone()).collect();
        Workload {
            config: config(Order::Longest, queues, agents),
            contacts: calls
                .iter()
                .filter(|row| row["day"] == day)
                .map(call)
                .collect(),
            duty: duty
                .iter()
                .filter(|row| row["day"] == day)
                .map(interval)
                .collect(),
            reached_talk_us: 120 * SECOND,
        }
    }

    /// A row as the expectation writes it.
    fn line(&self, row: &Row) -> (String, u64, String) {
        let outcome = match row.outcome {
            Outcome::Served => "AGENT",
            Outcome::Abandoned => "HANG",
            Outcome::Blocked => "BLOCKED",
            Outcome::Unserved => "UNSERVED",
        };
        let agent = row
            .agent
            .checked_sub(1)
            .map(|at| self.agents[at as usize].0.clone());
        (
            outcome.to_owned(),
            row.wait_us / SECOND,
            agent.unwrap_or_default(),
        )
    }
}

/// How many of the bank's calls come out as expected, and of how many.
fn bank_week(reference: &Path, expected: &str, vip_head_start_us: u64) -> (usize, usize) {
    let bank = Bank::read(reference);
    let calls = read(&bank.folder.join("calls.csv"));
    let mut days: Vec<String> = calls.iter().map(|row| row["day"].clone()).collect();
    days.dedup();
    let got: Vec<(String, u64, String)> = days
        .iter()
        .flat_map(|day| run(&bank.day(day, vip_head_start_us)).rows)
        .map(|row| bank.line(&row))
        .collect();
    let expected: Vec<(String, u64, String)> = read(&bank.folder.join(expected))
        .iter()
        .map(|row| {
            (
                row["outcome"].clone(),
                number(row, "wait_s") as u64,
                row["agent"].clone(),
            )
        })
        .collect();
    assert_eq!(got.len(), expected.len());
    for (seq, (got, want)) in got
        .iter()
        .zip(&expected)
        .enumerate()
        .filter(|(_, (g, w))| g != w)
        .take(5)
    {
        println!("call {seq}: got {got:?}, expected {want:?}");
    }
    (
        got.iter()
            .zip(&expected)
            .filter(|(got, want)| got == want)
            .count(),
        got.len(),
    )
}

#[test]
fn bank_week_first_come_first_served() {
    let Some(reference) = reference() else { return };
    assert_eq!(
        bank_week(&reference, "expected_fcfs.csv", 0),
        (6_576, 6_576)
    );
}

#[test]
fn bank_week_with_a_head_start_for_vips() {
    let Some(reference) = reference() else { return };
    assert_eq!(
        bank_week(&reference, "expected_head90.csv", 90 * SECOND),
        (6_576, 6_576)
    );
}

/// Agents of a trace: from its skills file, where level 1 is best, or a hundred equal ones.
fn trace_agents(skills: Option<&Path>) -> Vec<AgentConfig> {
    let Some(path) = skills else {
        let all = vec![level(1, 100)];
        return (1..=100).map(|id| agent(id, all.clone())).collect();
    };
    let one = |row: &BTreeMap<String, String>| {
        let levels = (0..6).map(|kind| (kind, number(row, &format!("level_type{kind}"))));
        let skills = levels
            .filter(|(_, level)| *level > 0)
            .map(|(kind, level)| SkillLevel {
                skill: kind + 1,
                level: (101 - level) as u8,
            });
        agent(number(row, "agent") as u32 + 1, skills.collect())
    };
    read(path).iter().map(one).collect()
}

/// How many of a trace's contacts come out as expected under one rule.
fn trace(reference: &Path, name: &str, skills: Option<&str>, room: u32, order: Order) -> usize {
    let folder = reference.join("traces");
    let rows = read(&folder.join(name));
    let agents = trace_agents(skills.map(|skills| folder.join(skills)).as_deref());
    let kinds = rows
        .iter()
        .map(|row| number(row, "type"))
        .max()
        .unwrap_or(0) as u32;
    let contacts = rows.iter().map(|row| SimContact {
        service_us: Some(number(row, "service_ms") as u64 * MILLISECOND),
        patience_us: u64::try_from(number(row, "patience_ms"))
            .ok()
            .map(|ms| ms * MILLISECOND),
        ..contact(
            number(row, "arrive_ms") as u64 * MILLISECOND,
            number(row, "type") as u32 + 1,
        )
    });
    let on_duty = |agent: &AgentConfig| Duty {
        agent: agent.id,
        sign_in_us: 0,
        sign_out_us: None,
    };
    let workload = Workload {
        duty: agents.iter().map(on_duty).collect(),
        contacts: contacts.collect(),
        config: Config {
            max_waiting: room,
            ..config(
                order,
                (1..=kinds + 1).map(|id| queue(id, 0)).collect(),
                agents,
            )
        },
        reached_talk_us: 0,
    };
    let suffix = if order == Order::Longest {
        "longest"
    } else {
        "level"
    };
    let expected = rows.iter().map(|row| {
        let outcome = match row[&format!("outcome_{suffix}")].as_str() {
            "S" => Outcome::Served,
            "A" => Outcome::Abandoned,
            "B" => Outcome::Blocked,
            other => panic!("outcome {other}"),
        };
        let wait_us = number(row, &format!("wait_ms_{suffix}")) as u64 * MILLISECOND;
        Row {
            outcome,
            wait_us,
            agent: (number(row, &format!("agent_{suffix}")) + 1) as u32,
        }
    });
    run(&workload)
        .rows
        .into_iter()
        .zip(expected)
        .filter(|(got, want)| got == want)
        .count()
}

#[test]
fn traces_under_both_rules() {
    let Some(reference) = reference() else { return };
    let traces = [
        ("ww_k2.csv", Some("ww_skills_k2.csv"), 30),
        ("ww_k3_block.csv", Some("ww_skills_k3.csv"), 8),
        ("erlang_a100.csv", None, NO_LIMIT),
    ];
    for (name, skills, room) in traces {
        for order in [Order::Longest, Order::AgentLevel] {
            let equal = trace(&reference, name, skills, room, order);
            assert_eq!(equal, 6_000, "{name} {order:?}");
        }
    }
}
