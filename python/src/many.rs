//! Scans many records, and joins the results of their parts.

use std::num::NonZero;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{
    Array, ArrayRef, ListArray, StructArray, UInt32Array, make_array, new_empty_array,
};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType};
use dragnet::Scanner;
use dragnet::arrow::{Column as Values, ColumnError, ColumnScanner};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::column::Column;
use crate::error;
use crate::number::Index;
use crate::records::Records;
use crate::scan::{Jobs, Pool, run};
use crate::text::CharOffsets;

/// The most threads of a scan, more than the processors of nearly all machines. Further ones would only
/// take memory.
const MAX_THREADS: usize = 1024;

/// The argument `threads`.
pub(crate) struct Threads(NonZero<usize>);

impl Threads {
    pub(crate) const ONE: Threads = Threads(NonZero::<usize>::MIN);
}

impl<'py> FromPyObject<'_, 'py> for Threads {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Threads> {
        let threads = object.extract::<Index>()?.saturated();
        match NonZero::new(threads.min(MAX_THREADS)) {
            Some(threads) => Ok(Threads(threads)),
            None => Err(PyValueError::new_err("threads must be at least 1")),
        }
    }
}

/// The arguments of all methods for many records.
pub(crate) struct Many<'a, 'py> {
    pub(crate) records: Records,
    threads: NonZero<usize>,
    progress: Option<&'a Bound<'py, PyAny>>,
}

impl<'a, 'py> Many<'a, 'py> {
    pub(crate) fn new(
        records: &Bound<'py, PyAny>,
        threads: Threads,
        progress: Option<&'a Bound<'py, PyAny>>,
    ) -> PyResult<Many<'a, 'py>> {
        if let Some(callback) = progress.filter(|callback| !callback.is_callable()) {
            let found = callback.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!("progress must be a function, not {found}")));
        }
        Ok(Many { records: Records::new(records)?, threads: threads.0, progress })
    }

    /// Runs `scan` on parts of the records, and joins its results, which have the given type.
    pub(crate) fn scan(
        &self,
        py: Python<'py>,
        pool: &Pool,
        result_type: &DataType,
        scan: impl Fn(
            &mut ColumnScanner<Scanner>,
            &Values<'_>,
            &dyn Array,
        ) -> Result<ArrayRef, ColumnError>
        + Sync,
    ) -> PyResult<Column> {
        let Many { records, threads, progress } = self;
        let jobs = records.jobs(threads.get()).map_err(error::of_column)?;
        let counts: Vec<usize> = jobs.iter().map(|(_, rows)| rows.len()).collect();
        let run_jobs = Jobs { threads: *threads, records: &counts, progress: *progress };
        let chunks = &records.chunks;
        let parts = run(py, pool, &run_jobs, |scanner, job| {
            let (chunk, rows) = &jobs[job];
            let array = chunks[*chunk].slice(rows.start, rows.len());
            scan(scanner, &Values::new(&array)?, &array)
        })?;
        let joined = match <[ArrayRef; 1]>::try_from(parts) {
            Ok([part]) => part,
            Err(parts) if parts.is_empty() => new_empty_array(result_type),
            Err(parts) => py
                .detach(|| join(&parts))
                .map_err(|error| PyMemoryError::new_err(error.to_string()))?,
        };
        debug_assert_eq!(joined.len(), records.len());
        Ok(Column::new(joined))
    }
}

/// Joins parts of one result. Fails if there are too many values for 32-bit offsets.
fn join(parts: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<_> = parts.iter().map(|part| part.to_data()).collect();
    let rows = parts.iter().map(|part| part.len()).sum();
    let mut joined = MutableArrayData::new(parts.iter().collect(), false, rows);
    for (index, part) in parts.iter().enumerate() {
        joined.try_extend(index, 0, part.len())?;
    }
    Ok(make_array(joined.freeze()))
}

/// The spans with offsets in characters of the strings that they are in.
pub(crate) fn spans_in_characters(strings: &dyn Array, lists: &ListArray) -> ListArray {
    let strings = strings.as_string::<i64>();
    let columns = lists.values().as_struct().columns();
    let [pattern, start, end] = [0, 1, 2].map(|i| columns[i].as_primitive::<UInt32Type>().values());
    let mut converted = [const { Vec::new() }; 3];
    let mut lengths = Vec::with_capacity(lists.len());
    for (row, bounds) in lists.value_offsets().windows(2).enumerate() {
        let entries = bounds[0] as usize..bounds[1] as usize;
        let before = converted[0].len();
        if !entries.is_empty() {
            let offsets = CharOffsets::new(strings.value(row));
            for i in entries {
                let Some(span) = offsets.span(start[i] as usize, end[i] as usize) else { continue };
                converted[0].push(pattern[i]);
                // Lossless: there are no more characters than bytes.
                converted[1].push(span.0 as u32);
                converted[2].push(span.1 as u32);
            }
        }
        lengths.push(converted[0].len() - before);
    }
    let (DataType::List(item), DataType::Struct(fields)) =
        (lists.data_type(), lists.values().data_type())
    else {
        unreachable!("spans are a list of structs");
    };
    let columns = converted.map(|column| Arc::new(UInt32Array::from(column)) as ArrayRef);
    let spans = StructArray::new(fields.clone(), columns.to_vec(), None);
    let offsets = arrow_buffer::OffsetBuffer::from_lengths(lengths);
    ListArray::new(item.clone(), offsets, Arc::new(spans), lists.nulls().cloned())
}
