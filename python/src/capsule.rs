//! Imports and exports columns by the
//! [PyCapsule interface](https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html)
//! of Arrow.
//!
//! An object with `__arrow_c_array__` or `__arrow_c_stream__` returns capsules with C structs that
//! point to its buffers. arrow-rs takes them over without a copy, but assumes that they are valid. So
//! each struct is checked here before that ([`check`]), and the values after it (`validate_full`):
//! types, counts, null pointers, the order of offsets, and UTF-8 are errors rather than undefined
//! behaviour. This takes one pass over the values of strings.
//!
//! The structs do not have the lengths of most buffers. That buffers are as long as their offsets
//! require is up to the producer, and can't be checked by any consumer. pyarrow has a method that checks
//! them, in constant time for each chunk; it is called first ([`check_lengths`]), since the buffers of an
//! array of pyarrow may have changed after it was made.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, cast::AsArray, make_array, new_empty_array};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// `struct ArrowSchema` of Arrow's C data interface.
#[repr(C)]
struct RawSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut RawSchema,
    dictionary: *mut RawSchema,
    release: Option<unsafe extern "C" fn(*mut RawSchema)>,
    private_data: *mut c_void,
}

/// `struct ArrowArray` of Arrow's C data interface.
#[repr(C)]
struct RawArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut RawArray,
    dictionary: *mut RawArray,
    release: Option<unsafe extern "C" fn(*mut RawArray)>,
    private_data: *mut c_void,
}

/// No buffer has more bytes. Programs have at most 2^56 bytes of addresses, on x86-64.
const MAX_BYTES: i64 = 1 << 56;

const _: () = assert!(size_of::<RawSchema>() == size_of::<FFI_ArrowSchema>());
const _: () = assert!(size_of::<RawArray>() == size_of::<FFI_ArrowArray>());

/// The columns of an object of Arrow, one for each chunk, or `None` if it is no object of Arrow.
pub(crate) fn import(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<ArrayRef>>> {
    check_lengths(object)?;
    if object.hasattr("__arrow_c_array__")? {
        let pair = object.call_method0("__arrow_c_array__")?;
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) =
            pair.cast::<PyTuple>()?.extract()?;
        let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<RawSchema>();
        let array = array.pointer_checked(Some(ARRAY))?.cast::<RawArray>();
        // SAFETY: a capsule of this name holds a pointer to an `ArrowSchema`, which lives as long as
        // the capsule, and so does not end before this function does.
        let column_type = unsafe { ColumnType::new(schema) }?;
        // SAFETY: the same for an `ArrowArray`. It is read here once, and the struct left in the
        // capsule is marked as released, as the interface requires of those who take it over.
        let array = unsafe { std::ptr::replace(array.as_ptr().cast(), FFI_ArrowArray::empty()) };
        return Ok(Some(vec![column_type.import(array)?]));
    }
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let stream = capsule.cast::<PyCapsule>()?.pointer_checked(Some(STREAM))?;
        let stream = stream.cast::<FFI_ArrowArrayStream>().as_ptr();
        // SAFETY: a capsule of this name holds a pointer to an `ArrowArrayStream`. It is read here
        // once, and the struct left in the capsule is marked as released.
        let stream = unsafe { std::ptr::replace(stream, FFI_ArrowArrayStream::empty()) };
        return import_stream(stream).map(Some);
    }
    Ok(None)
}

/// Checks that the buffers of an object of pyarrow are as long as their offsets require.
fn check_lengths(object: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.get_type().module()? != "pyarrow.lib" || !object.hasattr("validate")? {
        return Ok(());
    }
    object.call_method0("validate").map(drop).map_err(|error| {
        // Leaves KeyboardInterrupt as it is.
        if error.is_instance_of::<PyValueError>(object.py()) { invalid(error) } else { error }
    })
}

fn import_stream(mut stream: FFI_ArrowArrayStream) -> PyResult<Vec<ArrayRef>> {
    let (Some(get_schema), Some(get_next), Some(_)) =
        (stream.get_schema, stream.get_next, stream.release)
    else {
        return Err(invalid("the stream is released"));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the stream is not released, and `schema` is a valid place to write an `ArrowSchema` to.
    let status = unsafe { get_schema(&mut stream, &mut schema) };
    if status != 0 {
        return Err(stream_error(&mut stream, status));
    }
    // SAFETY: the stream has written a schema, which lives until the end of this function.
    let column_type = unsafe { ColumnType::new(NonNull::from(&mut schema).cast()) }?;
    let mut chunks = Vec::new();
    loop {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above, for an `ArrowArray`.
        let status = unsafe { get_next(&mut stream, &mut array) };
        if status != 0 {
            return Err(stream_error(&mut stream, status));
        }
        // A released array is the end of the stream.
        if array.is_released() {
            return Ok(chunks);
        }
        chunks.push(column_type.import(array)?);
    }
}

/// The exception for a failed call of a stream.
fn stream_error(stream: &mut FFI_ArrowArrayStream, status: i32) -> PyErr {
    let message = match stream.get_last_error {
        // SAFETY: the stream is not released, and its last call has failed.
        Some(get_last_error) => unsafe { get_last_error(stream) },
        None => std::ptr::null(),
    };
    if message.is_null() {
        return invalid(format!("the stream failed with error {status}"));
    }
    // SAFETY: a message that is not null is a C string that is valid until the next call.
    let message = unsafe { CStr::from_ptr(message) };
    invalid(format!("the stream failed: {}", message.to_string_lossy()))
}

fn invalid(reason: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("invalid Arrow data: {reason}"))
}

