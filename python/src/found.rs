//! The class `Match`.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyType};

/// One match of a pattern in a string: which pattern, and where.
///
/// Offsets count characters of a str and bytes of a bytes, so `string[m.start():m.end()]` is the
/// matching text, as in re. A pattern without Unicode can match a part of a character of a str; its
/// offsets are then those of the whole characters.
#[pyclass(frozen, module = "dragnet_scan")]
pub(crate) struct Match {
    /// The number of the pattern in its set, from 0.
    #[pyo3(get)]
    pattern: usize,
    /// The name of the pattern, or None.
    #[pyo3(get)]
    name: Option<Py<PyAny>>,
    /// The searched str or bytes.
    #[pyo3(get)]
    string: Py<PyAny>,
    span: (usize, usize),
}

impl Match {
    pub(crate) fn new(
        pattern: usize,
        name: Option<Py<PyAny>>,
        string: Py<PyAny>,
        span: (usize, usize),
    ) -> Match {
        Match { pattern, name, string, span }
    }
}

#[pymethods]
impl Match {
    /// The class itself, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> Bound<'py, PyType> {
        let _ = item;
        cls.clone()
    }

    /// Returns the offset of the first matching character or byte.
    fn start(&self) -> usize {
        self.span.0
    }

    /// Returns the offset after the last matching character or byte.
    fn end(&self) -> usize {
        self.span.1
    }

    /// Returns start and end as a tuple.
    fn span(&self) -> (usize, usize) {
        self.span
    }

    /// Returns the matching text.
    #[pyo3(signature = (group = 0))]
    fn group<'py>(&self, py: Python<'py>, group: usize) -> PyResult<Bound<'py, PyAny>> {
        if group != 0 {
            return Err(PyIndexError::new_err("no such group"));
        }
        let (start, end) = self.span;
        // Lossless: the length of an object of Python fits in an `isize`.
        self.string.bind(py).get_item(PySlice::new(py, start as isize, end as isize, 1))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = self.group(py, 0)?.repr()?;
        let name = match &self.name {
            Some(name) => format!(", name={}", name.bind(py).repr()?),
            None => String::new(),
        };
        let (start, end) = self.span;
        Ok(format!(
            "<dragnet_scan.Match pattern={}{name}, span=({start}, {end}), match={text}>",
            self.pattern
        ))
    }
}
