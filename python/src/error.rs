//! Errors of the library as Python's exceptions.

use dragnet::arrow::ColumnError;
use dragnet::{BuildError, ScanError};
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::text::CharOffsets;

pyo3::create_exception!(
    dragnet_scan,
    PatternError,
    PyValueError,
    "Some patterns are invalid or too large.\n\n\
     The message has a line for each of them. `errors` is a list of tuples: the number of the pattern, \
     its name or None, its text, the position of the fault as a tuple of start and end in characters or \
     None, and the reason."
);

/// The exception for patterns that can't be built.
pub(crate) fn of_build(py: Python<'_>, error: &BuildError) -> PyErr {
    let exception = PatternError::new_err(error.to_string());
    let list: Vec<_> = match error {
        BuildError::Patterns(errors) => errors
            .iter()
            .map(|error| {
                let offsets = CharOffsets::new(error.regex());
                let position =
                    error.position().map(|span| (offsets.start(span.start), offsets.end(span.end)));
                (error.index(), error.name(), error.regex(), position, error.reason())
            })
            .collect(),
        _ => Vec::new(),
    };
    match exception.value(py).setattr("errors", list) {
        Ok(()) => exception,
        Err(other) => other,
    }
}

/// The exception for a scan without an answer.
pub(crate) fn of_scan(error: &ScanError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The exception for a column that can't be scanned, or whose results are too many.
pub(crate) fn of_column(error: ColumnError) -> PyErr {
    match error {
        ColumnError::UnsupportedType(_) => PyTypeError::new_err(error.to_string()),
        ColumnError::Scan(error) => of_scan(&error),
        ColumnError::ResultTooLarge { .. } => PyMemoryError::new_err(error.to_string()),
        error => PyValueError::new_err(error.to_string()),
    }
}
