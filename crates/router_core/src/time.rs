//! Time as the router sees it: an argument, never a question.

/// Unix time in microseconds, or a duration in microseconds where the name says so (`_us`).
pub type Micros = u64;

/// One millisecond in microseconds.
pub const MILLISECOND: Micros = 1_000;
/// One second in microseconds.
pub const SECOND: Micros = 1_000_000;
/// One day in microseconds.
pub const DAY: Micros = 86_400 * SECOND;
