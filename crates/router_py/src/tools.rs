//! Constants, the decode error, and what only tests and tools call.

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use router_core::Code;

create_exception!(
    engine._router,
    DecodeError,
    PyValueError,
    "Bytes that are no message of a known kind and version; the text names kind and field."
);

/// The wire's error as Python's.
pub(crate) fn decode_error(fault: router_wire::DecodeError) -> PyErr {
    DecodeError::new_err(fault.to_string())
}

/// Decodes a command or event body and encodes it again; for tests and tools.
#[pyfunction]
pub(crate) fn recode<'py>(py: Python<'py>, body: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(body.len());
    if router_wire::kind(body).map_err(decode_error)? < router_wire::FIRST_EVENT_KIND {
        let command = router_wire::decode_command(body).map_err(decode_error)?;
        router_wire::encode_command(&command, &mut out);
    } else {
        let event = router_wire::decode_event(body).map_err(decode_error)?;
        router_wire::encode_event(&event, &mut out);
    }
    Ok(PyBytes::new(py, &out))
}

/// `CODES`, `KINDS` and the limits: what Python's parity tests hold their own tables against.
pub(crate) fn add_constants(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let codes: Vec<_> = Code::ALL
        .iter()
        .map(|code| (u16::from(*code), code.name()))
        .collect();
    let kinds: Vec<_> = router_wire::COMMANDS
        .iter()
        .chain(router_wire::EVENTS)
        .map(|kind| (kind.number, kind.name, kind.fields.to_vec()))
        .collect();
    module.add("CODES", codes)?;
    module.add("KINDS", kinds)?;
    module.add("MAX_FRAME_BYTES", router_wire::MAX_FRAME_BYTES)?;
    module.add("MAX_CONFIGURE_BYTES", router_wire::MAX_CONFIGURE_BYTES)
}
