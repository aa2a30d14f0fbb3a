//! What the stages of a scan cost, as the plan estimates it.
//!
//! The plan compares ways to search a pattern by their expected time per byte of the buffer:
//!
//! ```text
//! cost = time to filter one byte + candidates per byte * time to verify a candidate
//! ```
//!
//! All times are in nanoseconds, rough estimates for one core of an x86-64 server. They need not
//! be right on the machine at hand: a plan depends on their ratios only, and every plan gives the
//! same answers. Frequencies are per byte of ordinary text, estimated from the byte frequencies
//! in [`literal`](super::literal). An estimate can be wrong by orders of magnitude for a given
//! text, so estimates below a floor are treated as equal to it.

use crate::simd::Isa;

// Verification.

/// Time to verify one candidate at its hit, in nanoseconds: find its record, look up its patterns
/// and run an automaton, which mostly fails within a few bytes.
pub(in crate::pure) const CANDIDATE_NS: f64 = 80.0;

/// Time to verify one candidate of a pattern that is split at its literal, in nanoseconds: a second
/// automaton runs backward from the hit, but only where the first one matches.
pub(in crate::pure) const SPLIT_CANDIDATE_NS: f64 = 1.1 * CANDIDATE_NS;

/// Time to verify one candidate in a window around the hit, in nanoseconds, without the time that
/// depends on the size of the window.
pub(in crate::pure) const WINDOW_CANDIDATE_NS: f64 = 2.0 * CANDIDATE_NS;

/// Additional time for each byte of the window, in nanoseconds.
pub(in crate::pure) const WINDOW_BYTE_NS: f64 = CANDIDATE_NS / 64.0;

/// Time to verify one candidate in a window that extends to an end of the record, in nanoseconds.
pub(in crate::pure) const RECORD_CANDIDATE_NS: f64 = 4.0 * CANDIDATE_NS;

/// Time to record a match that needs no verification, in nanoseconds.
pub(in crate::pure) const EXACT_MATCH_NS: f64 = 15.0;

/// Time to verify one candidate of a byte run, in nanoseconds. Its patterns are searched in a
/// window around the run, which takes a little longer than an anchored check.
pub(in crate::pure) const RUN_CANDIDATE_NS: f64 = 100.0;

// Filters.

/// Time that one more literal adds to the pass for literals, in nanoseconds per byte.
pub(in crate::pure) const LITERAL_NS: f64 = 1e-6 * CANDIDATE_NS;

/// Time to compute the bit stream of a class, in nanoseconds per byte. The three `STREAM_*` times
/// are estimates for AVX-512.
pub(in crate::pure) const STREAM_CLASS_NS: f64 = 0.02;

/// Time of an addition of bit streams, whose carry keeps it from being vectorized, in nanoseconds
/// per byte.
pub(in crate::pure) const STREAM_STAR_NS: f64 = 0.02;

/// Time of any other operation on bit streams, in nanoseconds per byte.
pub(in crate::pure) const STREAM_STEP_NS: f64 = 0.003;

/// The largest time of the operations on bit streams for one pattern, in nanoseconds per byte.
/// This also bounds the time to plan a pattern.
pub(in crate::pure) const MAX_SEQUENCE_NS: f64 = 0.6;

/// Time of one pass that searches for a byte run, in nanoseconds per byte.
pub(in crate::pure) const RUN_PASS_NS: f64 = 0.1;

/// Replaces [`RUN_PASS_NS`] where the alternative is an exact class sequence, one whose hits need
/// no verification.
///
/// It is higher to favour the sequence: however frequent the hits of the sequence turn out to be,
/// none of them starts an automaton.
pub(in crate::pure) const RUN_PASS_VS_EXACT_NS: f64 = 0.3;

/// Time of a lazy DFA that reads every record, in nanoseconds per byte and pattern, where few
/// patterns share it.
pub(in crate::pure) const EVERY_RECORD_NS: f64 = 0.4;

/// Time that one more pattern adds to a large group of patterns in lazy DFAs, in nanoseconds per
/// byte, if the pattern has [long repetitions](super::automata::grouping::has_long_repetition).
/// Other patterns add next to nothing.
pub(in crate::pure) const GROUP_MEMBER_NS: f64 = 0.15;

