//! Runs the corpus in ../../tests/scenarios: the text is the specification
//! (its README.md describes the format; `make scenarios` rewrites the expectations).

mod text;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use router_core::Limits;
use text::parse;
use text::play::Player;

/// What is wrong with a scenario, with file and line; empty when all is well.
fn differences(path: &Path, limits: Limits) -> String {
    let text = std::fs::read_to_string(path).expect("a readable scenario");
    let mut player = Player::new(limits);
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
