//! What customers and agents say: as the crowd means it, and as the site wants to hear it.

use router_core::{AgentId, Command, Demand, Terms};

use crate::crowd::Crowd;

/// Something that somebody asks of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The customer of this arrival number.
    Arrive(u64),
    Connected(usize, u64),
    SignIn(AgentId),
    SignOut(AgentId),
    Accept(AgentId, u64),
    End(AgentId, u64),
    EndWrapUp(AgentId, u64),
}

impl Ask {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arrive(_) => "arrive",
            Self::Connected(..) => "connected",
            Self::SignIn(_) => "sign_in",
            Self::SignOut(_) => "sign_out",
            Self::Accept(..) => "accept",
            Self::End(..) => "end",
            Self::EndWrapUp(..) => "end_wrap_up",
        }
    }
}

/// On whose connection something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Plugin(usize),
    Edge(usize),
}

impl Crowd<'_> {
    /// Where something is said.
    pub(crate) fn side(&self, ask: Ask) -> Side {
        match ask {
            Ask::Arrive(number) => Side::Plugin(self.planned(number).plugin),
            Ask::Connected(plugin, _) => Side::Plugin(plugin),
            Ask::SignIn(agent)
            | Ask::SignOut(agent)
            | Ask::Accept(agent, _)
            | Ask::End(agent, _)
            | Ask::EndWrapUp(agent, _) => Side::Edge(self.agents[&agent].edge),
        }
    }

    /// As the site wants to hear it.
    pub(crate) fn command(&self, ask: Ask) -> Command {
        match ask {
            Ask::Arrive(number) => {
                let planned = self.planned(number);
                Command::Arrive {
                    channel: self.settings.plugins[planned.plugin].channel,
                    key: self.key(number),
                    queue: self.settings.queues[planned.queue].id,
                    head_start_us: planned.head_start_us,
                    weight: 1,
                    demand: Demand::default(),
                    terms: Terms::default(),
                }
            }
            Ask::Connected(plugin, contact) => {
                let channel = self.settings.plugins[plugin].channel;
                Command::Connected { channel, contact }
            }
            Ask::SignIn(agent) => Command::SignIn {
                agent,
                ready: true,
                command_id: None,
            },
            Ask::SignOut(agent) => Command::SignOut {
                agent,
                command_id: None,
            },
            Ask::Accept(agent, offer) => Command::Accept { agent, offer },
            Ask::End(agent, contact) => Command::End { agent, contact },
            Ask::EndWrapUp(agent, contact) => Command::EndWrapUp { agent, contact },
        }
    }

    fn key(&self, number: u64) -> [u8; 16] {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.settings.salt);
        key[8..].copy_from_slice(&number.to_be_bytes());
        key
    }

    /// The number of an arrival of this run.
    pub(crate) fn number_of(&self, key: &[u8]) -> Option<u64> {
        let own = key.strip_prefix(&self.settings.salt)?;
        let number = u64::from_be_bytes(own.try_into().ok()?);
        (number < self.sent).then_some(number)
    }
}
