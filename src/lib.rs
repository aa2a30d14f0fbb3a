//! Finds which of thousands of regular expressions match which of millions of records, and where.
//!
//! The engine is pure Rust by default. The feature `native` adds a second one that is backed by
//! Hyperscan or Vectorscan, a C library. Both give the same answers.
//!
//! The [guide] has a page for each task.
//!
//! # One string
//!
//! ```
//! let set = dragnet::PatternSet::new(["error|warning", r"\bid=(?<id>[0-9a-f]{8})\b"])?;
//! assert!(set.matches("error, id=deadbeef").iter().eq([0, 1]));
//! # Ok::<(), dragnet::BuildError>(())
//! ```
//!
//! [`PatternSet::is_match`], [`matches`](PatternSet::matches), [`find_iter`](PatternSet::find_iter) and
//! [`captures_iter`](PatternSet::captures_iter) search a `&str` or bytes, on any thread. All else here is for
//! searching many records at a time, which takes less time for each.
//!
//! # Many records
//!
//! ```text
//! Pattern -> PatternSet -> Engine -> Scanner -.
//!                                              >-> Matches
//!               your bytes -> Batch ----------'
//! ```
//!
//! - A [`PatternSet`] holds parsed patterns. Each is a [`Pattern`] with flags and an optional name.
//! - An [`Engine`] is a set compiled for a [`Report`]: where patterns match in a record, or only which do.
//!   Compile it once and share it.
//! - A [`Scanner`] has the working memory of a search. Each thread makes its own from the engine.
//! - A [`Batch`] is many records in one buffer. [`Batch::lines`] borrows a buffer that is already
//!   flat, such as the contents of a file; a [`BatchBuf`] owns records that arrive one by one. The
//!   engines work per batch rather than per record, so put many records into a batch: the benchmarks
//!   use about 1 MiB.
//! - [`Matches`] is the answer, ordered by record, then pattern, then start. Reuse one list for many
//!   scans: it keeps its memory.
//! - A [`CapturesFinder`] finds the groups of those matches whose groups are wanted, whichever scanner
//!   found them.
//!
//! ```
//! use dragnet::{Batch, Engine, Matches, PatternSet, Report, Scan};
//!
//! let set = PatternSet::new(["error|warning", r"\bid=[0-9a-f]{8}\b"])?;
//! let engine = Engine::new(&set, Report::Spans);
//! let mut scanner = engine.scanner()?;
//!
//! let log = b"id=00c0ffee ok\nok\nerror, id=deadbeef\n";
//! let (mut offsets, mut matches) = (Vec::new(), Matches::new());
//! scanner.scan(&Batch::lines(log, &mut offsets)?, &mut matches)?;
//!
//! let found: Vec<_> = matches.iter().map(|m| (m.record(), m.pattern(), m.range())).collect();
//! assert_eq!(found, [(0, 1, 0..11), (2, 0, 0..5), (2, 1, 7..18)]);
//! assert_eq!(matches.as_slice()[2].bytes(&Batch::lines(log, &mut offsets)?), b"id=deadbeef");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Answers
//!
//! Every record is searched as if it were alone: no match crosses records, and `^`, `$` and `\b` see
//! the edges of the record and nothing else of the batch. Spans are leftmost-first: of several matches
//! from the same start, the one that plain backtracking would find first is preferred. They do not
//! overlap, as `find_iter` of the regex crate yields them. [`Pattern::report_group`] reports the span of a
//! group in place of that of the whole match. Every implementation of [`Scan`] gives
//! these answers for every pattern. A pattern that the C library can't express is searched by the pure
//! engine in the same scan. [`Pattern`] says where the regex crate gives other answers.
//!
//! # Streams and redaction
//!
//! The module [`reader`] scans anything that implements [`Read`](std::io::Read), by lines or other records,
//! in bounded memory, on one or several threads, and finds matches across lines. The module [`redact`]
//! copies records and streams, and hides what matches.
//!
//! # Choosing a backend
//!
//! [`Engine::new`] can't fail: it chooses the native backend if this build has one and its library
//! passes a self-test, and the pure one otherwise. [`Engine::backend`] returns the choice, and
//! [`Engine::fallback_reason`] why the native backend was rejected. [`Engine::with_backend`] uses
//! the backend that it is given, or returns an error. The modules [`pure`] and, with the feature,
//! `native` contain the engines themselves, with the methods that only one of them has.
//!
//! Which backend is faster depends on the patterns and the records. `dragnet compare`, a command of
//! the package `dragnet-cli`, measures both on yours.
//!
//! ```
//! use dragnet::{Backend, Engine, PatternSet, Report};
//!
//! let set = PatternSet::new(["a", "b"])?;
//! let engine = Engine::with_backend(&set, Report::Patterns, Backend::Pure)?;
//! assert_eq!(engine.backend(), Backend::Pure);
//! if let Err(error) = Engine::with_backend(&set, Report::Patterns, Backend::Native) {
//!     // The error says whether this build has no native backend or its library was rejected.
//!     eprintln!("{error}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads and processes
//!
//! An engine is shared, and each thread has a scanner. For anything beyond that, other packages
//! implement [`Scan`] too, so their scanners can replace one another:
//!
//! - `dragnet-placement` runs scanners on threads of its own: an owner or a pool that coalesces the
//!   records of many callers into shared batches, and a shadow that compares a second engine with the
//!   first. The pending result of a record is a future, for async tasks.
//! - `dragnet-sidecar` runs a scanner in another process, which may crash without harm.
//!
//! # Combinations
//!
//! [`Combinations`] are named boolean expressions over patterns, such as `login and not internal` or
//! `any 2 of (token-*, secret)`. They wrap any scanner, and are reported as matches of their own.
//!
//! # Columns of Arrow
//!
//! With the feature `arrow`, the module `arrow` scans columns of Apache Arrow in place, and returns the
//! results as columns.
//!
//! # Errors
//!
//! - [`BuildError`]: patterns are invalid or too large. It names every bad pattern, with position and
//!   reason.
//! - [`EngineError`]: the native backend was requested, and this build has none or rejected it.
//! - [`CombinationError`]: an expression is invalid, or names a pattern that does not exist.
//! - [`BatchError`]: records do not fit in a batch, or offsets are invalid.
//! - [`ReadError`](reader::ReadError) and [`RedactError`](redact::RedactError): a stream could not be read,
//!   scanned or written to its end.
//! - `arrow::ColumnError`, with the feature `arrow`: a column could not be scanned, or a result not be made.
//! - [`ScanError`]: a scan was stopped by its [`StopFlag`], the C library failed, or the thread or
//!   process that runs the scanner did not answer. There are then no matches, never a part of them,
//!   and the scanner can be used again.
//!
//! # Features
//!
//! - `arrow` adds the module `arrow`, and three crates of Apache Arrow.
//! - `encoding` adds `reader::ReaderScan::decode_utf16`, which decodes streams, and the crates
//!   `encoding_rs` and `encoding_rs_io`.
//! - `keyed-hash` adds `redact::Replacement::keyed_hash`, which hides matches as hashes, and the crates `hmac`
//!   and `sha2`.
//! - `native` adds the engine that is backed by C. Its build needs a C compiler, pkg-config and libhs
//!   5.4 or later; the `README.md` lists the packages. Without the feature nothing here compiles,
//!   links or looks for C.
//! - `native-vendored` is `native` with Vectorscan built from its sources.

