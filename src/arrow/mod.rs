//! Scans columns of [Apache Arrow](https://arrow.apache.org), and returns the results as columns.
//! With the feature `arrow`.
//!
//! A [`Column`] borrows an array of strings or bytes, and a [`ColumnScanner`] scans it with any
//! scanner. Each row is a record. A row of a result belongs to the row of the column with the same
//! number.
//!
//! ```
//! use arrow_array::cast::AsArray;
//! use arrow_array::types::UInt32Type;
//! use arrow_array::{Array, StringArray};
//! use dragnet::arrow::{Column, ColumnScanner};
//! use dragnet::{Engine, PatternSet, Report};
//!
//! let lines = StringArray::from(vec![Some("all is well"), None, Some("error 404: retry")]);
//! let set = PatternSet::new(["error", r"\d{3}"])?;
//! let scanner = Engine::new(&set, Report::Patterns).scanner()?;
//! let mut scanner = ColumnScanner::new(scanner);
//!
//! let column = Column::new(&lines)?;
//! let found = scanner.patterns(&column)?;
//! assert!(found.value(0).is_empty());
//! assert!(found.is_null(1));
//! assert_eq!(found.value(2).as_primitive::<UInt32Type>().values(), &[0, 1]);
//!
//! let any = scanner.is_match(&column)?;
//! assert_eq!(any.iter().collect::<Vec<_>>(), [Some(false), None, Some(true)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Copies
//!
//! A [`Batch`](crate::Batch) needs its records next to each other in one buffer, with 32-bit offsets.
//! So this depends on the type of the column:
//!
//! | type | copied |
//! | --- | --- |
//! | `Utf8`, `Binary` | nothing: the offsets are used as they are |
//! | `LargeUtf8`, `LargeBinary` | the offsets, 64 thousand rows at a time. Columns of more than 4 GiB are scanned in parts |
//! | `Utf8View`, `BinaryView` | the offsets, and those values that do not follow the value before them in the same buffer. Values of up to 12 bytes, which are stored in the views themselves, never do |
//!
//! Builders append the values of a view array one after the other, so a column of long strings is
//! borrowed in large runs. What is copied is copied about 1 MiB at a time into memory that the
//! scanner reuses.
//!
//! # Nulls
//!
//! A null matches nothing, not even the pattern `^$`, and is null in each result. The values of nulls
//! are scanned where the layout has any, and their matches are dropped.
//!
//! # Limits
//!
//! Dictionaries, run-end encoded and nested arrays are rejected: scan the values of the dictionary,
//! and take from the result by its keys.

mod column;
mod error;
mod results;
mod scanner;
mod views;

pub use column::Column;
pub use error::ColumnError;
pub use results::{patterns_type, spans_type};
pub use scanner::ColumnScanner;
