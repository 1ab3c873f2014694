//! Everything that can be asked of the router. The number behind a name is its kind on the wire.

use crate::config::{Config, HoursState};
use crate::demand::{Demand, Requirement, Terms};
use crate::event::ReleasedBy;
use crate::ids::{
    AgentId, ArrivalKey, ChannelId, ChoiceId, CommandId, ContactId, OfferId, QueueId, ReasonId,
    TargetId,
};
use crate::time::Micros;

/// "Keep the head start", for [`Command::Change`].
pub const KEEP_HEAD_START: Micros = Micros::MAX;

/// One request to the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// 1: replace the configuration, whole.
    Configure {
        /// The new configuration.
        config: Box<Config>,
    },
    /// 2: the first command after a start of the service.
    Restarted,
    /// 3: a customer's request has come in.
    Arrive {
        /// Where from.
        channel: ChannelId,
        /// What makes it this request and no other.
        key: ArrivalKey,
        /// Where it waits.
        queue: QueueId,
        /// Its head start in time.
        head_start_us: Micros,
        /// The units that it takes.
        weight: u32,
        /// What it asks for.
        demand: Demand,
        /// When it may be served.
        terms: Terms,
    },
    /// 4: the customer has left: abandons a contact that nobody has answered, ends one that is engaged.
    Abandon {
        /// The contact's channel.
        channel: ChannelId,
        /// The contact.
        contact: ContactId,
    },
    /// 5: the channel has connected customer and agent.
    Connected {
        /// The contact's channel.
        channel: ChannelId,
        /// The contact.
        contact: ContactId,
    },
    /// 6: the channel could not connect them.
    ConnectFailed {
        /// The contact's channel.
        channel: ChannelId,
        /// The contact.
        contact: ContactId,
    },
    /// 7: an agent starts work.
    SignIn {
        /// Who.
        agent: AgentId,
        /// Ready at once, or not ready without a reason.
        ready: bool,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 8: an agent leaves, after what it has in hand.
    SignOut {
        /// Who.
        agent: AgentId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 9: an agent wants contacts.
    Ready {
        /// Who.
        agent: AgentId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 10: an agent wants none for now.
    NotReady {
        /// Who.
        agent: AgentId,
        /// Why; 0 = not said.
        reason: ReasonId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 11: a supervisor lifts a lock.
    Unlock {
        /// Who is locked.
        agent: AgentId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 12: an agent takes an offer.
    Accept {
        /// Who.
        agent: AgentId,
        /// The offer.
        offer: OfferId,
    },
    /// 13: an agent refuses an offer.
    Decline {
        /// Who.
        agent: AgentId,
        /// The offer.
        offer: OfferId,
        /// Why; 0 = not said.
        reason: ReasonId,
    },
    /// 14: the agent ends an engaged contact.
    End {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 15: the agent ends its wrap-up early.
    EndWrapUp {
        /// Who.
        agent: AgentId,
        /// The contact that was served.
        contact: ContactId,
    },
    /// 16: the agent passes an engaged contact on to a queue.
    Transfer {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
        /// Where it goes.
        queue: QueueId,
        /// Its head start there.
        head_start_us: Micros,
        /// What it asks for there.
        demand: Demand,
    },
    /// 17: a supervisor gives a waiting contact another queue, head start or requirement.
    Change {
        /// The contact.
        contact: ContactId,
        /// Where it waits from now on; 0 = where it is.
        queue: QueueId,
        /// Its head start; [`KEEP_HEAD_START`] = as it is.
        head_start_us: Micros,
        /// What it needs beyond the queue's own requirement; `None` = as it is.
        requires: Option<Requirement>,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 18: a contact is ended, whatever is being done with it; by the engine only if it is not engaged.
    Release {
        /// The contact.
        contact: ContactId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
        /// Who says so.
        by: ReleasedBy,
    },
    /// 19: the agent lets the customer of an engaged contact wait.
    Hold {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 20: the agent goes on with a contact that is on hold.
    Resume {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 21: the agent puts an engaged contact aside and gets its units back.
    Park {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 22: the agent takes a parked contact up again, beyond its capacity if need be.
    Unpark {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 23: somebody in an engaged contact asks another agent to join it.
    Invite {
        /// Who asks.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
        /// Who is asked.
        invitee: AgentId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 24: a participant leaves, or whoever serves the contact leaves it to the first of them.
    Leave {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
    },
    /// 25: a supervisor serves an engaged contact from now on.
    TakeOver {
        /// The supervisor's agent.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 26: a supervisor passes an engaged contact on to a queue.
    Move {
        /// The contact.
        contact: ContactId,
        /// Where it goes.
        queue: QueueId,
        /// Its head start there.
        head_start_us: Micros,
        /// What it needs there beyond the queue's own requirement.
        requires: Requirement,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 27: the agent passes an engaged contact on to somewhere outside; for the router it is served.
    TransferOut {
        /// Who.
        agent: AgentId,
        /// The contact.
        contact: ContactId,
        /// Where it goes.
        target: TargetId,
    },
    /// 28: a queue opens, takes nobody new, or closes.
    Hours {
        /// Which queue.
        queue: QueueId,
        /// What it is from now on.
        state: HoursState,
        /// Makes a repeat recognisable.
        command_id: Option<CommandId>,
    },
    /// 29: the answer to a choice.
    Choose {
        /// Which choice.
        choice: ChoiceId,
        /// Whom the contact shall be offered to; 0 = whom the queue's fallback chooses.
        agent: AgentId,
    },
    /// 30: nobody has stood behind an agent's desk for as long as its lease lasts.
    LeaseLost {
        /// Whose.
        agent: AgentId,
    },
}
