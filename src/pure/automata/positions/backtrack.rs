//! Finds spans by trying the choices of a pattern one after the other.
//!
//! Where a match can begin, the most preferred choice whose class has the next byte is taken. The
//! others are kept on a stack, and the last of them is tried when nothing can be read any more. Most
//! patterns of rule sets rarely have more than one choice that the next byte allows, so that a match
//! is found without a detour, and bytes that no match can begin with are skipped. Where a scanner does
//! this much for a pattern, a [DFA](super::backtrack_dfa) takes over.
//!
//! This is what a backtracking matcher does, and so it takes exponential time in the worst case. A
//! budget ends it. Then the rest of the record is searched with a [memo](super::memo) of what has failed. Each
//! list of choices is tried at most once at each offset then, which takes linear time.
//!
//! # Limits
//!
//! A memo takes a bit for each offset and each list that several choices lead to. If that is too
//! much, or if a second budget is used up, the caller finds the remaining spans in another way.

use std::ops::{ControlFlow, Range};

use regex_automata::Input;

#[cfg(test)]
use super::backtrack_dfa::BacktrackDfa;
use super::backtrack_dfa_use::BacktrackDfaUse;
use super::backtrack_search::{Exhausted, Search};
use super::program::Program;
use super::search::PositionScratch;
use crate::pure::automata::span_cursor::SpanCursor;

/// Whether the ways of backtracking are worthwhile for a program, from the searches of one scanner so
/// far, and the DFA that takes its place.
#[derive(Debug, Default)]
pub(in crate::pure::automata) struct Backtracking {
    plain: Successes,
    memo: Successes,
    by_dfa: Successes,
    dfa: BacktrackDfaUse,
}

impl Backtracking {
    /// Drops the DFA, and begins to count anew when one is worthwhile.
    pub(in crate::pure::automata) fn restart(&mut self) {
        self.dfa.restart();
    }

    /// Whether the memory may have changed since this was called last.
    #[inline]
    pub(in crate::pure::automata) fn take_changed(&mut self) -> bool {
        self.dfa.take_changed()
    }

    /// Heap memory in bytes: that of the DFA.
    pub(in crate::pure::automata) fn memory(&self) -> usize {
        self.dfa.memory()
    }
}

#[cfg(test)]
impl Backtracking {
    /// With a DFA from the first search on.
    pub(super) fn with_dfa() -> Backtracking {
        Backtracking { dfa: BacktrackDfaUse::due(), ..Backtracking::default() }
    }

    /// The DFA, if it was used and has not failed.
    pub(super) fn working_dfa(&mut self) -> Option<&mut BacktrackDfa> {
        self.dfa.working()
    }

    /// As if all ways of searching but number `way` had always failed.
    pub(super) fn only(way: usize) -> Backtracking {
        let of = |other| Successes { failures: if other == way { 0 } else { u8::MAX } };
        Backtracking { plain: of(0), memo: of(1), ..Backtracking::default() }
    }
}

/// Whether searches succeed at least four times as often as they fail, give or take a few records.
#[derive(Clone, Copy, Debug, Default)]
struct Successes {
    failures: u8,
}

impl Successes {
    /// The number of successes that make up for a failure.
    const FAILURE: u8 = 4;

    /// `Exhausted` if too few searches have succeeded.
    fn expect(self) -> Result<(), Exhausted> {
        if self.failures < 8 * Successes::FAILURE { Ok(()) } else { Err(Exhausted) }
    }

    fn add<T>(&mut self, result: Result<T, Exhausted>) -> Result<T, Exhausted> {
        self.failures = match result {
            Ok(_) => self.failures.saturating_sub(1),
            Err(Exhausted) => self.failures.saturating_add(Successes::FAILURE),
        };
        result
    }
}

