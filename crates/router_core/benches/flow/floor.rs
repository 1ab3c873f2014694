//! A busy floor in a steady state: contacts end, arrive, are abandoned and transferred; offers are
//! accepted, declined, left to expire; calls connect or fail; agents wrap up and take breaks.
//!
//! It reads the router's events only, and can write down every input it gives.

use std::collections::VecDeque;

use router_core::{AgentId, Command, ContactId, Demand, Event, Micros, Router, SECOND, Terms};

use crate::chance::Chance;
use crate::count::live_bytes;
use crate::setting::{CHAT, PER_QUEUE, Population, Setting, is_quiet};

/// One input of the router.
#[derive(Clone)]
pub enum Input {
    Apply(Micros, Command),
    Advance(Micros),
}

/// What a contact is to the outside; by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Waiting,
    Elsewhere,
    Over,
}

/// What a full floor weighs, by what the router allocated.
#[derive(Clone, Copy, Default)]
pub struct Weight {
    pub bytes_per_agent: f64,
    pub bytes_per_waiting: f64,
}

#[derive(Clone)]
pub struct Floor {
    pub setting: Setting,
    pub router: Router,
    pub weight: Weight,
    /// Written down while there is something to write on.
    pub recorded: Option<Vec<Input>>,
    chance: Chance,
    filling: bool,
    at: Micros,
    arrivals: u128,
    command_ids: u128,
    engaged: Vec<(AgentId, ContactId)>,
    seen: Vec<Seen>,
    /// By contact: whether it is a quiet one.
    quiet: Vec<bool>,
    quiet_live: u32,
    /// Contacts that waited when they were put here.
    leaving: Vec<ContactId>,
    on_break: VecDeque<AgentId>,
    answers: VecDeque<Command>,
    out: Vec<Event>,
}

impl Floor {
    /// Everybody signed in, the queues full, everything that is remembered gone round once.
    pub fn filled(population: Population) -> Self {
        let mut floor = Self::new(population);
        floor.fill();
        for _ in 0..Population::remembered_turns() * 3 / 2 {
            floor.turn();
        }
        floor
    }

    /// Nobody there yet.
    pub fn new(population: Population) -> Self {
        Self {
            setting: Setting::new(population),
            router: Router::new(Population::limits()),
            weight: Weight::default(),
            recorded: None,
            chance: Chance::new(7),
            filling: true,
            at: 0,
            arrivals: 0,
            command_ids: 0,
            engaged: Vec::new(),
            seen: Vec::new(),
            quiet: Vec::new(),
            quiet_live: 0,
            leaving: Vec::new(),
            on_break: VecDeque::new(),
            answers: VecDeque::new(),
            out: Vec::new(),
        }
    }

    /// Everybody signs in, and contacts arrive until the queues are full.
    pub fn fill(&mut self) {
        let population = self.setting.population;
        let grown = self.sign_everybody_in();
        self.weight.bytes_per_agent = grown as f64 / f64::from(population.agents);
        self.arrive_until(population.waiting / 10);
        let before = self.router.waiting();
        let grown = self.arrive_until(population.waiting);
        let arrived = self.router.waiting().saturating_sub(before).max(1);
        self.weight.bytes_per_waiting = grown as f64 / f64::from(arrived);
        self.filling = false;
    }

    /// Bytes that the router holds more than before.
    fn sign_everybody_in(&mut self) -> u64 {
        let before = live_bytes();
        let config = Box::new(self.setting.config.clone());
        self.give(Command::Configure { config });
        let mut grown = live_bytes() - before;
        for agent in 1..=self.setting.population.agents {
            let command_id = self.command_id();
            let sign_in = Command::SignIn {
                agent,
                ready: true,
                command_id,
            };
            grown = grown.wrapping_add(self.give(sign_in));
        }
        grown
    }

