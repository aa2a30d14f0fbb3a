//! Decides how many words the state of a pattern's automaton takes, and which repetitions become
//! counters.
//!
//! A counter takes a few nanoseconds for each byte while it is active, and a position that is
//! written out takes nothing as long as the state does not need another word. So repetitions are
//! written out if the whole pattern then fits into one word. If not, the longest ones become
//! counters first. Only if that is not enough there are more words.

use regex_syntax::hir::{Hir, HirKind};

use super::characters::positions_of;
use crate::pure::literal::ByteSet;

/// Repetitions of a class with more copies than this become counters. The first of these numbers
/// with which the pattern fits is chosen.
const MAX_COPIES: [u32; 14] = [u32::MAX, 255, 127, 99, 63, 49, 39, 31, 24, 19, 15, 11, 7, 4];

/// The number of positions with each of [`MAX_COPIES`].
type Sizes = [usize; MAX_COPIES.len()];

/// The size of an automaton.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// The words of the state: one of [`WORDS`].
    pub(super) words: usize,
    /// Repetitions of a class with more copies become counters.
    pub(super) max_copies: u32,
}

/// The numbers of words that patterns usually take. 512 positions are enough for 98% of the patterns
/// of real rule sets even without counters.
const WORDS: [usize; 4] = [1, 2, 4, 8];
/// The numbers of words for alternations of hundreds of words, where lazy DFAs give up.
const MANY_WORDS: [usize; 2] = [32, 64];

/// The largest depth of an HIR for which there may be many words. Building takes a few kilobytes
/// of stack for each level then.
const MAX_DEPTH: usize = 40;

impl Size {
    /// The size of the automaton of `hir`, or `None` if it does not fit into the usual number of
    /// words.
    ///
    /// Costs time linear in the HIR as written, whatever its repeat counts are.
    pub(super) fn of(hir: &Hir) -> Option<Size> {
        Size::smallest(hir, &WORDS)
    }

    /// As [`Size::of`], with many words.
    pub(super) fn of_large(hir: &Hir) -> Option<Size> {
        if depth(hir) > MAX_DEPTH { None } else { Size::smallest(hir, &MANY_WORDS) }
    }

    fn smallest(hir: &Hir, words: &[usize]) -> Option<Size> {
        if written_out(hir) <= 64 * words[0] {
            return Some(Size { words: words[0], max_copies: u32::MAX });
        }
        let sizes = positions(hir);
        words.iter().find_map(|&words| {
            let fits = |&(size, _): &(usize, u32)| size <= 64 * words;
            let (_, max_copies) = sizes.into_iter().zip(MAX_COPIES).find(fits)?;
            Some(Size { words, max_copies })
        })
    }
}

fn depth(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => 1,
        HirKind::Capture(capture) => 1 + depth(&capture.sub),
        HirKind::Repetition(repetition) => 1 + depth(&repetition.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            1 + subs.iter().map(depth).max().unwrap_or(0)
        }
    }
}

/// The number of positions without counters.
fn written_out(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(class) => positions_of(class),
        HirKind::Capture(capture) => written_out(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().fold(0, |sum: usize, sub| sum.saturating_add(written_out(sub)))
        }
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min.max(1));
            written_out(&repetition.sub).saturating_mul(copies as usize)
        }
    }
}

/// The number of positions for each of [`MAX_COPIES`].
fn positions(hir: &Hir) -> Sizes {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Sizes::default(),
        HirKind::Literal(literal) => [literal.0.len(); MAX_COPIES.len()],
        HirKind::Class(class) => [positions_of(class); MAX_COPIES.len()],
        HirKind::Capture(capture) => positions(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            let mut sizes = Sizes::default();
            for sub in subs {
                let add = |(sum, size): (&mut usize, usize)| *sum = sum.saturating_add(size);
                sizes.iter_mut().zip(positions(sub)).for_each(add);
            }
            sizes
        }
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min.max(1));
            let mut sizes = positions(&repetition.sub);
            let counted = ByteSet::of_byte(&repetition.sub).is_some();
            for (size, max_copies) in sizes.iter_mut().zip(MAX_COPIES) {
                if !counted || copies <= max_copies {
                    *size = size.saturating_mul(copies as usize);
                }
            }
            sizes
        }
    }
}
