//! Segments: a contact in an agent's hands, from the connection to the wrap-up, and who is in it beside.

use router_core::{AgentId, ContactId, EndedBy, Event, Micros};

use crate::history::{History, ended_by};
use crate::rows::{OPEN, SegmentRow, ms};

const SERVES: &str = "serves";

impl History {
    /// A contact's row, which is about to change.
    pub(crate) fn contact(&mut self, contact: ContactId) -> &mut crate::rows::ContactRow {
        let row = self.contacts.change(contact);
        row.seq = self.seq;
        row
    }

    fn open_segment(&mut self, contact: ContactId, agent: AgentId, role: &'static str) -> u64 {
        self.last_segment += 1;
        let (segment, seq) = (self.last_segment, self.seq);
        let of = self.contact(contact);
        let row = SegmentRow {
            segment,
            contact,
            channel: of.channel,
            queue: of.queue,
            agent,
            seq,
            role,
            outcome: OPEN,
            connecting_at: None,
            engaged_at: None,
            ended_at: None,
            talk_ms: None,
            hold_ms: 0,
            parked_ms: 0,
            wrap_up_started_at: None,
            wrap_up_ended_at: None,
            wrap_up_ended_by: None,
            held_since: None,
            parked_since: None,
        };
        if role == SERVES {
            of.segment.set(segment);
        }
        self.segments.add(segment, row);
        segment
    }

    fn segment(&mut self, number: u64) -> &mut SegmentRow {
        let segment = self.segments.change(number);
        segment.seq = self.seq;
        segment
    }

    /// The open segment of who serves a contact.
    fn served(&mut self, contact: ContactId) -> &mut SegmentRow {
        let segment = self.contact(contact).segment.get();
        self.segment(segment.expect("somebody serves it"))
    }

    pub(crate) fn is_in_hand(&mut self, event: &Event) {
        let seq = self.seq;
        match *event {
            Event::Connecting {
                at, contact, agent, ..
            } => {
                let row = self.contact(contact);
                (row.state, row.agent) = ("connecting", Some(agent));
                let segment = self.open_segment(contact, agent, SERVES);
                self.segment(segment).connecting_at = Some(at);
                self.agents
                    .change(agent, at, seq, |now| now.connecting += 1);
            }
            Event::Engaged {
                at, contact, agent, ..
            } => self.engaged(at, contact, agent),
            Event::ConnectFailed { at, contact, .. } => {
                let segment = self.end_segment(contact, at, "connect_failed");
                self.close_segment(segment);
            }
            Event::Held { at, contact, .. } => self.served(contact).held_since = Some(at),
            Event::Resumed { at, contact, .. } => stop_hold(self.served(contact), at),
            Event::Parked {
                at, contact, agent, ..
            } => {
                self.served(contact).parked_since = Some(at);
                self.agents.change(agent, at, seq, |now| now.parked += 1);
            }
            Event::Unparked {
                at, contact, agent, ..
            } => {
                let segment = self.served(contact);
                let (of, was_parked) = (segment.agent, stop_parking(segment, at));
                self.agents
                    .change_quietly(of, |now| now.parked -= u32::from(was_parked));
                self.agents.change(agent, at, seq, |_| ());
            }
            Event::Joined {
                at, contact, agent, ..
            } => {
                let segment = self.open_segment(contact, agent, "joined");
                self.segment(segment).engaged_at = Some(at);
                self.contact(contact).joined.push((agent, segment));
                self.agents.change(agent, at, seq, |now| now.joined += 1);
            }
            Event::Left {
                at, contact, agent, ..
            } => {
                let segment = self.leaving.remove(&(contact, agent));
                let segment = segment.or_else(|| self.contact(contact).parts(agent));
                self.part(segment.expect("who leaves had joined"), at, "left");
            }
            Event::HandedOver {
                at,
                contact,
                to_agent,
                ..
            } => self.pass_to(contact, to_agent, at, "handed_over"),
            Event::TakenOver {
                at,
                contact,
                to_agent,
                ..
            } => self.pass_to(contact, to_agent, at, "taken_over"),
            Event::WrapUpStarted {
                at, agent, contact, ..
            } => self.wrap_up_started(at, agent, contact),
            Event::WrapUpEnded {
                at,
                agent,
                contact,
                by,
                ..
            } => self.wrap_up_ended(at, agent, contact, by),
            _ => unreachable!("only what is named above comes here"),
        }
    }

    fn engaged(&mut self, at: Micros, contact: ContactId, agent: AgentId) {
        let was_connecting = self.contact(contact).segment.get();
        let segment = match was_connecting {
            Some(segment) => segment,
            None => self.open_segment(contact, agent, SERVES),
        };
        self.segment(segment).engaged_at = Some(at);
        let row = self.contact(contact);
        (row.state, row.agent) = ("engaged", Some(agent));
        if row.engaged_at.get().is_none() {
            row.engaged_at.set(at);
            row.wait_ms.set(row.waited_ms(at));
        }
        self.agents.change(agent, at, self.seq, |now| {
            now.connecting -= u32::from(was_connecting.is_some());
            now.engaged += 1;
        });
    }

