//! What the stages of a scan cost, as the plan estimates it.
//!
//! The plan compares ways to search a pattern by their expected time per byte of the buffer:
//!
//! ```text
//! cost = time to filter one byte + candidates per byte * time to verify a candidate
//! ```
//!
//! All times are in nanoseconds. `benches/costs` measures them again; each constant says what it measured
//! on one core of a Zen 4 with AVX2. They need not be right on the machine at hand: a plan depends on their
//! ratios only, and every plan gives the same answers. Where a value is not the measured one, plans with
//! the measured one were slower: "pairs" are then pairs of public rules and a text, of which 24 were scanned
//! by both plans in turn, chunk by chunk.
//!
//! Frequencies are per byte of ordinary text, estimated from the byte frequencies in
//! [`literal`](super::literal). An estimate can be wrong by orders of magnitude for a given text, so
//! estimates below a floor are treated as equal to it.

use crate::simd::Isa;

// Verification.

/// Time to verify one candidate at its hit, in nanoseconds: find its record, look up its patterns and run
/// an automaton, which mostly fails within a few bytes. Measured: 87.
pub(in crate::pure) const CANDIDATE_NS: f64 = 80.0;

/// Time to verify one candidate of a pattern that is split at its literal, in nanoseconds: a second
/// automaton runs backward from the hit, but only where the first one matches. Measured: 93, if it matches
/// at one hit in ten.
pub(in crate::pure) const SPLIT_CANDIDATE_NS: f64 = 88.0;

/// Time to verify one candidate in a window around the hit, in nanoseconds, without the time that depends
/// on the size of the window. Measured: 120, with windows of six bytes.
pub(in crate::pure) const WINDOW_CANDIDATE_NS: f64 = 160.0;

/// Additional time for each byte of the window, in nanoseconds.
///
/// Measured: 10 to 14. With 10, patterns prefer anchors that are more frequent than estimated to rarer literals
/// in windows: 0.96 times as fast over 24 pairs, gitleaks over logs 0.4 times.
pub(in crate::pure) const WINDOW_BYTE_NS: f64 = 1.25;

/// Time to verify one candidate in a window that extends to an end of the record, in nanoseconds.
/// Measured: 420, in windows of 108 bytes or more.
pub(in crate::pure) const RECORD_CANDIDATE_NS: f64 = 320.0;

/// Time to record a match that needs no verification, in nanoseconds. Measured: 50.
pub(in crate::pure) const EXACT_MATCH_NS: f64 = 50.0;

/// Time to verify one candidate of a byte run, in nanoseconds. Its patterns are searched in a window
/// around the run, which takes longer than an anchored check.
///
/// Measured: 340, for runs of 32 bytes. With 340, patterns whose runs are rarer than estimated are
/// searched by bit streams: presidio's over logs 0.8 times as fast.
pub(in crate::pure) const RUN_CANDIDATE_NS: f64 = 100.0;

// Filters.

/// Time that one more literal adds to the pass for literals, in nanoseconds per byte.
///
/// Measured: 2e-5, for 1,000 to 4,000 literals. With 1.4e-5, patterns take more and rarer
/// literals: as fast over 24 pairs, gitleaks over source and logs 0.93 times.
pub(in crate::pure) const LITERAL_NS: f64 = 8e-5;

/// Time to compute the bit stream of a class, in nanoseconds per byte.
///
/// Measured: 0.05. The three `STREAM_*` times are at most three fifths of those measured, because each
/// pattern is charged for all of its streams, of which others share many. With the measured ones, 0.94
/// times as fast over 16 pairs, at worst 0.75.
pub(in crate::pure) const STREAM_CLASS_NS: f64 = 0.02;

/// Time of an addition of bit streams, whose carry keeps it from being vectorized, in nanoseconds per
/// byte. Measured: 0.054.
pub(in crate::pure) const STREAM_STAR_NS: f64 = 0.02;

/// Time of any other operation on bit streams, in nanoseconds per byte. Measured: 0.0052.
pub(in crate::pure) const STREAM_STEP_NS: f64 = 0.003;

/// The largest time of the operations on bit streams for one pattern, in nanoseconds per byte: more than
/// [`EVERY_RECORD_NS`], up to which a sequence can be chosen. This also bounds the time to plan a pattern.
pub(in crate::pure) const MAX_SEQUENCE_NS: f64 = 0.6;

/// Time of one pass that searches for a byte run, in nanoseconds per byte. Measured: 0.055.
pub(in crate::pure) const RUN_PASS_NS: f64 = 0.055;

