//! Runs the steps of a pattern over a record, with backtracking.
//!
//! A search follows the steps from a start. At an `Either` it continues with the first target and puts
//! the second one aside; where a step fails, it returns to what was put aside last. So the first match
//! that it completes is the one that Perl prefers. The starts are tried from left to right.
//!
//! Plain backtracking takes exponential time on patterns such as `(?:a|a)*b`. Here the search
//! remembers every place, an `Either` step at a position, that it has visited. Whether a match can be
//! completed from a place does not depend on how the search came there, so coming there again can't
//! succeed where it failed before, whatever its groups are. This bounds the time for each match by the
//! product of the lengths of program and record, and the memory by one bit for each place. Between two
//! choices there is nothing to decide, so other steps need no memory.
//!
//! It also ends empty loops: an iteration that has matched the empty string reaches a place that the
//! search has visited at this position, and so is not followed by another iteration. That
//! is what the `regex` crate does. Engines disagree about loops within loops where both bodies may be
//! empty: of `abc`, `(?:a|(?:.*?)*?)*` matches one byte in Perl and Python, two in the `regex` crate and
//! three in JavaScript. In such loops a place is also where the oracle could differ from the `regex` crate by
//! how a loop is written in steps, so loops are written as there.

use std::ops::Range;

use super::look::char_at;
use super::program::{Program, Step, moved};

/// The start and end of each group of a match, two for each, if it took part; group 0 is the match.
pub(super) type Groups = Vec<Option<usize>>;

/// The matches of `program` in `record`, each of them searched from the end of the one before.
///
/// An empty match right at the end of the one before does not count, and the next search starts one byte
/// later: the rule of the `regex` crate. In Python, it counts.
pub(super) fn matches(program: &Program, record: &[u8]) -> Vec<Groups> {
    let mut search = Search::new(program, record, record.len());
    let (mut from, mut last_end) = (0, None);
    std::iter::from_fn(|| search.next(&mut from, &mut last_end)).collect()
}

pub(super) struct Search<'s> {
    program: &'s Program,
    record: &'s [u8],
    /// Where matches must end. Assertions see the record beyond it.
    limit: usize,
    /// One bit for each place.
    visited: Vec<u64>,
    /// The places that were visited from the current start.
    visited_now: Vec<usize>,
    /// What was put aside, the preferred last.
    aside: Vec<Aside>,
    /// The groups of the path that is being followed. The first two slots are not used.
    slots: Groups,
}

/// What to do where a step fails.
enum Aside {
    /// Continue at this step and position.
    Follow(usize, usize),
    /// Give this slot its value from before the path that failed.
    Restore(usize, Option<usize>),
}

impl Search<'_> {
    pub(super) fn new<'s>(program: &'s Program, record: &'s [u8], limit: usize) -> Search<'s> {
        let places = program.choices * (record.len() + 1);
        let visited = vec![0; places.div_ceil(64)];
        let slots = vec![None; program.slots];
        let (visited_now, aside) = (Vec::new(), Vec::new());
        Search { program, record, limit, visited, visited_now, aside, slots }
    }

    /// The next match, given where the search continues and where the last match ended.
    pub(super) fn next(
        &mut self,
        from: &mut usize,
        last_end: &mut Option<usize>,
    ) -> Option<Groups> {
        loop {
            let span = self.find(*from)?;
            if span.is_empty() && *last_end == Some(span.end) {
                *from += 1;
            } else {
                (*from, *last_end) = (span.end, Some(span.end));
                let mut groups = self.slots.clone();
                groups[..2].copy_from_slice(&[Some(span.start), Some(span.end)]);
                return Some(groups);
            }
        }
    }

    /// The first match that starts at `from` or later.
    fn find(&mut self, from: usize) -> Option<Range<usize>> {
        (from..=self.limit).find_map(|start| Some(start..self.end_of_match(start)?))
    }

    /// The end of the preferred match of those that start at `start`.
    fn end_of_match(&mut self, start: usize) -> Option<usize> {
        self.visited_now.clear();
        self.aside.clear();
        self.slots.fill(None);
        let mut next = Some(Aside::Follow(0, start));
        while let Some(aside) = next {
            let (step, at) = match aside {
                Aside::Follow(step, at) => (step, at),
                Aside::Restore(slot, value) => {
                    self.slots[slot] = value;
                    next = self.aside.pop();
                    continue;
                }
            };
            if let Some(end) = self.follow(step, at) {
                // Some places that were visited lead to this match, so they are not known to
                // fail. Those of earlier starts are.
                for place in self.visited_now.drain(..) {
                    self.visited[place / 64] &= !(1 << (place % 64));
                }
                return Some(end);
            }
            next = self.aside.pop();
        }
        None
    }

    /// Follows the steps from number `step` on, until one fails or the match is complete.
    fn follow(&mut self, mut step: usize, mut at: usize) -> Option<usize> {
        let (program, record) = (self.program, self.record);
        let text = &record[..self.limit];
        while let Some(next) = program.steps.get(step) {
            let mut target = 1;
            match next {
                Step::Text(expected) => {
                    if !text[at..].starts_with(expected) {
                        return None;
                    }
                    at += expected.len();
                }
                Step::Byte(set) => {
                    if !set[usize::from(*text.get(at)?)] {
                        return None;
                    }
                    at += 1;
                }
                Step::Char(class) => {
                    let c = char_at(text, at)?;
                    let later = class.ranges().partition_point(|range| range.end() < c);
                    if class.ranges().get(later).is_none_or(|range| c < range.start()) {
                        return None;
                    }
                    at += c.len_utf8();
                }
                Step::Look(look) => {
                    if !look.holds(record, at) {
                        return None;
                    }
                }
                Step::Save(slot) => {
                    let before = self.slots[*slot].replace(at);
                    self.aside.push(Aside::Restore(*slot, before));
                }
                Step::Jump(to) => target = *to,
                Step::Either(first, second) => {
                    let place = program.choices_before[step] * (record.len() + 1) + at;
                    if self.visited[place / 64] & (1 << (place % 64)) != 0 {
                        return None;
                    }
                    self.visited[place / 64] |= 1 << (place % 64);
                    self.visited_now.push(place);
                    self.aside.push(Aside::Follow(moved(step, *second), at));
                    target = *first;
                }
            }
            step = moved(step, target);
        }
        Some(at)
    }
}
