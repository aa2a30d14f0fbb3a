//! Builds the columns of results from matches in the order of their rows.

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, ListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields};

use super::ColumnError;

/// The fields of a span.
static SPAN_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    ["pattern", "start", "end"]
        .map(|name| Field::new(name, DataType::UInt32, false))
        .to_vec()
        .into()
});

/// Returns the type of [`ColumnScanner::patterns`](super::ColumnScanner::patterns):
/// `List<UInt32>`. The entries are not nullable.
pub fn patterns_type() -> DataType {
    DataType::List(item(DataType::UInt32))
}

/// Returns the type of [`ColumnScanner::spans`](super::ColumnScanner::spans):
/// `List<Struct<pattern: UInt32, start: UInt32, end: UInt32>>`. The entries and their fields are not
/// nullable.
pub fn spans_type() -> DataType {
    DataType::List(item(DataType::Struct(SPAN_FIELDS.clone())))
}

fn item(of: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(of, false))
}

/// The offsets of a list array, which gets its entries in the order of the rows.
#[derive(Debug)]
pub(super) struct ListOffsets {
    /// The offset of each row whose first entry is known.
    offsets: Vec<i32>,
    entries: usize,
}

impl ListOffsets {
    pub(super) fn new(rows: usize) -> ListOffsets {
        ListOffsets { offsets: Vec::with_capacity(rows + 1), entries: 0 }
    }

    /// Adds an entry to `row`, which is not before the row of the last entry.
    pub(super) fn push(&mut self, row: usize) -> Result<(), ColumnError> {
        // In range: the line below keeps the number of entries below 2^31.
        self.offsets.resize(self.offsets.len().max(row + 1), self.entries as i32);
        self.entries += 1;
        match i32::try_from(self.entries) {
            Ok(_) => Ok(()),
            Err(_) => Err(ColumnError::ResultTooLarge { what: "matches" }),
        }
    }

    fn finish(mut self, rows: usize) -> OffsetBuffer<i32> {
        self.offsets.resize(rows + 1, self.entries as i32);
        OffsetBuffer::new(ScalarBuffer::from(self.offsets))
    }
}

/// The list array of pattern numbers.
pub(super) fn pattern_lists(
    rows: usize,
    offsets: ListOffsets,
    patterns: Vec<u32>,
    nulls: Option<&NullBuffer>,
) -> ListArray {
    let values: ArrayRef = Arc::new(UInt32Array::from(patterns));
    ListArray::new(item(DataType::UInt32), offsets.finish(rows), values, nulls.cloned())
}

/// The list array of spans, from their columns.
pub(super) fn span_lists(
    rows: usize,
    offsets: ListOffsets,
    columns: [Vec<u32>; 3],
    nulls: Option<&NullBuffer>,
) -> ListArray {
    let columns = columns.map(|column| Arc::new(UInt32Array::from(column)) as ArrayRef).to_vec();
    let spans = StructArray::new(SPAN_FIELDS.clone(), columns, None);
    let field = item(DataType::Struct(SPAN_FIELDS.clone()));
    ListArray::new(field, offsets.finish(rows), Arc::new(spans), nulls.cloned())
}
