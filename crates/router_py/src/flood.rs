//! Function `flood`: a load generator's run, from opened doors to the books.

use std::path::PathBuf;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use router_flood::{
    Address, Agent, Histogram, Ledger, Load, Planned, Plugin, Progress, Queue, Settings,
};

use crate::columns::Column;

create_exception!(
    engine._router,
    FloodStopped,
    PyException,
    "The site went away, refused a connection or broke the protocol; the text says which."
);

type Columns<'py> = [Bound<'py, PyAny>; 5];
/// When it is, arrivals, lifecycles, live contacts, unanswered commands, p99 of freed -> offer.
type Seen = (u64, u64, u64, u64, u64, Option<u64>);

/// Plays a flood to its end; see the stub for shapes.
#[pyfunction]
#[pyo3(signature = (address, plugins, edges, agents, queues, plan, *, saturation, wrap_up_us, salt,
    window_us, drain_us, watch))]
#[allow(
    clippy::too_many_arguments,
    reason = "what a flood is told, each thing once"
)]
pub(crate) fn flood<'py>(
    py: Python<'py>,
    address: &str,
    plugins: Vec<(PyBackedBytes, u32)>,
    edges: Vec<PyBackedBytes>,
    agents: Vec<(u32, bool)>,
    queues: Vec<(u32, bool)>,
    plan: Columns<'py>,
    saturation: Option<(u64, u64)>,
    wrap_up_us: u64,
    salt: [u8; 8],
    window_us: (u64, u64),
    drain_us: u64,
    watch: Py<PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let plugin = |(opening, channel): (PyBackedBytes, _)| Plugin {
        opening: opening.to_vec(),
        channel,
    };
    let settings = Settings {
        address: to_address(address)?,
        plugins: plugins.into_iter().map(plugin).collect(),
        edges: edges.iter().map(|opening| opening.to_vec()).collect(),
        agents: agents
            .into_iter()
            .map(|(id, single)| Agent { id, single })
            .collect(),
        queues: queues
            .into_iter()
            .map(|(id, wraps_up)| Queue { id, wraps_up })
            .collect(),
        plan: planned(&plan)?,
        load: saturation.map_or(Load::Open, |(waiting, contacts)| Load::Saturated {
            waiting,
            contacts,
        }),
        wrap_up_us,
        salt,
        from_us: window_us.0,
        until_us: window_us.1,
        drain_us,
    };
    // What Python's watcher raises (Ctrl-C, too) ends the flood and is raised again.
    let mut raised = None;
    // Without the GIL: it takes as long as the flood, and touches Python four times a second only.
    let result = py.detach(|| {
        router_flood::flood(&settings, &mut |progress| {
            let told = Python::attach(|py| {
                py.check_signals()?;
                watch.call1(py, (seen(progress),))
            });
            raised = told.err();
            raised.is_none()
        })
    });
    match (raised, result) {
        (Some(error), _) => Err(error),
        (None, Err(fault)) => Err(FloodStopped::new_err(fault.to_string())),
        (None, Ok(ledger)) => books(py, &ledger),
    }
}

fn to_address(text: &str) -> PyResult<Address> {
    if text.starts_with('/') {
        return Ok(Address::Unix(PathBuf::from(text)));
    }
    let parsed = text.parse().map(Address::Tcp);
    parsed.map_err(|_| {
        let text = format!("address: expected IP:port or the path of a socket, got {text:?}");
        PyValueError::new_err(text)
    })
}

fn planned(plan: &Columns<'_>) -> PyResult<Vec<Planned>> {
    let names = ["at_us", "plugin", "queue", "head_start_us", "talk_us"];
    let read = |place: usize| Column::read(names[place], &plan[place]);
    let (at, plugin, queue) = (read(0)?, read(1)?, read(2)?);
    let (head_start, talk) = (read(3)?, read(4)?);
    let rows = Column::rows(&[&at, &plugin, &queue, &head_start, &talk])?;
    let row = |row| {
        Ok(Planned {
            at_us: at.at(row)?,
            plugin: plugin.at(row)?,
            queue: queue.at(row)?,
            head_start_us: head_start.at(row)?,
            talk_us: talk.at(row)?,
        })
    };
    (0..rows).map(row).collect()
}

fn seen(progress: &Progress) -> Seen {
    (
        progress.at_us,
        progress.arrivals,
        progress.lifecycles,
        progress.live,
        progress.unanswered,
        progress.freed_offer_p99_us,
    )
}

fn books<'py>(py: Python<'py>, ledger: &Ledger) -> PyResult<Bound<'py, PyDict>> {
    let books = PyDict::new(py);
    let histogram = |times: &Histogram| (times.counts.clone(), times.total_us, times.largest_us);
    for (name, times) in [
        ("arrival_offer_idle", &ledger.arrival_offer_idle),
        ("arrival_offer", &ledger.arrival_offer),
        ("freed_offer", &ledger.freed_offer),
        ("ack", &ledger.ack),
        ("answered", &ledger.answered),
        ("late", &ledger.late),
    ] {
        books.set_item(name, histogram(times))?;
    }
    for (name, count) in [
        ("arrivals", ledger.arrivals),
        ("arrivals_measured", ledger.arrivals_measured),
        ("lifecycles", ledger.lifecycles),
        ("lifecycles_measured", ledger.lifecycles_measured),
        ("acknowledged", ledger.acknowledged),
        ("served", ledger.served),
        ("blocked", ledger.blocked),
        ("otherwise", ledger.otherwise),
        ("expired", ledger.expired),
        ("hurried", ledger.hurried),
        ("doubled", ledger.doubled),
        ("missing", ledger.missing),
        ("busy", ledger.busy),
        ("answered_in_time", ledger.answered_in_time),
    ] {
        books.set_item(name, count)?;
    }
    let refused: Vec<_> = ledger
        .refused
        .iter()
        .map(|((name, code), count)| (*name, *code, *count))
        .collect();
    books.set_item("refused", refused)?;
    books.set_item("missing_contacts", &ledger.missing_contacts)?;
    Ok(books)
}
