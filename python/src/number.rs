//! Numbers of Python as arguments.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

/// An `int` of any size, as an index or a count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Negative,
    Valid(usize),
    TooLarge,
}

impl Index {
    /// The nearest number that there is.
    pub(crate) fn saturated(self) -> usize {
        match self {
            Index::Negative => 0,
            Index::Valid(number) => number,
            Index::TooLarge => usize::MAX,
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Index {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Index> {
        match object.extract::<usize>() {
            Ok(number) => Ok(Index::Valid(number)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                Ok(if object.lt(0)? { Index::Negative } else { Index::TooLarge })
            }
            Err(error) => Err(error),
        }
    }
}
