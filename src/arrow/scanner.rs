//! Scans columns with any scanner.

use std::ops::ControlFlow;

use arrow_array::{BooleanArray, ListArray};
use arrow_buffer::BooleanBufferBuilder;

use super::column::PartMemory;
use super::results::{ListOffsets, pattern_lists, span_lists};
use super::{Column, ColumnError};
use crate::{Match, Scan};

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
    /// As [`ColumnScanner::patterns`].
    pub fn spans(&mut self, column: &Column<'_>) -> Result<ListArray, ColumnError> {
        let mut offsets = ListOffsets::new(column.len());
        let mut columns = [const { Vec::new() }; 3];
        self.try_for_each_match(column, |row, m| {
            offsets.push(row)?;
            for (column, value) in columns.iter_mut().zip([m.pattern(), m.start(), m.end()]) {
                // Lossless: a match has numbers of 32 bits.
                column.push(value as u32);
            }
            Ok(())
        })?;
        Ok(span_lists(column.len(), offsets, columns, column.nulls()))
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
