//! Paidui's wire: MessagePack frames of commands and events.
