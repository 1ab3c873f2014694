//! Class `History`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_core::Event;
use router_stats::{Column, Columns, Table};
use router_wire::Frames;

use crate::tools::decode_error;

/// (bits of a value, 0 = text; which rows have one, a bit each; values; where texts begin).
type ColumnBuffers<'py> = (
    u8,
    Option<Bound<'py, PyBytes>>,
    Bound<'py, PyBytes>,
    Option<Bound<'py, PyBytes>>,
);
type Rows<'py> = (usize, Vec<ColumnBuffers<'py>>);

/// The statistics' rows: events in, columns out.
#[pyclass(module = "engine._router")]
#[derive(Default)]
pub(crate) struct History(router_stats::History);

#[pymethods]
impl History {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// How many contacts have ever arrived.
    #[getter]
    fn arrived(&self) -> u64 {
        self.0.arrived()
    }

    fn begin_with(&mut self, first_contact: u64) {
        self.0.begin_with(first_contact);
    }

    /// The event frames of one batch, in their order.
    fn apply(&mut self, py: Python<'_>, seq: u64, frames: &[u8]) -> PyResult<()> {
        py.detach(|| {
            let bodies = Frames::new(frames);
            let events = bodies.map(|body| body.and_then(router_wire::decode_event));
            let events: Vec<Event> = events.collect::<Result<_, _>>()?;
            self.0.apply(seq, &events);
            Ok(())
        })
        .map_err(decode_error)
    }

    fn configured(&mut self, agents: Vec<u32>, queues: Vec<u32>, at: u64) {
        self.0.configured(&agents, &queues, at);
    }

    /// How many rows the next write has.
    fn pending(&mut self) -> usize {
        self.0
            .tables()
            .iter()
            .map(|(_, table)| table.pending())
            .sum()
    }

    /// The keys of the live rows that the database has of a table.
    fn stored(&mut self, table: &str, keys: Vec<u64>) -> PyResult<()> {
        self.table(table)?.stored(&keys);
        Ok(())
    }

    /// (keys that are not live any more, live rows that have changed, rows that are final).
    fn changes<'py>(
        &mut self,
        py: Python<'py>,
        table: &str,
    ) -> PyResult<(Vec<u64>, Rows<'py>, Rows<'py>)> {
        let table = self.table(table)?;
        let changes = table.changes();
        Ok((
            changes.gone,
            rows(py, &changes.live),
            rows(py, changes.ended),
        ))
    }

    /// The database has all of it.
    fn written(&mut self) {
        self.0
            .tables()
            .into_iter()
            .for_each(|(_, table)| table.written());
    }

    /// Forgets what has changed: the database had it before.
    fn discard(&mut self) {
        self.0
            .tables()
            .into_iter()
            .for_each(|(_, table)| table.discard());
    }
}

impl History {
    fn table(&mut self, name: &str) -> PyResult<&mut dyn Table> {
        let unknown = || PyValueError::new_err(format!("table: {name:?} is none"));
        self.0.table(name).ok_or_else(unknown)
    }
}

fn rows<'py>(py: Python<'py>, columns: &Columns) -> Rows<'py> {
    let all = columns.columns().iter();
    (columns.rows(), all.map(|one| buffers(py, one)).collect())
}

fn buffers<'py>(py: Python<'py>, column: &Column) -> ColumnBuffers<'py> {
    let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
    (
        column.bits(),
        column.valid().map(bytes),
        bytes(column.values()),
        column.starts().map(bytes),
    )
}
