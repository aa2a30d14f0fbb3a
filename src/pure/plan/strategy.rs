//! Chooses what each pattern is searched by: literals, a byte run, a class sequence or nothing.
//!
//! Except for patterns that match every record or none, each strategy trades the time of the filter against
//! the candidates that it leaves:
//!
//! - **literals**: all patterns' literals are found in one pass, so one more literal is nearly
//!   free; taken whenever the pattern has a rare one.
//! - **byte run**: at least *n* successive bytes of one class, as in `[0-9a-f]{40}`; one pass per
//!   different run.
//! - **class sequence**: the whole pattern, matched by operations on bit streams: classes above all,
//!   but also literals, short alternations and assertions. It reads every byte, but its hits need no
//!   verification.
//! - **every record**: a lazy DFA, shared with other such patterns, reads all records. Of patterns
//!   that the start of a record [decides](literal::is_decided_early), it mostly reads a few bytes.
//!
//! [`Strategy::of`] chooses for one pattern, mostly by expected cost; [`read_starts`] and
//! [`replace_streams`] then revise the choice where the whole set makes another one cheaper. The costs are in [`cost`]. Two
//! choices are made without comparing costs: rare literals are always taken
//! ([`cost::RARE_LITERALS`]), and common ones are preferred to a byte run by the ratio of their
//! frequencies ([`cost::LITERALS_OVER_RUN`]).

use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::automata::grouping;
use crate::pure::cost;
use crate::pure::literal::{self, ByteRun, RequiredLiterals};
use crate::pure::mechanism;
use crate::pure::prefilter::ClassSequence;

use super::trim::{matches_always, matches_never};

/// What a pattern is searched by.
#[derive(Debug)]
pub(in crate::pure) enum Strategy {
    /// The pattern matches every record.
    Always,
    /// The pattern matches no record.
    Never,
    /// A set of literals of which every match contains one. The pattern is verified around them.
    Literals(RequiredLiterals),
    /// A run of bytes of one class. The pattern is verified around it.
    ByteRun(ByteRun),
    /// A sequence of classes. The pattern matches wherever it is found.
    ClassSequence(ClassSequence),
    /// No filter: an automaton reads every record.
    EveryRecord,
}

impl Strategy {
    /// The best strategy for the pattern whose trimmed form is `trimmed`, regardless of other
    /// patterns.
    pub(in crate::pure) fn of(trimmed: &Hir) -> Strategy {
        let strategy = Strategy::without_streams(trimmed);
        match &strategy {
            Strategy::Always | Strategy::Never => return strategy,
            Strategy::Literals(literals) if literals.frequency <= cost::RARE_LITERALS => {
                return strategy;
            }
            _ => {}
        }
        let sequence = ClassSequence::of(trimmed).filter(|_| mechanism::bit_streams());
        let cost = match &strategy {
            Strategy::Literals(literals) => literals.frequency * cost::CANDIDATE_NS,
            Strategy::ByteRun(run) => {
                cost::RUN_PASS_VS_SEQUENCE_NS + run.frequency * cost::RUN_CANDIDATE_NS
            }
            _ => cost::EVERY_RECORD_NS,
        };
        match sequence {
            Some(sequence) if sequence.total_cost() < cost => Strategy::ClassSequence(sequence),
            _ => strategy,
        }
    }

    /// As [`Strategy::of`], without class sequences.
    fn without_streams(trimmed: &Hir) -> Strategy {
        if matches_always(trimmed) {
            return Strategy::Always;
        }
        if matches_never(trimmed) {
            return Strategy::Never;
        }
        let literals = literal::required_literals(trimmed);
        let is_rare = |literals: &RequiredLiterals| literals.frequency <= cost::RARE_LITERALS;
        let run = match &literals {
            Some(literals) if is_rare(literals) => None,
            _ => literal::filter_run(trimmed).filter(|_| mechanism::byte_runs()),
        };
        match (literals, run) {
            (Some(literals), Some(run))
                if literals.frequency < cost::LITERALS_OVER_RUN * run.frequency =>
            {
                Strategy::Literals(literals)
            }
            (_, Some(run)) => Strategy::ByteRun(run),
            (Some(literals), None) => Strategy::Literals(literals),
            (None, None) => Strategy::EveryRecord,
        }
    }
}

/// Lets DFAs read the start of every record for all patterns that it decides, if that costs less than what they
/// would be searched by, all together, or if every record is visited anyway. Patterns keep rare literals, and those
/// near the start of a match, since a hit elsewhere is rejected by its offset. With the rules of Wazuh over logs, a
/// scan is then twice as fast.
pub(in crate::pure) fn read_starts(decided_early: &[bool], strategies: &mut [Strategy]) {
    let visited = strategies.iter().any(|s| matches!(s, Strategy::Always | Strategy::EveryRecord));
    let mut cost = 0.0;
    let mut indexes = Vec::new();
    for (index, (&is_decided_early, strategy)) in decided_early.iter().zip(&*strategies).enumerate()
    {
        let cost_of_this = match strategy {
            Strategy::Literals(literals)
                if literals.frequency > cost::RARE_LITERALS && literals.before.is_none() =>
            {
                literals.frequency * cost::CANDIDATE_NS
            }
            Strategy::ByteRun(run) => cost::RUN_PASS_NS + run.frequency * cost::RUN_CANDIDATE_NS,
            Strategy::ClassSequence(sequence) => sequence.total_cost(),
            _ => continue,
        };
        if is_decided_early {
            cost += cost_of_this;
            indexes.push(index);
        }
    }
    if (visited || cost > cost::EVERY_START_NS) && mechanism::read_starts() {
        indexes.into_iter().for_each(|index| strategies[index] = Strategy::EveryRecord);
    }
}

/// Replaces class sequences by the second-best strategy where that costs less for all patterns
/// together: where all patterns that would use bit streams have a rare byte run, or where adding the
/// pattern to a large group of unfiltered patterns costs less.
pub(in crate::pure) fn replace_streams(
    trimmed: &[Arc<Hir>],
    decided_early: &[bool],
    strategies: &mut [Strategy],
) {
    let mut streams = Vec::new();
    let mut unfiltered = 0;
    for (index, (hir, strategy)) in trimmed.iter().zip(&*strategies).enumerate() {
        match strategy {
            Strategy::ClassSequence(sequence) => {
                let other = Strategy::without_streams(hir);
                unfiltered += usize::from(matches!(other, Strategy::EveryRecord));
                streams.push((index, other, sequence.total_cost()));
            }
            // The DFAs of some patterns do not read on.
            Strategy::EveryRecord => unfiltered += usize::from(!decided_early[index]),
            Strategy::Always | Strategy::Never => {}
            Strategy::Literals(_) | Strategy::ByteRun(_) => {}
        }
    }
    let rare = |other: &Strategy| match other {
        Strategy::ByteRun(run) => run.frequency <= cost::RARE_RUN,
        _ => false,
    };
    let all_rare = streams.iter().all(|(_, other, _)| rare(other));
    for (index, other, stream_cost) in streams {
        let joins_group = unfiltered > cost::LARGE_GROUP
            && matches!(other, Strategy::EveryRecord)
            && (stream_cost > cost::GROUP_MEMBER_NS
                || !grouping::has_long_repetition(&trimmed[index]));
        if all_rare || joins_group {
            strategies[index] = other;
        }
    }
}
