//! Sequences of byte classes, matched by operations on streams of bits.
//!
//! `\b[A-Z]{3,6}\d{6,9}\b`, with Unicode off, has neither a literal nor a rare run. But each class is a
//! stream with one bit per byte of the buffer ([`byte_class`](super::byte_class)), and so is each part
//! of a pattern: a bit is set where a match of the pattern up to and including that part ends.
//! Appending a class moves all bits forward by one and keeps those at bytes of the class, 64 bytes per
//! word and several words per instruction; a repetition is an addition, whose carry runs to the end of
//! a run of ones.
//!
//! This is how Parabix and icgrep match (Cameron et al., "Bitwise Data Parallelism in Regular
//! Expression Matching", PACT 2014). They transpose the text into eight streams of bits and compute
//! classes by Boolean operations; here nibble masks compute each class directly. All patterns share
//! equal streams. Only patterns of which all parts have streams are searched for in this way, so a pattern
//! matches wherever a bit remains, and nothing is verified.
//!
//! A pass costs about 0.003 ns per byte and operation and 0.02 ns per byte and class with AVX-512.
//! The cost depends on the patterns alone, not on the text.
//!
//! The files: `stream` (the operations as a graph), `build` (from a pattern to the graph),
//! `sequence` (which patterns are searched for), `schedule` (the graph as a program with few slots),
//! `combine` (the inner loops), `search` (the pass).

mod build;
mod combine;
mod schedule;
mod search;
mod sequence;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use search::{BitStreamProgress, BitStreams};
pub(crate) use sequence::ClassSequence;