impl Program {
    /// Calls `found` with the spans of `record` from `cursor.at` on, none of which starts after `last`,
    /// until `found` returns `Break`. If that takes too long, `cursor` is where another search has to
    /// continue. The record must be shorter than 4 GiB. `may_grow` is whether there is memory for a DFA.
    pub(in crate::pure::automata) fn spans(
        &self,
        history: &mut Backtracking,
        scratch: &mut PositionScratch,
        may_grow: bool,
        (record, last): (&[u8], usize),
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Exhausted> {
        if self.is_byte {
            return Ok(self.each_byte(record, last, cursor, found));
        }
        let tried = |cursor: &SpanCursor| cursor.steps + cursor.considered;
        let (before, len) = (tried(cursor), record.len());
        let bytes = len.saturating_sub(cursor.at) as u64;
        let Backtracking { plain, memo, by_dfa, dfa: dfa_use } = history;
        let (dfa, scratch) = (dfa_use.dfa(self, may_grow), &mut scratch.backtrack);
        let history = if dfa.is_some() { by_dfa } else { plain };
        let mut flow = history.expect().and_then(|()| {
            let search = Search::<false>::new(self, scratch, record, cursor.at..len);
            history.add(search.with_dfa(dfa).spans(last, cursor, found))
        });
        if flow.is_err() {
            flow = memo.expect().and_then(|()| {
                let search = Search::<true>::with_memo(self, scratch, record, cursor.at..len)?;
                memo.add(search.spans(last, cursor, found))
            });
        }
        dfa_use.add((tried(cursor) - before).saturating_sub(len as u64), bytes);
        flow
    }

    /// [`Program::spans`] of a pattern whose matches are single bytes.
    fn each_byte(
        &self,
        record: &[u8],
        last: usize,
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let from = cursor.at.min(record.len());
        let bytes = &record[from..(last + 1).clamp(from, record.len())];
        cursor.at = record.len() + 1;
        cursor.steps += bytes.len() as u64 + 1;
        let is_match = |&(_, &byte): &(usize, &u8)| self.starts.first_bytes.contains(byte);
        let mut matches = (from..).zip(bytes).filter(is_match);
        matches.try_for_each(|(at, _)| found(at..at + 1))
    }

    /// Whether a match begins and ends within `input`, whose record must be shorter than 4 GiB: at the start of
    /// its span if it is anchored. Without a memo. Adds to `steps` what it has tried. `may_grow` is whether there is
    /// memory for a DFA.
    pub(in crate::pure::automata) fn is_match(
        &self,
        history: &mut Backtracking,
        scratch: &mut PositionScratch,
        may_grow: bool,
        input: &Input<'_>,
        steps: &mut u64,
    ) -> Result<bool, Exhausted> {
        let Backtracking { plain, by_dfa, dfa: dfa_use, .. } = history;
        let dfa = dfa_use.dfa(self, may_grow);
        let history = if dfa.is_some() { by_dfa } else { plain };
        history.expect()?;
        let (record, span) = (input.haystack(), input.get_range());
        let (len, before) = (span.len() as u64, *steps);
        let search = Search::<false>::new(self, &mut scratch.backtrack, record, span);
        let found = history.add(search.with_dfa(dfa).has_match(input, steps));
        let tried = *steps - before;
        // An anchored search mostly reads little of its span.
        dfa_use.add(tried, if input.get_anchored().is_anchored() { len.min(tried) } else { len });
        found
    }

    /// As [`Program::is_match`], with a memo.
    pub(in crate::pure::automata) fn is_match_with_memo(
        &self,
        history: &mut Backtracking,
        scratch: &mut PositionScratch,
        input: &Input<'_>,
        steps: &mut u64,
    ) -> Result<bool, Exhausted> {
        history.memo.expect()?;
        let (record, span) = (input.haystack(), input.get_range());
        let search = Search::<true>::with_memo(self, &mut scratch.backtrack, record, span)?;
        history.memo.add(search.has_match(input, steps))
    }
}

#[cfg(test)]
mod tests {
    use super::super::backtrack_dfa_use::STEPS_BEFORE_DFA;
    use super::super::backtrack_search::DFA_BYTES_PER_STEP;
    use super::super::tests::parse;
    use super::*;

