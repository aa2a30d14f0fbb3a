//! Borrows arrays of strings and bytes, and makes batches of their rows.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryViewType, ByteArrayType, ByteViewType, StringViewType};
use arrow_array::{Array, GenericByteArray, GenericByteViewArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::ColumnError;
use super::views::Views;
use crate::{Batch, BatchBuf, BatchError, PADDING};

/// The most bytes of values in a part of a column whose offsets are copied. Large enough that the
/// cost of a scan is shared by many rows, small enough that copied values fit in the L2 cache.
pub(super) const PART_BYTES: usize = 1 << 20;

/// The most rows in such a part: bounds the memory of its offsets to 256 KiB.
pub(super) const PART_ROWS: usize = 1 << 16;

/// The strings or bytes of an Arrow array, as records to scan: row `i` is record `i`.
///
/// It borrows the array. The [module documentation](super) says what a scan copies of it.
///
/// ```
/// use arrow_array::{Array, BinaryViewArray, Int32Array};
/// use dragnet::arrow::{Column, ColumnError};
///
/// let array = BinaryViewArray::from(vec![&b"one"[..], b"two", b"three"]);
/// let column = Column::new(&array)?;
/// assert_eq!(column.len(), 3);
/// assert_eq!(column.slice(1..3).len(), 2);
///
/// let numbers = Int32Array::from(vec![1, 2]);
/// assert!(matches!(Column::new(&numbers), Err(ColumnError::UnsupportedType(_))));
/// # Ok::<(), ColumnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Column<'a> {
    values: Values<'a>,
    nulls: Option<NullBuffer>,
    data_type: &'a DataType,
}

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    /// One more offset than there are rows; they ascend, and the last is at most the length of the
    /// buffer.
    Offsets32(&'a [u8], &'a [u32]),
    /// The same with wide offsets.
    Offsets64(&'a [u8], &'a [i64]),
    Views(Views<'a>),
}

/// Memory for the parts of a column that can't be borrowed.
#[derive(Debug, Default)]
pub(super) struct PartMemory {
    pub(super) offsets: Vec<u32>,
    pub(super) copied: BatchBuf,
}

