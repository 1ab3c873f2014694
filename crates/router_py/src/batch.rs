//! Class `Batch`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_wire::Applied;

use crate::fanout::Fanout;

/// What an applied batch brought about.
#[pyclass(module = "engine._router", frozen)]
pub(crate) struct Batch(pub(crate) Applied);

#[pymethods]
impl Batch {
    #[getter]
    fn seq(&self) -> u64 {
        self.0.seq
    }

    #[getter]
    fn at(&self) -> u64 {
        self.0.at
    }

    /// Commands.
    #[getter]
    fn count(&self) -> usize {
        self.0.results.len()
    }

    #[getter]
    fn events_count(&self) -> usize {
        self.0.events.len()
    }

    /// All events as frames, in order.
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.events.bytes())
    }

    /// (code, value) per command; code 0 = accepted, else value = detail.
    fn results(&self) -> Vec<(u16, u64)> {
        self.0.results.clone()
    }

    /// (source, one ack frame) per source, in the order of the parts.
    fn acks<'py>(&self, py: Python<'py>) -> Vec<(u64, Bound<'py, PyBytes>)> {
        in_python(py, self.0.acks())
    }

    /// (subscriber, one events frame) for everybody whom an event concerns, by subscriber.
    fn route<'py>(&self, py: Python<'py>, fanout: &Fanout) -> Vec<(u64, Bound<'py, PyBytes>)> {
        in_python(py, fanout.0.route(self.0.seq, self.0.at, &self.0.events))
    }
}

fn in_python(py: Python<'_>, frames: Vec<(u64, Vec<u8>)>) -> Vec<(u64, Bound<'_, PyBytes>)> {
    frames
        .into_iter()
        .map(|(whom, frame)| (whom, PyBytes::new(py, &frame)))
        .collect()
}
