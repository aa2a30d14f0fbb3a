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

/// Time to verify one candidate, in nanoseconds: find its record, look up its patterns and start
/// an automaton.
pub(in crate::pure) const CANDIDATE_NS: f64 = 80.0;

/// Time to verify one candidate that a byte run gave, in nanoseconds. Its patterns are searched
/// in a window around the run, which takes a little longer than an anchored check.
pub(in crate::pure) const RUN_CANDIDATE_NS: f64 = 100.0;

/// Time of one pass that searches for a byte run, in nanoseconds per byte.
pub(in crate::pure) const RUN_PASS_NS: f64 = 0.1;

/// The same, where the alternative is a class sequence whose hits need no verification.
///
/// Higher than [`RUN_PASS_NS`] in favour of that alternative: what an exact sequence costs does
/// not depend on an estimated frequency.
pub(in crate::pure) const RUN_PASS_OR_EXACT_NS: f64 = 0.3;

/// Time of a lazy DFA that reads every record, in nanoseconds per byte and pattern, where few
/// patterns share it.
pub(in crate::pure) const EVERY_RECORD_NS: f64 = 0.4;

/// Time that one more pattern adds to a large group of patterns in lazy DFAs, in nanoseconds per
/// byte, if the pattern makes the DFA remember bytes that it read long ago. Other patterns add
/// next to nothing.
pub(in crate::pure) const GROUP_MEMBER_NS: f64 = 0.15;

/// From this many unfiltered patterns on, one more pattern shares DFAs that run anyway.
pub(in crate::pure) const LARGE_GROUP: usize = 8;

/// A set of literals with a lower frequency than this is taken without a look at the
/// alternatives: its candidates cost at most [`CANDIDATE_NS`] / 1000 = 0.08 ns per byte.
pub(in crate::pure) const RARE_LITERALS: f64 = 1e-3;

/// Literals that are more frequent than [`RARE_LITERALS`] are still preferred to a byte run
/// unless they are this many times as frequent. All literals are found in one pass; each run
/// takes a pass of its own.
pub(in crate::pure) const LITERALS_OVER_RUN: f64 = 4.0;

/// Up to this many patterns are searched by their byte runs instead of bit streams, if all runs
/// are [`RARE_RUN`]. The fixed cost of the bit streams is hardly lower for two patterns than for
/// many, while a rare run takes a single pass.
pub(in crate::pure) const FEW_STREAMS: usize = 2;

/// The highest frequency of a run that [`FEW_STREAMS`] applies to.
pub(in crate::pure) const RARE_RUN: f64 = 1e-4;

/// The largest number of patterns that share a literal and are still verified one by one.
///
/// Above it, the plan first moves patterns to other literals and then verifies the patterns that
/// remain in one DFA.
pub(in crate::pure) const MAX_SHARERS: usize = 4;

/// The highest frequency of all literals together that replace one overshared literal.
pub(in crate::pure) const MAX_REBALANCED_FREQUENCY: f64 = 4e-3;

/// Lower bound on any estimated frequency of a literal; estimates below it are noise.
pub(in crate::pure) const MIN_LITERAL_FREQUENCY: f64 = 1e-6;

/// A required run shorter than this many bytes is in so many records that the check costs more
/// than it saves, unless its class is rare.
pub(in crate::pure) const MIN_REQUIRED_RUN: u32 = 12;

/// The largest share of ordinary text that the class of a short required run may make up.
pub(in crate::pure) const RARE_CLASS: f64 = 0.05;

/// The largest share of ordinary text that the class of a long required run may make up.
pub(in crate::pure) const MAX_CLASS: f64 = 0.9;

/// RequiredLiterals runs rarer than this are treated as equally rare.
pub(in crate::pure) const MIN_RUN_FREQUENCY: f64 = 1e-5;

/// The largest number of different required runs that a shared-literal group looks for. With
/// more, one of them is in nearly every record and the group is verified without the check.
pub(in crate::pure) const MAX_GROUP_RUNS: usize = 16;