    fn arrive_until(&mut self, waiting: u32) -> u64 {
        let mut grown = 0_u64;
        while self.router.waiting() < waiting {
            self.at += 1;
            grown = grown.wrapping_add(self.arrive());
            self.answer();
        }
        grown
    }

    /// Something ends or is left, and something else takes its place.
    pub fn turn(&mut self) {
        let end = self.at + self.setting.population.step_us();
        // Answers to what a deadline did come at its time, so that no input carries another's load.
        while let Some(deadline) = self.router.next_deadline().filter(|&due| due <= end) {
            self.at = deadline;
            self.give_input(Input::Advance(deadline));
            self.answer();
        }
        self.at = end;
        self.finish_one();
        self.answer();
        if self.chance.percent(10) {
            self.abandon_one();
            self.answer();
        }
        while self.router.waiting() < self.setting.population.waiting {
            self.arrive();
            self.answer();
        }
    }

    fn finish_one(&mut self) {
        let pick = self.chance.below(self.engaged.len() as u32) as usize;
        let (agent, contact) = self.engaged.swap_remove(pick);
        let what = self.chance.below(100);
        if what < 4 && !self.on_break.contains(&agent) {
            self.take_break(agent);
        }
        if !self.setting.population.is_plain && what >= 97 {
            self.transfer(agent, contact);
        } else if !self.setting.population.is_plain && what >= 80 {
            let channel = self.router.contact(contact).map_or(CHAT, |c| c.channel);
            self.give(Command::Abandon { channel, contact });
        } else {
            self.give(Command::End { agent, contact });
        }
    }

    fn take_break(&mut self, agent: AgentId) {
        let command_id = self.command_id();
        self.give(Command::NotReady {
            agent,
            reason: 0,
            command_id,
        });
        self.on_break.push_back(agent);
        if self.on_break.len() as u32 > self.setting.population.agents / 50
            && let Some(agent) = self.on_break.pop_front()
        {
            let command_id = self.command_id();
            self.give(Command::Ready { agent, command_id });
        }
    }

    fn transfer(&mut self, agent: AgentId, contact: ContactId) {
        // To where its medium is served.
        let channel = self.router.contact(contact).map(|c| c.channel);
        let signature = loop {
            let index = self.any_signature();
            let signature = &self.setting.signatures[index];
            if Some(signature.channel) == channel {
                break signature.clone();
            }
        };
        self.give(Command::Transfer {
            agent,
            contact,
            queue: signature.queue,
            head_start_us: 0,
            demand: Demand {
                requires: signature.requires,
                ..Demand::default()
            },
        });
    }

    fn abandon_one(&mut self) {
        while !self.leaving.is_empty() {
            let pick = self.chance.below(self.leaving.len() as u32) as usize;
            let contact = self.leaving.swap_remove(pick);
            if self.seen[contact as usize] == Seen::Waiting {
                let channel = self.router.contact(contact).map_or(CHAT, |c| c.channel);
                self.give(Command::Abandon { channel, contact });
                return;
            }
        }
    }

    fn arrive(&mut self) -> u64 {
        let before = live_bytes();
        let signature = self.any_signature();
        let signature = self.setting.signatures[signature].clone();
        self.arrivals += 1;
        let is_vip = !self.setting.population.is_plain && self.chance.percent(5);
        let arrive = Command::Arrive {
            channel: signature.channel,
            key: self.arrivals.to_be_bytes(),
            queue: signature.queue,
            head_start_us: u64::from(is_vip) * 90 * SECOND,
            weight: signature.weight,
            demand: Demand {
                requires: signature.requires,
                ..Demand::default()
            },
            terms: Terms::default(),
        };
        let own = live_bytes() - before;
        self.give(arrive).wrapping_add(own)
    }

    fn any_signature(&mut self) -> usize {
        let quiet = self.setting.quiet_queues();
        let busy = self.setting.queues - quiet;
        let queue = if self.quiet_live < self.setting.quiet_room && self.chance.percent(25) {
            busy + self.chance.below(quiet)
        } else {
            self.chance.below(busy)
        };
        let variant = match self.chance.below(100) {
            0..40 => 0,
            40..65 => 1,
            65..90 => 2,
            _ => 3,
        };
        (queue * PER_QUEUE + variant) as usize
    }

