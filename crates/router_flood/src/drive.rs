//! The loop: sockets and the clock around the crowd.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};

use crate::Fault;
use crate::asking::{Ask, Side};
use crate::crowd::Crowd;
use crate::ledger::{Ledger, Progress};
use crate::link::{Heard, Link};
use crate::settings::{Load, MAX_EDGES, Settings};

const SIGN_IN_WITHIN: Duration = Duration::from_secs(60);
const HOME_WITHIN_US: u64 = 10_000_000;
const WATCH_EVERY_US: u64 = 250_000;
/// Somebody who presses Ctrl-C does not want to wait.
const LONGEST_NAP_US: u64 = 100_000;
const LEAST_RETRY_MS: u64 = 10;

/// Plays a flood to its end.
///
/// `watch` is told several times a second how it goes; `false` stops it.
///
/// # Errors
///
/// The site could not be reached, refused a connection or broke the protocol; or `watch` stopped it.
pub fn flood(
    settings: &Settings,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Ledger, Fault> {
    check(settings)?;
    let mut drive = Drive::open(settings, watch)?;
    drive.sign_in()?;
    drive.play()?;
    drive.go_home()?;
    Ok(drive.crowd.into_ledger())
}

fn check(settings: &Settings) -> Result<(), Fault> {
    let wrong = if settings.plan.is_empty() {
        "no contact is planned"
    } else if settings.agents.is_empty() {
        "there are no agents"
    } else if !(1..=MAX_EDGES).contains(&settings.edges.len()) {
        "expected 1..16 connections for agents"
    } else if settings
        .plan
        .iter()
        .any(|one| one.plugin >= settings.plugins.len() || one.queue >= settings.queues.len())
    {
        "a planned contact has an unknown channel or queue"
    } else if matches!(settings.load, Load::Saturated { waiting: 0, .. }) {
        "expected at least one contact that waits"
    } else {
        return Ok(());
    };
    Err(Fault(wrong.to_owned()))
}

struct Drive<'a> {
    settings: &'a Settings,
    crowd: Crowd<'a>,
    plugins: Vec<Link>,
    edges: Vec<Link>,
    watch: &'a mut dyn FnMut(&Progress) -> bool,
    begun: Instant,
    watch_at_us: u64,
    welcomes: usize,
    /// What the site was too busy for, by the time at which it is asked again.
    again: Vec<(u64, u64, Ask)>,
}

impl<'a> Drive<'a> {
    fn open(
        settings: &'a Settings,
        watch: &'a mut dyn FnMut(&Progress) -> bool,
    ) -> Result<Self, Fault> {
        let address = &settings.address;
        let plugins = settings.plugins.iter().enumerate();
        let edges = settings.edges.iter().enumerate();
        Ok(Self {
            settings,
            crowd: Crowd::new(settings),
            plugins: plugins
                .map(|(n, one)| Link::open(address, &one.opening, format!("channel {n}")))
                .collect::<Result<_, _>>()?,
            edges: edges
                .map(|(n, opening)| Link::open(address, opening, format!("edge {n}")))
                .collect::<Result<_, _>>()?,
            watch,
            begun: Instant::now(),
            watch_at_us: 0,
            welcomes: 0,
            again: Vec::new(),
        })
    }

    fn now_us(&self) -> u64 {
        self.begun.elapsed().as_micros() as u64
    }

    /// Waits for every welcome, then lets every agent sign in; the run's time begins after it.
    fn sign_in(&mut self) -> Result<(), Fault> {
        let late = || Fault("the agents could not sign in within 60 s".to_owned());
        while self.welcomes < self.plugins.len() + self.edges.len() {
            self.turn(self.now_us() + LONGEST_NAP_US)?;
            if self.begun.elapsed() > SIGN_IN_WITHIN {
                return Err(late());
            }
        }
        self.crowd.sign_in(self.now_us());
        self.say();
        while self.unanswered() > 0 {
            self.turn(self.now_us() + LONGEST_NAP_US)?;
            if self.begun.elapsed() > SIGN_IN_WITHIN {
                return Err(late());
            }
        }
        self.begun = Instant::now();
        Ok(())
    }

    fn play(&mut self) -> Result<(), Fault> {
        let drained_us = self.settings.until_us + self.settings.drain_us;
        let hurry_us = self.settings.until_us + self.settings.drain_us / 2;
        loop {
            let now_us = self.now_us();
            if now_us >= self.settings.until_us {
                self.crowd.close();
            }
            if now_us >= hurry_us && !self.crowd.hurried {
                self.crowd.hurry(now_us);
            }
            self.crowd.step(now_us);
            self.say();
            if now_us >= self.watch_at_us {
                self.tell(now_us)?;
            }
            let over = !self.crowd.arriving() && self.crowd.is_empty() && self.unanswered() == 0;
            let nobody_more = over && self.again.is_empty() && now_us >= self.settings.from_us;
            if nobody_more || now_us >= drained_us {
                return self.tell(now_us);
            }
            let due_us = self.crowd.next_step_us().unwrap_or(u64::MAX);
            self.turn(due_us.min(self.watch_at_us))?;
        }
    }

