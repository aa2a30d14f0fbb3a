//! Decides how each pattern of a set is searched, and builds the filters and the tables for it.
//!
//! A plan is made once per engine, in these steps:
//!
//! 1. [`trim`] reduces each pattern to the part that decides whether a record matches.
//! 2. [`strategy`] chooses what each reduced pattern is searched by: literals, a class run, a
//!    class sequence, or nothing.
//! 3. [`rebalance`] and [`strategy::replace_streams`] revise choices that are bad for the set as
//!    a whole.
//! 4. [`needles`] numbers everything that the filters search for; [`required_run`] and
//!    [`shared_literal`] add cheaper ways to verify at some of the needles.
//!
//! The scan itself decides nothing: it runs the [`FilterSet`] and follows the [`VerifyTables`].
//! [`explain`] keeps what was decided, for people.
//!
//! Planning takes time linear in the size of all patterns, times the limits on sets of literals.
//! Automata are not built here, but by the first scan that needs them: most patterns of a large
//! set never come that far.

mod explain;
mod needles;
mod rebalance;
mod required_run;
mod shared_literal;
mod strategy;
mod trim;

use regex_syntax::hir::Hir;

use crate::PatternSet;

use super::automata::dfa_group;
use super::literal::{self, Follows};
use super::prefilter::{FilterSet, Level, Prefilter, Streams};
use super::verify::{Patterns, Posting, Postings, Split, VerifyTables};
use crate::pure::ids::PatternIndex;
use crate::pure::literal::NeedleId;

use explain::{Decision, Place};
use needles::Literals;
use required_run::RequiredRunBuilder;
pub(super) use strategy::Strategy;

pub(super) use explain::Decisions;
pub use explain::Explanation;
pub(super) use trim::{Trimmed, trim};

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
    /// Plans the patterns of `set` with these numbers, for vector instructions of `level`.
    pub(super) fn new(set: &PatternSet, numbers: &[u32], level: Level) -> Plan {
        let trimmed: Vec<Hir> =
            numbers.iter().map(|&number| trim(set.hir(number as usize)).hir).collect();
        let strategies = strategies(&trimmed);

        let mut splits: Vec<Option<Box<Split>>> = trimmed.iter().map(|_| None).collect();
        let mut literals = Literals::default();
        let mut required_runs = RequiredRunBuilder::default();
        let mut postings = Vec::new();
        let mut runs = Vec::new();
        let mut sequences = Vec::new();
        let mut unfiltered = Vec::new();
        let mut always = Vec::new();
        let mut decisions = Vec::with_capacity(trimmed.len());
        for ((index, hir), strategy) in trimmed.iter().enumerate().zip(strategies) {
            let pattern = PatternIndex::new(index);
            decisions.push(match strategy {
                Strategy::Always => {
                    always.push(pattern);
                    Decision::Always
                }
                Strategy::Literals(required) => {
                    let split = &mut splits[index];
                    *split = required
                        .split
                        .and_then(|at| literal::split(hir, at))
                        .map(|(head, tail)| Box::new(Split { head, tail }));
                    let tail = split.as_ref().map_or(hir, |split| &split.tail);
                    let run = required_runs.add(hir);
                    let posting = Posting::at_literal(pattern, hir, tail, &required, run);
                    let (before, after, frequency) =
                        (required.before, required.after, required.frequency);
                    let place = Place { before, after, frequency };
                    let needles =
                        literals.add(required.literals, &required.follow, posting, &mut postings);
                    Decision::Literals { needles, place }
                }
                Strategy::Run(run) => {
                    let (before, after, frequency) = (run.before, run.after, run.frequency);
                    let place = Place { before, after, frequency };
                    let (len, class) =
                        (run.len, (0..=255).filter(|&b| run.class.contains(b)).count());
                    runs.push((pattern, run));
                    Decision::Run { len, class, place }
                }
                Strategy::Classes(part) => {
                    let (before, after, frequency) = (part.before, part.after, part.frequency);
                    let place = Place { before, after, frequency };
                    let (len, exact) = (part.len, part.exact);
                    sequences.push((pattern, part));
                    Decision::Classes { len, exact, place }
                }
                Strategy::EveryRecord => {
                    unfiltered.push((pattern, hir));
                    Decision::EveryRecord
                }
            });
        }

        let groups = dfa_group::groups(unfiltered);

        let prefilter = (!literals.list.is_empty()).then(|| Prefilter::new(&literals.list, level));
        let first_run = NeedleId::new(literals.list.len());
        let runs = needles::run_searches(runs, first_run, level, &mut postings);
        let first_sequence = NeedleId::new(first_run.index() + runs.len());
        let (streams, exact) =
            needles::streams(&sequences, first_sequence, level, &trimmed, &mut postings);
        let needles = first_sequence.index() + streams.as_ref().map_or(0, Streams::len);

        literals.lookahead.resize(needles, Vec::new());
        let lookahead = Follows::new(&literals.lookahead);
        let patterns = Patterns::new(trimmed, splits);
        let shared = shared_literal::take_shared(&mut postings, needles, &|p| patterns.tail(p));
        let postings = Postings::new(postings, needles);
        let required_runs = required_runs.build();
        Plan {
            filters: FilterSet::new(prefilter, runs, streams),
            tables: VerifyTables {
                patterns,
                exact,
                lookahead,
                postings,
                shared,
                required_runs,
                always,
                groups,
            },
            decisions: Decisions { list: decisions, literals: literals.list },
        }
    }
}

/// The strategies of all patterns: first for each alone, then revised for the set as a whole.
fn strategies(trimmed: &[Hir]) -> Vec<Strategy> {
    let mut strategies: Vec<Strategy> = trimmed.iter().map(Strategy::of).collect();
    rebalance::rebalance(trimmed, &mut strategies);
    strategy::replace_streams(trimmed, &mut strategies);
    strategies
}
