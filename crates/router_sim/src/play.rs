//! An endless play: arrivals, talks and patience drawn from streams, every decision the router's.
//!
//! 1. Every contact goes through `arrive`, the offer, `accept`, and `end` or `abandon`.
//! 2. At equal times: agents become free (in the order of answering), contacts arrive, customers
//!    hang up; every offer is accepted in the same instant.
//! 3. The k-th contact to be answered talks for the k-th draw, so that two rules of choice that
//!    never leave an agent idle beside a contact it can serve give the same number in the system.
//! 4. Patience is drawn when a contact begins to wait.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use router_core::{
    AgentId, ChannelId, Command, Config, ContactId, Demand, Event, Limits, Micros, QueueId, Router,
    Terms,
};

use crate::forecast::{Accuracy, Forecasts};
use crate::law::{Law, Stream};
use crate::meter::{Drawn, Meter};
use crate::sums::Sums;
use crate::waiting::{Contact, Waiting};

/// Contacts of one kind.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Where from.
    pub channel: ChannelId,
    /// Where they wait.
    pub queue: QueueId,
    /// Their head start.
    pub head_start_us: Micros,
    /// Gaps between arrivals.
    pub gap: Law,
    /// How long they wait at most; `None` = endlessly.
    pub patience: Option<Law>,
}

/// A centre, its customers, and what is asked about them. Every agent of the configuration is
/// there from the start. Channels must be instant, and queues without wrap-up.
#[derive(Clone, Debug)]
pub struct Centre {
    /// The router's configuration.
    pub config: Config,
    /// Who comes in.
    pub flows: Vec<Flow>,
    /// How long a contact talks.
    pub service: Law,
    /// The pool of each agent, by position: from 0, without gaps.
    pub pools: Vec<usize>,
    /// Two bounds of the wait, for service levels.
    pub within_us: [Micros; 2],
    /// What every stream starts from.
    pub seed: u64,
}

impl Centre {
    const SERVICE: u64 = 1;
    const GAPS: u64 = 1_000;
    const PATIENCE: u64 = 2_000;

    fn streams(&self, concern: u64) -> Vec<Stream> {
        let of_flow = |flow| Stream::new(self.seed, concern + flow as u64);
        (0..self.flows.len()).map(of_flow).collect()
    }
}

/// A talk under way; the earlier answered is over first at equal times.
type Talk = Reverse<(Micros, u64, ContactId, AgentId)>;

/// A play under way.
pub struct Play {
    centre: Centre,
    router: Router,
    service: Stream,
    gaps: Vec<Stream>,
    patience: Vec<Stream>,
    next_arrival: Vec<Micros>,
    talks: BinaryHeap<Talk>,
    hang_ups: BinaryHeap<Reverse<(Micros, ContactId)>>,
    waiting: Waiting,
    meter: Meter,
    /// Position by agent id.
    position: Vec<usize>,
    answers: u64,
    /// Only when they are asked for.
    forecasts: Option<Forecasts>,
    /// The contact whose `arrive` is being carried out.
    arriving: Option<ContactId>,
    /// Reused for every command.
    out: Vec<Event>,
}

impl Play {
    /// Opens the centre, empty, with everybody ready.
    ///
    /// # Panics
    /// When the router refuses the configuration.
    #[must_use]
    pub fn new(centre: Centre) -> Self {
        let mut gaps = centre.streams(Centre::GAPS);
        let first = |(flow, gaps): (&Flow, &mut Stream)| flow.gap.draw(gaps);
        let next_arrival = centre.flows.iter().zip(&mut gaps).map(first).collect();
        let agents = &centre.config.agents;
        let last = agents.iter().map(|agent| agent.id).max().unwrap_or(0);
        let mut position = vec![0; last as usize + 1];
        for (at, agent) in agents.iter().enumerate() {
            position[agent.id as usize] = at;
        }
        let mut play = Self {
            router: Router::new(Limits::default()),
            service: Stream::new(centre.seed, Centre::SERVICE),
            patience: centre.streams(Centre::PATIENCE),
            gaps,
            next_arrival,
            talks: BinaryHeap::new(),
            hang_ups: BinaryHeap::new(),
            waiting: Waiting::default(),
            meter: Meter::new(centre.flows.len(), &centre.pools),
            position,
            answers: 0,
            forecasts: None,
            arriving: None,
            out: Vec::new(),
            centre,
        };
        play.open();
        play
    }

    fn open(&mut self) {
        let config = Box::new(self.centre.config.clone());
        let agents: Vec<AgentId> = config.agents.iter().map(|agent| agent.id).collect();
        self.feed(0, Command::Configure { config });
        for agent in agents {
            let command = Command::SignIn {
                agent,
                ready: true,
                command_id: None,
            };
            self.feed(0, command);
        }
    }

    /// Goes on until so many more contacts have come in; what happened meanwhile.
    ///
    /// # Panics
    /// When the router refuses something, which it has no reason to.
    pub fn arrivals(&mut self, count: u64) -> Sums {
        let mut left = count;
        while left > 0 {
            left -= u64::from(self.step());
        }
        self.meter.stretch()
    }

    /// Lets nobody else in, and goes on until the last contact is over.
    ///
    /// # Panics
    /// As [`Self::arrivals`].
    pub fn close(&mut self) -> Sums {
        self.next_arrival.fill(Micros::MAX);
        while !self.talks.is_empty() || self.meter.waiting() > 0 {
            self.step();
        }
        self.meter.stretch()
    }

