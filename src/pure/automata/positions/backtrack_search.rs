//! One search by [backtracking](super::backtrack), within a budget of steps.

use std::ops::{ControlFlow, Range};

use regex_automata::{Anchored, Input};

use super::backtrack_dfa::BacktrackDfa;
use super::byte_index::LONG_LIST;
use super::looks::{self, Looks};
use super::memo::Memo;
use super::program::{Choice, List, ListKind, Program};
use super::search::hold;
use crate::pure::automata::span_cursor::SpanCursor;

/// Steps that a search without a memo may take for each byte of the record, and in addition. A step
/// is a choice that is taken. A search without a failure takes one for each byte of a match.
const STEPS_PER_BYTE: u64 = 2;
const FREE_STEPS: u64 = 64;

/// The same for a search with a memo. A guess: the lazy DFAs that come after it are far slower if they
/// have to be built for each record.
const MEMO_STEPS_PER_BYTE: u64 = 64;

/// The number of bytes of a run that count as one step. A guess.
const RUN_BYTES_PER_STEP: usize = 4;

/// The number of bytes that a DFA reads in the time of a step.
pub(super) const DFA_BYTES_PER_STEP: u64 = 4;

/// The budget is used up, or a memo is too large.
#[derive(Debug)]
pub(in crate::pure::automata) struct Exhausted;

/// The working memory of searches. It can be used with any pattern.
#[derive(Debug, Default)]
pub(super) struct BacktrackScratch {
    untried: Vec<Untried>,
    memo: Memo,
}

impl BacktrackScratch {
    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.untried.capacity() * size_of::<Untried>() + self.memo.memory()
    }
}

/// A choice that is still to be tried.
#[derive(Clone, Copy, Debug)]
struct Untried {
    /// As in [`Choice::position`], but not the end.
    position: u16,
    /// The offset after its byte. If the ends of a run are known, the first one that is to be tried.
    low: u32,
    /// The last end of a run that is to be tried, or 0 if its ends are not known yet.
    high: u32,
}

impl Untried {
    fn new(position: u16, after: usize) -> Untried {
        Untried { position, low: after as u32, high: 0 }
    }
}

/// What a match continues with.
enum Chosen {
    /// Nothing: it ends, and no other way is preferred.
    End,
    /// This choice, or if there is none what is untried.
    Next(Option<Untried>),
}

/// A search for the spans of one record.
pub(super) struct Search<'a, const MEMO: bool> {
    program: &'a Program,
    record: &'a [u8],
    /// Where matches end at the latest.
    limit: usize,
    /// The steps that may still be taken.
    left: u64,
    budget: u64,
    /// The choices that were considered, also those that the next byte does not allow.
    considered: u64,
    untried: &'a mut Vec<Untried>,
    /// What was tried in this search, if `MEMO`.
    memo: &'a mut Memo,
    /// What finds the matches where it decides.
    dfa: Option<&'a mut BacktrackDfa>,
}

impl<'a> Search<'a, true> {
    pub(super) fn with_memo(
        program: &'a Program,
        scratch: &'a mut BacktrackScratch,
        record: &'a [u8],
        span: Range<usize>,
    ) -> Result<Search<'a, true>, Exhausted> {
        match scratch.memo.reset(program.memos, program.runs.len(), span.clone()) {
            true => Ok(Search::new(program, scratch, record, span)),
            false => Err(Exhausted),
        }
    }
}

