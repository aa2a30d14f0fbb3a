//! Switches for measuring what each mechanism of the engine brings.
//!
//! `benches/mechanisms.py` builds the benchmark `versus` with `--cfg dragnet_mechanisms`. It then races the engine
//! with engines in each of which one mechanism is [switched off](switch_off). All find the same matches. In
//! ordinary builds all functions below are constant, and the conditions on them are compiled away. Nothing but
//! the script may set this configuration: some worst cases are not linear without the mechanism that bounds
//! them.
//!
//! A mechanism is switched off where it is chosen or built, so that one condition is enough, and
//! its patterns take the way that they would take without it. The vector instructions need no
//! switch: [`Engine::with_isa`](super::Engine::with_isa) chooses them.

#[cfg(dragnet_mechanisms)]
use std::sync::atomic::{AtomicUsize, Ordering};

macro_rules! mechanisms {
    ($($(#[$docs:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$docs])*
            #[cfg(not(dragnet_mechanisms))]
            pub(super) const fn $name() -> bool {
                true
            }

            #[cfg(dragnet_mechanisms)]
            pub(super) fn $name() -> bool {
                SWITCHED_OFF.load(Ordering::Relaxed) != Index::$name as usize
            }
        )*

        #[cfg(dragnet_mechanisms)]
        #[allow(non_camel_case_types)]
        enum Index {
            $($name),*
        }

        /// The names of all mechanisms.
        #[cfg(dragnet_mechanisms)]
        pub const MECHANISMS: &[&str] = &[$($text),*];
    };
}

/// The index in [`MECHANISMS`] of the one that is switched off, if there is one.
#[cfg(dragnet_mechanisms)]
static SWITCHED_OFF: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Switches off a mechanism, by its index in [`MECHANISMS`], and all others on. An engine must be built and used
/// with the same mechanisms.
#[cfg(dragnet_mechanisms)]
pub fn switch_off(mechanism: Option<usize>) {
    SWITCHED_OFF.store(mechanism.unwrap_or(usize::MAX), Ordering::Relaxed);
}

mechanisms! {
    /// Class sequences in bit streams. Without: byte runs, common literals or DFAs that read every
    /// record.
    bit_streams = "bit-streams";

    /// Byte runs as filters. Without: common literals, bit streams or DFAs that read every record.
    byte_runs = "byte-runs";

    /// Moving patterns away from overshared literals. Without: all keep their best literal.
    rebalance = "rebalance";

    /// DFAs over the patterns of one literal. Without: the patterns are verified one by one.
    shared_literal_groups = "shared-literal-groups";

    /// Runs that a record must contain before an automaton starts.
    required_runs = "required-runs";

    /// Checking how a record begins, for patterns that match only at its start.
    record_starts = "record-starts";

    /// DFAs that read the start of every record. Without: literals, byte runs and class sequences.
    read_starts = "read-starts";

    /// Byte pairs that must be before a literal. Without: automata alone.
    head_pairs = "head-pairs";

    /// The bytes that can follow a literal.
    lookahead = "lookahead";

    /// DFAs over several patterns that read every record. Without: a DFA for each pattern.
    dfa_groups = "dfa-groups";

    /// Groups and tables as after a sample of text. Without: a scanner begins with all groups apart.
    prepared_groups = "prepared-groups";

    /// Restarting from the prepared groups when the text changes. Without: groups that one text has divided
    /// stay apart.
    text_changes = "text-changes";

    /// A table for the patterns that are single bytes. Without: they are in the DFAs.
    byte_patterns = "byte-patterns";

    /// DFAs that take their steps in turn. Without: one after the other.
    interleaved_dfas = "interleaved-dfas";

    /// Teddy. Without: only for literals that are too short for q-grams.
    teddy = "teddy";

    /// The q-gram table. Without: Teddy for all literals.
    qgrams = "q-grams";

    /// Grams of five bytes or more, for many long literals. Without: q-grams.
    long_grams = "long-grams";

    /// A table of frequent grams. Without: the grams of literals are chosen by their bytes alone.
    common_grams = "common-grams";

    /// Searching for a rare byte that matches begin with, or that comes after a run that they begin with, before
    /// backtracking.
    leading_needles = "leading-needles";

    /// Lazy DFAs in place of position automata that read much. Without: these alone.
    dfas_instead = "dfas-instead";

    /// DFAs in place of backtracking where a scanner has backtracked much. Without: backtracking alone.
    backtrack_dfas = "backtrack-dfas";

    /// Searching for the spans of one pattern in several records, one after the other. Without: for those of all
    /// patterns in one record.
    span_batches = "span-batches";

    /// Not searching for spans that can start at one offset only and have a known length.
    known_spans = "known-spans";

    /// Searching for a literal before an automaton searches for a span.
    span_prefilter = "span-prefilter";

    /// The two-pass search for all spans of a record in which the others have taken too many steps.
    /// Without: one span is searched after the other, in time that is not linear in the record.
    two_pass_spans = "two-pass-spans";
}
