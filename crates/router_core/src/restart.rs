//! The first command after a start of the service.
//!
//! 1. Nobody saw the offers and invitations that were open: they are withdrawn, as of the last thing that happened.
//!    Nobody saw who was asked to choose either: no choice runs any more.
//! 2. Nobody could connect while the service was down: connecting deadlines start anew.
//! 3. Nobody could be asked either: what runs for preferred agents starts anew.
//! 4. Everything else fell due at its own time, but nothing was decided in between: there was
//!    nobody to tell.
//! 5. Then every waiting contact is looked at, at the time of the start.

use crate::event::{Event, QueuedCause, WithdrawnCause};
use crate::ids::{ContactId, OfferId};
use crate::router::Router;
use crate::time::Micros;
use crate::timer::Timer;
use crate::view::ContactState;

impl Router {
    pub(crate) fn restart(&mut self, at: Micros) {
        if !self.setup.configured {
            self.now = at;
            self.emit(Event::Restarted { at });
            return;
        }
        let open: Vec<OfferId> = self.offers.sorted().iter().map(|offer| offer.id).collect();
        self.take_back(open, WithdrawnCause::Restart, QueuedCause::Restart);
        self.end_choices();
        let live: Vec<ContactId> = self.contacts.sorted().iter().map(|live| live.id).collect();
        for &id in &live {
            self.connect_anew(id, at);
        }
        for &id in &live {
            self.prefer_anew(id, at);
        }
        while let Some((deadline, number, timer)) = self.timers.pop_due(at) {
            self.now = deadline;
            self.fire(number, timer);
            self.passes();
        }
        self.now = at;
        self.purge();
        self.emit(Event::Restarted { at });
        self.dirty.clear();
        let waiting = self.floor.waiting().map(|(_, id)| id);
        self.dirty.contacts.extend(waiting);
        self.decide();
    }

    fn connect_anew(&mut self, id: ContactId, at: Micros) {
        let Some(contact) = self.contacts.get(id) else {
            return;
        };
        let ContactState::Connecting { agent, deadline } = contact.state else {
            return;
        };
        self.timers.cancel(deadline, contact.timer);
        let channel = self.setup.channel(contact.channel);
        let deadline = at + channel.map_or(0, |channel| channel.connect_timeout_us);
        let timer = self.timers.set(deadline, Timer::Connecting(id));
        let contact = self.live(id);
        contact.state = ContactState::Connecting { agent, deadline };
        contact.timer = timer;
    }
}
