//! What happens to contacts before anybody has them: scheduled, lifted, a choice from outside.

use router_core::{AgentId, ChoiceCause, ChoiceId, Event, Micros};

use crate::history::History;
use crate::ledger::Ledger;
use crate::rows::{ChoiceRow, ContactRow};

/// An agent, a reason: 0 means none.
pub(crate) fn given(id: u32) -> Option<u32> {
    (id != 0).then_some(id)
}

/// Ends a choice of which no event says that it is over: what it was about has changed.
pub(crate) fn drop_choice(
    choices: &mut Ledger<ChoiceRow>,
    row: &mut ContactRow,
    at: Micros,
    seq: u64,
) {
    end_choice(choices, row.choice.take(), at, seq, ("dropped", None));
}

fn end_choice(
    choices: &mut Ledger<ChoiceRow>,
    choice: Option<ChoiceId>,
    at: Micros,
    seq: u64,
    how: (&'static str, Option<AgentId>),
) {
    let Some(number) = choice else { return };
    let choice = choices.change(number);
    (choice.cause, choice.agent) = (Some(how.0), how.1);
    (choice.over_at, choice.seq) = (Some(at), seq);
    choices.close(number);
}

impl History {
    pub(crate) fn waits(&mut self, event: &Event) {
        let seq = self.seq;
        match *event {
            Event::Scheduled { contact, until, .. } => {
                let row = self.contact(contact);
                row.state = "scheduled";
                row.scheduled_for.set(until);
                row.enqueued_at = until;
            }
            Event::Lifted {
                at,
                contact,
                tier,
                reply_by,
                ..
            } => {
                let row = self.contact(contact);
                row.tier = tier;
                row.lifted_at.set(at);
                row.reply_by.set(reply_by);
            }
            Event::Reserved { contact, .. } => self.contact(contact).reserved += 1,
            Event::ChoiceWanted {
                at,
                choice,
                contact,
                channel,
                queue,
                deadline,
                ref agents,
            } => {
                let row = self.contacts.change(contact);
                row.seq = seq;
                drop_choice(&mut self.choices, row, at, seq);
                row.choice.set(choice);
                let wanted = ChoiceRow {
                    choice,
                    contact,
                    channel,
                    queue,
                    wanted_at: at,
                    deadline_at: deadline,
                    agents: agents.len() as u32,
                    seq,
                    agent: None,
                    over_at: None,
                    cause: None,
                };
                self.choices.add(choice, wanted);
            }
            Event::ChoiceOver {
                at,
                contact,
                agent,
                cause,
                ..
            } => {
                let word = match cause {
                    ChoiceCause::Chosen => "chosen",
                    ChoiceCause::Deadline => "deadline",
                    ChoiceCause::NotEligible => "not_eligible",
                    ChoiceCause::LeftToFallback => "left_to_fallback",
                };
                let choice = self.contact(contact).choice.take();
                end_choice(&mut self.choices, choice, at, seq, (word, given(agent)));
            }
            _ => unreachable!("only what is named above comes here"),
        }
    }

    /// A restart and a configuration end every choice; new ones begin at once.
    pub(crate) fn drop_choices(&mut self, at: Micros) {
        for choice in self.choices.keys() {
            let contact = self.choices.get(choice).expect("it is open").contact;
            let seq = self.seq;
            let row = self.contacts.change(contact);
            row.seq = seq;
            drop_choice(&mut self.choices, row, at, seq);
        }
    }
}
