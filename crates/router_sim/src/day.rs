//! One day: the agenda of what happens outside the router, merged with the router's own deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use router_core::{
    AgentId, Command, ContactId, Demand, Event, Limits, Micros, Rejection, Requirement, Router,
    Terms,
};

use crate::{Outcome, Report, Row, Workload};

/// What the router refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was being done.
    pub what: &'static str,
    /// The index of the duty interval or contact concerned.
    pub index: usize,
    /// The router's answer.
    pub rejection: Rejection,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            index,
            rejection,
        } = self;
        write!(
            f,
            "{what} {index}: refused {} {}",
            rejection.code.name(),
            rejection.detail
        )
    }
}

impl std::error::Error for Refused {}

/// What happens outside the router. The order of the variants decides at equal times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    /// A talk is over; by the order of answering.
    TalkOver {
        answer: u64,
        contact: ContactId,
        agent: AgentId,
    },
    SignIn {
        duty: usize,
    },
    SignOut {
        duty: usize,
    },
    Arrives {
        index: usize,
    },
    HangsUp {
        index: usize,
        contact: ContactId,
    },
}

/// A day under way.
pub(crate) struct Day<'a> {
    workload: &'a Workload,
    sink: &'a mut dyn FnMut(&Event),
    router: Router,
    agenda: BinaryHeap<Reverse<(Micros, Happens)>>,
    /// Indices of the workload's contacts by arrival, and how many have arrived.
    arrivals: Vec<usize>,
    arrived: usize,
    /// The workload's index of each contact, by id - 1.
    index_of: Vec<usize>,
    rows: Vec<Row>,
    answers: u64,
    commands: u64,
    events: u64,
    /// Reused for every command.
    out: Vec<Event>,
}

