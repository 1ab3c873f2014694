//! Offers: a contact proposed to an agent, and what came of it.

use router_core::{Event, Micros, OfferId, WithdrawnCause};

use crate::history::History;
use crate::rows::{OPEN, OfferRow};
use crate::waiting::given;

impl History {
    pub(crate) fn is_offered(&mut self, event: &Event) {
        let seq = self.seq;
        match *event {
            Event::OfferMade {
                at,
                offer,
                contact,
                channel,
                queue,
                agent,
                deadline,
                config,
            } => {
                let row = self.contact(contact);
                row.state = "offered";
                row.ringing.push((offer, agent));
                row.agent = Some(row.ringing[0].1);
                row.offers += 1;
                if row.first_offered_at.get().is_none() {
                    row.first_offered_at.set(at);
                }
                let made = OfferRow {
                    offer,
                    contact,
                    channel,
                    queue,
                    agent,
                    made_at: at,
                    deadline_at: deadline,
                    config,
                    seq,
                    outcome: OPEN,
                    cause: None,
                    reason: None,
                    closed_at: None,
                };
                self.offers.add(offer, made);
                self.agents.change(agent, at, seq, |now| now.offers += 1);
            }
            Event::OfferAccepted { at, offer, .. } => {
                self.close_offer(at, offer, "accepted", |_| ());
            }
            Event::OfferDeclined {
                at, offer, reason, ..
            } => self.close_offer(at, offer, "declined", |row| row.reason = given(reason)),
            Event::OfferExpired {
                at, offer, contact, ..
            } => {
                self.close_offer(at, offer, "expired", |_| ());
                self.contact(contact).misses += 1;
            }
            Event::OfferWithdrawn {
                at, offer, cause, ..
            } => {
                let word = match cause {
                    WithdrawnCause::Abandoned => "abandoned",
                    WithdrawnCause::AgentLeft => "agent_left",
                    WithdrawnCause::Restart => "restart",
                    WithdrawnCause::Released => "released",
                    WithdrawnCause::Taken => "taken",
                };
                self.close_offer(at, offer, "withdrawn", |row| row.cause = Some(word));
            }
            _ => unreachable!("only what is named above comes here"),
        }
    }

    fn close_offer(
        &mut self,
        at: Micros,
        number: OfferId,
        outcome: &'static str,
        detail: impl FnOnce(&mut OfferRow),
    ) {
        let seq = self.seq;
        let offer = self.offers.change(number);
        (offer.outcome, offer.closed_at, offer.seq) = (outcome, Some(at), seq);
        detail(offer);
        let (contact, agent) = (offer.contact, offer.agent);
        self.offers.close(number);
        let row = self.contact(contact);
        row.ringing.retain(|one| one.0 != number);
        if let Some((_, first)) = row.ringing.first() {
            row.agent = Some(*first);
        }
        self.agents.change(agent, at, seq, |now| now.offers -= 1);
    }
}