    /// From here on, whoever has to wait is told how long; how good that has been since the last
    /// time this was asked.
    pub fn accuracy(&mut self) -> Accuracy {
        let forecasts = self.forecasts.get_or_insert_default();
        std::mem::take(&mut forecasts.accuracy)
    }

    /// The router, for its own checks and reads.
    #[must_use]
    pub const fn router(&self) -> &Router {
        &self.router
    }

    /// One thing that happens outside the router; whether it was an arrival.
    fn step(&mut self) -> bool {
        let talk = self.talks.peek().map_or(Micros::MAX, |next| next.0.0);
        let hang_up = self.hang_ups.peek().map_or(Micros::MAX, |next| next.0.0);
        let (flow, arrival) = self.first_arrival();
        if talk <= arrival && talk <= hang_up {
            self.end();
        } else if arrival <= hang_up {
            self.arrive(flow, arrival);
            return true;
        } else {
            self.hang_up();
        }
        false
    }

    fn first_arrival(&self) -> (usize, Micros) {
        let mut first = (0, Micros::MAX);
        for (flow, &at) in self.next_arrival.iter().enumerate() {
            if at < first.1 {
                first = (flow, at);
            }
        }
        first
    }

    fn end(&mut self) {
        if let Some(Reverse((at, _, contact, agent))) = self.talks.pop() {
            self.meter.freed(at, self.position[agent as usize]);
            self.feed(at, Command::End { agent, contact });
        }
    }

    fn arrive(&mut self, flow: usize, at: Micros) {
        let kind = &self.centre.flows[flow];
        let gap = kind.gap.draw(&mut self.gaps[flow]);
        let id = self.waiting.next_id();
        let command = Command::Arrive {
            channel: kind.channel,
            key: u128::from(id).to_be_bytes(),
            queue: kind.queue,
            head_start_us: kind.head_start_us,
            weight: 1,
            demand: Demand::default(),
            terms: Terms::default(),
        };
        self.next_arrival[flow] = at.saturating_add(gap);
        self.meter.drawn(Drawn::Gap, gap, kind.gap.mean());
        self.meter.arrived(at, flow);
        self.waiting.arrive(Contact { at, flow });
        self.arriving = Some(id);
        self.feed(at, command);
        self.arriving = None;
        if self.waiting.get(id).is_none() {
            return;
        }
        let kind = &self.centre.flows[flow];
        if let Some(forecasts) = &mut self.forecasts
            && let Some(estimate) = self.router.estimate(id)
        {
            forecasts.tell(id, kind.queue, estimate);
        }
        if let Some(patience) = &kind.patience {
            let drawn = patience.draw(&mut self.patience[flow]);
            self.meter.drawn(Drawn::Patience, drawn, patience.mean());
            self.hang_ups.push(Reverse((at.saturating_add(drawn), id)));
        }
    }

    fn hang_up(&mut self) {
        let Some(Reverse((at, contact))) = self.hang_ups.pop() else {
            return;
        };
        let Some(gone) = self.waiting.get(contact) else {
            return; // answered long since
        };
        let channel = self.centre.flows[gone.flow].channel;
        self.feed(at, Command::Abandon { channel, contact });
    }

    /// Feeds a command and answers every offer that follows from it.
    fn feed(&mut self, at: Micros, command: Command) {
        let mut out = std::mem::take(&mut self.out);
        self.apply(at, command, &mut out);
        let mut next = 0;
        while next < out.len() {
            match out[next] {
                Event::OfferMade { offer, agent, .. } => {
                    self.apply(at, Command::Accept { agent, offer }, &mut out);
                }
                Event::Engaged { contact, agent, .. } => self.engaged(at, contact, agent),
                Event::Abandoned { contact, .. } => {
                    if let Some(forecasts) = &mut self.forecasts {
                        forecasts.gone(contact);
                    }
                    let contact = self.waiting.leave(contact);
                    let within_us = &self.centre.within_us;
                    self.meter.abandoned(at, &contact, within_us);
                }
                Event::Blocked { contact, .. } => {
                    let contact = self.waiting.leave(contact);
                    self.meter.blocked(at, &contact);
                }
                _ => {}
            }
            next += 1;
        }
        out.clear();
        self.out = out;
    }

    fn apply(&mut self, at: Micros, command: Command, out: &mut Vec<Event>) {
        if let Err(rejection) = self.router.apply(at, command, out) {
            panic!("refused {} {}", rejection.code.name(), rejection.detail);
        }
    }

    fn engaged(&mut self, at: Micros, id: ContactId, agent: AgentId) {
        let at_once = self.arriving == Some(id);
        let contact = self.waiting.leave(id);
        if let Some(forecasts) = &mut self.forecasts {
            let queue = self.centre.flows[contact.flow].queue;
            forecasts.answered(id, queue, at - contact.at);
        }
        let position = self.position[agent as usize];
        let within_us = &self.centre.within_us;
        self.meter.answered(at, &contact, at_once, within_us);
        self.meter.taken(at, position);
        let talk = self.centre.service.draw(&mut self.service);
        self.meter
            .drawn(Drawn::Talk, talk, self.centre.service.mean());
        let over = Reverse((at.saturating_add(talk), self.answers, id, agent));
        self.talks.push(over);
        self.answers += 1;
    }
}
