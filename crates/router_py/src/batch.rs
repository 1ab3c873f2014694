//! Class `Batch`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_wire::{Applied, Delivery};

use crate::fanout::Fanout;

/// Whom a frame is for, and the frame.
type Frames<'py> = Vec<(u64, Bound<'py, PyBytes>)>;

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
    fn acks<'py>(&self, py: Python<'py>) -> Frames<'py> {
        in_python(py, self.0.acks())
    }

    /// Acks of sources that no subscriber answers for, and (subscriber, its ack and its events frame).
    fn deliver<'py>(&self, py: Python<'py>, fanout: &Fanout) -> (Frames<'py>, Frames<'py>) {
        let Delivery { answers, frames } = fanout.0.deliver(&self.0);
        (in_python(py, answers), in_python(py, frames))
    }

    /// (subscriber, one events frame) for everybody whom an event concerns, by subscriber.
    fn route<'py>(&self, py: Python<'py>, fanout: &Fanout) -> Frames<'py> {
        in_python(py, fanout.0.route(self.0.seq, self.0.at, &self.0.events))
    }
}

fn in_python(py: Python<'_>, frames: Vec<(u64, Vec<u8>)>) -> Frames<'_> {
    frames
        .into_iter()
        .map(|(whom, frame)| (whom, PyBytes::new(py, &frame)))
        .collect()
}