    /// Searches `record` for spans of which none starts after `last`. Returns their starts and the cursor, with the
    /// steps of this search alone; `None` if it takes too many.
    fn search(
        program: &Program,
        history: &mut Backtracking,
        record: &[u8],
        last: usize,
    ) -> Option<(Vec<usize>, SpanCursor)> {
        let (mut starts, scratch) = (Vec::new(), &mut PositionScratch::default());
        let found = &mut |span: Range<usize>| {
            starts.push(span.start);
            ControlFlow::Continue(())
        };
        // As if other automata had taken steps in the record.
        let mut cursor = SpanCursor::default();
        (cursor.steps, cursor.considered) = (1000, 1000);
        let flow =
            program.spans(history, scratch, true, (record, last), &mut cursor, found).ok()?;
        assert!(flow.is_continue());
        (cursor.steps, cursor.considered) = (cursor.steps - 1000, cursor.considered - 1000);
        Some((starts, cursor))
    }

    fn find(program: &Program, history: &mut Backtracking, record: &[u8]) -> SpanCursor {
        search(program, history, record, record.len()).unwrap().1
    }

    #[test]
    fn bytes_are_searched_in_one_pass() {
        let program = &Program::new(&parse("[ab]")).unwrap();
        for (last, expected) in [(5, &[0, 1, 3, 4][..]), (3, &[0, 1, 3])] {
            let history = &mut Backtracking::default();
            let (starts, cursor) = search(program, history, b"abcab", last).unwrap();
            assert_eq!((&starts[..], cursor.at), (expected, 6));
            assert_eq!(cursor.steps, 1 + 5.min(last as u64 + 1));
        }
    }

    #[test]
    fn a_dfa_takes_fewer_steps_than_backtracking() {
        let program = &Program::new(&parse("[ab]*c")).unwrap();
        // Nothing is tried where no match can begin.
        let cursor = find(program, &mut Backtracking::default(), b"-----");
        assert_eq!((cursor.at, cursor.steps, cursor.considered), (6, 6, 0));

        let record = [&[b'a'; 40][..], b"c"].concat();
        let len = record.len() as u64;
        let cursor = find(program, &mut Backtracking::default(), &record);
        assert!((len + 2..3 * len).contains(&cursor.steps), "{}", cursor.steps);
        assert!((1..3 * len).contains(&cursor.considered), "{}", cursor.considered);
        let cursor = find(program, &mut Backtracking::with_dfa(), &record);
        assert_eq!(cursor.steps, (len + 1) + (1 + len / DFA_BYTES_PER_STEP));

        let is_match = |history: &mut Backtracking, record: &[u8]| {
            let (scratch, input, mut steps) =
                (&mut PositionScratch::default(), Input::new(record), 1000);
            let found = program.is_match(history, scratch, true, &input, &mut steps);
            (found.ok(), steps - 1000)
        };
        assert_eq!(is_match(&mut Backtracking::default(), b"-----"), (Some(false), 1));
        let history = &mut Backtracking::with_dfa();
        for _ in 0..2 {
            if let Some(dfa) = history.working_dfa() {
                dfa.spend_budget();
            }
            let steps = 2 + len / DFA_BYTES_PER_STEP;
            assert_eq!(is_match(history, &record), (Some(true), steps));
        }
        // Steps add to the budget what the DFA reads in their time.
        assert_eq!(
            history.working_dfa().unwrap().budget(),
            (1 + len / DFA_BYTES_PER_STEP) * DFA_BYTES_PER_STEP
        );
    }