    /// The site is left as it was found: nobody is signed in.
    fn go_home(&mut self) -> Result<(), Fault> {
        let now_us = self.now_us();
        self.crowd.sign_out(now_us);
        self.say();
        while self.unanswered() > 0 && self.now_us() < now_us + HOME_WITHIN_US {
            self.turn(self.now_us() + LONGEST_NAP_US)?;
        }
        Ok(())
    }

    fn unanswered(&self) -> u64 {
        self.plugins
            .iter()
            .chain(&self.edges)
            .map(Link::unanswered)
            .sum()
    }

    fn tell(&mut self, now_us: u64) -> Result<(), Fault> {
        self.watch_at_us = now_us + WATCH_EVERY_US;
        let ledger = &self.crowd.ledger;
        let progress = Progress {
            at_us: now_us,
            arrivals: ledger.arrivals,
            lifecycles: ledger.lifecycles,
            live: self.crowd.live(),
            unanswered: self.unanswered(),
            freed_offer_p99_us: ledger.freed_offer.percentile_us(99),
        };
        if (self.watch)(&progress) {
            Ok(())
        } else {
            Err(Fault("stopped".to_owned()))
        }
    }

    /// Puts what the crowd wants to say into frames.
    fn say(&mut self) {
        let mut asks = std::mem::take(&mut self.crowd.asks);
        for (meant_us, ask) in asks.drain(..) {
            let command = self.crowd.command(ask);
            let link = match self.crowd.side(ask) {
                Side::Plugin(number) => &mut self.plugins[number],
                Side::Edge(number) => &mut self.edges[number],
            };
            link.ask(meant_us, ask, &command);
        }
        self.crowd.asks = asks;
    }

    /// Sends, waits until something comes or `until_us`, and hears it; channels before agents.
    fn turn(&mut self, until_us: u64) -> Result<(), Fault> {
        for link in self.plugins.iter_mut().chain(&mut self.edges) {
            link.flush()?;
        }
        let readable = self.wait(until_us)?;
        let now_us = self.now_us();
        let (crowd, again) = (&mut self.crowd, &mut self.again);
        for (place, link) in self.plugins.iter_mut().chain(&mut self.edges).enumerate() {
            if !readable[place] {
                continue;
            }
            let plugin = Some(place).filter(|place| *place < self.settings.plugins.len());
            link.receive(|heard| match heard {
                Heard::Event(event) => match plugin {
                    Some(plugin) => crowd.hear_plugin(now_us, plugin, &event),
                    None => crowd.hear_edge(now_us, &event),
                },
                Heard::Ack(meant_us, ask, code, value) => {
                    crowd.hear_ack(now_us, meant_us, ask, code, value);
                }
                Heard::Busy(meant_us, ask, after_ms) => {
                    crowd.ledger.busy += 1;
                    let due_us = now_us + after_ms.max(LEAST_RETRY_MS) * 1_000;
                    again.push((due_us, meant_us, ask));
                }
                Heard::Welcome => self.welcomes += 1,
            })?;
        }
        self.again.retain(|&(due_us, meant_us, ask)| {
            if due_us <= now_us {
                self.crowd.asks.push((meant_us, ask));
            }
            due_us > now_us
        });
        self.say();
        Ok(())
    }

    /// Waits; which connections have something to read.
    fn wait(&self, until_us: u64) -> Result<Vec<bool>, Fault> {
        let nap_us = until_us.saturating_sub(self.now_us()).min(LONGEST_NAP_US);
        let links = self.plugins.iter().chain(&self.edges);
        let mut fds: Vec<PollFd<'_>> = links
            .map(|link| {
                let mut wanted = PollFlags::POLLIN;
                wanted.set(PollFlags::POLLOUT, link.wants_to_write());
                PollFd::new(link.fd(), wanted)
            })
            .collect();
        match wait_for(&mut fds, Duration::from_micros(nap_us)) {
            Ok(_) | Err(Errno::EINTR) => (),
            Err(error) => return Err(Fault(format!("cannot wait for sockets: {error}"))),
        }
        let said = |fd: &PollFd<'_>| fd.revents().unwrap_or(PollFlags::empty());
        let readable = PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
        Ok(fds.iter().map(|fd| said(fd).intersects(readable)).collect())
    }
}

#[cfg(target_os = "linux")]
fn wait_for(fds: &mut [PollFd<'_>], nap: Duration) -> nix::Result<i32> {
    nix::poll::ppoll(fds, Some(nap.into()), None)
}

/// Elsewhere there is no `ppoll`: whole milliseconds, up to one too late.
#[cfg(not(target_os = "linux"))]
fn wait_for(fds: &mut [PollFd<'_>], nap: Duration) -> nix::Result<i32> {
    let ms = u16::try_from(nap.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
    nix::poll::poll(fds, ms)
}
