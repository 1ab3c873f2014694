//! The state machines as a page that people read, `machines.md`, drawn from the tables that the
//! router obeys. `PICTURES=write cargo test -p router_core picture` draws it anew.

use std::fmt::Write as _;

use crate::agent::{ANSWERS, Answer, Standing};
use crate::contact::{MOVES, Stage};
use crate::offer::LATE;

const HEAD: &str = "\
# The state machines

Drawn from the tables of the core by a test; edit the tables, not this page.
";

fn drawn() -> String {
    let mut page = format!("{HEAD}\n## A contact's life\n\n```mermaid\nstateDiagram-v2\n");
    for (from, step, to) in MOVES {
        let line = format!("    {} --> {}: {}\n", node(*from), node(*to), words(step));
        page.push_str(&line);
    }
    page += "```\n\n## What an agent declares\n\n";
    page += "| | out | not ready | ready | leaving |\n|---|---|---|---|---|\n";
    for (declares, answers) in ANSWERS {
        let row = [
            Standing::Out,
            Standing::NotReady,
            Standing::Ready,
            Standing::Leaving,
        ];
        let _ = write!(page, "| {} |", words(declares));
        for standing in row {
            let answer = answers.iter().find(|(column, _)| *column == standing);
            let _ = write!(
                page,
                " {} |",
                match answer.map(|(_, answer)| answer) {
                    Some(Answer::Do) => "takes effect",
                    Some(Answer::Already) => "is so already",
                    Some(Answer::Refuse) | None => "refused",
                }
            );
        }
        page.push('\n');
    }
    page += "\n## An offer\n\n```mermaid\nstateDiagram-v2\n    [*] --> made\n";
    for (how, _) in LATE {
        let _ = writeln!(page, "    made --> {0}\n    {0} --> [*]", words(how));
    }
    page += "```\n\n| an answer that comes after it was | is refused with |\n|---|---|\n";
    for (how, code) in LATE {
        let _ = writeln!(
            page,
            "| {} (unless it is the same answer) | `{}` |",
            words(how),
            code.name()
        );
    }
    page
}

/// Before the first stage and after the last there is nothing.
fn node(stage: Stage) -> String {
    match stage {
        Stage::New | Stage::Over => String::from("[*]"),
        other => words(&other),
    }
}

/// `NotReady` -> "not ready".
fn words(name: &impl std::fmt::Debug) -> String {
    let mut said = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !said.is_empty() {
            said.push(' ');
        }
        said.extend(letter.to_lowercase());
    }
    said
}

#[test]
fn the_picture_is_that_of_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/machines.md");
    if std::env::var("PICTURES").is_ok_and(|wish| wish == "write") {
        std::fs::write(path, drawn()).expect("the page can be written");
    }
    let page = std::fs::read_to_string(path).expect("machines.md stands beside Cargo.toml");
    assert!(
        page == drawn(),
        "draw it anew: PICTURES=write cargo test -p router_core picture"
    );
}
