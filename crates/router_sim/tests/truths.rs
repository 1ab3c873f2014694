//! The router against what queueing theory says it must do: formulas, exact solutions and published
//! simulations (tests/reference). Every contact goes through the router, on virtual time.
//!
//! A figure passes when its expectation is inside an interval that all figures of its table
//! together leave by chance in one of a hundred runs. `TRUTHS=long` plays until the intervals are
//! as narrow as promised; without it a part of the tables is played, for some seconds.

#[path = "truths/centre.rs"]
mod centre;
#[path = "truths/erlang.rs"]
mod erlang;
#[path = "truths/estimates.rs"]
mod estimates;
#[path = "truths/files.rs"]
mod files;
#[path = "truths/skills.rs"]
mod skills;
#[path = "truths/table.rs"]
mod table;
#[path = "truths/wallace_whitt.rs"]
mod wallace_whitt;
#[path = "truths/whitt.rs"]
mod whitt;

/// Whether there is time for the whole proof.
fn long() -> bool {
    std::env::var_os("TRUTHS").is_some_and(|length| length == "long")
}