    /// The counted steps decide when a search is abandoned.
    #[test]
    fn steps_of_choices_and_runs_are_counted() {
        let letters = ('a'..='z').map(|letter| format!("a{letter}")).collect::<Vec<_>>().join("|");
        // Steps and considered choices, without and with a memo; `None` if that takes too many steps.
        for (pattern, record, expected) in [
            ("ab", "ab".to_owned(), [Some((5, 2)), Some((5, 2))]),
            ("a|ab|abc", "abx".to_owned(), [Some((7, 3)), Some((7, 3))]),
            // With a list that is searched by an index.
            (&format!("(?:{letters})+"), "axaz".to_owned(), [None, Some((113, 104))]),
            // With runs.
            ("(?:a{2,40}){2}b", "a".repeat(17) + "b", [Some((30, 4)), Some((30, 4))]),
            ("a{2,99}a", "a".repeat(17) + "c", [Some((26, 2)), Some((26, 2))]),
            ("a{2,99}?.{0,99}b", "a".repeat(17) + "c", [None, Some((110, 49))]),
            // With several words of a memo.
            ("a{2,300}a{2,300}", "a".repeat(200), [Some((256, 3)), Some((262, 3))]),
        ] {
            let program = &Program::new(&parse(pattern)).unwrap();
            for (way, expected) in expected.into_iter().enumerate() {
                let found =
                    search(program, &mut Backtracking::only(way), record.as_bytes(), record.len());
                let counted = found.map(|(_, cursor)| (cursor.steps, cursor.considered));
                assert_eq!(counted, expected, "{pattern}, way {way}");
            }
        }
    }

    #[test]
    fn a_dfa_takes_over_where_it_saves_steps() {
        let program = &Program::new(&parse("(?:a|ab)+c")).unwrap();
        let (mut history, record) = (Backtracking::default(), b"ab");
        let bytes = record.len() as u64;
        let (mut saved, mut last) = (0, 0);
        for _ in 0..1000 {
            let cursor = find(program, &mut history, record);
            if history.working_dfa().is_some() {
                break;
            }
            last = cursor.steps + cursor.considered - bytes - bytes / DFA_BYTES_PER_STEP;
            saved += last;
        }
        assert!(saved >= STEPS_BEFORE_DFA.into() && saved - last < STEPS_BEFORE_DFA.into());
    }

    #[test]
    fn earlier_steps_in_a_record_do_not_count() {
        let (program, record) = (&Program::new(&parse("(?:a|ab)+c")).unwrap(), b"ab");
        let (scratch, history) = (&mut PositionScratch::default(), &mut Backtracking::default());
        for _ in 0..2 {
            let input = Input::new(record);
            assert!(program.is_match(history, scratch, true, &input, &mut 1000).is_ok());
            assert!(history.working_dfa().is_none());
        }
    }

    #[test]
    fn a_restart_drops_the_dfa() {
        let program = &Program::new(&parse("a+b")).unwrap();
        let history = &mut Backtracking::with_dfa();
        assert!(!history.take_changed());
        find(program, history, b"aab");
        assert!(history.take_changed() && history.memory() > 0);
        history.restart();
        assert!(history.working_dfa().is_none() && history.memory() == 0);
        // Another one is made only once it would save enough steps again.
        find(program, history, b"aab");
        assert!(history.working_dfa().is_none());
    }

    #[test]
    fn searches_that_mostly_fail_are_abandoned() {
        let mut history = Successes::default();
        let fail = |history: &mut Successes| assert!(history.add::<()>(Err(Exhausted)).is_err());
        for _ in 0..8 {
            assert!(history.expect().is_ok());
            fail(&mut history);
        }
        assert!(history.expect().is_err());
        // One success is enough now, but four make up for a failure.
        assert_eq!(history.add(Ok(7)).ok(), Some(7));
        assert!(history.expect().is_ok());
        fail(&mut history);
        for _ in 0..Successes::FAILURE {
            assert!(history.expect().is_err());
            assert!(history.add(Ok(())).is_ok());
        }
        assert!(history.expect().is_ok());
    }
}
