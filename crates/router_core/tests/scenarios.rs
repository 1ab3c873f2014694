//! Runs the corpus in ../../tests/scenarios: the text is the specification
//! (its README.md describes the format; `make scenarios` rewrites the expectations).

mod text;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use router_core::{Limits, Router};
use text::parse::{self, Block, Request};
use text::print;

/// Plays blocks one after the other; one without `@MS` happens at the last one's time.
struct Player {
    router: Router,
    at: u64,
}

impl Player {
    fn play(&mut self, block: &Block) -> Vec<String> {
        let (at, request) = parse::request(&block.source);
        self.at = at.unwrap_or(self.at);
        match request {
            Request::Command(command) => {
                let mut events = Vec::new();
                let head = match self.router.apply(self.at, command, &mut events) {
                    Ok(0) => "ok".to_owned(),
                    Ok(value) => format!("ok {value}"),
                    Err(refused) => format!("refused {} {}", refused.code.name(), refused.detail),
                };
                std::iter::once(head)
                    .chain(events.iter().map(print::event))
                    .collect()
            }
            Request::Advance => {
                let mut events = Vec::new();
                self.router.advance(self.at, &mut events);
                let lines: Vec<String> = events.iter().map(print::event).collect();
                if lines.is_empty() {
                    vec!["(none)".to_owned()]
                } else {
                    lines
                }
            }
            Request::NextDeadline => vec![or_dash(self.router.next_deadline().map(print::ms))],
            Request::Position(contact) => vec![or_dash(self.router.position(contact))],
            Request::StateHash => vec![format!("{:016x}", self.router.state_hash())],
            Request::Snapshot => vec![self.snapshot().to_owned()],
            Request::Check => {
                self.router.check();
                vec!["ok".to_owned()]
            }
        }
    }

    /// Goes on from a snapshot of itself.
    fn snapshot(&mut self) -> &'static str {
        let before = self.router.state_hash();
        self.router = Router::restore(&self.router.snapshot()).expect("an own snapshot");
        if self.router.state_hash() == before {
            "same"
        } else {
            "different"
        }
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// What is wrong with a scenario, with file and line; empty when all is well.
fn differences(path: &Path, limits: Limits) -> String {
    let text = std::fs::read_to_string(path).expect("a readable scenario");
    let mut player = Player {
        router: Router::new(limits),
        at: 0,
    };
    let mut report = String::new();
    for block in parse::blocks(&text) {
        let got = player.play(&block);
        player.router.check();
        if got != block.expected {
            let (name, line) = (path.display(), block.line);
            let (got, want) = (got.join("\n  "), block.expected.join("\n  "));
            let source = block.source.join("\n");
            writeln!(
                report,
                "{name}:{line}\n{source}\n expected\n  {want}\n got\n  {got}\n"
            )
            .expect("text takes text");
        }
    }
    report
}

#[test]
fn every_scenario_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map(|entries| {
            entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .collect()
        })
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    let report: String = files
        .iter()
        .map(|path| differences(path, Limits::default()))
        .collect();
    assert!(report.is_empty(), "\n{report}");
}
