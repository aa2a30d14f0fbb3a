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
//! `ci/oracle-python` compares the oracle with Python's `re`.

mod look;
mod program;
mod search;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use dragnet::Match;

use self::program::Program;
use super::Spec;

/// Finds the matches that every scanner must report.
pub struct Oracle {
    programs: Vec<Program>,
    /// The matches (pattern, start, end) of each record that was searched. The same records come in
    /// several layouts of one batch, and often more than once in it.
    known: HashMap<Vec<u8>, Vec<(u32, u32, u32)>>,
}

impl Oracle {
    /// The oracle of these patterns.
    ///
    /// # Panics
    ///
    /// If one of them is invalid.
    pub fn new(specs: &[Spec]) -> Oracle {
        Oracle { programs: specs.iter().map(Program::new).collect(), known: HashMap::new() }
    }

    /// The answer of `Report::Spans`.
    pub fn spans<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Vec<Match> {
        let mut spans = Vec::new();
        for (number, record) in (0..).zip(records) {
            if !self.known.contains_key(record) {
                let found = self.search(record);
                self.known.insert(record.to_vec(), found);
            }
            let found = self.known[record].iter();
            spans.extend(found.map(|&(p, start, end)| Match::new(number, p, start..end)));
        }
        spans
    }

    /// The answer of `Report::Patterns`, derived from that of `Report::Spans`.
    pub fn patterns(spans: &[Match]) -> Vec<Match> {
        let pair = |m: &Match| (m.record() as u32, m.pattern() as u32);
        let mut pairs: Vec<_> = spans.iter().map(pair).collect();
        pairs.dedup();
        pairs.into_iter().map(|(record, pattern)| Match::without_span(record, pattern)).collect()
    }

    fn search(&self, record: &[u8]) -> Vec<(u32, u32, u32)> {
        let mut found = Vec::new();
        for (pattern, program) in (0..).zip(&self.programs) {
            let spans = search::spans(program, record).into_iter();
            found.extend(spans.map(|span| (pattern, span.start as u32, span.end as u32)));
        }
        found
    }
}
