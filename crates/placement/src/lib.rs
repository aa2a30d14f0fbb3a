//! Runs the scanners of [`dragnet`] on threads of their own.
//!
//! Each scanner of this crate implements [`Scan`](dragnet::Scan) and gives the same matches as the
//! scanner that it runs.
//!
//! | Scanner | Runs | Use it |
//! | --- | --- | --- |
//! | [`ScanOwner`] | one scanner, on one thread, for any number of callers | if the scanner must stay on one thread, or if a scan of one record costs almost as much as a scan of hundreds |
//! | [`ScanPool`] | N scanners, on N threads, behind one queue | if one thread can't scan all records |
//! | [`Shadow`] | two scanners, the second on a sample of the batches and in the background | to compare a new engine with the current one in production |
//!
//! An owner and a pool are used through [`ScanHandle`]s, one for each caller. They *coalesce*: the
//! records that callers submit while a scan runs become one batch, which the next scan answers for
//! all of them. Deadlines, replacement of stuck threads and rebuilt scanners come from
//! [`dragnet_boundary`].

#![forbid(unsafe_code)]

mod builder;
mod coalesce;
mod convert;
mod owner;
mod shadow;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use builder::ScanBuilder;
pub use coalesce::{ScanHandle, Ticket};
pub use owner::{ScanOwner, ScanPool};
pub use shadow::{Difference, Shadow, ShadowBuilder, ShadowFailure, ShadowStats};
