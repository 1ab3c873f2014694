//! A router that is played line by line, in the words of the scenarios.

#[path = "../text/mod.rs"]
mod text;

use router_core::{Limits, Router};
use text::parse::{self, Request};
use text::print;

pub struct Site {
    pub router: Router,
    at: u64,
}

impl Site {
    /// A site with a channel, two skills, a target and the lines given, configured at 0.
    pub fn new(lines: &str) -> Self {
        let mut site = Self {
            router: Router::new(Limits::default()),
            at: 0,
        };
        site.configure(lines);
        site
    }

    pub fn configure(&mut self, lines: &str) -> Vec<String> {
        let base = "configure\n channel 1 instant\n skill 1 2\n target 1 2\n";
        self.run(&format!("{base}{lines}"))
    }

    /// One command, from `@MS` on, at the last one's time without it; what happened. A snapshot of
    /// the state before it comes to the same.
    pub fn run(&mut self, block: &str) -> Vec<String> {
        let lines = block.lines().map(|line| line.trim().to_owned());
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        let (at, request) = parse::request(&lines);
        self.at = at.unwrap_or(self.at);
        let mut events = Vec::new();
        let mut head = Vec::new();
        match request {
            Request::Advance => self.router.advance(self.at, &mut events),
            Request::Command(command) => {
                let mut copy = Router::restore(&self.router.snapshot()).expect("a snapshot");
                let mut copied = Vec::new();
                let again = copy.apply(self.at, command.clone(), &mut copied);
                let result = self.router.apply(self.at, command, &mut events);
                assert_eq!((again, &copied), (result, &events), "{block}");
                assert_eq!(copy.state_hash(), self.router.state_hash(), "{block}");
                if let Err(refused) = result {
                    head.push(format!("refused {refused}"));
                }
            }
            _ => panic!("not for a site: {block}"),
        }
        self.router.check();
        head.into_iter()
            .chain(events.iter().map(print::event))
            .collect()
    }

    /// Several commands, one a line.
    pub fn all(&mut self, lines: &str) -> Vec<String> {
        let lines = lines.lines().filter(|line| !line.trim().is_empty());
        lines.flat_map(|line| self.run(line.trim())).collect()
    }

    /// The events of these kinds, without what they all begin with.
    pub fn told(&mut self, kinds: &[&str], lines: &str) -> Vec<String> {
        let mut all = self.all(lines);
        all.retain(|line| {
            let mut words = line.split(' ');
            words.nth(1).is_some_and(|kind| kinds.contains(&kind)) || line.starts_with("refused")
        });
        all
    }
}