    fn command_id(&mut self) -> Option<[u8; 16]> {
        self.command_ids += 1;
        Some(self.command_ids.to_be_bytes())
    }

    fn answer(&mut self) {
        while let Some(command) = self.answers.pop_front() {
            self.give(command);
        }
    }

    fn give(&mut self, command: Command) -> u64 {
        self.give_input(Input::Apply(self.at, command))
    }

    /// Bytes that the router holds more than before.
    fn give_input(&mut self, input: Input) -> u64 {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(input.clone());
        }
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        let before = live_bytes();
        feed(&mut self.router, input, &mut out);
        let grown = live_bytes().wrapping_sub(before);
        for event in &out {
            self.note(event);
        }
        self.out = out;
        grown
    }

    fn note(&mut self, event: &Event) {
        match *event {
            Event::Arrived { contact, queue, .. } => {
                let is_quiet = is_quiet(queue - 1, self.setting.queues);
                self.seen.resize(contact as usize + 1, Seen::Over);
                self.quiet.resize(contact as usize + 1, false);
                self.quiet[contact as usize] = is_quiet;
                self.quiet_live += u32::from(is_quiet);
            }
            Event::Queued { contact, .. } => {
                self.seen[contact as usize] = Seen::Waiting;
                self.leaving.push(contact);
            }
            Event::OfferMade {
                offer,
                contact,
                agent,
                ..
            } => {
                self.seen[contact as usize] = Seen::Elsewhere;
                self.reply(agent, offer);
            }
            Event::Connecting {
                contact, channel, ..
            } => {
                let fails = self.chance.percent(4);
                self.answers.push_back(if fails {
                    Command::ConnectFailed { channel, contact }
                } else {
                    Command::Connected { channel, contact }
                });
            }
            Event::Engaged { contact, agent, .. } => self.engaged.push((agent, contact)),
            Event::Ended { contact, .. } | Event::Abandoned { contact, .. } => {
                self.seen[contact as usize] = Seen::Over;
                self.quiet_live -= u32::from(self.quiet[contact as usize]);
            }
            Event::WrapUpStarted { agent, contact, .. } if self.chance.percent(50) => {
                self.answers
                    .push_back(Command::EndWrapUp { agent, contact });
            }
            Event::AgentLocked { agent, .. } => {
                let command_id = self.command_id();
                self.answers
                    .push_back(Command::Unlock { agent, command_id });
            }
            _ => {}
        }
    }

    /// 92 % of the offers are taken, 4 % declined, 4 % left to expire.
    fn reply(&mut self, agent: AgentId, offer: u64) {
        let what = self.chance.below(100);
        // While the floor fills, all are taken: thousands would expire in the same instant.
        if self.setting.population.is_plain || self.filling || what < 92 {
            self.answers.push_back(Command::Accept { agent, offer });
        } else if what < 96 {
            self.answers.push_back(Command::Decline {
                agent,
                offer,
                reason: 0,
            });
        }
    }

    /// Goes on for so many inputs and returns them.
    pub fn record(&mut self, inputs: usize) -> Vec<Input> {
        self.recorded = Some(Vec::with_capacity(inputs + 1_000));
        while self.recorded.as_ref().map_or(0, Vec::len) < inputs {
            self.turn();
        }
        self.recorded.take().unwrap_or_default()
    }
}

/// One input into a router.
#[inline]
pub fn feed(router: &mut Router, input: Input, out: &mut Vec<Event>) {
    match input {
        Input::Apply(at, command) => {
            if let Err(refusal) = router.apply(at, command, out) {
                panic!("every command makes sense: {refusal:?}");
            }
        }
        Input::Advance(at) => router.advance(at, out),
    }
}