impl<'a, const MEMO: bool> Search<'a, MEMO> {
    pub(super) fn new(
        program: &'a Program,
        scratch: &'a mut BacktrackScratch,
        record: &'a [u8],
        span: Range<usize>,
    ) -> Search<'a, MEMO> {
        let per_byte = if MEMO { MEMO_STEPS_PER_BYTE } else { STEPS_PER_BYTE };
        let budget = per_byte * span.len() as u64 + FREE_STEPS;
        let BacktrackScratch { untried, memo } = scratch;
        Search {
            program,
            record,
            limit: span.end,
            left: budget,
            budget,
            considered: 0,
            untried,
            memo,
            dfa: None,
        }
    }

    /// Finds matches by this DFA where it decides.
    pub(super) fn with_dfa(mut self, dfa: Option<&'a mut BacktrackDfa>) -> Search<'a, MEMO> {
        self.dfa = dfa;
        self
    }

    /// See [`Program::spans`].
    pub(super) fn spans(
        mut self,
        last: usize,
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Exhausted> {
        let record = self.record;
        if let Some(dfa) = &mut self.dfa {
            dfa.add_budget(record.len().saturating_sub(cursor.at) as u64);
        }
        let flow = loop {
            let range = cursor.at..(last + 1).min(record.len());
            let Some(start) = self.next_start(range) else {
                cursor.at = record.len() + 1;
                break Ok(ControlFlow::Continue(()));
            };
            if !self.is_new(self.program.start, start) {
                cursor.at = start + 1;
                continue;
            }
            match self.match_from::<false>(start) {
                Ok(None) => {
                    cursor.at = self.program.starts.after_failure(self.record, start, self.limit)
                }
                Ok(Some(end)) => {
                    // The cursor requires a rejected empty match to be where the search started.
                    cursor.at = start;
                    if cursor.accept(&(start..end))
                        && let ControlFlow::Break(()) = found(start..end)
                    {
                        break Ok(ControlFlow::Break(()));
                    }
                }
                Err(exhausted) => break Err(exhausted),
            }
        };
        cursor.steps += self.budget - self.left + record.len() as u64 + 1;
        cursor.considered += self.considered;
        flow
    }

    pub(super) fn has_match(
        mut self,
        input: &Input<'_>,
        steps: &mut u64,
    ) -> Result<bool, Exhausted> {
        let found = match input.get_anchored() {
            Anchored::No => self.any_match(input.start()),
            _ => self.match_from::<true>(input.start()).map(|end| end.is_some()),
        };
        let spent = self.budget - self.left;
        if let Some(dfa) = &mut self.dfa {
            dfa.add_budget(spent * DFA_BYTES_PER_STEP);
        }
        *steps += spent + 1;
        found
    }

    fn any_match(&mut self, mut at: usize) -> Result<bool, Exhausted> {
        while let Some(start) = self.next_start(at..self.limit) {
            if !self.is_new(self.program.start, start) {
                at = start + 1;
                continue;
            }
            if self.match_from::<true>(start)?.is_some() {
                return Ok(true);
            }
            at = self.program.starts.after_failure(self.record, start, self.limit);
        }
        Ok(false)
    }

    /// The first offset within `range` at which a match may begin, as [`Starts::next`](super::starts::Starts::next).
    #[inline]
    fn next_start(&self, range: Range<usize>) -> Option<usize> {
        let starts = &self.program.starts;
        match &self.dfa {
            Some(dfa) if starts.are_dense => dfa.next_start(self.record, range),
            _ => starts.next(self.record, range, self.limit),
        }
    }

    /// The end of the preferred match that begins at `start`, or of any if `ANY`: by the DFA, if there is one and it
    /// decides, or else by backtracking.
    #[inline]
    fn match_from<const ANY: bool>(&mut self, start: usize) -> Result<Option<usize>, Exhausted> {
        if let Some(dfa) = &mut self.dfa {
            let mut read = 0;
            let span = start..self.limit;
            let end = dfa.end_of_match::<ANY>(self.program, self.record, span, &mut read);
            self.spend(1 + read / DFA_BYTES_PER_STEP)?;
            if let Ok(end) = end {
                return Ok(end);
            }
        }
        self.match_at(start)
    }

    /// The end of the preferred match that begins at `at`.
    ///
    /// What was tried before without a match may be skipped, and what led to a match too: a later match
    /// cannot begin before its end, and at its end it can only be an empty one, which would be rejected.
    #[inline]
    fn match_at(&mut self, mut at: usize) -> Result<Option<usize>, Exhausted> {
        self.untried.clear();
        // Of the choices to end the match that are still to be tried, only the last one matters, and
        // of the others only those that were kept after it.
        let (mut end, mut floor) = (None, 0);
        let mut list = self.program.start;
        loop {
            let mut next = match list.kind {
                ListKind::Byte { set, position } => self.read_byte(set, position, at)?,
                _ => {
                    if !MEMO && let ListKind::Loop(set) = list.kind {
                        let run = self.run_end(set, at, self.limit) - at;
                        self.spend(run as u64)?;
                        at += run;
                    }
                    match self.choose(list, at, &mut end, &mut floor)? {
                        Chosen::End => return Ok(Some(at)),
                        Chosen::Next(next) => next,
                    }
                }
            };
            (list, at) = loop {
                let Some(choice) = next else {
                    if self.untried.len() <= floor {
                        return Ok(end);
                    }
                    next = self.untried.pop();
                    continue;
                };
                if let Some(place) = self.enter(choice)? {
                    break place;
                }
                next = None;
            };
            if list.kind == ListKind::End {
                return Ok(Some(at));
            }
        }
    }

    /// Takes the most preferred choice of a list that the next byte allows, if there is one, and keeps the others.
    /// Sets `end` and `floor`, as in [`Search::match_at`], if the match may also end.
    #[inline(always)]
    fn choose(
        &mut self,
        list: List,
        at: usize,
        end: &mut Option<usize>,
        floor: &mut usize,
    ) -> Result<Chosen, Exhausted> {
        let (program, record) = (self.program, self.record);
        let byte = if at < self.limit { Some(record[at]) } else { None };
        let choices = program.allowed(list, byte);
        self.considered += choices.len() as u64;
        let steps = 1 + (choices.len() / LONG_LIST) as u64;
        let is_allowed = |choice: &Choice| {
            choice.position != Choice::END
                && byte.is_some_and(|byte| program.sets[usize::from(choice.set)].contains(byte))
                && holds_at(choice.looks, record, at)
        };
        let ends =
            |choice: &Choice| choice.position == Choice::END && holds_at(choice.looks, record, at);
        let mut choices = choices.iter();
        let taken = loop {
            let Some(choice) = choices.next() else {
                self.spend(steps)?;
                return Ok(Chosen::Next(None));
            };
            if ends(choice) {
                return Ok(Chosen::End);
            }
            if is_allowed(choice) {
                break Untried::new(choice.position, at + 1);
            }
        };
        let kept = self.untried.len();
        for choice in choices {
            if ends(choice) {
                (*end, *floor) = (Some(at), kept);
                break;
            }
            if is_allowed(choice) {
                self.untried.push(Untried::new(choice.position, at + 1));
            }
        }
        let more = self.untried.len() - kept;
        if more > 1 {
            self.untried[kept..].reverse();
        }
        self.spend(steps + more as u64)?;
        Ok(Chosen::Next(Some(taken)))
    }

    /// The only choice of a list, if the next byte allows it.
    #[inline(always)]
    fn read_byte(
        &mut self,
        set: u16,
        position: u16,
        at: usize,
    ) -> Result<Option<Untried>, Exhausted> {
        self.considered += 1;
        self.spend(1)?;
        let is_allowed =
            at < self.limit && self.program.sets[usize::from(set)].contains(self.record[at]);
        Ok(is_allowed.then(|| Untried::new(position, at + 1)))
    }

    /// The list that a choice leads to, and where, if it is to be tried there.
    #[inline(always)]
    fn enter(&mut self, choice: Untried) -> Result<Option<(List, usize)>, Exhausted> {
        if choice.position >= Choice::RUN {
            return self.enter_run(choice);
        }
        let (list, at) = (self.program.after(choice.position), choice.low as usize);
        Ok(self.is_new(list, at).then_some((list, at)))
    }

    /// Ends a run at the most preferred offset where it can end, and keeps the others.
    fn enter_run(&mut self, choice: Untried) -> Result<Option<(List, usize)>, Exhausted> {
        let run = &self.program.runs[usize::from(choice.position - Choice::RUN)];
        let (mut low, mut high) = match choice.high {
            0 => match self.ends_of_run(choice)? {
                Some(ends) => ends,
                None => return Ok(None),
            },
            high => (choice.low as usize, high as usize),
        };
        let (memo, words) = (run.after.memo, (high - low) / 64);
        let mut tries = 0;
        let end = loop {
            if low > high {
                break None;
            }
            let candidate = match (MEMO, run.greedy) {
                (false, true) => Some(high),
                (false, false) => Some(low),
                (true, true) => self.memo.last_untried(memo, low, high),
                (true, false) => self.memo.first_untried(memo, low, high),
            };
            let Some(at) = candidate else { break None };
            (low, high) = if run.greedy { (low, at - 1) } else { (at + 1, high) };
            if MEMO {
                self.memo.insert(memo, at);
            }
            tries += 1;
            if run.next_bytes.is_none_or(|set| at < self.limit && set.contains(self.record[at])) {
                break Some(at);
            }
        };
        self.spend((1 + tries / RUN_BYTES_PER_STEP + if MEMO { words } else { 0 }) as u64)?;
        if end.is_some() && low <= high {
            let (low, high) = (low as u32, high as u32);
            self.untried.push(Untried { low, high, ..choice });
        }
        Ok(end.map(|at| (run.after, at)))
    }

    /// The first and the last offset where a run can end whose first byte was read.
    fn ends_of_run(&mut self, choice: Untried) -> Result<Option<(usize, usize)>, Exhausted> {
        let number = usize::from(choice.position - Choice::RUN);
        let run = self.program.runs[number];
        let (start, at) = (choice.low as usize - 1, choice.low as usize);
        let farthest = self.limit.min(start.saturating_add(run.max as usize));
        let end = if MEMO {
            let known = self.memo.run(number);
            if known.contains(&start) {
                known.end
            } else {
                // Bytes that are known to be of the class are not read again.
                let limit = if at <= known.start { known.start } else { self.limit };
                let mut end = self.read_run(run.set, at, limit)?;
                if end == known.start && !known.is_empty() {
                    end = known.end;
                }
                self.memo.set_run(number, start..end);
                end
            }
        } else {
            self.read_run(run.set, at, farthest)?
        };
        let first = start.saturating_add(run.min as usize);
        let last = end.min(farthest);
        Ok((first <= last).then_some((first, last)))
    }

    /// As [`Search::run_end`], and counts the steps.
    fn read_run(&mut self, set: u16, at: usize, limit: usize) -> Result<usize, Exhausted> {
        let end = self.run_end(set, at, limit);
        self.spend(((end - at) / RUN_BYTES_PER_STEP) as u64)?;
        Ok(end)
    }

    /// The end of the bytes of a class that start at `at`, but at most `limit`.
    #[inline]
    fn run_end(&self, set: u16, at: usize, limit: usize) -> usize {
        let set = &self.program.sets[usize::from(set)];
        at + set.count_leading(&self.record[at..limit])
    }

    /// Whether a list was not tried at an offset, as far as that is remembered.
    #[inline(always)]
    fn is_new(&mut self, list: List, at: usize) -> bool {
        !MEMO
            || list.memo == List::NO_MEMO
            || list.kind == ListKind::End
            || self.memo.insert(list.memo, at)
    }

    #[inline]
    fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }
}

/// Whether the assertions `looks` hold at offset `at`.
#[inline(always)]
fn holds_at(looks: Looks, record: &[u8], at: usize) -> bool {
    looks == 0 || hold(looks, looks::holding_at(record, at, looks))
}
