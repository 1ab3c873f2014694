//! The text of scenarios.

pub mod parse;
pub mod print;
