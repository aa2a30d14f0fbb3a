//! The native engine: Hyperscan or Vectorscan, called from C for all records of a batch.
//!
//! Both are versions of one C library, here called libhs. It compiles thousands of patterns into
//! one database of automata and reports which of them match a record. On large rule sets it is
//! among the fastest engines there are, at a price: it needs a C toolchain to build, does not exist
//! for every target, and a bug in it can crash the process. The feature `native` adds this
//! engine; the [pure engine](crate::pure) is part of every build.
//!
//! # How it works
//!
//! Patterns are translated into libhs's syntax from the same parsed form that the pure engine
//! compiles. libhs then finds pairs: which patterns match which records. Where a pattern matches
//! is found in Rust, and only for those pairs, because libhs reports the ends of all matches
//! rather than leftmost-first spans.
//!
//! Patterns that libhs lacks the syntax for, defines differently or refuses are left to the pure
//! engine, within the same scan. [`Engine::fallbacks`] lists them.
//!
//! C loops over the records, so Rust calls it once for most batches. It calls again when the buffer
//! of matches is full, and for the last records of a borrowed buffer, which are copied because
//! libhs needs readable bytes after each record.
//!
//! # Why the answers can be trusted
//!
//! Widely packaged builds of libhs miss matches. So before its first use in a process the library
//! must pass a known-answer self-test. A library that fails it is refused with
//! [`EngineError::SelfTest`](crate::EngineError::SelfTest), which names the failing case.
//!
//! # Limits
//!
//! The self-test covers the faults that are known, and cannot prove the absence of others. Which
//! engine is faster depends on the rules and the data; `dragnet compare` measures both.

mod compile;
mod compiled_set;
mod engine;
#[allow(unsafe_code, reason = "calls the shim")]
mod ffi;
mod layout;
mod library;
mod merge;
#[allow(unsafe_code, reason = "owns the objects of libhs")]
mod objects;
#[allow(unsafe_code, reason = "declares the functions of libhs")]
mod raw;
mod records;
mod scanner;
mod self_test;
mod translate;

pub use compile::Fallback;
pub use engine::Engine;
pub use scanner::Scanner;