impl<'a> Day<'a> {
    pub(crate) fn new(workload: &'a Workload, sink: &'a mut dyn FnMut(&Event)) -> Self {
        let mut agenda = BinaryHeap::new();
        for (duty, interval) in workload.duty.iter().enumerate() {
            agenda.push(Reverse((interval.sign_in_us, Happens::SignIn { duty })));
            if let Some(sign_out_us) = interval.sign_out_us {
                agenda.push(Reverse((sign_out_us, Happens::SignOut { duty })));
            }
        }
        let mut arrivals: Vec<usize> = (0..workload.contacts.len()).collect();
        arrivals.sort_by_key(|&index| workload.contacts[index].arrive_us);
        let unserved = Row {
            outcome: Outcome::Unserved,
            wait_us: 0,
            agent: 0,
        };
        Self {
            workload,
            sink,
            router: Router::new(Limits {
                max_contacts: u32::MAX,
                ..Limits::default()
            }),
            agenda,
            index_of: Vec::with_capacity(arrivals.len()),
            arrivals,
            arrived: 0,
            rows: vec![unserved; workload.contacts.len()],
            answers: 0,
            commands: 0,
            events: 0,
            out: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, Refused> {
        let config = Box::new(self.workload.config.clone());
        let first = self.next_time().unwrap_or(0);
        self.feed(first, Command::Configure { config }, "configuration", 0)?;
        while let Some(at) = self.next_time() {
            // The router's own deadlines come first: that is how agents become free.
            self.advance(at)?;
            while let Some(happens) = self.take(at) {
                self.carry_out(at, happens)?;
            }
        }
        Ok(Report {
            rows: self.rows,
            commands: self.commands,
            events: self.events,
            ended_at_us: self.router.now(),
            state_hash: self.router.state_hash(),
        })
    }

    fn next_arrival(&self) -> Option<(Micros, usize)> {
        let index = *self.arrivals.get(self.arrived)?;
        Some((self.workload.contacts[index].arrive_us, index))
    }

    fn next_time(&self) -> Option<Micros> {
        let outside = self.agenda.peek().map(|Reverse((at, _))| *at);
        let arrival = self.next_arrival().map(|(at, _)| at);
        [outside, arrival, self.router.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing that happens outside at this very time.
    fn take(&mut self, at: Micros) -> Option<Happens> {
        let planned = self.agenda.peek().map(|Reverse(planned)| *planned);
        let arrival = self
            .next_arrival()
            .map(|(at, index)| (at, Happens::Arrives { index }));
        let first = [planned, arrival]
            .into_iter()
            .flatten()
            .min()
            .filter(|(due, _)| *due == at)?;
        if planned == Some(first) {
            self.agenda.pop();
        } else {
            self.arrived += 1;
        }
        Some(first.1)
    }

    fn carry_out(&mut self, at: Micros, happens: Happens) -> Result<(), Refused> {
        match happens {
            Happens::TalkOver { contact, agent, .. } => self.feed(
                at,
                Command::End { agent, contact },
                "end of contact",
                contact as usize,
            ),
            Happens::SignIn { duty } => {
                let agent = self.workload.duty[duty].agent;
                let command = Command::SignIn {
                    agent,
                    ready: true,
                    command_id: None,
                };
                self.feed(at, command, "duty", duty)
            }
            Happens::SignOut { duty } => {
                let agent = self.workload.duty[duty].agent;
                self.feed(
                    at,
                    Command::SignOut {
                        agent,
                        command_id: None,
                    },
                    "duty",
                    duty,
                )
            }
            Happens::Arrives { index } => self.arrive(at, index),
            Happens::HangsUp { index, contact } => {
                if self.rows[index].outcome != Outcome::Unserved {
                    return Ok(());
                }
                let channel = self.workload.contacts[index].channel;
                let wait_us = at - self.workload.contacts[index].arrive_us;
                self.rows[index] = Row {
                    outcome: Outcome::Abandoned,
                    wait_us,
                    agent: 0,
                };
                self.feed(at, Command::Abandon { channel, contact }, "contact", index)
            }
        }
    }

    fn arrive(&mut self, at: Micros, index: usize) -> Result<(), Refused> {
        let contact = &self.workload.contacts[index];
        self.index_of.push(index);
        if let Some(patience_us) = contact.patience_us {
            let hangs_up = Happens::HangsUp {
                index,
                contact: self.index_of.len() as ContactId,
            };
            self.agenda
                .push(Reverse((at.saturating_add(patience_us), hangs_up)));
        }
        let command = Command::Arrive {
            channel: contact.channel,
            key: (index as u128).to_be_bytes(),
            queue: contact.queue,
            head_start_us: contact.head_start_us,
            weight: contact.weight,
            demand: Demand {
                requires: Requirement::all_of(&contact.requires),
                ..Demand::default()
            },
            terms: Terms::default(),
        };
        self.feed(at, command, "contact", index)
    }

    /// Feeds one command, and then whatever the answer asks of the outside.
    fn feed(
        &mut self,
        at: Micros,
        command: Command,
        what: &'static str,
        index: usize,
    ) -> Result<(), Refused> {
        self.commands += 1;
        let mut out = std::mem::take(&mut self.out);
        let result = self.router.apply(at, command, &mut out);
        self.react(out)?;
        match result {
            Ok(_) => Ok(()),
            Err(rejection) => Err(Refused {
                what,
                index,
                rejection,
            }),
        }
    }

    fn advance(&mut self, at: Micros) -> Result<(), Refused> {
        let mut out = std::mem::take(&mut self.out);
        self.router.advance(at, &mut out);
        self.react(out)
    }

    /// Accepts what was offered, connects what was accepted, until nothing is left to answer.
    fn react(&mut self, mut out: Vec<Event>) -> Result<(), Refused> {
        let mut next = 0;
        while next < out.len() {
            if let Some((at, command)) = self.answer(&out[next]) {
                self.commands += 1;
                let what = "answer to event";
                self.router
                    .apply(at, command, &mut out)
                    .map_err(|rejection| Refused {
                        what,
                        index: next,
                        rejection,
                    })?;
            }
            (self.sink)(&out[next]);
            next += 1;
        }
        self.events += out.len() as u64;
        out.clear();
        self.out = out;
        Ok(())
    }

    fn answer(&mut self, event: &Event) -> Option<(Micros, Command)> {
        match *event {
            Event::OfferMade {
                at, offer, agent, ..
            } => Some((at, Command::Accept { agent, offer })),
            Event::Connecting {
                at,
                contact,
                channel,
                ..
            } => Some((at, Command::Connected { channel, contact })),
            Event::Engaged {
                at, contact, agent, ..
            } => {
                self.answered(at, contact, agent);
                None
            }
            Event::Blocked { contact, .. } => {
                self.row(contact).outcome = Outcome::Blocked;
                None
            }
            _ => None,
        }
    }

    fn row(&mut self, contact: ContactId) -> &mut Row {
        &mut self.rows[self.index_of[contact as usize - 1]]
    }

    fn answered(&mut self, at: Micros, contact: ContactId, agent: AgentId) {
        let of = &self.workload.contacts[self.index_of[contact as usize - 1]];
        let talk = of.service_us.unwrap_or(self.workload.reached_talk_us);
        let wait_us = at - of.arrive_us;
        *self.row(contact) = Row {
            outcome: Outcome::Served,
            wait_us,
            agent,
        };
        let over = Happens::TalkOver {
            answer: self.answers,
            contact,
            agent,
        };
        self.agenda.push(Reverse((at.saturating_add(talk), over)));
        self.answers += 1;
    }
}
