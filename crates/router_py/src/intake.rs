//! Class `Intake`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_wire::{Fed, Scope};

/// One connection's reader: splits, decodes, numbers and checks the scope of its frames.
#[pyclass(module = "engine._router")]
pub(crate) struct Intake(router_wire::Intake);

type Run<'py> = (u64, Bound<'py, PyBytes>, u64);
type Refusal = (Option<u64>, &'static str, String);
type Parts<'py> = (
    Vec<Run<'py>>,
    Vec<Refusal>,
    Vec<Bound<'py, PyBytes>>,
    Option<String>,
);

#[pymethods]
impl Intake {
    #[new]
    #[pyo3(signature = (kind, channel=None))]
    fn new(kind: &str, channel: Option<u32>) -> PyResult<Self> {
        let scope = match (kind, channel) {
            ("plugin", Some(channel)) => Scope::Plugin(channel),
            ("edge", None) => Scope::Edge(Default::default()),
            ("admin", None) => Scope::Admin,
            ("follower", None) => Scope::Follower,
            _ => {
                let text = "expected 'plugin' with its channel, or 'edge', 'admin', 'follower'";
                return Err(PyValueError::new_err(text));
            }
        };
        Ok(Self(router_wire::Intake::new(scope)))
    }

    fn limit_head_starts(&mut self, limits: Vec<(u32, u64)>) {
        self.0.limit_head_starts(limits);
    }

    fn check_attaches(&mut self) {
        self.0.check_attaches();
    }

    fn attach(&mut self, agents: Vec<u32>) {
        self.0.attach(agents);
    }

    fn detach(&mut self, agents: Vec<u32>) {
        self.0.detach(agents);
    }

    /// (runs, refusals, control, fatal).
    fn feed<'py>(&mut self, py: Python<'py>, data: &[u8]) -> Parts<'py> {
        let Fed {
            runs,
            refusals,
            control,
            fatal,
        } = self.0.feed(data);
        let runs = runs.into_iter();
        (
            runs.map(|run| {
                (
                    run.first_request_no,
                    PyBytes::new(py, &run.frames),
                    run.count,
                )
            })
            .collect(),
            refusals
                .into_iter()
                .map(|one| (one.request_no, one.reason.code(), one.text))
                .collect(),
            control
                .into_iter()
                .map(|body| PyBytes::new(py, &body))
                .collect(),
            fatal,
        )
    }
}
