//! The class `Column`: a result for many records.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyCapsule, PyGenericAlias, PyIterator, PyList, PySlice, PyString, PyTuple,
    PyType,
};

use crate::capsule;

/// The results for many records, in their order.
///
/// It is a sequence of Python's values, and a column of Arrow: pyarrow.array(), polars.Series() and
/// whatever else reads Arrow's PyCapsule interface takes it without a copy.
#[pyclass(frozen, module = "dragnet_scan")]
pub(crate) struct Column {
    array: ArrayRef,
}

impl Column {
    pub(crate) fn new(array: ArrayRef) -> Column {
        Column { array }
    }
}

#[pymethods]
impl Column {
    /// The class with the type of its values, for annotations.
    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        PyGenericAlias::new(cls.py(), cls, item)
    }

    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let len = self.array.len();
        if let Ok(slice) = index.cast::<PySlice>() {
            // Lossless: the length of an object of Python fits in an `isize`.
            let indices = slice.indices(len as isize)?;
            let list = PyList::empty(py);
            for i in 0..indices.slicelength {
                // In range: it is an index of an item.
                let at = indices.start + i as isize * indices.step;
                list.append(value(py, &self.array, at as usize)?)?;
            }
            return Ok(list.into_any());
        }
        let out_of_range = || PyIndexError::new_err("column index out of range");
        let index = match index.extract::<isize>() {
            Ok(index) => index,
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => return Err(out_of_range()),
            Err(error) => return Err(error),
        };
        let at = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
        match at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < len) {
            Some(at) => value(py, &self.array, at),
            None => Err(out_of_range()),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.to_list(py)?.try_iter()
    }

    /// Returns all results as a list.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for index in 0..self.array.len() {
            list.append(value(py, &self.array, index)?)?;
        }
        Ok(list)
    }

    /// Returns the type as a capsule of Arrow.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::export_schema(py, self.array.data_type())
    }

    /// Returns the type and the values as capsules of Arrow. A requested type is ignored, as the
    /// interface allows.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        capsule::export(py, &*self.array)
    }

    fn __repr__(&self) -> String {
        format!("<dragnet_scan.Column of {} {}>", self.array.len(), self.array.data_type())
    }
}

/// One value as Python's: None for null.
fn value<'py>(py: Python<'py>, array: &dyn Array, index: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(index) {
        return Ok(py.None().into_bound(py));
    }
    let text = |text: &str| PyString::new(py, text).into_any();
    let bytes = |bytes: &[u8]| PyBytes::new(py, bytes).into_any();
    Ok(match array.data_type() {
        DataType::Boolean => PyBool::new(py, array.as_boolean().value(index)).to_owned().into_any(),
        DataType::UInt32 => {
            array.as_primitive::<UInt32Type>().value(index).into_pyobject(py)?.into_any()
        }
        DataType::Utf8 => text(array.as_string::<i32>().value(index)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(index)),
        DataType::Utf8View => text(array.as_string_view().value(index)),
        DataType::Binary => bytes(array.as_binary::<i32>().value(index)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(index)),
        DataType::BinaryView => bytes(array.as_binary_view().value(index)),
        DataType::List(_) => {
            let entries = array.as_list::<i32>().value(index);
            let entries: Vec<_> = (0..entries.len())
                .map(|entry| value(py, &entries, entry))
                .collect::<Result<_, _>>()?;
            PyList::new(py, entries)?.into_any()
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            let fields: Vec<_> =
                columns.iter().map(|column| value(py, column, index)).collect::<Result<_, _>>()?;
            PyTuple::new(py, fields)?.into_any()
        }
        other => return Err(PyTypeError::new_err(format!("no value of Python for {other}"))),
    })
}