#![deny(missing_docs)]
// Allowed in the modules that call C and in those with vector instructions, and nowhere else.
#![deny(unsafe_code)]
// The targets that have vectors. One that is missing here only lacks this lint.
#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little"),
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(dead_code, reason = "targets without vectors don't use `Vector` and its callers")
)]

#[cfg(feature = "arrow")]
pub mod arrow;
mod batch;
mod captures;
mod combination;
mod engine;
mod engine_error;
mod explanation;
#[cfg(any(doc, doctest))]
pub mod guide;
mod matches;
#[cfg(feature = "native")]
pub mod native;
mod one_string;
mod pattern;
pub mod pure;
pub mod reader;
pub mod redact;
mod scan;
#[allow(unsafe_code, reason = "vector instructions")]
mod simd;
mod sink;
mod stop;

pub use batch::{Batch, BatchBuf, BatchError, MAX_BUFFER, MAX_RECORDS, PADDING};
pub use captures::{Captures, CapturesFinder, Group};
pub use combination::{CombinationError, Combinations, CombinedScanner};
pub use engine::{Backend, Engine, Scanner};
pub use engine_error::EngineError;
pub use explanation::Explanation;
pub use matches::{Match, Matches};
pub use one_string::{CapturesIter, FindIter, SetMatches, SetMatchesIntoIter, SetMatchesIter};
pub use pattern::{
    BuildError, Pattern, PatternBounds, PatternError, PatternFlags, PatternSet, PatternSetBuilder,
};
pub use scan::{MAX_BLOCK, Report, Scan, ScanError};
pub use stop::StopFlag;

/// The README's example, so that the tests compile and run it.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
