//! Class `Router`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use router_core::{Command, Limits};
use router_wire::{EventIndex, Part};

use crate::batch::Batch;
use crate::explain::{self, ExplanationRow};
use crate::tools::decode_error;
use crate::views::{self, ContactRow, DeskRow, EndedRow, EstimateRow, OverviewRows};

/// From so many bytes of commands on (some 400) a batch is applied without the GIL: it takes about
/// half a millisecond then, in which the journal's thread gets on. Below it, giving the GIL away
/// costs more than it brings: whoever takes it may keep it for five milliseconds.
const RELEASE_GIL_FROM_BYTES: usize = 16 * 1024;

/// One router. One thread uses it at a time: a second one gets RuntimeError.
#[pyclass(module = "engine._router")]
pub(crate) struct Router(pub(crate) router_core::Router);

#[pymethods]
impl Router {
    #[new]
    fn new() -> Self {
        Self(router_core::Router::new(Limits::default()))
    }

    /// The router's clock, Unix microseconds; 0 before the first command.
    #[getter]
    fn now(&self) -> u64 {
        self.0.now()
    }

    /// The number that the next arrival gets.
    #[getter]
    fn next_contact(&self) -> u64 {
        self.0.next_contact()
    }

    /// One command -> (code, value, event frames); code 0 = accepted, else value = detail.
    fn apply<'py>(
        &mut self,
        py: Python<'py>,
        at: u64,
        body: &[u8],
    ) -> PyResult<(u16, u64, Bound<'py, PyBytes>)> {
        let command = router_wire::decode_command(body).map_err(decode_error)?;
        let mut happened = Vec::new();
        let (code, value) = match self.0.apply(at, command, &mut happened) {
            Ok(value) => (0, value),
            Err(rejection) => (rejection.code.into(), rejection.detail),
        };
        Ok((code, value, frames(py, &happened)))
    }

    /// A committed batch: parts of (source, first_request_no, scanned command frames).
    fn apply_batch(
        &mut self,
        py: Python<'_>,
        seq: u64,
        at: u64,
        parts: Vec<(u64, u64, PyBackedBytes)>,
    ) -> Batch {
        let parts: Vec<Part<'_>> = parts
            .iter()
            .map(|(source, first_request_no, frames)| Part {
                source: *source,
                first_request_no: *first_request_no,
                frames,
            })
            .collect();
        let bytes: usize = parts.iter().map(|part| part.frames.len()).sum();
        let mut apply = || router_wire::apply_batch(&mut self.0, seq, at, &parts);
        Batch(if bytes < RELEASE_GIL_FROM_BYTES {
            apply()
        } else {
            py.detach(apply)
        })
    }

    /// Fires every deadline up to `at`; the event frames.
    fn advance<'py>(&mut self, py: Python<'py>, at: u64) -> Bound<'py, PyBytes> {
        let mut happened = Vec::new();
        self.0.advance(at, &mut happened);
        frames(py, &happened)
    }

    fn next_deadline(&self) -> Option<u64> {
        self.0.next_deadline()
    }

    /// Panics when an invariant is broken.
    fn check(&self) {
        self.0.check();
    }

    fn state_hash(&self) -> u64 {
        self.0.state_hash()
    }

    /// The whole state. The GIL is released: a million contacts take a second, and whoever makes a
    /// snapshot is a follower beside the service, never the router's task.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| self.0.snapshot());
        PyBytes::new(py, &bytes)
    }

    /// A router from a snapshot; ValueError when the bytes are none.
    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: PyBackedBytes) -> PyResult<Self> {
        // Without the GIL for the same reason as `snapshot`.
        let restored = py.detach(|| router_core::Router::restore(&snapshot));
        restored
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// What `configure` carried as names; empty before it.
    fn names(&self) -> &[u8] {
        self.0.config().map_or(&[], |config| &config.names)
    }

    /// The 32 bytes that `configure` carried as hash; empty before it.
    fn config_hash(&self) -> &[u8] {
        self.0.config().map_or(&[], |config| &config.hash)
    }

    /// The configuration in force as a `configure` body; empty before it.
    fn config<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut body = Vec::new();
        if let Some(config) = self.0.config() {
            let command = Command::Configure {
                config: Box::new(config.clone()),
            };
            router_wire::encode_command(&command, &mut body);
        }
        PyBytes::new(py, &body)
    }

    /// (queue, waiting, oldest|0, hours 0 open 1 closing 2 closed)s, agents, live contacts by state.
    fn overview(&self) -> OverviewRows {
        views::overview(&self.0)
    }

    /// 0 open, 1 closing, 2 closed; None = no such queue.
    fn hours(&self, queue: u32) -> Option<u8> {
        self.0.queue_hours(queue).map(|hours| hours as u8)
    }

    /// Contacts that stand before it in its queue; None unless it waits.
    fn position(&self, contact: u64) -> Option<u64> {
        self.0.position(contact)
    }

    /// (position, ahead, mean_us, p50_us, p90_us); None unless it waits and can be served.
    fn estimate(&self, contact: u64) -> Option<EstimateRow> {
        self.0.estimate(contact).map(|view| views::estimate(&view))
    }

    /// (presence, reason, signing_out, locked, misses, idle_since, offers, contacts, wrap_ups,
    /// invitations, joined).
    fn desk(&self, agent: u32) -> Option<DeskRow> {
        views::desk(&self.0, agent)
    }

    /// (channel, queue, state 0..3, agent|0, arrived_at, enqueued_at, held, parked, participants) of a
    /// live contact.
    fn contact(&self, contact: u64) -> Option<ContactRow> {
        self.0.contact(contact).map(|view| views::contact(&view))
    }

    /// (invitation, agent, deadline) of who has been asked to join a contact and has not answered.
    fn invited(&self, contact: u64) -> Vec<(u64, u32, u64)> {
        self.0.invited(contact)
    }

    /// (contact, state 0..3, agent|0, arrival key) of a channel's live contacts, by contact.
    fn channel_contacts<'py>(
        &self,
        py: Python<'py>,
        channel: u32,
    ) -> Vec<(u64, u8, u32, Bound<'py, PyBytes>)> {
        let own = self.0.channel_contacts(channel);
        let rows = own.iter().map(views::channel_contact);
        rows.map(|(contact, state, agent, key)| (contact, state, agent, PyBytes::new(py, &key)))
            .collect()
    }

    /// (channel, outcome 0 served 1 abandoned 2 blocked 3 withdrawn 4 overflowed, last_agent|0, ended_at).
    fn ended(&self, contact: u64) -> Option<EndedRow> {
        self.0.ended(contact).map(|view| views::ended(&view))
    }

    /// (eligible, checks, key, candidates, best, agents_ahead, rivals, contacts_ahead, ahead).
    fn explain(&self, contact: u64, agent: u32) -> Option<ExplanationRow> {
        self.0.explain(contact, agent).map(explain::row)
    }

    /// A copy in the state in which an offer of this batch was chosen. The GIL is released: the
    /// whole state is copied.
    fn before_offer(
        &self,
        py: Python<'_>,
        at: u64,
        frames: PyBackedBytes,
        offer: u64,
    ) -> PyResult<Option<Self>> {
        let commands = explain::commands(&frames).map_err(decode_error)?;
        Ok(py
            .detach(|| self.0.before_offer(at, commands, offer))
            .map(Self))
    }
}

fn frames<'py>(py: Python<'py>, happened: &[router_core::Event]) -> Bound<'py, PyBytes> {
    let mut events = EventIndex::with_capacity(happened.len());
    happened.iter().for_each(|event| events.push(event));
    PyBytes::new(py, events.bytes())
}
