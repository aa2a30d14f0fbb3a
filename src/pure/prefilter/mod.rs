//! Finds the few places of a buffer where a match may be, for all patterns in a few passes.
//!
//! There are three searches, each for another kind of needle:
//!
//! - [`LiteralSearch`], for literals: one pass of [`teddy`] for few literals or one of [`qgrams`] for
//!   many, or both, chosen by estimated costs.
//! - [`RunSearch`], for long runs of bytes of one class: a pass for each class and length.
//! - [`BitStreams`], for sequences of classes: one pass for all of them.
//!
//! A [`FilterSet`] has those that an engine needs. Each appends [`Candidate`]s. A candidate of a literal or a run may have no match around it, which
//! verification decides, but no match is without its candidate.
//!
//! The searches see bytes and offsets, never records or patterns. The README in this folder explains
//! the algorithms from the start.

#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little"),
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(dead_code, reason = "targets without vectors never run the vector half of a kernel")
)]

mod bit_streams;
mod byte_class;
mod candidate;
mod filter_set;
mod hits;
mod literal_bytes;
mod literal_search;
mod nibble_masks;
#[allow(unsafe_code, reason = "calls the unchecked gather of a vector")]
mod qgrams;
mod runs;
mod segments;
mod teddy;
mod teddy_buckets;
mod window_index;

pub(crate) use bit_streams::{BitStreams, ClassSequence};
pub(crate) use candidate::Candidate;
pub(crate) use filter_set::{FilterProgress, FilterSet};
pub(crate) use literal_search::LiteralSearch;
pub(crate) use runs::RunSearch;
pub(crate) use segments::Segments;