/// A type of columns that can be scanned.
struct ColumnType {
    values: DataType,
    /// Whether the column is the only one of a table.
    in_table: bool,
}

impl ColumnType {
    /// # Safety
    ///
    /// The pointer must be to an initialised `ArrowSchema`.
    unsafe fn new(schema: NonNull<RawSchema>) -> PyResult<ColumnType> {
        // SAFETY: the caller promises it.
        let schema = unsafe { schema.as_ref() };
        let format = schema.format()?;
        if format != "+s" {
            return Ok(ColumnType { values: schema.values()?, in_table: false });
        }
        if schema.n_children != 1 {
            return Err(PyTypeError::new_err(format!(
                "expected one column, not a table of {}: select one",
                schema.n_children
            )));
        }
        if schema.children.is_null() {
            return Err(invalid("a null pointer to the children of a schema"));
        }
        // SAFETY: the pointer is not null, and a schema with one child has one pointer there, which is
        // null or valid.
        match unsafe { (*schema.children).as_ref() } {
            Some(child) => Ok(ColumnType { values: child.values()?, in_table: true }),
            None => Err(invalid("a null pointer to a child of a schema")),
        }
    }

    /// Takes an array over.
    fn import(&self, array: FFI_ArrowArray) -> PyResult<ArrayRef> {
        // SAFETY: both are the same C struct, and the reference does not outlive `array`.
        let raw = unsafe { &*(&raw const array).cast::<RawArray>() };
        let rows = raw.length;
        let data_type = if self.in_table {
            raw.check_table(&self.values)?;
            DataType::Struct(vec![Field::new("", self.values.clone(), true)].into())
        } else {
            raw.check_column(&self.values)?;
            self.values.clone()
        };
        if rows == 0 {
            // arrow-rs takes the values of an array without rows for empty, and then rejects its offsets.
            return Ok(new_empty_array(&self.values));
        }
        // SAFETY: checked above, as far as it can be: the struct has the layout of this type, its
        // pointers are not null where they are used, and its offsets are in order. That the buffers
        // are as long as the offsets say is a promise of the interface.
        let data = unsafe { from_ffi_and_data_type(array, data_type) }.map_err(invalid)?;
        data.validate_full().map_err(invalid)?;
        let array = make_array(data);
        Ok(if self.in_table { array.as_struct().column(0).clone() } else { array })
    }
}

impl RawSchema {
    fn format(&self) -> PyResult<&str> {
        if self.release.is_none() {
            return Err(invalid("the schema is released"));
        }
        if self.format.is_null() {
            return Err(invalid("a null pointer to the format of a schema"));
        }
        // SAFETY: the format of a schema that is not released is a C string.
        unsafe { CStr::from_ptr(self.format) }.to_str().map_err(invalid)
    }

    /// The type of a column of strings or bytes.
    fn values(&self) -> PyResult<DataType> {
        let format = self.format()?;
        if !self.dictionary.is_null() {
            return Err(PyTypeError::new_err(
                "expected a column of strings or bytes, not a dictionary: scan its values",
            ));
        }
        Ok(match format {
            "u" => DataType::Utf8,
            "U" => DataType::LargeUtf8,
            "vu" => DataType::Utf8View,
            "z" => DataType::Binary,
            "Z" => DataType::LargeBinary,
            "vz" => DataType::BinaryView,
            other => {
                return Err(PyTypeError::new_err(format!(
                    "expected a column of strings or bytes, not Arrow's format {other:?}"
                )));
            }
        })
    }
}

