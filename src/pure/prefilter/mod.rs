//! Finds the few positions of a buffer where a match may be, for all patterns in a few passes.
//!
//! There are three searches, each for another kind of needle:
//!
//! - [`LiteralSearch`], for literals: one pass of [`teddy`] for few literals, one of [`qgrams`] for
//!   many or one of [`long_grams`] for many long ones, or several, chosen by estimated costs.
//! - [`RunSearch`], for long runs of bytes of one class: a pass for each class and length.
//! - [`BitStreams`], for sequences of classes: one pass for all of them.
//!
//! A [`FilterSet`] has the searches that an engine needs. Each appends [`Candidate`]s. Every match
//! has a candidate, but not every candidate has a match around it; verification decides that. Only
//! class sequences match wherever they are found and need no verification.
//!
//! The searches see bytes and offsets, never records or patterns. The README in this folder explains
//! the algorithms from the start.

mod bit_streams;
mod byte_class;
mod candidate;
mod filter_set;
mod literal_bytes;
mod literal_search;
#[allow(unsafe_code, reason = "calls the unchecked lookup of a vector")]
mod long_grams;
mod nibble_masks;
mod passed;
#[allow(unsafe_code, reason = "calls the unchecked lookup of a vector")]
mod qgrams;
mod runs;
mod segments;
mod teddy;
mod teddy_buckets;
mod window_hashes;
mod window_index;

pub(crate) use bit_streams::{BitStreams, ClassSequence};
pub(crate) use candidate::Candidate;
pub(crate) use filter_set::{FilterProgress, FilterSet};
pub(crate) use literal_search::LiteralSearch;
pub(crate) use runs::RunSearch;
pub(crate) use segments::Segments;
