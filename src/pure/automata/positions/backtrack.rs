//! Finds spans by trying the choices of a pattern one after the other, as long as few of them fail.
//!
//! Where a match can begin, the most preferred choice whose class has the next byte is taken. The
//! others are kept on a stack, and the last of them is tried when nothing can be read any more. Most
//! patterns of rule sets rarely have more than one choice that the next byte allows, so that a match
//! is found as fast as by a DFA, without one, and bytes that no match can begin with are skipped. This is what a backtracking matcher does, and so it takes
//! exponential time in the worst case. A budget ends it: then the caller finds the remaining spans of
//! the record in the [two passes](super::spans), which always read the whole record.
//!
//! # Limits
//!
//! Patterns whose choices often fail, as those of `.*.*=.*`, use up the budget in each record for
//! nothing. The caller has to remember that.

use std::ops::{ControlFlow, Range};

use super::byte_index::LONG_LIST;
use super::looks::{self, Looks};
use super::program::{Choice, ListKind, Program};
use super::search::{PositionScratch, hold};
use crate::pure::automata::span_cursor::SpanCursor;

/// Steps that the search of a record may take for each of its bytes, and in addition. A step is a
/// choice that is taken. A search without a failure takes one for each byte of a match; the budget is
/// about what the two passes would take.
const STEPS_PER_BYTE: u64 = 2;
const FREE_STEPS: u64 = 64;

/// The budget is used up.
#[derive(Debug)]
pub(in crate::pure::automata) struct Exhausted;

/// Whether backtracking is worthwhile for a pattern, from the searches of one scanner so far.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::pure::automata) struct Backtracking {
    failures: u8,
}

impl Backtracking {
    /// The number of successes that make up for a failure. It takes about twice as long to find the spans of a record
    /// if the budget is used up first.
    const FAILURE: u8 = 4;

    /// Whether it has succeeded at least four times as often as it has failed, give or take a few
    /// records.
    pub(in crate::pure::automata) fn is_worthwhile(self) -> bool {
        self.failures < 8 * Backtracking::FAILURE
    }

    pub(in crate::pure::automata) fn add(&mut self, success: bool) {
        self.failures = match success {
            true => self.failures.saturating_sub(1),
            false => self.failures + Backtracking::FAILURE,
        };
    }
}

/// Choices that are still to be tried: positions, each with the offset after its byte. Empty between
/// searches.
pub(super) type Untried = Vec<(u16, u32)>;

impl Program {
    /// Calls `found` with the spans of `record` from `cursor.at` on, none of which starts after `last`,
    /// until `found` returns `Break`. If the budget is used up before the last one is found, `cursor` is
    /// where another search has to continue. The record must be shorter than 4 GiB.
    pub(in crate::pure::automata) fn backtrack(
        &self,
        scratch: &mut PositionScratch,
        record: &[u8],
        last: usize,
        cursor: &mut SpanCursor,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Exhausted> {
        let mut left = STEPS_PER_BYTE * record.len() as u64 + FREE_STEPS;
        let (budget, untried) = (left, &mut scratch.spans.untried);
        let flow = loop {
            let Some(start) = self.next_start(record, cursor.at..(last + 1).min(record.len()))
            else {
                cursor.at = record.len() + 1;
                break Ok(ControlFlow::Continue(()));
            };
            match self.match_at(untried, record, start, record.len(), &mut left) {
                Ok(None) => cursor.at = start + 1,
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
        cursor.steps += budget - left + record.len() as u64 + 1;
        flow
    }

    /// Whether a match begins and ends within `span` of `record`, which must be shorter than 4 GiB.
    pub(in crate::pure::automata) fn is_match(
        &self,
        scratch: &mut PositionScratch,
        record: &[u8],
        span: Range<usize>,
    ) -> Result<bool, Exhausted> {
        let mut left = STEPS_PER_BYTE * span.len() as u64 + FREE_STEPS;
        let (mut at, untried) = (span.start, &mut scratch.spans.untried);
        while let Some(start) = self.next_start(record, at..span.end) {
            if self.match_at(untried, record, start, span.end, &mut left)?.is_some() {
                return Ok(true);
            }
            at = start + 1;
        }
        Ok(false)
    }

    /// The first offset within `range` at which a match may begin, or at its end.
    #[inline]
    fn next_start(&self, record: &[u8], range: Range<usize>) -> Option<usize> {
        if range.start > range.end || self.only_at_start && range.start > 0 {
            return None;
        }
        if self.may_be_empty {
            return Some(range.start);
        }
        let first = |&byte: &u8| self.first_bytes.contains(byte);
        let skipped = record[range.clone()].iter().position(first)?;
        Some(range.start + skipped)
    }

    /// The end of the preferred match that begins at `at` and ends at `limit` at the latest.
    #[inline]
    fn match_at(
        &self,
        untried: &mut Untried,
        record: &[u8],
        mut at: usize,
        limit: usize,
        left: &mut u64,
    ) -> Result<Option<usize>, Exhausted> {
        untried.clear();
        // Of the choices to end the match that are still to be tried, only the last one matters, and
        // of the others only those that were kept after it.
        let (mut end, mut floor) = (None, 0);
        let mut list = self.start;
        loop {
            if let ListKind::Loop(set) = list.kind {
                let set = &self.sets[usize::from(set)];
                let rest = record[at..limit].iter();
                let skipped = rest.take_while(|&&byte| set.contains(byte)).count();
                at += skipped;
                *left = left.checked_sub(skipped as u64).ok_or(Exhausted)?;
            }
            let byte = if at < limit { Some(record[at]) } else { None };
            let choices = self.allowed(list, byte);
            let kept = untried.len();
            let mut taken = None;
            for choice in choices {
                if choice.position == Choice::END {
                    if holds_at(choice.looks, record, at) {
                        if taken.is_none() {
                            return Ok(Some(at));
                        }
                        (end, floor) = (Some(at), kept);
                        break;
                    }
                } else if let Some(byte) = byte
                    && self.sets[usize::from(choice.set)].contains(byte)
                    && holds_at(choice.looks, record, at)
                {
                    match taken {
                        None => taken = Some(choice.position),
                        Some(_) => untried.push((choice.position, at as u32 + 1)),
                    }
                }
            }
            let more = untried.len() - kept;
            if more > 1 {
                untried[kept..].reverse();
            }
            *left =
                left.checked_sub((1 + more + choices.len() / LONG_LIST) as u64).ok_or(Exhausted)?;
            if let Some(position) = taken {
                list = self.after(position);
                at += 1;
            } else if untried.len() > floor
                && let Some((position, offset)) = untried.pop()
            {
                list = self.after(position);
                at = offset as usize;
            } else {
                return Ok(end);
            }
            if list.kind == ListKind::End {
                return Ok(Some(at));
            }
        }
    }
}

/// Whether the assertions `looks` hold at offset `at`.
#[inline(always)]
fn holds_at(looks: Looks, record: &[u8], at: usize) -> bool {
    looks == 0 || hold(looks, looks::holding_at(record, at))
}
