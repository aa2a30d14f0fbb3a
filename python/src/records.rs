//! Many records, as columns to scan.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{LargeBinaryBuilder, LargeStringBuilder};
use arrow_array::{Array, ArrayRef};
use dragnet::arrow::{Column, ColumnError};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::capsule;
use crate::text::Text;

/// The most bytes of records in one job of a thread. Jobs are the unit of progress, and of sharing the
/// work among threads.
const JOB_BYTES: usize = 4 << 20;

/// The least bytes of records in a job, unless there are fewer: less would not pay for its overhead.
const MIN_JOB_BYTES: usize = 64 << 10;

/// Jobs for each thread, so that none waits long for the last one.
const JOBS_PER_THREAD: usize = 8;

/// The records of a list or of an object of Arrow.
pub(crate) struct Records {
    /// One column or several of them. The rows of all are the records.
    pub(crate) chunks: Vec<ArrayRef>,
    /// Whether offsets count characters.
    pub(crate) in_characters: bool,
}

impl Records {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Records> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err(
                "expected many records, not one: use the method without _many",
            ));
        }
        if let Some(chunks) = capsule::import(object)? {
            return Ok(Records { chunks, in_characters: false });
        }
        let mut list = List::Unknown { nulls: 0 };
        for item in object.try_iter()? {
            list.push(&item?)?;
        }
        Ok(match list {
            List::Unknown { nulls } => {
                let mut strings = LargeStringBuilder::new();
                strings.append_nulls(nulls);
                Records { chunks: vec![Arc::new(strings.finish())], in_characters: true }
            }
            List::Strings(mut strings) => {
                Records { chunks: vec![Arc::new(strings.finish())], in_characters: true }
            }
            List::Bytes(mut bytes) => {
                Records { chunks: vec![Arc::new(bytes.finish())], in_characters: false }
            }
        })
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Splits the records into jobs: the number of a chunk and rows of it, in order.
    pub(crate) fn jobs(&self, threads: usize) -> Result<Vec<(usize, Range<usize>)>, ColumnError> {
        let columns: Vec<_> =
            self.chunks.iter().map(|chunk| Column::new(chunk)).collect::<Result<_, _>>()?;
        let bytes: Vec<usize> = columns.iter().map(Column::bytes).collect();
        let target = bytes.iter().sum::<usize>() / (threads * JOBS_PER_THREAD);
        let target = target.clamp(MIN_JOB_BYTES, JOB_BYTES);
        let mut jobs = Vec::new();
        for (chunk, (column, bytes)) in columns.iter().zip(bytes).enumerate() {
            let count = (bytes / target).clamp(1, column.len().max(1));
            let rows = column.len().div_ceil(count).max(1);
            for start in (0..column.len()).step_by(rows) {
                jobs.push((chunk, start..column.len().min(start + rows)));
            }
        }
        Ok(jobs)
    }
}

/// A list that is being read. The first item that is not None decides what it has.
enum List {
    Unknown { nulls: usize },
    Strings(LargeStringBuilder),
    Bytes(LargeBinaryBuilder),
}

impl List {
    fn push(&mut self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        if item.is_none() {
            match self {
                List::Unknown { nulls } => *nulls += 1,
                List::Strings(strings) => strings.append_null(),
                List::Bytes(bytes) => bytes.append_null(),
            }
            return Ok(());
        }
        let text = Text::new(item)?;
        if let List::Unknown { nulls } = *self {
            *self = match text {
                Text::Str(_) => {
                    let mut strings = LargeStringBuilder::new();
                    strings.append_nulls(nulls);
                    List::Strings(strings)
                }
                Text::Bytes(_) => {
                    let mut bytes = LargeBinaryBuilder::new();
                    bytes.append_nulls(nulls);
                    List::Bytes(bytes)
                }
            };
        }
        match (self, text) {
            (List::Strings(strings), Text::Str(text)) => strings.append_value(text.to_cow()?),
            (List::Bytes(bytes), Text::Bytes(item)) => bytes.append_value(item.as_bytes()),
            _ => return Err(PyTypeError::new_err("a list can't have both str and bytes")),
        }
        Ok(())
    }
}
