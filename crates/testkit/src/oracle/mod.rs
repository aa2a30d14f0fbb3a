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
use super::{Bounds, Spec};

/// Finds the matches that every scanner must report.
pub struct Oracle {
    programs: Vec<Program>,
    /// By pattern: the group that it reports.
    reported: Vec<usize>,
    bounds: Vec<Bounds>,
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

impl Found {
    fn new(pattern: usize, slots: &[Option<usize>]) -> Found {
        let group = |pair: &[Option<usize>]| Some(pair[0]?..pair[1]?);
        Found { pattern, groups: slots.chunks(2).map(group).collect() }
    }

    /// The range of the whole match.
    pub fn whole(&self) -> Range<usize> {
        self.groups[0].clone().expect("there is always group 0")
    }
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
            bounds: specs.iter().map(|spec| spec.bounds).collect(),
            known: HashMap::new(),
        }
    }

    /// The answer of `Report::Spans`.
    pub fn spans<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Vec<Match> {
        let mut spans = Vec::new();
        for (number, record) in (0..).zip(records) {
            self.search(record);
            for found in &self.known[record] {
                let span = self.reported(found);
                let pattern = found.pattern as u32;
                let m = Match::new(number, pattern, span.start as u32..span.end as u32);
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

    /// The range that is reported of a match.
    fn reported(&self, found: &Found) -> Range<usize> {
        let group = found.groups.get(self.reported[found.pattern]);
        group.cloned().flatten().unwrap_or_else(|| found.whole())
    }

    /// What a search across lines finds of pattern number `pattern` in `text` with a window of `window`
    /// bytes, by the definition in the documentation of `AcrossLines`: whole matches, and what is
    /// reported of them.
    pub fn across_lines(
        &self,
        pattern: usize,
        text: &[u8],
        window: usize,
    ) -> Vec<(Range<usize>, Range<usize>)> {
        let avoids_cr = self.programs[pattern].looks_at_crlf();
        let mut spans: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let (mut from, mut last_end) = (0, None);
        let mut cell = 0;
        while cell < text.len() {
            // The end of the first line that ends at `at` or later, with its line feed.
            let after_line = |at: usize| (at..=text.len()).find(|&after| text[after - 1] == b'\n');
            let end = after_line(cell + 4 * window).unwrap_or(text.len());
            let limit = after_line(end + window + 1).map_or(text.len(), |after| {
                let line_end = after - 1;
                let cr = avoids_cr && text[..line_end].ends_with(b"\r");
                line_end - usize::from(cr)
            });
            let is_open = end == text.len() && !text.ends_with(b"\n");
            let mut search = search::Search::new(&self.programs[pattern], text, limit);
            from = from.max(cell);
            while from <= end {
                let mut next = (from, last_end);
                let Some(slots) = search.next(&mut next.0, &mut next.1) else { break };
                let found = Found::new(pattern, &slots);
                let whole = found.whole();
                if whole.start >= end && !(is_open && whole.start == end) {
                    break;
                }
                (from, last_end) = next;
                let reported = self.reported(&found);
                if spans.last().is_none_or(|(_, last)| *last != reported) {
                    spans.push((whole, reported));
                }
            }
            cell = end;
        }
        spans
    }

    fn search(&mut self, record: &[u8]) {
        if self.known.contains_key(record) {
            return;
        }
        let mut found = Vec::new();
        for (pattern, program) in self.programs.iter().enumerate() {
            let matches = search::matches(program, record);
            let all = matches.iter().map(|slots| Found::new(pattern, slots));
            found.extend(all.filter(|one| self.bounds[pattern].contain(&self.reported(one))));
        }
        self.known.insert(record.to_vec(), found);
    }
}
