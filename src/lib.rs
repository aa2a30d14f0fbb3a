//! Finds which of thousands of regular expressions match which of millions of records, and where.
//!
//! In pure Rust by default; with the feature `native` also with Hyperscan or Vectorscan, a C
//! library, and with the same answers.
//!
//! # The way of the data
//!
//! ```text
//! Pattern -> PatternSet -> Engine -> Scanner -.
//!                                              >-> Matches
//!               your bytes -> Batch ----------'
//! ```
//!
//! - A [`PatternSet`] holds parsed patterns, each a [`Pattern`] with its flags and perhaps a name.
//! - An [`Engine`] is such a set compiled, to tell which patterns match or also where
//!   ([`Report`]). It is made once and shared.
//! - A [`Scanner`] is what one thread needs to search; each thread takes its own from the engine.
//! - A [`Batch`] is many records in one buffer. It borrows a buffer that is already flat, such as
//!   that of a file ([`Batch::lines`]); a [`BatchBuf`] owns records that come one by one. Work is
//!   done once per batch, not per record, so scan many records at once; the benchmarks have about
//!   1 MiB in a batch.
//! - [`Matches`] is the answer, ordered by record, then pattern, then start. Reuse it: it keeps
//!   its memory.
//!
//! ```
//! use dragnet::{Batch, Engine, Matches, PatternSet, Report, Scan};
//!
//! let set = PatternSet::new(["error|warning", r"\bid=[0-9a-f]{8}\b"])?;
//! let engine = Engine::new(&set, Report::Spans);
//!
//! let log = b"id=00c0ffee ok\nok\nerror, id=deadbeef\n";
//! let mut found = Vec::new();
//! std::thread::scope(|scope| {
//!     let worker = scope.spawn(|| -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
//!         let mut scanner = engine.scanner()?;
//!         let (mut offsets, mut matches) = (Vec::new(), Matches::new());
//!         scanner.scan(&Batch::lines(log, &mut offsets)?, &mut matches)?;
//!         Ok(matches)
//!     });
//!     for m in &worker.join().unwrap().unwrap() {
//!         found.push((m.record(), m.pattern(), m.range()));
//!     }
//! });
//! assert_eq!(found, [(0, 1, 0..11), (2, 0, 0..5), (2, 1, 7..18)]);
//! # Ok::<(), dragnet::BuildError>(())
//! ```
//!
//! # What the answers mean
//!
//! Each record is searched as if it were alone: no match crosses records, and `^`, `$` and `\b`
//! see the edges of the record and nothing else of the batch. A record matches a pattern if a
//! plain NFA simulation of that pattern finds it there, and spans are leftmost-first and do not
//! overlap, as a find-iterator gives them. Every implementation of [`Scan`] keeps to this, for
//! every pattern; what the C library can't express is searched by the pure engine in the same
//! scan.
//!
//! # Choosing a backend
//!
//! [`Engine::new`] can't fail: it takes the native backend if this build has one and its library
//! passes a self-test, and the pure one otherwise. [`Engine::backend`] tells which it is and
//! [`Engine::fallback_reason`] why a native one was not taken. [`Engine::with_backend`] takes the one that
//! is named or fails. The modules [`pure`] and, with the feature, `native` have the engines
//! themselves, for what only one of them can tell.
//!
//! ```
//! use dragnet::{Backend, Engine, PatternSet, Report};
//!
//! let set = PatternSet::new(["a", "b"])?;
//! let engine = Engine::with_backend(&set, Report::Patterns, Backend::Pure)?;
//! assert_eq!(engine.backend(), Backend::Pure);
//! if let Err(error) = Engine::with_backend(&set, Report::Patterns, Backend::Native) {
//!     // There is none in this build, or its library was refused: the error says which.
//!     eprintln!("{error}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many callers
//!
//! A [`placement::ScanOwner`] or [`placement::ScanPool`] owns scanners on threads of their own and
//! gathers the records of all who call, so that they share scans.
//!
//! # Another process, another engine
//!
//! A [`sidecar::Sidecar`] scans in a process that may crash without harm; a [`placement::Shadow`]
//! runs a second engine beside the first and reports where they differ. All of them implement
//! [`Scan`], so one can stand within another.
//!
//! # Errors
//!
//! - [`BuildError`] comes from patterns: it names all bad ones, with position and reason.
//! - [`EngineError`] comes from the choice of the native backend, and from nothing else.
//! - [`BatchError`] comes from records that do not fit in a batch, or from bad offsets.
//! - [`ScanError`] ends a scan: it was told to stop by its [`StopFlag`], the C library failed, or
//!   the thread or process where it was to run did not answer.
//!   There are no matches then, never a part of them, and the scanner can be used again.
//!
//! # Features
//!
//! `native` adds the C-backed engine. It needs a C compiler, pkg-config and libhs 5.4 or later to
//! build; the `README.md` says how to get them. Without it nothing here compiles, links or looks
//! for C.

#![deny(missing_docs)]

mod batch;
mod engine;
mod explanation;
mod matches;
#[cfg(feature = "native")]
pub mod native;
mod pattern;
pub mod pure;
mod scan;
mod sink;
mod stop;

pub use batch::{Batch, BatchBuf, BatchError, MAX_BUFFER, MAX_RECORDS, PADDING};
pub use engine::{Backend, Engine, EngineError, Scanner};
pub use explanation::Explanation;
pub use matches::{Match, Matches};
pub use pattern::{BuildError, Pattern, PatternError, PatternFlags, PatternSet, PatternSetBuilder};
pub use scan::{MAX_BLOCK, Report, Scan, ScanError};
pub use stop::StopFlag;

/// The README's example, so that the tests compile and run it.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
