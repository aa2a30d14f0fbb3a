//! One page for each task.
//!
//! | task | page |
//! | --- | --- |
//! | which patterns match one string, and where | [`one_string`] |
//! | the lines of a file | [`lines`] |
//! | a stream, also with matches across lines | [`stream`] |
//! | the groups of matches | [`captures`] |
//! | hiding what matches | [`redaction`] |
//! | several patterns that must match together, some patterns of a set | [`combinations`] |
//! | several threads | [`threads`] |
//! | async tasks | [`async_tasks`] |
//! | many callers with one record each | [`many_callers`] |
//! | trying a C library without trusting it | [`c_library`] |
//! | using less memory | [`memory`] |
//!
//! The folder `examples` of the repository has a program for most of them.
//!
//! This module has no code. It exists in the documentation only.

#[doc = include_str!("one_string.md")]
pub mod one_string {}

#[doc = include_str!("lines.md")]
pub mod lines {}

#[doc = include_str!("stream.md")]
pub mod stream {}

#[doc = include_str!("captures.md")]
pub mod captures {}

#[doc = include_str!("redaction.md")]
pub mod redaction {}

#[doc = include_str!("combinations.md")]
pub mod combinations {}

#[doc = include_str!("threads.md")]
pub mod threads {}

#[doc = include_str!("async_tasks.md")]
pub mod async_tasks {}

#[doc = include_str!("many_callers.md")]
pub mod many_callers {}

#[doc = include_str!("c_library.md")]
pub mod c_library {}

#[doc = include_str!("memory.md")]
pub mod memory {}
