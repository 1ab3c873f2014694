//! Class `Fanout`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_wire::EventIndex;

use crate::tools::decode_error;

/// Who wants which events.
#[pyclass(module = "engine._router")]
#[derive(Default)]
pub(crate) struct Fanout(pub(crate) router_wire::Fanout);

#[pymethods]
impl Fanout {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn subscribe_channel(&mut self, subscriber: u64, channel: u32) {
        self.0.subscribe_channel(subscriber, channel);
    }

    fn attach_agents(&mut self, subscriber: u64, agents: Vec<u32>) {
        for agent in agents {
            self.0.attach_agent(subscriber, agent);
        }
    }

    fn detach_agents(&mut self, subscriber: u64, agents: Vec<u32>) {
        for agent in agents {
            self.0.detach_agent(subscriber, agent);
        }
    }

    fn subscribe_all(&mut self, subscriber: u64) {
        self.0.subscribe_all(subscriber);
    }

    /// A source's acks go to this subscriber, ahead of the same batch's events.
    fn answer(&mut self, subscriber: u64, source: u64) {
        self.0.answer(subscriber, source);
    }

    /// Forgets everything of a subscriber.
    fn unsubscribe(&mut self, subscriber: u64) {
        self.0.unsubscribe(subscriber);
    }

    /// The events frame of one batch for one subscriber (resume); None = nothing concerns it.
    fn route_blob<'py>(
        &self,
        py: Python<'py>,
        subscriber: u64,
        seq: u64,
        at: u64,
        events: &[u8],
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let events = EventIndex::read(events).map_err(decode_error)?;
        let frame = self.0.route_one(subscriber, seq, at, &events);
        Ok(frame.map(|frame| PyBytes::new(py, &frame)))
    }
}
