//! Paidui's statistics: events in, rows out. Pure: no I/O, no clock, no database.
//!
//! A row is *open* until nothing can happen to it any more; then it is final and never touched again.
//! Nothing depends on when rows are taken, so a database that is made again has the very same rows.
//! `engine/stats/schema.sql` explains each column; the order here is the order there.
//!
//! ```
//! use router_core::Event;
//! use router_stats::History;
//!
//! let mut history = History::default();
//! let (at, key) = (1_000_000, [7; 16]);
//! let arrived = Event::Arrived { at, contact: 1, channel: 1, key, queue: 1, weight: 1 };
//! history.apply(1, &[arrived]);
//! let taken = history.table("contacts").unwrap().changes();
//! assert_eq!((taken.gone.len(), taken.live.rows(), taken.ended.rows()), (0, 1, 0));
//! assert_eq!(taken.live.columns()[0].values(), 1_i64.to_le_bytes());
//! ```

mod agents;
mod columns;
mod coming;
mod history;
mod in_hand;
mod late;
mod ledger;
mod offering;
mod queues;
mod rows;
mod waiting;

pub use columns::{Column, Columns};
pub use history::History;
pub use ledger::{Changes, Table};
