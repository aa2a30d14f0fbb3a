//! The class `Match`.

use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyGenericAlias, PySlice, PyString, PyTuple, PyType};

use crate::number::Index;

/// Start and end of a group, or `None` if it took no part in the match.
pub(crate) type Span = Option<(usize, usize)>;

/// The names of the groups of a pattern, by their numbers.
pub(crate) type GroupNames = Arc<[Option<String>]>;

/// One match of a pattern in a string: which pattern, and where.
///
/// Offsets count characters of a str and bytes of a bytes, so string[m.start():m.end()] is the matching
/// text, as in re. A pattern without Unicode can match a part of a character of a str; its offsets are
/// then those of the whole characters.
///
/// Group 0 is the whole match. A match of finditer() has no other groups, one of captures() has all. The
/// methods take the number or the name of a group.
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
    /// The whole match.
    span: (usize, usize),
    /// The groups from number 1 on.
    groups: Box<[Span]>,
    /// The names of all groups, or nothing if they are not known.
    group_names: Option<GroupNames>,
}

/// The number or the name of a group.
enum Group {
    Number(usize),
    Name(String),
    /// What no group has: a negative or too large number, or a name that is not Unicode.
    Missing,
}

impl<'py> FromPyObject<'_, 'py> for Group {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Group> {
        if let Ok(name) = object.cast::<PyString>() {
            return Ok(name.to_cow().map_or(Group::Missing, |name| Group::Name(name.into_owned())));
        }
        match object.extract() {
            Ok(Index::Valid(number)) => Ok(Group::Number(number)),
            Ok(_) => Ok(Group::Missing),
            Err(_) => {
                let found = object.get_type().qualname()?;
                Err(PyTypeError::new_err(format!(
                    "expected the number or name of a group, not {found}"
                )))
            }
        }
    }
}

impl Match {
    pub(crate) fn new(
        pattern: usize,
        name: Option<Py<PyAny>>,
        string: Py<PyAny>,
        span: (usize, usize),
    ) -> Match {
        Match { pattern, name, string, span, groups: [].into(), group_names: None }
    }

    /// The same match with its groups from number 1 on.
    pub(crate) fn with_groups(self, groups: Box<[Span]>, names: GroupNames) -> Match {
        Match { groups, group_names: Some(names), ..self }
    }

    fn span_of(&self, group: &Group) -> PyResult<Span> {
        let number = match group {
            Group::Number(number) => Some(*number),
            Group::Name(name) => self.group_names.as_ref().and_then(|names| {
                names.iter().position(|other| other.as_deref() == Some(name.as_str()))
            }),
            Group::Missing => None,
        };
        match number {
            Some(0) => Ok(Some(self.span)),
            Some(number) if number <= self.groups.len() => Ok(self.groups[number - 1]),
            _ if self.group_names.is_none() => {
                Err(PyIndexError::new_err("no such group: only captures() finds groups"))
            }
            _ => Err(PyIndexError::new_err("no such group")),
        }
    }

    fn text<'py>(&self, py: Python<'py>, span: Span) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Lossless: the length of an object of Python fits in an `isize`.
        span.map(|(start, end)| {
            self.string.bind(py).get_item(PySlice::new(py, start as isize, end as isize, 1))
        })
        .transpose()
    }
}

#[pymethods]
impl Match {
    /// The class with the type of its values, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        PyGenericAlias::new(cls.py(), cls, item)
    }

    /// Returns the offset of the first character or byte of a group, -1 if it took no part in the match.
    #[pyo3(signature = (group = Group::Number(0)), text_signature = "($self, group=0)")]
    fn start(&self, group: Group) -> PyResult<isize> {
        Ok(self.span(group)?.0)
    }

    /// Returns the offset after the last character or byte of a group, -1 if it took no part in the match.
    #[pyo3(signature = (group = Group::Number(0)), text_signature = "($self, group=0)")]
    fn end(&self, group: Group) -> PyResult<isize> {
        Ok(self.span(group)?.1)
    }

    /// Returns start and end of a group as a tuple.
    #[pyo3(signature = (group = Group::Number(0)), text_signature = "($self, group=0)")]
    fn span(&self, group: Group) -> PyResult<(isize, isize)> {
        Ok(match self.span_of(&group)? {
            Some((start, end)) => (start as isize, end as isize),
            None => (-1, -1),
        })
    }

    /// Returns the text of a group, None if it took no part in the match.
    #[pyo3(signature = (group = Group::Number(0)), text_signature = "($self, group=0)")]
    fn group<'py>(&self, py: Python<'py>, group: Group) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.text(py, self.span_of(&group)?)
    }

    /// Returns the text of a group, as group() does.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        group: Group,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.group(py, group)
    }

    /// Returns the texts of all groups from number 1 on.
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let texts: Vec<_> =
            self.groups.iter().map(|span| self.text(py, *span)).collect::<Result<_, _>>()?;
        PyTuple::new(py, texts)
    }

    /// Returns the texts of all groups that have names, by name.
    fn groupdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let names = self.group_names.iter().flat_map(|names| names.iter().skip(1));
        for (name, span) in names.zip(&self.groups) {
            if let Some(name) = name {
                dict.set_item(name, self.text(py, *span)?)?;
            }
        }
        Ok(dict)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let text = self.text(py, Some(self.span))?.into_pyobject(py)?.repr()?;
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
