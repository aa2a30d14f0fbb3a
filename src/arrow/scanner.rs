//! Scans columns with any scanner.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BinaryViewBuilder, LargeBinaryBuilder, LargeStringBuilder, StringBuilder,
    StringViewBuilder,
};
use arrow_array::{ArrayRef, BooleanArray, ListArray};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::DataType;

use super::column::{PART_BYTES, PartMemory};
use super::results::{ListOffsets, pattern_lists, span_lists};
use super::{Column, ColumnError};
use crate::redact::{RedactError, Redactor};
use crate::{BatchBuf, Match, Scan};

/// Scans columns with a scanner, and returns columns of the same number of rows.
///
/// It keeps the scanner's memory and its own from one column to the next. Matches go straight from
/// the scanner into the result, so a scan holds no list of them.
///
/// See the [module documentation](super) for an example.
#[derive(Debug)]
pub struct ColumnScanner<S> {
    scanner: S,
    memory: PartMemory,
}

impl<S: Scan> ColumnScanner<S> {
    /// Wraps a scanner. Its [`Report`](crate::Report) must be `Spans` for [`ColumnScanner::spans`];
    /// `Patterns` is faster for the other methods.
    pub fn new(scanner: S) -> ColumnScanner<S> {
        ColumnScanner { scanner, memory: PartMemory::default() }
    }

    /// Returns the scanner.
    pub fn into_inner(self) -> S {
        self.scanner
    }

    /// Returns for each row whether any pattern matches.
    ///
    /// # Errors
    ///
    /// As [`ColumnScanner::for_each_match`].
    pub fn is_match(&mut self, column: &Column<'_>) -> Result<BooleanArray, ColumnError> {
        let mut matching = BooleanBufferBuilder::new(column.len());
        matching.append_n(column.len(), false);
        self.try_for_each_match(column, |row, _| {
            matching.set_bit(row, true);
            Ok(())
        })?;
        Ok(BooleanArray::new(matching.finish(), column.nulls().cloned()))
    }

    /// Returns for each row the list of patterns that match, ascending. Its type is
    /// [`patterns_type`](super::patterns_type).
    ///
    /// # Errors
    ///
    /// As [`ColumnScanner::for_each_match`], and [`ColumnError::ResultTooLarge`] if there are more
    /// than 2^31 - 1 entries.
    pub fn patterns(&mut self, column: &Column<'_>) -> Result<ListArray, ColumnError> {
        let mut offsets = ListOffsets::new(column.len());
        let mut patterns = Vec::new();
        let mut last = None;
        self.try_for_each_match(column, |row, m| {
            // A scanner that reports spans reports a pattern several times in a row.
            if last.replace((row, m.pattern())) != Some((row, m.pattern())) {
                offsets.push(row)?;
                patterns.push(m.pattern() as u32);
            }
            Ok(())
        })?;
        Ok(pattern_lists(column.len(), offsets, patterns, column.nulls()))
    }

    /// Returns for each row the list of spans, ordered by pattern, then start. Its type is
    /// [`spans_type`](super::spans_type); starts and ends are in bytes from the start of the value,
    /// also in columns of strings.
    ///
    /// # Errors
    ///
    /// As [`ColumnScanner::patterns`], and [`ColumnError::NoSpans`] if the scanner reports no spans and
    /// anything matches.
    pub fn spans(&mut self, column: &Column<'_>) -> Result<ListArray, ColumnError> {
        let mut offsets = ListOffsets::new(column.len());
        let mut columns = [const { Vec::new() }; 3];
        self.try_for_each_match(column, |row, m| {
            let span = m.span().ok_or(ColumnError::NoSpans)?;
            offsets.push(row)?;
            for (column, value) in columns.iter_mut().zip([m.pattern(), span.start, span.end]) {
                // Lossless: a match has numbers of 32 bits.
                column.push(value as u32);
            }
            Ok(())
        })?;
        Ok(span_lists(column.len(), offsets, columns, column.nulls()))
    }

