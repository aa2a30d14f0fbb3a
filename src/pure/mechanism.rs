//! Switches for measuring what each mechanism of the engine brings.
//!
//! `benches/mechanisms.py` builds the engine once for each constant below, with that mechanism
//! switched off by `--cfg dragnet_without="NAME"`, and compares the speeds. Every build finds the
//! same matches. In ordinary builds all constants are true and the conditions on them are compiled
//! away. Nothing but the script may set this configuration: some worst cases are not linear without
//! the mechanism that bounds them.
//!
//! A mechanism is switched off where it is chosen or built, so that one condition is enough, and
//! its patterns take the way that they would take without it. The vector instructions need no
//! switch: [`Engine::with_isa`](super::Engine::with_isa) chooses them.

/// Class sequences in bit streams. Without: byte runs, common literals or DFAs that read every
/// record.
pub(super) const BIT_STREAMS: bool = !cfg!(dragnet_without = "bit-streams");

/// Exact class sequences, whose hits are not verified. Without: they are.
pub(super) const EXACT_SEQUENCES: bool = !cfg!(dragnet_without = "exact-sequences");

/// Byte runs as filters. Without: common literals, bit streams or DFAs that read every record.
pub(super) const BYTE_RUNS: bool = !cfg!(dragnet_without = "byte-runs");

/// Moving patterns away from overshared literals. Without: all keep their best literal.
pub(super) const REBALANCE: bool = !cfg!(dragnet_without = "rebalance");

/// DFAs over the patterns of one literal. Without: the patterns are verified one by one.
pub(super) const SHARED_LITERAL_GROUPS: bool = !cfg!(dragnet_without = "shared-literal-groups");

/// Runs that a record must contain before an automaton starts.
pub(super) const REQUIRED_RUNS: bool = !cfg!(dragnet_without = "required-runs");

/// Checking how a record begins, for patterns that match only at its start.
pub(super) const RECORD_STARTS: bool = !cfg!(dragnet_without = "record-starts");

/// Byte pairs that must be before a literal. Without: automata alone.
pub(super) const HEAD_PAIRS: bool = !cfg!(dragnet_without = "head-pairs");

/// The bytes that can follow a literal.
pub(super) const LOOKAHEAD: bool = !cfg!(dragnet_without = "lookahead");

/// DFAs over several patterns that read every record. Without: a DFA for each pattern.
pub(super) const DFA_GROUPS: bool = !cfg!(dragnet_without = "dfa-groups");

/// Groups and tables as after a sample of text. Without: a scanner begins with all groups apart.
pub(super) const PREPARED_GROUPS: bool = !cfg!(dragnet_without = "prepared-groups");

/// Restarting from the prepared groups when the text changes. Without: groups that one text has divided stay apart.
pub(super) const TEXT_CHANGES: bool = !cfg!(dragnet_without = "text-changes");

/// A table for the patterns that are single bytes. Without: they are in the DFAs.
pub(super) const BYTE_PATTERNS: bool = !cfg!(dragnet_without = "byte-patterns");

/// DFAs that take their steps in turn. Without: one after the other.
pub(super) const INTERLEAVED_DFAS: bool = !cfg!(dragnet_without = "interleaved-dfas");

/// Teddy. Without: only for literals that are too short for q-grams.
pub(super) const TEDDY: bool = !cfg!(dragnet_without = "teddy");

/// The q-gram table. Without: Teddy for all literals.
pub(super) const QGRAMS: bool = !cfg!(dragnet_without = "q-grams");

/// A table of frequent grams. Without: the grams of literals are chosen by their bytes alone.
pub(super) const COMMON_GRAMS: bool = !cfg!(dragnet_without = "common-grams");

/// Lazy DFAs in place of position automata that read much, and of backtracking that tries much in vain. Without:
/// these alone.
pub(super) const DFAS_INSTEAD: bool = !cfg!(dragnet_without = "dfas-instead");

/// Searching for a literal before an automaton searches for a span.
pub(super) const SPAN_PREFILTER: bool = !cfg!(dragnet_without = "span-prefilter");

/// Marking the offsets where matches start, once backtracking has used up its budget. Without: a memo.
pub(super) const MARKED_STARTS: bool = !cfg!(dragnet_without = "marked-starts");

/// The two-pass search for all spans of a record in which the others have taken too many steps.
/// Without: one span is searched after the other, in time that is not linear in the record.
pub(super) const TWO_PASS_SPANS: bool = !cfg!(dragnet_without = "two-pass-spans");
