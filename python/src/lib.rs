//! The extension module of the Python package `dragnet-scan`.
//!
//! - `set` has the class `PatternSet`, `found` the class `Match`, `column` the class `Column`.
//! - `number` and `text` read arguments, and `text` counts offsets in characters.
//! - `records` reads lists and objects of Arrow as columns, which `many` splits and `scan` scans on threads.
//! - `groups` finds the groups of matches.
//! - `capsule` imports and exports columns by Arrow's PyCapsule interface. It is the only module with
//!   `unsafe` code.
//!
//! A scan runs without the interpreter's lock, on threads of its own. The calling thread waits for
//! them, and handles signals meanwhile.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "Arrow's C interface consists of raw pointers")]
mod capsule;
mod column;
mod error;
mod found;
mod groups;
mod many;
mod number;
mod records;
mod scan;
mod set;
mod text;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<set::PatternSet>()?;
    module.add_class::<found::Match>()?;
    module.add_class::<column::Column>()?;
    module.add("PatternError", module.py().get_type::<error::PatternError>())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
