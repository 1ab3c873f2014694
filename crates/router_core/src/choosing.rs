//! Strategies from outside: somebody else chooses among the agents who are eligible.
//!
//! 1. Where a contact of such a queue would be offered, whether it chose or was chosen, it is asked
//!    whom it shall go to instead. It waits on and is eligible for nobody until there is an answer.
//! 2. Nothing is kept for it meanwhile: agents go on taking other contacts. So an answer counts only
//!    if that agent is eligible when it comes; else, at the deadline and where the answer is "nobody",
//!    the queue's fallback chooses among those who are eligible then.
//! 3. Whatever else ends its waiting, or gives it another queue or demand, ends the choice without a
//!    word; so do a restart and a new configuration.

use crate::check::{Sound, hold};
use crate::config::{MAX_CANDIDATES, QueueConfig, Strategy};
use crate::contact::Contact;
use crate::deciding::Halt;
use crate::event::{ChoiceCause, Event};
use crate::hash::{Fold, Hashed};
use crate::ids::{AgentId, ChoiceId, ContactId};
use crate::rejection::{Code, Rejection};
use crate::router::{Router, refuse};
use crate::slab::{Keyed, Tracked};
use crate::time::Micros;
use crate::timer::Timer;

/// A choice that runs.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: ChoiceId,
    pub(crate) contact: ContactId,
    pub(crate) deadline: Micros,
    /// The number of its timer.
    pub(crate) timer: u64,
}

impl Keyed for Choice {
    type Key = ChoiceId;
    fn key(&self) -> ChoiceId {
        self.id
    }
}

impl Hashed for Choice {
    fn hash(&self) -> u64 {
        Fold::new(19)
            .words([self.id, self.contact, self.deadline])
            .end()
    }
}

/// All that run, and the number of the next.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    pub(crate) running: Tracked<Choice>,
    pub(crate) next: ChoiceId,
}

impl Default for Choices {
    fn default() -> Self {
        let running = Tracked::default();
        Self { running, next: 1 }
    }
}

impl QueueConfig {
    /// The strategy in whose order agents stand, whoever chooses among them.
    pub(crate) const fn ordered_by(&self) -> Strategy {
        match self.strategy {
            Strategy::Outside => self.fallback,
            own => own,
        }
    }
}

impl Router {
    /// Asks whom a waiting contact shall be offered to.
    pub(crate) fn want_choice(&mut self, id: ContactId, timeout: Micros) {
        if self.halt == Halt::Reached {
            return;
        }
        let agents = self.first_agents(id, MAX_CANDIDATES);
        let at = self.now;
        let (choice, deadline) = (self.choices.next, at + timeout);
        self.choices.next += 1;
        let timer = self.timers.set(deadline, Timer::Choice(choice));
        self.choices.running.insert(Choice {
            id: choice,
            contact: id,
            deadline,
            timer,
        });
        self.set_choice(id, choice);
        let contact = self.live(id);
        let (channel, queue) = (contact.channel, contact.queue);
        self.emit(Event::ChoiceWanted {
            at,
            choice,
            contact: id,
            channel,
            queue,
            deadline,
            agents,
        });
    }

    /// Notes on a waiting contact which choice runs for it. Who is left to ask, or of those whom it
    /// prefers, is the same as before.
    fn set_choice(&mut self, id: ContactId, choice: ChoiceId) {
        let key = self.leave_line(id);
        self.live(id).wishes().choice = choice;
        self.classify(id, key);
        let contact = self.contacts.get(id).expect("a choice is for who waits");
        let (class, place) = (contact.class, contact.place());
        self.floor.enter(class, place, id, contact.stands_for());
    }

    pub(crate) fn choose(&mut self, choice: ChoiceId, agent: AgentId) -> Result<(), Rejection> {
        if self.choices.running.get(choice).is_none() {
            return refuse(Code::UnknownChoice, choice);
        }
        self.choice_over(choice, agent, ChoiceCause::LeftToFallback);
        Ok(())
    }

    /// A choice has its answer, or must do without: `agent` if eligible, or else whom the fallback
    /// chooses; `cause` is why, where nobody was named.
    pub(crate) fn choice_over(&mut self, choice: ChoiceId, agent: AgentId, cause: ChoiceCause) {
        let at = self.now;
        let Some(id) = self.choices.running.get(choice).map(|one| one.contact) else {
            return;
        };
        self.drop_choice(id, cause == ChoiceCause::Deadline);
        self.set_choice(id, 0);
        let contact = self.contacts.get(id).expect("a choice is for who waits");
        let (channel, home) = (contact.channel, contact.queue);
        let queue = self.setup.queue(home);
        let timeout = queue.map_or(0, |queue| queue.offer_timeout_us);
        let named = self.agents.get(agent);
        let (agent, cause) = if named.is_some_and(|agent| self.is_eligible(contact, agent)) {
            (Some(agent), ChoiceCause::Chosen)
        } else {
            let known = agent == 0;
            let cause = if known {
                cause
            } else {
                ChoiceCause::NotEligible
            };
            (self.best_agent(id), cause)
        };
        self.emit(Event::ChoiceOver {
            at,
            choice,
            contact: id,
            channel,
            agent: agent.unwrap_or(0),
            cause,
        });
        if let Some(agent) = agent.filter(|_| !self.halts(1)) {
            self.offer_to(id, agent, timeout);
            self.pace_after_offer(home);
        }
    }

    /// Forgets the choice that runs for a contact, which keeps its number; its timer may be off already.
    fn drop_choice(&mut self, id: ContactId, is_due: bool) {
        let contact = self.contacts.get(id);
        let choice = contact.map_or(0, Contact::choice);
        if let Some(gone) = self.choices.running.remove(choice)
            && !is_due
        {
            self.timers.cancel(gone.deadline, gone.timer);
        }
    }

    /// A contact that stands in no line at the moment goes on without its choice, if one runs.
    pub(crate) fn end_choice(&mut self, id: ContactId) {
        if self.contacts.get(id).is_some_and(|c| c.choice() != 0) {
            self.drop_choice(id, false);
            self.live(id).wishes().choice = 0;
        }
    }

    /// Ends all of them.
    pub(crate) fn end_choices(&mut self) {
        let running = self.choices.running.sorted();
        let contacts: Vec<ContactId> = running.iter().map(|choice| choice.contact).collect();
        for id in contacts {
            self.drop_choice(id, false);
            self.set_choice(id, 0);
        }
    }

    /// For `check()`.
    pub(crate) fn audit_choices(&self) -> Sound {
        for choice in self.choices.running.sorted() {
            let contact = self.contacts.get(choice.contact);
            let waits = contact.is_some_and(|one| one.waits() && one.choice() == choice.id);
            hold(waits, "a choice is for who waits", choice.id)?;
            let queue = contact.and_then(|contact| self.setup.queue(contact.queue));
            let outside = queue.is_some_and(|queue| queue.strategy == Strategy::Outside);
            let counted = choice.id < self.choices.next;
            hold(outside && counted, "a choice is wanted", choice.id)?;
            let timer = self.timers.get(choice.deadline, choice.timer);
            let right = timer == Some(Timer::Choice(choice.id));
            hold(right, "a choice has its timer", choice.id)?;
        }
        let contacts = self.contacts.sorted().into_iter();
        let choosing = contacts.filter(|contact| contact.choice() != 0).count();
        let known = choosing == self.choices.running.len();
        hold(known, "who has a choice is asked for", choosing as u64)
    }
}
