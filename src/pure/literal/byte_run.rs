//! Byte runs that every match contains, such as the forty digits of `[a-f0-9]{40}`.
//!
//! A pattern without a rare literal often contains a long run of bytes of one class, which is rare
//! in ordinary text. One walk over the HIR computes, for each part, the set of all bytes that it
//! can match and its minimum length: every match of the part is a run of that class and length. For
//! a concatenation, all sequences of consecutive parts are tried, since a run over more parts is
//! longer but has a larger class; for an alternation, the run is the union of the branches' runs,
//! as long as the shortest.
//!
//! The cost is linear in the HIR, except that a concatenation tries up to [`MAX_PARTS`] ends for
//! each start.

use regex_syntax::hir::{Hir, HirKind};

use super::byte_frequency::MAX_FILTER_FREQUENCY;
use super::byte_set::ByteSet;
use super::distance::{Bound, add_bounds, bounds_around, max_match_len};

/// A run that every match contains.
#[derive(Clone, Debug)]
pub(crate) struct ByteRun {
    /// The set of bytes that the run consists of.
    pub(crate) class: ByteSet,
    /// The minimum length, in bytes.
    pub(crate) len: u32,
    /// The largest distance from the start of a match to the start of its run.
    pub(crate) before: Bound,
    /// The largest distance from the end of the run to the end of the match.
    pub(crate) after: Bound,
    /// The probability that such a run is at a given position of ordinary text.
    pub(crate) frequency: f64,
}

/// The minimum length of a run, in bytes. Shorter ones are too frequent in text to filter by.
const MIN_LEN: u32 = 6;
/// The length to which runs are cut, in bytes. A run of 64 is rare enough, and every match that
/// contains a longer one contains it.
const MAX_LEN: u32 = 64;
/// The exponent that corrects the probability of a run for the dependence of neighbouring bytes:
/// words, names and numbers consist of bytes of one class, so each byte of a run counts only as
/// this much of an independent one.
const DEPENDENCE: f64 = 0.4;
/// The probability that a byte of a word is followed by another one of the word. Words have between
/// five and six bytes on average, and 1 - 1 / 5.5 = 0.82.
const WORD_CONTINUES: f64 = 0.82;
/// The most parts of a concatenation over which one run may extend.
const MAX_PARTS: usize = 64;

/// Finds the run to filter by: the rarest one that every match of `hir` contains, or `None` if none
/// is rare enough.
pub(crate) fn filter_run(hir: &Hir) -> Option<ByteRun> {
    any_run(hir).filter(|run| run.frequency <= MAX_FILTER_FREQUENCY)
}

/// Finds the rarest run that every match of `hir` contains, however frequent it is. A pattern that
/// is searched by a literal can have such a run checked in addition; the plan chooses which
/// (`plan::required_run`).
pub(crate) fn any_run(hir: &Hir) -> Option<ByteRun> {
    part_runs(hir).best
}

/// The set of all bytes that matches of `hir` consist of, and the minimum length of a match.
pub(crate) fn match_bytes(hir: &Hir) -> (ByteSet, u32) {
    let Composition { class, len } = part_runs(hir).composition;
    (class, len)
}

/// All bytes that a part of a pattern can match, and the minimum length of what it matches.
#[derive(Clone, Copy)]
struct Composition {
    class: ByteSet,
    len: u32,
}

impl Composition {
    /// The run that any match of the part is; `None` if it is shorter than [`MIN_LEN`].
    fn run(self, before: Bound, after: Bound) -> Option<ByteRun> {
        if self.len < MIN_LEN {
            return None;
        }
        let len = self.len.min(MAX_LEN);
        let class = self.class.frequency();
        let mut frequency = class.powf(f64::from(len) * DEPENDENCE);
        if !self.class.contains(b' ') {
            // The run lies within a word, which may end after each byte.
            frequency = frequency.min(class * WORD_CONTINUES.powf(f64::from(len) - 1.0));
        }
        Some(ByteRun { class: self.class, len, before, after, frequency })
    }
}

/// The composition of a part of a pattern, and the rarest run in it.
struct PartRuns {
    composition: Composition,
    best: Option<ByteRun>,
}

