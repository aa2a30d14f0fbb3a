//! Decides how each pattern of a set is searched, and builds the filters and the tables for it.
//!
//! A plan is made once per engine, in these steps:
//!
//! 1. [`trim`] reduces each pattern to the part that decides whether a record matches.
//! 2. [`strategy`] chooses what each trimmed pattern is searched by: literals, a byte run, a
//!    class sequence, or nothing.
//! 3. [`rebalance`], [`strategy::read_starts`] and [`strategy::replace_streams`] revise choices that
//!    are bad for the set as a whole.
//! 4. [`needles`] numbers everything that the filters search for; [`required_run`] and
//!    [`shared_literal`] add cheaper ways to verify at some of the needles.
//!
//! A scan does not change how a pattern is searched: it runs the [`FilterSet`] and follows the
//! [`VerifyTables`]. Only automata adapt to what they read: each scanner divides and joins the DFA
//! groups of the patterns without a filter, and replaces lazy DFAs that keep reaching new states.
//! [`explain`] keeps the decisions, to describe them to people.
//!
//! Planning takes time linear in the size of all patterns, times the limits on sets of literals.
//! Of the automata, the NFAs of the patterns without a filter are built here, because the first record of
//! every scan needs them, and those that verify candidates. All others are built by the first scan that
//! needs them.

mod explain;
mod match_starts;
mod needles;
mod rebalance;
mod required_run;
mod shared_literal;
mod span_prefilter;
mod strategy;
mod trim;

use std::borrow::Cow;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::{PatternSet, Report};

use super::automata::byte_patterns::BytePatterns;
use super::automata::group_scanner::GroupScanner;
use super::automata::grouping;
use super::automata::positions::has_large_class;
use super::cost;
use super::ids::PatternIndex;
use super::literal::{self, ByteSet};
use super::mechanism;
use super::prefilter::FilterSet;
use super::verify::{
    ExactNeedles, Patterns, Place, Posting, Postings, Split, TrimmedPatterns, VerifyTables,
};
use crate::simd::Isa;

use explain::{Decision, NeedleExtent};
use needles::{NeedleBuilder, Needles};
use required_run::RequiredRunBuilder;
use strategy::Strategy;
use trim::Trimmed;

pub(super) use explain::Decisions;
pub use explain::Explanation;
pub(super) use match_starts::start_search;
pub(super) use span_prefilter::span_prefilter;

/// How all patterns of an engine are searched.
#[derive(Debug)]
pub(super) struct Plan {
    /// Finds candidates.
    pub(super) filters: FilterSet,
    /// Leads from candidates to matches.
    pub(super) tables: VerifyTables,
    /// What was decided for each pattern.
    pub(super) decisions: Decisions,
}

impl Plan {
    /// Plans the patterns of `set` with these numbers, for the instruction set `isa`.
    pub(super) fn new(set: &PatternSet, numbers: &[u32], report: Report, isa: Isa) -> Plan {
        let (trimmed, strategies) =
            choose_strategies(numbers.iter().map(|&n| set.shared_hir(n as usize)), report);
        let splits = Vec::with_capacity(strategies.len());
        let needles = NeedleBuilder::with_capacity(strategies.len());
        let mut builder = PlanBuilder { splits, needles, ..PlanBuilder::default() };
        // Not collected, which would keep the larger allocation of the strategies.
        let mut decisions = Vec::with_capacity(strategies.len());
        for (index, strategy) in strategies.into_iter().enumerate() {
            let (hir, is_decided_early) = (&trimmed.hirs[index], trimmed.decided_early[index]);
            decisions.push(builder.add(PatternIndex::new(index), hir, is_decided_early, strategy));
        }

        let (mut bytes, mut unfiltered) = (Vec::new(), Vec::new());
        for &pattern in &builder.unfiltered {
            let hir = &trimmed.hirs[pattern.index()];
            match ByteSet::of_byte(hir).filter(|_| mechanism::byte_patterns()) {
                Some(set) => bytes.push((pattern, set)),
                None => unfiltered.push((pattern, &**hir)),
            }
        }
        let groups = grouping::groups_for_records(unfiltered);
        let groups = GroupScanner::prepared(&groups, &trimmed.hirs);
        let mut needles = builder.needles.build(&trimmed.hirs, isa);
        let patterns = Patterns::new(trimmed, builder.splits);
        builder.verified.iter().for_each(|&pattern| patterns.build_automata(pattern));
        let shared = shared_literal::take_shared(&mut needles.postings, needles.len, &|pattern| {
            patterns.tail(pattern)
        });
        let Needles { filters, len, literals, lookahead, sequences, mut postings } = needles;
        let exact = ExactNeedles::take(&mut postings, len, &sequences, &shared);
        Plan {
            filters,
            tables: VerifyTables {
                patterns,
                exact,
                lookahead,
                postings: Postings::new(postings, len),
                shared,
                required_runs: builder.required_runs.build(),
                always: builder.always,
                byte_patterns: BytePatterns::new(&bytes),
                groups,
            },
            decisions: Decisions { list: decisions, literals },
        }
    }
}