/// Replaces [`RUN_PASS_NS`] where the alternative is a class sequence.
///
/// It is higher to favour the sequence: however frequent the hits of the sequence turn out to be, none of
/// them starts an automaton. With 0.1, 0.98 times as fast over 19 pairs, at worst 0.83.
pub(in crate::pure) const RUN_PASS_VS_SEQUENCE_NS: f64 = 0.3;

/// Time of a lazy DFA that reads every record, in nanoseconds per byte and pattern, where few patterns
/// share it. Measured: 0.4, for eight patterns in one DFA.
pub(in crate::pure) const EVERY_RECORD_NS: f64 = 0.4;

/// Time that one more pattern adds to a large group of patterns in lazy DFAs, in nanoseconds per byte, if
/// the pattern has [long repetitions](super::automata::grouping::has_long_repetition). Other patterns add
/// next to nothing.
///
/// Measured: 0.27, for patterns of two words; none if the repetition is `.*`, and up to 10 if the states
/// of the patterns multiply. Against 0.15, snort's rules over what they match are 1.7 times as fast on the
/// first pass and 1.06 times after it.
pub(in crate::pure) const GROUP_MEMBER_NS: f64 = 0.27;

/// Time of visiting every record and reading its first bytes with lazy DFAs, in nanoseconds per byte, of records
/// of 144 bytes. Measured: 0.7, for 40 patterns. Less is assumed,
/// because fewer patterns have fewer DFAs; 0.7 was not tried.
pub(in crate::pure) const EVERY_START_NS: f64 = 0.5;

/// Number of unfiltered patterns in a set above which another one adds only [`GROUP_MEMBER_NS`] instead of
/// [`EVERY_RECORD_NS`]: it joins DFAs that read every record anyway. Eight patterns in one DFA take
/// [`EVERY_RECORD_NS`] each.
pub(in crate::pure) const LARGE_GROUP: usize = 8;

// The choice of a strategy.

/// A set of literals with at most this frequency is chosen without considering alternatives: its
/// candidates cost at most [`CANDIDATE_NS`] / 1000 = 0.08 ns per byte, little more than a byte run's pass.
///
/// With 2e-4, 0.95 times as fast over 20 pairs, gitleaks over logs 0.4 times; with 5e-3 as fast, at worst
/// 0.8 times.
pub(in crate::pure) const RARE_LITERALS: f64 = 1e-3;

/// Literals that are more frequent than [`RARE_LITERALS`] are still preferred to a byte run unless they
/// are this many times as frequent. All literals are found in one pass; each run takes a pass of its own,
/// and a candidate of it takes about this many times as long as one of a literal.
///
/// With 1, 0.97 times as fast over 20 pairs, at worst 0.7; with 16 as fast, at worst 0.85 times.
pub(in crate::pure) const LITERALS_OVER_RUN: f64 = 4.0;

/// If the byte runs of all patterns that bit streams would search for are at most this frequent, the patterns
/// are searched by these runs instead: few candidates then take less time than the bit streams, whose fixed
/// cost is several times that of a run.
///
/// `benches/costs` measured 0.06 ns per byte for each run; one sequence takes 0.2 with what all streams
/// need, and each further one 0.1. Where this replaced the streams of up to two patterns only, the five of
/// secrets-db took 1.2 times as long over source. Where it also replaced the streams of single patterns,
/// sets of which others need streams were slower: 0.97 times as fast over 13 pairs.
pub(in crate::pure) const RARE_RUN: f64 = 1e-4;

/// The largest number of patterns that share a literal and are still verified one by one.
///
/// Above it, the plan first moves patterns to other literals and then verifies the patterns that remain in
/// one DFA. `benches/costs` measured 100 ns for one pattern and 46 for each further one, and 99 for the
/// DFA, whose cache was full. With 2, it is 0.98 times as fast over 24 pairs, uap-core's rules over user
/// agents 0.88 times.
pub(in crate::pure) const MAX_SHARERS: usize = 4;

/// The highest total frequency of the literals that replace one overshared literal: four times
/// [`RARE_LITERALS`], since they also save the patterns of one another.
///
/// With 1e-3 and with 1.6e-2, it is 0.99 times as fast over 20 pairs; with the latter, the first pass of
/// uap-core's rules over user agents is 0.8 times as fast.
pub(in crate::pure) const MAX_REBALANCED_FREQUENCY: f64 = 4e-3;

/// Literals of more than about eleven letters, which are expected less often than this, are hardly found but
/// where their pattern matches. Such patterns have no required run: to look for these took a fifth of the time to
/// build 5,000 rules for web pages. With 1e-15 that takes 2 ms of 84 more; scans over seven sets take between 0.996
/// and 1.008 times as many instructions.
pub(in crate::pure) const HARDLY_FOUND: f64 = 1e-12;

