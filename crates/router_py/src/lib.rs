//! Paidui's Python binding, `engine._router`: bytes and plain numbers cross, nothing is decided
//! here. One class per file; `engine/_router.pyi` is the contract, held by stubtest.
//!
//! A panic of the core is a broken invariant. PyO3 turns it into `PanicException`, which is no
//! `Exception`: nothing in Python may catch it, the service ends the process, the journal brings the
//! state back. A router that has panicked is never used again.

use pyo3::prelude::*;

mod batch;
mod columns;
mod explain;
mod fanout;
mod figures;
mod flood;
mod history;
mod intake;
mod router;
mod simulate;
mod tools;
mod views;

/// The extension module.
#[pymodule]
mod _router {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::fanout::Fanout;
    #[pymodule_export]
    use crate::figures::Figures;
    #[pymodule_export]
    use crate::flood::{FloodStopped, flood};
    #[pymodule_export]
    use crate::history::History;
    #[pymodule_export]
    use crate::intake::Intake;
    #[pymodule_export]
    use crate::router::Router;
    #[pymodule_export]
    use crate::simulate::simulate;
    #[pymodule_export]
    use crate::tools::{DecodeError, recode};

    use super::*;

    #[pymodule_init]
    fn constants(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::tools::add_constants(module)
    }
}
