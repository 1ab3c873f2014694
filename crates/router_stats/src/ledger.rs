//! A table's rows between the events that make them and the database that keeps them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::columns::{Cellwise, Columns};

/// The core's own numbers: nobody outside chooses them, so that a product is hash enough.
#[derive(Clone, Default)]
pub(crate) struct Scatter(u64);

impl Hasher for Scatter {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // Multiplied by 2^64 / the golden ratio, turned so that high bits reach the low ones.
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed.rotate_left(26);
    }
}

pub(crate) type Numbered<K, V> = HashMap<K, V, BuildHasherDefault<Scatter>>;
type Keys = HashSet<u64, BuildHasherDefault<Scatter>>;

/// What a ledger needs of a row.
pub(crate) trait Row {
    /// Gives the columns in the order of the table.
    fn write(&self, out: &mut Cellwise<'_>);
}

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct Ledger<R> {
    /// Rows that may still change, by the table's key; boxed, because the table of keys is half empty.
    open: Numbered<u64, Box<R>>,
    /// Keys whose open row differs from what was last taken.
    changed: Keys,
    /// Rows that are final and were not taken yet.
    closed: Columns,
    /// Keys that the database has among its live rows.
    stored: Keys,
}

impl<R> Default for Ledger<R> {
    fn default() -> Self {
        Self {
            open: Numbered::default(),
            changed: Keys::default(),
            closed: Columns::default(),
            stored: Keys::default(),
        }
    }
}

impl<R: Row> Ledger<R> {
    pub(crate) fn add(&mut self, key: u64, row: R) {
        self.open.insert(key, Box::new(row));
        self.changed.insert(key);
    }

    /// Adds a row that nothing can happen to.
    pub(crate) fn add_final(&mut self, row: &R) {
        self.closed.push(|out| row.write(out));
    }

    /// Makes a row final.
    pub(crate) fn close(&mut self, key: u64) {
        let row = self.open.remove(&key).expect("what is closed is open");
        self.closed.push(|out| row.write(out));
        self.changed.insert(key);
    }

    /// Forgets a row that has never been.
    pub(crate) fn drop(&mut self, key: u64) {
        self.open.remove(&key);
    }

    /// An open row that is about to change.
    pub(crate) fn change(&mut self, key: u64) -> &mut R {
        self.changed.insert(key);
        self.open
            .get_mut(&key)
            .expect("the events before have opened it")
    }

    pub(crate) fn get(&self, key: u64) -> Option<&R> {
        self.open.get(&key).map(Box::as_ref)
    }

    /// The keys of open rows, ascending.
    pub(crate) fn keys(&self) -> Vec<u64> {
        let mut keys: Vec<u64> = self.open.keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}

/// What a database has to do: take away, add among what is live, add to what has ended.
#[derive(Clone, Debug)]
pub struct Changes<'a> {
    /// Keys of live rows that are there and are not true any more.
    pub gone: Vec<u64>,
    /// Open rows that have changed, by their keys.
    pub live: Columns,
    /// Rows that are final.
    pub ended: &'a Columns,
}

/// A table, whatever its rows are.
pub trait Table {
    /// How many rows the next write has.
    fn pending(&self) -> usize;
    /// What has changed since it was last written.
    fn changes(&self) -> Changes<'_>;
    /// The database has it now.
    fn written(&mut self);
    /// Forgets what has changed: the database had it before.
    fn discard(&mut self);
    /// Takes the keys of the live rows that the database has.
    fn stored(&mut self, keys: &[u64]);
}

impl<R: Row> Table for Ledger<R> {
    fn pending(&self) -> usize {
        self.closed.rows() + self.changed.len()
    }

    fn changes(&self) -> Changes<'_> {
        let mut live: Vec<u64> = self
            .changed
            .iter()
            .copied()
            .filter(|key| self.open.contains_key(key))
            .collect();
        live.sort_unstable();
        let mut rows = Columns::default();
        for key in live {
            rows.push(|out| self.open[&key].write(out));
        }
        Changes {
            gone: self.changed.intersection(&self.stored).copied().collect(),
            live: rows,
            ended: &self.closed,
        }
    }

    fn written(&mut self) {
        for &key in &self.changed {
            if self.open.contains_key(&key) {
                self.stored.insert(key);
            } else {
                self.stored.remove(&key);
            }
        }
        self.discard();
    }

    fn discard(&mut self) {
        self.closed.clear();
        self.changed.clear();
    }

    fn stored(&mut self, keys: &[u64]) {
        self.stored = keys.iter().copied().collect();
    }
}
