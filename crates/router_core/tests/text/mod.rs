//! The text of scenarios.

pub mod config;
pub mod parse;
pub mod play;
pub mod print;