/// Lower bound on any estimated frequency of a literal, in [`plan::rebalance`](super::plan); estimates
/// below it are noise. With 1e-9, uap-core's rules over user agents are 0.7 times as fast.
pub(in crate::pure) const MIN_LITERAL_FREQUENCY: f64 = 1e-6;

// Required runs.

/// A required run shorter than this many bytes is in most records, so that the check costs more
/// than it saves, unless its class is rare.
pub(in crate::pure) const MIN_REQUIRED_RUN: u32 = 12;

/// The highest frequency, from 0 to 1, of the class of a required run shorter than
/// [`MIN_REQUIRED_RUN`].
pub(in crate::pure) const MAX_SHORT_RUN_CLASS_FREQUENCY: f64 = 0.05;

/// The highest frequency, from 0 to 1, of the class of a required run of at least
/// [`MIN_REQUIRED_RUN`] bytes.
pub(in crate::pure) const MAX_LONG_RUN_CLASS_FREQUENCY: f64 = 0.9;

/// Required runs rarer than this are treated as equally rare. With 1e-12, 0.99 times as fast over 20 pairs, at
/// worst 0.85.
pub(in crate::pure) const MIN_RUN_FREQUENCY: f64 = 1e-5;

/// The largest number of different required runs that a shared-literal group looks for. With
/// more, one of them is in nearly every record and the group is verified without the check.
///
/// With 4, trufflehog's rules over what they match are 0.8 times as fast; with 64 as fast over 20 pairs.
pub(in crate::pure) const MAX_GROUP_RUNS: usize = 16;

// Passes of the literal search.

/// Time to check one position that passes Teddy, in nanoseconds.
pub(in crate::pure) const TEDDY_CHECK_NS: f64 = 7.5;

/// Time to check one position that passes the q-gram table or that of long grams, in nanoseconds.
/// Measured with q-grams.
pub(in crate::pure) const GRAM_CHECK_NS: f64 = 11.0;

/// How many positions pass Teddy for each one that the frequencies of its bytes let expect, because the
/// bytes of a text depend on one another. Counted with the rules of Nosey Parker, gitleaks, presidio and
/// wappalyzer, in each way to divide their literals between Teddy and q-grams, over two logs, two texts
/// of source, attack payloads and user agents: 0 to 13, 1.8 in the median. The value is rounded.
pub(in crate::pure) const TEDDY_PASSED_VS_EXPECTED: f64 = 2.0;

/// As [`TEDDY_PASSED_VS_EXPECTED`], for q-grams, whose frequencies are those of grams. Counted: 0.1 to 9.5, 1.6 in
/// the median, and 1.3 without wappalyzer's rules, between which the value is.
pub(in crate::pure) const QGRAMS_PASSED_VS_EXPECTED: f64 = 1.4;

/// The number of literals of at least eight bytes from which on they are searched by long grams
/// instead of q-grams.
///
/// Measured on Zen 4 with English words of ten letters over subtitles, long grams against q-grams:
/// 30 words 1.03 times as fast, 100 1.08, 300 1.4, 1,000 2.0, 5,000 3.7, 43,029 9. Literals whose
/// grams are not in the text at all pass 0.9 times as fast whatever their number is.
pub(in crate::pure) const MIN_LONG_GRAM_LITERALS: usize = 128;

/// The times of the passes for literals, in nanoseconds, before any position is checked.
pub(in crate::pure) struct PassCosts {
    /// Teddy with all masks, per byte.
    pub(in crate::pure) teddy: f64,
    /// The q-gram table, per position that is looked at.
    pub(in crate::pure) qgrams: f64,
    /// The bitmap of long grams, per position that is looked at.
    pub(in crate::pure) long_grams: f64,
}

impl PassCosts {
    /// The times with the vectors of `isa`.
    pub(in crate::pure) fn of(isa: Isa) -> &'static PassCosts {
        match isa.vector_len() {
            0 => &SCALAR,
            1..=16 => &SHORT_VECTORS,
            _ => &LONG_VECTORS,
        }
    }
}

/// The times without vectors, when all passes read byte by byte. All as measured.
const SCALAR: PassCosts = PassCosts { teddy: 2.0, qgrams: 1.4, long_grams: 2.1 };

/// The times with vectors of 16 bytes. All as measured, with SSSE3.
const SHORT_VECTORS: PassCosts = PassCosts { teddy: 0.35, qgrams: 0.95, long_grams: 1.1 };

/// The times with longer vectors. All as measured, with AVX2; AVX-512 was not measured.
const LONG_VECTORS: PassCosts = PassCosts { teddy: 0.19, qgrams: 0.62, long_grams: 0.66 };