    /// Returns the column with all matches hidden, as a column of the same type. `redactor` must be one
    /// for the patterns of the scanner.
    ///
    /// Patterns without Unicode can match a part of a character of a string. The rest of the character
    /// becomes U+FFFD then. All values are copied.
    ///
    /// # Errors
    ///
    /// As [`ColumnScanner::spans`]. A column with 32-bit offsets can hold 2^31 - 1 bytes.
    ///
    /// ```
    /// use arrow_array::{StringArray, cast::AsArray};
    /// use dragnet::arrow::{Column, ColumnScanner};
    /// use dragnet::redact::Redactor;
    /// use dragnet::{Engine, Pattern, PatternSet, Report};
    ///
    /// let set = PatternSet::new([Pattern::new(r"\bghp_\w+").name("token")])?;
    /// let mut scanner = ColumnScanner::new(Engine::new(&set, Report::Spans).scanner()?);
    /// let lines = StringArray::from(vec![Some("auth: ghp_0123 ok"), None]);
    /// let redacted = scanner.redact(&Column::new(&lines)?, &mut Redactor::new(&set))?;
    /// let expected = StringArray::from(vec![Some("auth: [REDACTED:token] ok"), None]);
    /// assert_eq!(redacted.as_string(), &expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redact(
        &mut self,
        column: &Column<'_>,
        redactor: &mut Redactor,
    ) -> Result<ArrayRef, ColumnError> {
        let (rows, bytes) = (column.len(), column.bytes());
        // Appends all rows to a builder, each converted to the type of its values, and finishes it.
        macro_rules! build {
            ($builder:expr, $max_bytes:expr, $convert:expr) => {{
                let (mut builder, mut size) = ($builder, 0_usize);
                self.redact_rows(column, redactor, |value| {
                    match value.map($convert) {
                        Some(value) => {
                            size += value.len();
                            // A view has a length of 32 bits.
                            if size > $max_bytes || u32::try_from(value.len()).is_err() {
                                return Err(ColumnError::ResultTooLarge { what: "bytes" });
                            }
                            builder.append_value(value);
                        }
                        None => builder.append_null(),
                    }
                    Ok(())
                })?;
                Arc::new(builder.finish())
            }};
        }
        let (max, any) = (i32::MAX as usize, usize::MAX);
        Ok(match column.data_type() {
            DataType::Utf8 => {
                build!(StringBuilder::with_capacity(rows, bytes), max, String::from_utf8_lossy)
            }
            DataType::LargeUtf8 => {
                build!(LargeStringBuilder::with_capacity(rows, bytes), any, String::from_utf8_lossy)
            }
            DataType::Utf8View => {
                build!(StringViewBuilder::with_capacity(rows), any, String::from_utf8_lossy)
            }
            DataType::Binary => build!(BinaryBuilder::with_capacity(rows, bytes), max, unchanged),
            DataType::LargeBinary => {
                build!(LargeBinaryBuilder::with_capacity(rows, bytes), any, unchanged)
            }
            _ => build!(BinaryViewBuilder::with_capacity(rows), any, unchanged),
        })
    }

    /// Calls `each` with each redacted value, or `None` for a null.
    fn redact_rows(
        &mut self,
        column: &Column<'_>,
        redactor: &mut Redactor,
        mut each: impl FnMut(Option<&[u8]>) -> Result<(), ColumnError>,
    ) -> Result<(), ColumnError> {
        let ColumnScanner { scanner, memory } = self;
        let mut redacted = BatchBuf::new();
        column.parts(memory, |first, batch| {
            for rows in batch.split_by_bytes(PART_BYTES) {
                redacted.clear();
                let part = batch.slice(rows.clone());
                redactor.redact_batch(scanner, &part, &mut redacted).map_err(from_redaction)?;
                for (row, value) in (first + rows.start..).zip(redacted.as_batch().iter()) {
                    let is_null = column.nulls().is_some_and(|nulls| nulls.is_null(row));
                    each((!is_null).then_some(value))?;
                }
            }
            Ok(())
        })
    }

    /// Calls `each` with the row of each match and the match, ordered by row, then pattern, then
    /// start. The match's own record number is meaningless. Matches in nulls are left out.
    ///
    /// # Errors
    ///
    /// [`ColumnError::Scan`] if a scan has no answer, and [`ColumnError::Batch`] if a value is longer
    /// than [`MAX_BUFFER`](crate::MAX_BUFFER). `each` may then have been called for a part of the
    /// matches.
    pub fn for_each_match(
        &mut self,
        column: &Column<'_>,
        mut each: impl FnMut(usize, &Match),
    ) -> Result<(), ColumnError> {
        self.try_for_each_match(column, |row, m| {
            each(row, m);
            Ok(())
        })
    }

    fn try_for_each_match(
        &mut self,
        column: &Column<'_>,
        mut each: impl FnMut(usize, &Match) -> Result<(), ColumnError>,
    ) -> Result<(), ColumnError> {
        let ColumnScanner { scanner, memory } = self;
        column.parts(memory, |first, batch| {
            let mut result = Ok(());
            let _ = scanner.scan_with(batch, &mut |block| {
                for m in block {
                    let row = first + m.record();
                    if column.nulls().is_some_and(|nulls| nulls.is_null(row)) {
                        continue;
                    }
                    result = each(row, m);
                    if result.is_err() {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            result
        })
    }
}

fn unchanged(value: &[u8]) -> &[u8] {
    value
}

/// The error of a batch that could not be redacted.
fn from_redaction(error: RedactError) -> ColumnError {
    match error {
        RedactError::Scan(error) => ColumnError::Scan(error),
        RedactError::Batch(error) => ColumnError::Batch(error),
        // The other errors are those of streams.
        _ => ColumnError::NoSpans,
    }
}
