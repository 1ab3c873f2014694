//! Paidui's Python binding `engine._router`.

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
mod _router {}