/// Trims the patterns `hirs` and chooses their strategies: first for each alone, then revised for the set as a
/// whole.
fn choose_strategies<'a>(
    hirs: impl ExactSizeIterator<Item = &'a Arc<Hir>>,
    report: Report,
) -> (TrimmedPatterns, Vec<Strategy>) {
    let mut trimmed =
        TrimmedPatterns { hirs: Vec::with_capacity(hirs.len()), ..TrimmedPatterns::default() };
    let mut strategies = Vec::new();
    // All about one pattern before the next one, while it is in the cache.
    for hir in hirs {
        let Trimmed { hir: own, head } = trim::trim(hir);
        let strategy = Strategy::of(&own);
        trimmed.decided_early.push(literal::is_decided_early(&own));
        trimmed.with_large_classes += usize::from(has_large_class(&own));
        if report == Report::Spans {
            trimmed.span_literals.push(span_prefilter::span_literals(&strategy, head));
            trimmed.heads.push(head);
            trimmed.lens.push(literal::fixed_match_len(hir).filter(|_| mechanism::known_spans()));
        }
        trimmed.hirs.push(match own {
            Cow::Borrowed(_) => Arc::clone(hir),
            Cow::Owned(own) => Arc::new(own),
        });
        strategies.push(strategy);
    }
    rebalance::rebalance(&trimmed.hirs, &mut strategies);
    strategy::read_starts(&trimmed.decided_early, &mut strategies);
    strategy::replace_streams(&trimmed.hirs, &trimmed.decided_early, &mut strategies);
    (trimmed, strategies)
}

/// Collects the needles and tables that the strategies of the patterns need.
#[derive(Default)]
struct PlanBuilder {
    needles: NeedleBuilder,
    required_runs: RequiredRunBuilder,
    /// By pattern: its two parts, if it is split at its literal.
    splits: Vec<Option<Box<Split>>>,
    /// Patterns that automata verify.
    verified: Vec<PatternIndex>,
    /// Patterns that match every record.
    always: Vec<PatternIndex>,
    /// Patterns without a needle, which an automaton searches in every record.
    unfiltered: Vec<PatternIndex>,
}

impl PlanBuilder {
    /// Adds the next pattern, whose trimmed form is `hir`.
    fn add(
        &mut self,
        pattern: PatternIndex,
        hir: &Hir,
        is_decided_early: bool,
        strategy: Strategy,
    ) -> Decision {
        let mut split = None;
        let decision = match strategy {
            Strategy::Always => {
                self.always.push(pattern);
                Decision::Always
            }
            Strategy::Never => Decision::Never,
            Strategy::Literals(required) => {
                let place = Place::of(&required, is_decided_early);
                split = required
                    .anchor_part
                    .filter(|_| place == Place::Hit)
                    .and_then(|at| literal::split_at_part(hir, at))
                    .map(|(head, tail)| Box::new(Split { head, tail }));
                let tail = split.as_ref().map_or(hir, |split| &split.tail);
                let mut posting = Posting::at_literal(pattern, place, hir, tail, &required);
                if !posting.exact {
                    self.verified.push(pattern);
                    if place != Place::RecordStart && required.frequency > cost::HARDLY_FOUND {
                        posting.required_run = self.required_runs.add(hir);
                    }
                }
                let extent = NeedleExtent::new(required.before, required.after, required.frequency);
                Decision::Literals { needles: self.needles.add_literals(required, posting), extent }
            }
            Strategy::ByteRun(run) => {
                let extent = NeedleExtent::new(run.before, run.after, run.frequency);
                let class_size = (0..=255).filter(|&byte| run.class.contains(byte)).count();
                let len = run.len;
                self.needles.add_run(pattern, run);
                self.verified.push(pattern);
                Decision::ByteRun { len, class_size, extent }
            }
            Strategy::ClassSequence(sequence) => {
                self.needles.add_sequence(pattern);
                Decision::ClassSequence { len: sequence.len, frequency: sequence.frequency }
            }
            Strategy::EveryRecord => {
                self.unfiltered.push(pattern);
                Decision::EveryRecord
            }
        };
        self.splits.push(split);
        decision
    }
}