impl<'a> Column<'a> {
    /// Borrows an array of type `Utf8`, `Binary`, or the `Large` or `View` form of either. Takes
    /// constant time.
    ///
    /// # Errors
    ///
    /// [`ColumnError::UnsupportedType`] if the array has another type.
    pub fn new(array: &'a dyn Array) -> Result<Column<'a>, ColumnError> {
        let column = match array.data_type() {
            DataType::Utf8 => array.as_string_opt::<i32>().map(Column::narrow),
            DataType::Binary => array.as_binary_opt::<i32>().map(Column::narrow),
            DataType::LargeUtf8 => array.as_string_opt::<i64>().map(Column::wide),
            DataType::LargeBinary => array.as_binary_opt::<i64>().map(Column::wide),
            DataType::Utf8View => array.as_byte_view_opt::<StringViewType>().map(Column::views),
            DataType::BinaryView => array.as_byte_view_opt::<BinaryViewType>().map(Column::views),
            _ => None,
        };
        column.ok_or_else(|| ColumnError::UnsupportedType(array.data_type().clone()))
    }

    fn narrow<T: ByteArrayType<Offset = i32>>(array: &'a GenericByteArray<T>) -> Column<'a> {
        // Arrow's offsets are signed and never negative, so they are the same numbers without sign.
        let offsets = bytemuck::cast_slice(array.value_offsets());
        Column::of(array, Values::Offsets32(array.value_data(), offsets))
    }

    fn wide<T: ByteArrayType<Offset = i64>>(array: &'a GenericByteArray<T>) -> Column<'a> {
        Column::of(array, Values::Offsets64(array.value_data(), array.value_offsets()))
    }

    fn views<T: ByteViewType>(array: &'a GenericByteViewArray<T>) -> Column<'a> {
        Column::of(array, Values::Views(Views::new(array.views(), array.data_buffers())))
    }

    fn of(array: &'a dyn Array, values: Values<'a>) -> Column<'a> {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Column { values, nulls, data_type: array.data_type() }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self.values {
            Values::Offsets32(_, offsets) => offsets.len() - 1,
            Values::Offsets64(_, offsets) => offsets.len() - 1,
            Values::Views(views) => views.len(),
        }
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the type of the array.
    pub fn data_type(&self) -> &'a DataType {
        self.data_type
    }

    /// Returns which rows are null, or `None` if there are no nulls.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// Returns the column of these rows, numbered from 0. Copies nothing. Threads can scan slices of
    /// one column.
    ///
    /// # Panics
    ///
    /// If the range is not within the column.
    pub fn slice(&self, rows: Range<usize>) -> Column<'a> {
        let (start, end) = (rows.start, rows.end);
        assert!(start <= end && end <= self.len(), "{rows:?} out of range");
        let values = match self.values {
            Values::Offsets32(buffer, offsets) => Values::Offsets32(buffer, &offsets[start..=end]),
            Values::Offsets64(buffer, offsets) => Values::Offsets64(buffer, &offsets[start..=end]),
            Values::Views(views) => Values::Views(views.slice(rows)),
        };
        let nulls = self.nulls.as_ref().map(|nulls| nulls.slice(start, end - start));
        Column { values, nulls: nulls.filter(|nulls| nulls.null_count() > 0), ..*self }
    }

    /// Returns the length of the values in bytes, without those of nulls where they have none. Takes
    /// constant time, or for views time in proportion to the rows.
    pub fn bytes(&self) -> usize {
        match self.values {
            Values::Offsets32(_, offsets) => (offsets[self.len()] - offsets[0]) as usize,
            // Lossless: both are offsets of one buffer.
            Values::Offsets64(_, offsets) => (offsets[self.len()] - offsets[0]) as usize,
            Values::Views(views) => views.bytes(),
        }
    }

    /// Calls `each` with consecutive batches that have all rows, in order, nulls included, and the
    /// number of the row that is the first record of the batch. Ends after the first error.
    ///
    /// # Errors
    ///
    /// [`BatchError::BufferTooLong`] if a value is longer than [`MAX_BUFFER`](crate::MAX_BUFFER), and
    /// the errors of `each`.
    ///
    /// ```
    /// use arrow_array::LargeStringArray;
    /// use dragnet::BatchError;
    /// use dragnet::arrow::Column;
    ///
    /// let array = LargeStringArray::from(vec!["one", "two"]);
    /// let mut records = Vec::new();
    /// Column::new(&array)?.try_for_each_batch(|row, batch| {
    ///     records.extend((row..).zip(batch.iter().map(<[u8]>::to_vec)));
    ///     Ok::<(), BatchError>(())
    /// })?;
    /// assert_eq!(records, [(0, b"one".to_vec()), (1, b"two".to_vec())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_for_each_batch<E: From<BatchError>>(
        &self,
        each: impl FnMut(usize, &Batch<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.parts(&mut PartMemory::default(), each)
    }

    /// As [`Column::try_for_each_batch`], with memory that the caller keeps.
    pub(super) fn parts<E: From<BatchError>>(
        &self,
        memory: &mut PartMemory,
        mut each: impl FnMut(usize, &Batch<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.values {
            Values::Offsets32(buffer, offsets) => {
                let end = offsets[offsets.len() - 1] as usize;
                // The bytes after the last value save the native engine a copy of the last records.
                let buffer = &buffer[..buffer.len().min(end.saturating_add(PADDING))];
                each(0, &Batch::from_offsets(buffer, offsets)?)
            }
            Values::Offsets64(buffer, offsets) => {
                let rows = offsets.len() - 1;
                let mut first = 0;
                while first < rows {
                    let part = wide_part(buffer, &offsets[first..], &mut memory.offsets)?;
                    each(first, &part)?;
                    first += part.len();
                }
                Ok(())
            }
            Values::Views(views) => views.parts(self.nulls.as_ref(), memory, each),
        }
    }
}

/// The batch of the first rows at wide offsets, at least one.
fn wide_part<'b>(
    buffer: &'b [u8],
    offsets: &[i64],
    memory: &'b mut Vec<u32>,
) -> Result<Batch<'b>, BatchError> {
    // Lossless: offsets are not negative, and at most the length of the buffer.
    let start = offsets[0] as usize;
    let ends = &offsets[1..offsets.len().min(PART_ROWS + 1)];
    let fits = ends.partition_point(|&end| end as usize <= start + PART_BYTES).max(1);
    let len = ends[fits - 1] as usize - start;
    let buffer = &buffer[start..];
    let buffer = &buffer[..buffer.len().min(len.saturating_add(PADDING))];
    memory.clear();
    match u32::try_from(len) {
        Ok(_) => memory.extend(offsets[..=fits].iter().map(|&end| (end as usize - start) as u32)),
        Err(_) => return Err(BatchError::BufferTooLong { size: len }),
    }
    Batch::from_offsets(buffer, memory)
}
