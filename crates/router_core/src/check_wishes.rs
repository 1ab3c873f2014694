//! The slow checks of what few contacts have: preferred and excluded agents, steps, their deadline.

use crate::agent::Agent;
use crate::check::{Sound, hold};
use crate::config::{MAX_HOPS, OverflowWhen};
use crate::contact::{Contact, Stage};
use crate::router::Router;
use crate::stealth::is_at_work;
use crate::time::Micros;
use crate::timer::Timer;

impl Router {
    pub(crate) fn audit_wishes(&self, contact: &Contact) -> Sound {
        let id = contact.id;
        let queue = self.setup.queue(contact.queue);
        let steps = queue.map_or(&[][..], |queue| &queue.steps);
        let step = usize::from(contact.step());
        hold(step <= steps.len(), "a contact's steps are its queue's", id)?;
        let falls_due = steps.get(step).map(|s| contact.enqueued_at + s.after_us);
        let rules = queue.map_or(&[][..], |queue| &queue.overflow);
        let looked_at = contact.wishes.as_ref().map_or(0, |wishes| wishes.looked_at);
        let waits = rules.iter().filter(|rule| rule.when == OverflowWhen::Wait);
        let dues = waits.map(|rule| contact.enqueued_at + rule.threshold);
        let dues = dues.filter(|due| contact.hops() < 4 && *due > looked_at);
        let lifts = self.setup.config.reply_margin_us * Micros::from(contact.tier > 1);
        let reply = contact.reply_by().map(|by| by.saturating_sub(lifts));
        let wants = self.wants_from(contact).filter(|&from| from > self.now);
        let single = [contact.preferred_until(), falls_due, reply, wants];
        let single = single.into_iter().chain([contact.announce_at()]).flatten();
        let earliest = single.chain(dues).min();
        let earliest = earliest.filter(|_| contact.waits());
        let tells = queue.is_some_and(|queue| queue.announce_us > 0);
        let told = contact.announce_at().is_some();
        let in_line = ![Stage::Engaged, Stage::Scheduled].contains(&contact.stage());
        let right = told == (tells && in_line);
        hold(right, "who waits is told where it stands", id)?;
        let Some(wishes) = &contact.wishes else {
            return hold(earliest.is_none(), "a step has its deadline", id);
        };
        let timer = wishes
            .wake_at
            .and_then(|at| self.timers.get(at, wishes.wake_timer));
        let expected = wishes.wake_at.map(|_| Timer::Wake(id));
        hold(timer == expected, "a wake has its timer", id)?;
        let right = match (earliest, wishes.wake_at) {
            (None, None) => true,
            // What was due before it was set falls due at once.
            (Some(due), Some(at)) => at == due || due < at && at == self.now,
            _ => false,
        };
        hold(right, "a contact wakes when something is due", id)?;
        let told = wishes.hops <= MAX_HOPS && wishes.looked_at <= self.now;
        hold(told, "a contact overflows so often, up to now", id)?;
        let ascend = wishes.preferred.is_sorted_by(|a, b| a < b)
            && wishes.excludes.is_sorted_by(|a, b| a < b);
        hold(ascend, "preferred and excluded agents ascend", id)?;
        let runs = wishes.preferred_until.is_some();
        let engaged = contact.engaged_at() > 0;
        let scheduled = contact.stage() == Stage::Scheduled;
        let sense = !runs || !wishes.preferred.is_empty() && !engaged && !scheduled;
        hold(sense, "a preference is for agents, until engaged", id)?;
        let somebody = !wishes.beyond_capacity || !wishes.preferred.is_empty();
        hold(somebody, "beyond the capacity of whom it prefers", id)?;
        let open = wishes.reply_by == 0 || !engaged;
        hold(open, "who is engaged has no deadline for the reply", id)
    }

    /// Who waits for agents that it prefers has one of them left, and stands in their lines.
    pub(crate) fn audit_preference(&self, contact: &Contact) -> Sound {
        let (id, class) = (contact.id, contact.class);
        let (waits_for, stands_for) = if contact.waits() {
            (contact.waits_for(), contact.stands_for())
        } else {
            (&[][..], &[][..])
        };
        let stands = |agent: &u32| {
            let line = self.floor.preferring.get(&(*agent, class));
            line.is_some_and(|line| line.contains(&(contact.place(), id)))
        };
        let all = stands_for.iter().all(stands);
        hold(all, "who waits for an agent stands in its line", id)?;
        if waits_for.is_empty() {
            return Ok(());
        }
        let left = |agent: &&Agent| {
            self.is_qualified(contact, agent) && !contact.attempted.contains(&agent.id)
        };
        let agents = self.agents.sorted();
        let somebody = agents.iter().any(left);
        hold(somebody, "a preference for nobody is over", id)?;
        let witness = self.hopes.witness_of(id);
        let witness = witness.and_then(|agent| self.agents.get(agent));
        let sound = witness.as_ref().is_some_and(left);
        hold(sound, "a witness of a preference is left", id)
    }

    /// Lines hold nobody but those who wait for their agent.
    pub(crate) fn audit_lines(&self) -> Sound {
        let waiting = self.contacts.sorted().into_iter().filter(|c| c.waits());
        let expected: usize = waiting.map(|contact| contact.stands_for().len()).sum();
        let lines = self.floor.preferring.values();
        let stand: usize = lines.map(std::collections::BTreeSet::len).sum();
        hold(stand == expected, "lines hold who waits", stand as u64)
    }

    /// What bots must know: which humans are at work.
    pub(crate) fn audit_humans(&self, agent: &Agent) -> Sound {
        let placed = &self.floor.placed[agent.position as usize];
        let class = &self.floor.agents[placed.class];
        let stealth = self.setup.config.agents[agent.position as usize].stealth;
        hold(class.stealth == stealth, "bots are among bots", agent.id)?;
        let wanted = self.setup.config.queues.iter();
        let wanted = wanted.flat_map(|queue| &queue.overflow);
        let wanted = wanted
            .filter(|rule| rule.when == OverflowWhen::NoAgent)
            .count()
            > 0;
        let expected = (wanted || !self.floor.bots.is_empty()) && is_at_work(agent);
        let listed = class.signed_in.contains(&agent.position);
        hold(listed == expected, "who is at work is listed", agent.id)?;
        let marked = self.floor.peopled.has(placed.class);
        let staffed = self.floor.staffed.has(placed.class);
        let right = staffed != class.signed_in.is_empty() && marked == (staffed && !stealth);
        hold(right, "a class with somebody at work is marked", agent.id)
    }
}