impl RawArray {
    /// Checks the struct of a table with one column.
    fn check_table(&self, values: &DataType) -> PyResult<()> {
        let rows = self.check_struct(1, 1)?;
        if self.null_count > 0 || (self.null_count < 0 && !self.buffer(0).is_null()) {
            return Err(invalid("a table whose rows are null"));
        }
        if self.children.is_null() {
            return Err(invalid("a null pointer to the columns of a table"));
        }
        // SAFETY: the pointer is not null, and an array with one child has one pointer there, which is
        // null or valid.
        let Some(column) = (unsafe { (*self.children).as_ref() }) else {
            return Err(invalid("a null pointer to a column of a table"));
        };
        column.check_column(values)?;
        if column.length < rows {
            return Err(invalid("a column that is shorter than its table"));
        }
        Ok(())
    }

    /// Checks the struct of a column.
    fn check_column(&self, values: &DataType) -> PyResult<()> {
        let buffers = if matches!(values, DataType::Utf8View | DataType::BinaryView) {
            self.n_buffers.max(3)
        } else {
            3
        };
        let rows = self.check_struct(0, buffers)?;
        if buffers > 3 {
            self.check_data_buffers(buffers)?;
        }
        if rows == 0 {
            return Ok(());
        }
        if self.buffer(1).is_null() {
            return Err(invalid("a null pointer to offsets or views"));
        }
        match values {
            DataType::Utf8 | DataType::Binary => self.check_offsets::<i32>(rows),
            DataType::LargeUtf8 | DataType::LargeBinary => self.check_offsets::<i64>(rows),
            // `validate_full` checks views against the lengths of their buffers.
            _ => Ok(()),
        }
    }

    /// Checks what arrays of all types have. Returns the offset and the length together.
    fn check_struct(&self, children: i64, buffers: i64) -> PyResult<i64> {
        if self.release.is_none() {
            return Err(invalid("the array is released"));
        }
        let rows = match self.offset.checked_add(self.length) {
            // Below it, no count of bytes overflows: a view has 16.
            Some(rows) if rows <= i64::MAX / 32 && self.offset >= 0 && self.length >= 0 => rows,
            _ => return Err(invalid("lengths or offsets out of range")),
        };
        if self.n_children != children || self.n_buffers != buffers || !self.dictionary.is_null() {
            return Err(invalid("an array of another type than its schema says"));
        }
        if self.buffers.is_null() {
            return Err(invalid("a null pointer to the buffers of an array"));
        }
        if self.null_count < -1 || self.null_count > self.length {
            return Err(invalid("a number of nulls out of range"));
        }
        if self.null_count > 0 && self.buffer(0).is_null() {
            return Err(invalid("nulls without a buffer that says which"));
        }
        Ok(rows)
    }

    /// The pointer to buffer `index`, which the array must have.
    fn buffer(&self, index: usize) -> *const c_void {
        debug_assert!((index as i64) < self.n_buffers);
        // SAFETY: the pointer is not null (`check_struct`), and there are `n_buffers` pointers there.
        unsafe { *self.buffers.add(index) }
    }

    fn check_offsets<T: Copy + Into<i64>>(&self, rows: i64) -> PyResult<()> {
        let offsets = self.buffer(1).cast::<T>();
        let mut previous = 0;
        for index in self.offset..=rows {
            // SAFETY: an array has one offset more than its rows, and the pointer is not null. It need
            // not be aligned.
            let offset = unsafe { offsets.add(index as usize).read_unaligned() }.into();
            if offset < previous {
                return Err(invalid("offsets out of order"));
            }
            if offset > MAX_BYTES {
                return Err(invalid("offsets out of range"));
            }
            previous = offset;
        }
        if previous > 0 && self.buffer(2).is_null() {
            return Err(invalid("a null pointer to values"));
        }
        Ok(())
    }

    /// Checks the buffers of a view array after its views: data buffers, and their lengths last.
    fn check_data_buffers(&self, buffers: i64) -> PyResult<()> {
        let data = buffers as usize - 3;
        let lengths = self.buffer(buffers as usize - 1).cast::<i64>();
        if lengths.is_null() {
            return Err(invalid("a null pointer to lengths of buffers"));
        }
        for index in 0..data {
            // SAFETY: there is a length for each data buffer, and the pointer is not null.
            let length = unsafe { lengths.add(index).read_unaligned() };
            if length < 0 || (length > 0 && self.buffer(2 + index).is_null()) {
                return Err(invalid("a buffer of values with a negative length or a null pointer"));
            }
        }
        Ok(())
    }
}

/// The capsule of a schema.
pub(crate) fn export_schema<'py>(
    py: Python<'py>,
    data_type: &DataType,
) -> PyResult<Bound<'py, PyCapsule>> {
    let field = Field::new("", data_type.clone(), true);
    let schema = FFI_ArrowSchema::try_from(&field).map_err(invalid)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// The capsules of a column: its schema and its array.
pub(crate) fn export<'py>(
    py: Python<'py>,
    array: &dyn Array,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let capsule = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&array.to_data()), ARRAY)?;
    Ok((export_schema(py, array.data_type())?, capsule))
}