fn part_runs(hir: &Hir) -> PartRuns {
    let mut class = ByteSet::EMPTY;
    let mut inner = None;
    let len = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => {
            literal.0.iter().for_each(|&b| class.insert(b));
            literal.0.len() as u32
        }
        HirKind::Class(all) => {
            class = ByteSet::of(all);
            1
        }
        HirKind::Capture(capture) => return part_runs(&capture.sub),
        HirKind::Repetition(repetition) if repetition.max == Some(0) => 0,
        HirKind::Repetition(repetition) => {
            let sub = part_runs(&repetition.sub);
            class = sub.composition.class;
            if repetition.min > 0 {
                // The run may be in any of the copies.
                let bound = max_match_len(hir);
                inner = sub.best.map(|run| ByteRun { before: bound, after: bound, ..run });
            }
            sub.composition.len.saturating_mul(repetition.min)
        }
        HirKind::Concat(subs) => {
            let parts: Vec<PartRuns> = subs.iter().map(part_runs).collect();
            let mut len = 0u32;
            for part in &parts {
                class = class.union(&part.composition.class);
                len = len.saturating_add(part.composition.len);
            }
            inner = best_of_concat(subs, parts);
            len
        }
        HirKind::Alternation(subs) => {
            let branches: Vec<PartRuns> = subs.iter().map(part_runs).collect();
            for branch in &branches {
                class = class.union(&branch.composition.class);
            }
            let len = branches.iter().map(|branch| branch.composition.len).min().unwrap_or(0);
            inner = best_of_alternation(branches);
            len
        }
    };
    let composition = Composition { class, len };
    PartRuns { best: rarer(composition.run(Some(0), Some(0)), inner), composition }
}

fn rarer(a: Option<ByteRun>, b: Option<ByteRun>) -> Option<ByteRun> {
    match (a, b) {
        (Some(a), Some(b)) => {
            // Below 1e-9 both are as good as absent, and the longer run costs less to search for.
            let key = |run: &ByteRun| (run.frequency.max(1e-9), u32::MAX - run.len, run.frequency);
            Some(if key(&b) < key(&a) { b } else { a })
        }
        (a, b) => a.or(b),
    }
}

/// A run that each branch has: it may contain the bytes of all branches' runs, and is as long as
/// the shortest of them.
fn best_of_alternation(branches: Vec<PartRuns>) -> Option<ByteRun> {
    branches.into_iter().try_fold(None, |all: Option<ByteRun>, branch| {
        let run = branch.best?;
        Some(Some(match all {
            None => run,
            Some(all) => {
                let class = all.class.union(&run.class);
                let before = all.before.and_then(|a| Some(a.max(run.before?)));
                let after = all.after.and_then(|a| Some(a.max(run.after?)));
                Composition { class, len: all.len.min(run.len) }.run(before, after)?
            }
        }))
    })?
}

fn best_of_concat(subs: &[Hir], parts: Vec<PartRuns>) -> Option<ByteRun> {
    let (before, after) = bounds_around(subs);
    let compositions: Vec<Composition> = parts.iter().map(|part| part.composition).collect();
    let mut found = None;
    for (start, part) in parts.into_iter().enumerate() {
        let inside = part.best.map(|run| ByteRun {
            before: add_bounds(before[start], run.before),
            after: add_bounds(run.after, after[start + 1]),
            ..run
        });
        found = rarer(found, inside);
        let mut all = Composition { class: ByteSet::EMPTY, len: 0 };
        for end in start..subs.len().min(start + MAX_PARTS) {
            all.class = all.class.union(&compositions[end].class);
            all.len = all.len.saturating_add(compositions[end].len);
            found = rarer(found, all.run(before[start], after[end + 1]));
            if all.len >= MAX_LEN {
                // More parts make the class larger and the run no longer.
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_run_is_required() {
        type Case<'a> = (&'a str, Option<(&'a str, u32, Bound, Bound)>);
        let graphic: String = ('!'..='~').collect();
        let cases: &[Case] = &[
            ("[a-f0-9]{40}", Some(("0123456789abcdef", 40, Some(0), Some(0)))),
            (r"\bx?[0-9]{20,}[a-z]{0,3}", Some(("0123456789", 20, Some(1), Some(3)))),
            ("(?:a[01]{12}|[01]{16}b)", Some(("01b", 12, Some(1), Some(0)))),
            ("[0-9]{8}-[0-9]{4}-[0-9]{12}", Some(("-0123456789", 26, Some(0), Some(0)))),
            ("[0-9]{3}", None),
            (r"\w{12}", None),
            (r"[\w ]{40}", None),
            (r"x [^\x00- \x7F-\xFF]{40}", Some((&graphic, 40, Some(2), Some(0)))),
            ("(?:[0-9]{20})?", None),
        ];
        for (pattern, expected) in cases {
            let parser = regex_syntax::ParserBuilder::new().utf8(false).unicode(false).build();
            let hir = parser.clone().parse(pattern).unwrap();
            let found = filter_run(&hir).map(|run| {
                let class: String =
                    (0..=255u8).filter(|&b| run.class.contains(b)).map(char::from).collect();
                (class, run.len, run.before, run.after)
            });
            let expected = expected.map(|(class, len, b, a)| (class.to_owned(), len, b, a));
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