/// Number of unfiltered patterns in a set above which another one adds only [`GROUP_MEMBER_NS`]
/// instead of [`EVERY_RECORD_NS`]: it joins DFAs that read every record anyway.
pub(in crate::pure) const LARGE_GROUP: usize = 8;

// The choice of a strategy.

/// A set of literals with at most this frequency is chosen without considering alternatives: its
/// candidates cost at most [`CANDIDATE_NS`] / 1000 = 0.08 ns per byte.
pub(in crate::pure) const RARE_LITERALS: f64 = 1e-3;

/// Literals that are more frequent than [`RARE_LITERALS`] are still preferred to a byte run
/// unless they are this many times as frequent. All literals are found in one pass; each run
/// takes a pass of its own.
pub(in crate::pure) const LITERALS_OVER_RUN: f64 = 4.0;

/// If bit streams would search for at most this many patterns, the patterns are searched by their
/// byte runs instead, unless a run is more frequent than [`RARE_RUN`]. The fixed cost of the bit
/// streams is nearly the same for two patterns as for many, while a rare run takes a single pass.
pub(in crate::pure) const FEW_STREAMS: usize = 2;

/// The highest frequency of a run that [`FEW_STREAMS`] applies to.
pub(in crate::pure) const RARE_RUN: f64 = 1e-4;

/// The largest number of patterns that share a literal and are still verified one by one.
///
/// Above it, the plan first moves patterns to other literals and then verifies the patterns that
/// remain in one DFA.
pub(in crate::pure) const MAX_SHARERS: usize = 4;

/// The highest total frequency of the literals that replace one overshared literal.
pub(in crate::pure) const MAX_REBALANCED_FREQUENCY: f64 = 4e-3;

/// Lower bound on any estimated frequency of a literal, in [`plan::rebalance`](super::plan);
/// estimates below it are noise.
pub(in crate::pure) const MIN_LITERAL_FREQUENCY: f64 = 1e-6;

/// Lower bound on the estimated frequency of a class sequence, unless it is exact. The estimates
/// are poor, since bytes of a class cluster in text (a digit mostly stands next to other digits);
/// those below this are noise.
pub(in crate::pure) const MIN_SEQUENCE_FREQUENCY: f64 = 3e-3;

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

/// Required runs rarer than this are treated as equally rare.
pub(in crate::pure) const MIN_RUN_FREQUENCY: f64 = 1e-5;

/// The largest number of different required runs that a shared-literal group looks for. With
/// more, one of them is in nearly every record and the group is verified without the check.
pub(in crate::pure) const MAX_GROUP_RUNS: usize = 16;

// Passes of the literal search.

/// The cost of checking one position that passes Teddy or the q-gram table, in the unit of
/// [`PassCosts`].
pub(in crate::pure) const POSITION_CHECK: f64 = 25.0;

/// The number of literals of at least eight bytes from which on they are searched by long grams
/// instead of q-grams.
///
/// Measured on Zen 4 with English words of ten letters over subtitles, long grams against q-grams:
/// 30 words 1.03 times as fast, 100 1.08, 300 1.4, 1,000 2.0, 5,000 3.7, 43,029 9. Literals whose
/// grams are not in the text at all pass 0.9 times as fast whatever their number is.
pub(in crate::pure) const MIN_LONG_GRAM_LITERALS: usize = 128;

/// The costs of the passes for literals, before any candidate is checked.
///
/// These are compared only with one another, so their unit is not the nanosecond but the time in
/// which Teddy with all masks passes over one byte with AVX2.
pub(in crate::pure) struct PassCosts {
    /// Teddy with all masks, per byte.
    pub(in crate::pure) teddy: f64,
    /// The q-gram table, per position that is looked at.
    pub(in crate::pure) qgrams: f64,
    /// The bitmap of long grams, per position that is looked at.
    pub(in crate::pure) long_grams: f64,
}

impl PassCosts {
    /// The costs with the vectors of `isa`; without vectors both passes read byte by byte.
    pub(in crate::pure) fn of(isa: Isa) -> PassCosts {
        let (teddy, qgrams, long_grams) = match () {
            _ if !isa.has_vectors() => (6.0, 6.0, 7.5),
            _ if isa.has_gather() => (1.0, 1.6, 1.8),
            // Without a gather instruction, table words are loaded one by one.
            _ => (1.6, 4.5, 5.0),
        };
        PassCosts { teddy, qgrams, long_grams }
    }
}
