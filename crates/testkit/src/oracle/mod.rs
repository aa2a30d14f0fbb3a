//! The reference for all answers: a backtracking matcher of one pattern over one record at a time.
//!
//! The engines build what they run from the HIR of `regex-syntax` and with `regex-automata`. A fault
//! in either would show in the engines and in a reference built on them alike, and no test would see
//! it. This happened: up to version 0.8.11, building an HIR changed which alternative is preferred
//! (rust-lang/regex #1360). So the oracle shares neither. It takes from `regex-syntax` the parsed
//! syntax tree of the pattern, and the tables of Unicode: which characters are in a class, and which
//! differ only in case.
//!
//! - [`program`] turns the syntax tree into a list of steps, in the order in which Perl would try
//!   them.
//! - [`search`] runs the steps with backtracking, and finds one match after the other as a
//!   find-iterator of the `regex` crate does.
//! - [`look`] decides assertions.
//!
//! `ci/oracle-python` compares the oracle with Python's `re`: the spans of matches and of their groups.

mod look;
mod program;
mod search;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use dragnet::Match;

use self::program::Program;
use super::Spec;

/// Finds the matches that every scanner must report.
pub struct Oracle {
    programs: Vec<Program>,
    /// By pattern: the group that it reports.
    reported: Vec<usize>,
    /// The matches of each record that was searched. The same records come in several layouts of one
    /// batch, and often more than once in it.
    known: HashMap<Vec<u8>, Vec<Found>>,
}

/// A match in a record.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of the pattern.
    pub pattern: usize,
    /// The ranges of its groups, if they took part in the match. Group 0 is the whole match.
    pub groups: Vec<Option<Range<usize>>>,
}

impl Oracle {
    /// The oracle of these patterns.
    ///
    /// # Panics
    ///
    /// If one of them is invalid.
    pub fn new(specs: &[Spec]) -> Oracle {
        Oracle {
            programs: specs.iter().map(Program::new).collect(),
            reported: specs.iter().map(|spec| spec.report_group).collect(),
            known: HashMap::new(),
        }
    }

    /// The answer of `Report::Spans`.
    pub fn spans<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Vec<Match> {
        let mut spans = Vec::new();
        for (number, record) in (0..).zip(records) {
            self.search(record);
            for Found { pattern, groups } in &self.known[record] {
                let reported = groups.get(self.reported[*pattern]).cloned().flatten();
                let span = reported.or(groups[0].clone()).expect("there is always group 0");
                let m = Match::new(number, *pattern as u32, span.start as u32..span.end as u32);
                // The same empty group at the end of one match and at the start of the next.
                if spans.last() != Some(&m) {
                    spans.push(m);
                }
            }
        }
        spans
    }

    /// The matches in one record, ordered by pattern and start, with their groups.
    pub fn groups(&mut self, record: &[u8]) -> &[Found] {
        self.search(record);
        &self.known[record]
    }

    /// The answer of `Report::Patterns`, derived from that of `Report::Spans`.
    pub fn patterns(spans: &[Match]) -> Vec<Match> {
        let pair = |m: &Match| (m.record() as u32, m.pattern() as u32);
        let mut pairs: Vec<_> = spans.iter().map(pair).collect();
        pairs.dedup();
        pairs.into_iter().map(|(record, pattern)| Match::without_span(record, pattern)).collect()
    }

    fn search(&mut self, record: &[u8]) {
        if self.known.contains_key(record) {
            return;
        }
        let mut found = Vec::new();
        for (pattern, program) in self.programs.iter().enumerate() {
            found.extend(search::matches(program, record).into_iter().map(|slots| {
                let group = |pair: &[Option<usize>]| Some(pair[0]?..pair[1]?);
                Found { pattern, groups: slots.chunks(2).map(group).collect() }
            }));
        }
        self.known.insert(record.to_vec(), found);
    }
}