    /// Ends the segment of who serves a contact, and with it hold and parking; its number.
    pub(crate) fn end_segment(
        &mut self,
        contact: ContactId,
        at: Micros,
        outcome: &'static str,
    ) -> u64 {
        let number = self.contact(contact).segment.take();
        let number = number.expect("somebody serves it");
        let segment = self.segment(number);
        (segment.outcome, segment.ended_at) = (outcome, Some(at));
        stop_hold(segment, at);
        let (agent, was_parked) = (segment.agent, stop_parking(segment, at));
        segment.talk_ms = segment.engaged_at.map(|engaged| ms(engaged, at));
        let (talk_ms, hold_ms, parked_ms) = (segment.talk_ms, segment.hold_ms, segment.parked_ms);
        let row = self.contact(contact);
        row.talk_ms += talk_ms.unwrap_or(0);
        row.hold_ms += hold_ms;
        row.parked_ms += parked_ms;
        self.agents.change(agent, at, self.seq, |now| {
            now.parked -= u32::from(was_parked);
            now.connecting -= u32::from(talk_ms.is_none());
            now.engaged -= u32::from(talk_ms.is_some());
        });
        number
    }

    pub(crate) fn close_segment(&mut self, number: u64) {
        self.ending = None;
        self.segments.close(number);
    }

    /// Ends the segment of who was in a contact beside the one who serves it.
    fn part(&mut self, number: u64, at: Micros, outcome: &'static str) {
        let segment = self.segment(number);
        let engaged_at = segment.engaged_at.expect("who joins is engaged at once");
        (segment.outcome, segment.ended_at) = (outcome, Some(at));
        segment.talk_ms = Some(ms(engaged_at, at));
        let agent = segment.agent;
        self.segments.close(number);
        self.agents
            .change(agent, at, self.seq, |now| now.joined -= 1);
    }

    fn pass_to(&mut self, contact: ContactId, agent: AgentId, at: Micros, outcome: &'static str) {
        self.ending = Some(self.end_segment(contact, at, outcome));
        self.agents.change_quietly(agent, |now| now.engaged += 1);
        if let Some(beside) = self.contact(contact).parts(agent) {
            self.part(beside, at, SERVES);
        }
        self.contact(contact).agent = Some(agent);
        let segment = self.open_segment(contact, agent, SERVES);
        self.segment(segment).engaged_at = Some(at);
        self.agents.change(agent, at, self.seq, |_| ());
    }

    fn wrap_up_started(&mut self, at: Micros, agent: AgentId, contact: ContactId) {
        let number = self
            .ending
            .take()
            .expect("a wrap-up follows the end of a segment");
        self.segments.change(number).wrap_up_started_at = Some(at);
        let running = self.wrap_ups.entry((agent, contact)).or_default();
        running.push_back(number);
        self.agents
            .change(agent, at, self.seq, |now| now.wrap_ups += 1);
    }

    fn wrap_up_ended(&mut self, at: Micros, agent: AgentId, contact: ContactId, by: EndedBy) {
        let running = self.wrap_ups.get_mut(&(agent, contact));
        let running = running.expect("it has started");
        // The oldest wrap-up of the pair ends first: the core's rule.
        let number = running.pop_front().expect("no empty list is kept");
        if running.is_empty() {
            self.wrap_ups.remove(&(agent, contact));
        }
        let segment = self.segment(number);
        segment.wrap_up_ended_at = Some(at);
        segment.wrap_up_ended_by = Some(ended_by(by));
        self.segments.close(number);
        self.agents
            .change(agent, at, self.seq, |now| now.wrap_ups -= 1);
    }
}

fn stop_hold(segment: &mut SegmentRow, at: Micros) {
    if let Some(since) = segment.held_since.take() {
        segment.hold_ms += ms(since, at);
    }
}

/// Whether it was parked.
fn stop_parking(segment: &mut SegmentRow, at: Micros) -> bool {
    let Some(since) = segment.parked_since.take() else {
        return false;
    };
    segment.parked_ms += ms(since, at);
    true
}

#[cfg(test)]
mod tests {
    use router_core::{EndedBy, Event};

    use crate::History;

    #[test]
    fn nothing_is_kept_of_a_contact_that_is_over() {
        let (at, contact, channel, queue) = (1, 1, 1, 1);
        let by = EndedBy::Agent;
        let mut history = History::default();
        let story = [
            Event::Arrived {
                at,
                contact,
                channel,
                key: [0; 16],
                queue,
                weight: 1,
            },
            Event::Engaged {
                at,
                contact,
                channel,
                agent: 7,
            },
            Event::Joined {
                at: 2,
                contact,
                channel,
                agent: 8,
            },
            Event::Ended {
                at: 3,
                contact,
                channel,
                queue,
                agent: 7,
                by,
            },
            Event::Left {
                at: 3,
                contact,
                channel,
                agent: 8,
                by,
            },
            Event::WrapUpStarted {
                at: 3,
                agent: 7,
                contact,
                channel,
                deadline: 9,
            },
            Event::WrapUpEnded {
                at: 9,
                agent: 7,
                contact,
                channel,
                by,
            },
        ];
        let (last, before) = story.split_last().unwrap();
        history.apply(1, before);
        assert_eq!((history.leaving.len(), history.wrap_ups.len()), (0, 1));
        history.apply(2, std::slice::from_ref(last));
        assert!(history.leaving.is_empty() && history.wrap_ups.is_empty());
        assert!(history.segments.keys().is_empty() && history.contacts.keys().is_empty());
    }
}
