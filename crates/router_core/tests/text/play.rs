//! Scenario text, carried out.

use router_core::{Limits, Router};

use super::parse::{self, Block, Request};
use super::print;

/// Plays blocks one after the other; one without `@MS` happens at the last one's time.
pub struct Player {
    pub router: Router,
    pub at: u64,
}

impl Player {
    pub fn new(limits: Limits) -> Self {
        let router = Router::new(limits);
        Self { router, at: 0 }
    }

    pub fn play(&mut self, block: &Block) -> Vec<String> {
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
            Request::Estimate(contact) => {
                vec![or_dash(self.router.estimate(contact).map(print::estimate))]
            }
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

/// For tests that are told in scenario text.
#[allow(dead_code, reason = "not every test tells stories")]
impl Player {
    /// A router with a configuration's lines.
    pub fn configured(lines: &str) -> Self {
        let mut player = Self::new(Limits::default());
        let answer = player.tell(&format!("@0 configure\n{lines}"));
        assert_eq!(answer[0], "ok", "{answer:?}");
        player
    }

    /// What a request answers; every invariant is checked after it.
    pub fn tell(&mut self, source: &str) -> Vec<String> {
        let source = source.lines().map(str::to_owned).collect();
        let block = Block {
            line: 0,
            source,
            expected: Vec::new(),
        };
        let lines = self.play(&block);
        self.router.check();
        lines
    }

    /// Likewise, of several requests without what they answer, and then of one.
    pub fn after<const N: usize>(&mut self, before: [&str; N], source: &str) -> Vec<String> {
        for line in before {
            let answer = self.tell(line);
            assert!(!answer[0].starts_with("refused"), "{line}: {answer:?}");
        }
        self.tell(source)
    }
}
