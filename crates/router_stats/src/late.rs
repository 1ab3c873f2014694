//! What an event is about, for statistics of a journal whose beginning has been let go of.

use router_core::{ContactId, Event};

/// The contact that an event is about, if it is about one.
pub(crate) fn contact_of(event: &Event) -> Option<ContactId> {
    match event {
        Event::Arrived { contact, .. }
        | Event::Queued { contact, .. }
        | Event::Blocked { contact, .. }
        | Event::OfferMade { contact, .. }
        | Event::OfferAccepted { contact, .. }
        | Event::OfferDeclined { contact, .. }
        | Event::OfferExpired { contact, .. }
        | Event::OfferWithdrawn { contact, .. }
        | Event::Connecting { contact, .. }
        | Event::Engaged { contact, .. }
        | Event::ConnectFailed { contact, .. }
        | Event::Abandoned { contact, .. }
        | Event::Ended { contact, .. }
        | Event::Transferred { contact, .. }
        | Event::WrapUpStarted { contact, .. }
        | Event::WrapUpEnded { contact, .. }
        | Event::Changed { contact, .. }
        | Event::Withdrawn { contact, .. }
        | Event::Relaxed { contact, .. }
        | Event::PreferenceOver { contact, .. }
        | Event::Held { contact, .. }
        | Event::Resumed { contact, .. }
        | Event::Parked { contact, .. }
        | Event::Unparked { contact, .. }
        | Event::Invited { contact, .. }
        | Event::Joined { contact, .. }
        | Event::InvitationOver { contact, .. }
        | Event::Left { contact, .. }
        | Event::HandedOver { contact, .. }
        | Event::TakenOver { contact, .. }
        | Event::TransferredOut { contact, .. }
        | Event::EstimateScored { contact, .. }
        | Event::Overflowed { contact, .. }
        | Event::AnnouncementDue { contact, .. }
        | Event::Reserved { contact, .. }
        | Event::Unreserved { contact, .. }
        | Event::Scheduled { contact, .. }
        | Event::Lifted { contact, .. }
        | Event::ChoiceWanted { contact, .. }
        | Event::ChoiceOver { contact, .. } => Some(*contact),
        Event::Configured { .. }
        | Event::Restarted { .. }
        | Event::AgentSignedIn { .. }
        | Event::AgentReady { .. }
        | Event::AgentNotReady { .. }
        | Event::AgentSigningOut { .. }
        | Event::AgentSignedOut { .. }
        | Event::AgentLocked { .. }
        | Event::AgentUnlocked { .. }
        | Event::HoursChanged { .. }
        | Event::LeaseLost { .. } => None,
    }
}
