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
//! every scan needs them, and those that verify patterns whose needles are found now and then. All others
//! are built by the first scan that needs them.

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
use super::cost;
use super::ids::PatternIndex;
use super::literal::{self, Bound, ByteSet};
use super::mechanism;
use super::prefilter::FilterSet;
use super::verify::{Patterns, Place, Posting, Postings, SpanLiterals, Split, VerifyTables};
use crate::simd::Isa;

use explain::{Decision, NeedleExtent};
use needles::NeedleBuilder;
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
        let chosen =
            ChosenStrategies::new(numbers.iter().map(|&n| set.shared_hir(n as usize)), report);
        let mut builder = PlanBuilder::default();
        let decisions: Vec<Decision> = (chosen.trimmed.iter().enumerate())
            .zip(chosen.strategies)
            .map(|((index, hir), strategy)| {
                builder.add(PatternIndex::new(index), hir, chosen.decided_early[index], strategy)
            })
            .collect();

        let (mut bytes, mut unfiltered) = (Vec::new(), Vec::new());
        for &pattern in &builder.unfiltered {
            let hir = &chosen.trimmed[pattern.index()];
            match ByteSet::of_byte(hir).filter(|_| mechanism::byte_patterns()) {
                Some(set) => bytes.push((pattern, set)),
                None => unfiltered.push((pattern, &**hir)),
            }
        }
        let groups = grouping::groups_for_records(unfiltered);
        let groups = GroupScanner::prepared(&groups, &chosen.trimmed);
        let mut needles = builder.needles.build(&chosen.trimmed, isa);
        let patterns = Patterns::new(
            chosen.trimmed,
            &chosen.decided_early,
            builder.splits,
            chosen.span_literals,
            chosen.heads,
        );
        builder.verified_often.iter().for_each(|&pattern| patterns.build_automata(pattern));
        let shared = shared_literal::take_shared(&mut needles.postings, needles.len, &|pattern| {
            patterns.tail(pattern)
        });
        Plan {
            filters: needles.filters,
            tables: VerifyTables {
                patterns,
                sequences: needles.sequences,
                lookahead: needles.lookahead,
                postings: Postings::new(needles.postings, needles.len),
                shared,
                required_runs: builder.required_runs.build(),
                always: builder.always,
                byte_patterns: BytePatterns::new(&bytes),
                groups,
            },
            decisions: Decisions { list: decisions, literals: needles.literals },
        }
    }
}

/// The trimmed forms of the patterns, and the strategy of each.
struct ChosenStrategies {
    trimmed: Vec<Arc<Hir>>,
    /// By pattern: whether [`literal::is_decided_early`] holds.
    decided_early: Vec<bool>,
    strategies: Vec<Strategy>,
    /// Empty if no spans are reported.
    span_literals: Vec<Option<Box<SpanLiterals>>>,
    /// [`Trimmed::head`](trim::Trimmed::head) of each pattern. Empty if no spans are reported.
    heads: Vec<Bound>,
}

impl ChosenStrategies {
    /// Trims the patterns `hirs` and chooses their strategies: first for each alone, then revised
    /// for the set as a whole.
    fn new<'a>(hirs: impl Iterator<Item = &'a Arc<Hir>>, report: Report) -> ChosenStrategies {
        let (trimmed, mut heads): (Vec<_>, Vec<_>) = hirs
            .map(|hir| {
                let Trimmed { hir: trimmed, head } = trim::trim(hir);
                let trimmed = match trimmed {
                    Cow::Borrowed(_) => Arc::clone(hir),
                    Cow::Owned(trimmed) => Arc::new(trimmed),
                };
                (trimmed, head)
            })
            .unzip();
        let mut strategies: Vec<Strategy> = trimmed.iter().map(|hir| Strategy::of(hir)).collect();
        let span_literals = match report {
            Report::Patterns => {
                heads.clear();
                Vec::new()
            }
            Report::Spans => (strategies.iter().zip(&heads))
                .map(|(strategy, &head)| span_prefilter::span_literals(strategy, head))
                .collect(),
        };
        rebalance::rebalance(&trimmed, &mut strategies);
        let decided_early: Vec<bool> =
            trimmed.iter().map(|hir| literal::is_decided_early(hir)).collect();
        strategy::read_starts(&decided_early, &mut strategies);
        strategy::replace_streams(&trimmed, &decided_early, &mut strategies);
        ChosenStrategies { trimmed, decided_early, strategies, span_literals, heads }
    }
}

/// Collects the needles and tables that the strategies of the patterns need.
#[derive(Default)]
struct PlanBuilder {
    needles: NeedleBuilder,
    required_runs: RequiredRunBuilder,
    /// By pattern: its two parts, if it is split at its literal.
    splits: Vec<Option<Box<Split>>>,
    /// Patterns that automata verify, except for those with literals that are hardly found.
    verified_often: Vec<PatternIndex>,
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
                if !posting.exact && required.frequency > cost::HARDLY_FOUND {
                    self.verified_often.push(pattern);
                    if place != Place::RecordStart {
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
                self.verified_often.push(pattern);
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
