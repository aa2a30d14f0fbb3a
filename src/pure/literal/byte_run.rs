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
//! each start. Case-insensitive literals are concatenations of many classes, so each step must cost
//! little: the frequency of a class is updated when bytes are added to it, runs are compared by the
//! logarithms of their frequencies, and an end is only tried if it can still be the best.

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
/// Minus the binary logarithm of the probability that a byte of a word is followed by another one of
/// the word. Words have between five and six bytes on average, and 1 - 1 / 5.5 = 0.82.
const WORD_CONTINUES_BITS: f64 = 0.2863;
/// Runs with at least this many bits, of which less than one is expected in 1e9 bytes, are as good as absent: of two
/// such runs, the longer one costs less to search for.
const ABSENT_BITS: f64 = 29.9;
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
    let Run { class, len, before, after, bits } = part_runs(hir).best?;
    Some(ByteRun { class, len, before, after, frequency: (-bits).exp2() })
}

/// The set of all bytes that matches of `hir` consist of, and the minimum length of a match.
pub(crate) fn match_bytes(hir: &Hir) -> (ByteSet, u32) {
    let Composition { class, len, .. } = part_runs(hir).composition;
    (class, len)
}

/// All bytes that a part of a pattern can match, and the minimum length of what it matches.
#[derive(Clone, Copy)]
struct Composition {
    class: ByteSet,
    /// [`ByteSet::frequency`] of the class, and above 1 where that is cut.
    frequency: f64,
    len: u32,
}

impl Composition {
    const EMPTY: Composition = Composition { class: ByteSet::EMPTY, frequency: 0.0, len: 0 };

    fn new(class: ByteSet, len: u32) -> Composition {
        Composition { class, frequency: class.frequency(), len }
    }

    /// Adds the bytes of another composition. The length stays.
    fn add_bytes(&mut self, other: &Composition) {
        let new = other.class.difference(&self.class);
        if new != ByteSet::EMPTY {
            self.frequency += if new == other.class { other.frequency } else { new.frequency() };
            self.class = self.class.union(&new);
        }
    }

    /// By length: minus the binary logarithm of the probability that a run of this class is at a given
    /// position of ordinary text. Longer runs and smaller classes have more bits.
    fn bits_of_run(&self) -> impl Fn(u32) -> f64 + use<> {
        let class = -self.frequency.min(1.0).log2();
        let has_space = self.class.contains(b' ');
        move |len| {
            let len = f64::from(len);
            let independent = class * len * DEPENDENCE;
            if has_space {
                return independent;
            }
            // The run lies within a word, which may end after each byte.
            independent.max(class + (len - 1.0) * WORD_CONTINUES_BITS)
        }
    }

    /// The run that any match of the part is; `None` if it is shorter than [`MIN_LEN`].
    fn run(&self, before: Bound, after: Bound) -> Option<Run> {
        let len = self.len.min(MAX_LEN);
        (len >= MIN_LEN).then(|| Run {
            class: self.class,
            len,
            before,
            after,
            bits: self.bits_of_run()(len),
        })
    }
}

/// A [`ByteRun`], with minus the binary logarithm of its frequency.
#[derive(Clone, Copy)]
struct Run {
    class: ByteSet,
    len: u32,
    before: Bound,
    after: Bound,
    bits: f64,
}

/// The composition of a part of a pattern, and the rarest run in it.
struct PartRuns {
    composition: Composition,
    best: Option<Run>,
}

fn part_runs(hir: &Hir) -> PartRuns {
    let mut inner = None;
    let composition = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Composition::EMPTY,
        HirKind::Literal(literal) => {
            let bytes = ByteSet::from_iter(literal.0.iter().copied());
            Composition::new(bytes, literal.0.len() as u32)
        }
        HirKind::Class(all) => Composition::new(ByteSet::of(all), 1),
        HirKind::Capture(capture) => return part_runs(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = part_runs(&repetition.sub);
            if repetition.min > 0 {
                // The run may be in any of the copies.
                let bound = max_match_len(hir);
                inner = sub.best.map(|run| Run { before: bound, after: bound, ..run });
            }
            let len = sub.composition.len.saturating_mul(repetition.min);
            Composition { len, ..sub.composition }
        }
        HirKind::Concat(subs) => {
            let parts: Vec<PartRuns> = subs.iter().map(part_runs).collect();
            let mut all = Composition::EMPTY;
            for part in &parts {
                all.add_bytes(&part.composition);
                all.len = all.len.saturating_add(part.composition.len);
            }
            inner = best_of_concat(subs, &parts);
            all
        }
        HirKind::Alternation(subs) => {
            let branches: Vec<PartRuns> = subs.iter().map(part_runs).collect();
            let mut all = Composition::EMPTY;
            branches.iter().for_each(|branch| all.add_bytes(&branch.composition));
            all.len = branches.iter().map(|branch| branch.composition.len).min().unwrap_or(0);
            inner = best_of_alternation(branches);
            all
        }
    };
    PartRuns { best: rarer(composition.run(Some(0), Some(0)), inner), composition }
}

fn rarer(a: Option<Run>, b: Option<Run>) -> Option<Run> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let key = |run: &Run| (run.bits.min(ABSENT_BITS), run.len, run.bits);
            Some(if key(&b) > key(&a) { b } else { a })
        }
        (a, b) => a.or(b),
    }
}

/// A run that each branch has: it may contain the bytes of all branches' runs, and is as long as
/// the shortest of them.
fn best_of_alternation(branches: Vec<PartRuns>) -> Option<Run> {
    branches.into_iter().try_fold(None, |all: Option<Run>, branch| {
        let run = branch.best?;
        Some(Some(match all {
            None => run,
            Some(all) => {
                let class = all.class.union(&run.class);
                let before = all.before.and_then(|a| Some(a.max(run.before?)));
                let after = all.after.and_then(|a| Some(a.max(run.after?)));
                Composition::new(class, all.len.min(run.len)).run(before, after)?
            }
        }))
    })?
}

fn best_of_concat(subs: &[Hir], parts: &[PartRuns]) -> Option<Run> {
    let (before, after) = bounds_around(subs.iter().map(max_match_len));
    let mut left = parts.iter().fold(0u32, |sum, part| sum.saturating_add(part.composition.len));
    let mut found = None;
    for (start, part) in parts.iter().enumerate() {
        let inside = part.best.map(|run| Run {
            before: add_bounds(before[start], run.before),
            after: add_bounds(run.after, after[start + 1]),
            ..run
        });
        found = rarer(found, inside);
        let mut all = Composition::EMPTY;
        for end in start..subs.len().min(start + MAX_PARTS) {
            all.add_bytes(&parts[end].composition);
            all.len = all.len.saturating_add(parts[end].composition.len);
            let len = all.len.min(MAX_LEN);
            if len < MIN_LEN {
                continue;
            }
            let bits = all.bits_of_run();
            let (before, after) = (before[start], after[end + 1]);
            found =
                rarer(found, Some(Run { class: all.class, len, before, after, bits: bits(len) }));
            // More parts make the class larger, and the run at most as long as all parts that are left.
            let longest = left.min(MAX_LEN);
            let most = bits(longest).min(ABSENT_BITS);
            let best = found.map_or((0.0, 0), |run| (run.bits.min(ABSENT_BITS), run.len));
            if all.len >= MAX_LEN || (most, longest) < best {
                break;
            }
        }
        left = left.saturating_sub(part.composition.len);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str) -> Hir {
        let parser = regex_syntax::ParserBuilder::new().utf8(false).unicode(false).build();
        parser.clone().parse(pattern).unwrap()
    }

    #[test]
    fn the_length_of_runs_is_bounded() {
        assert!(any_run(&parse("[01]{5}")).is_none());
        assert_eq!(any_run(&parse("[01]{6}")).unwrap().len, MIN_LEN);
        assert!(any_run(&parse("[0-4]{2}[5-9]{3}")).is_none());
        assert_eq!(any_run(&parse("[0-4]{3}[5-9]{3}")).unwrap().len, MIN_LEN);
        assert_eq!(any_run(&parse("[0-4]{3}[5-9]{3}.")).unwrap().len, MIN_LEN);
        assert_eq!(any_run(&parse("[01]{99}")).unwrap().len, MAX_LEN);
    }

    #[test]
    fn frequency_depends_on_class_and_length() {
        let frequency = |pattern: &str| any_run(&parse(pattern)).unwrap().frequency;
        let equal = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        // It does not depend on how the class is put together.
        assert!(equal(frequency("[0-9a-f]{3}[0-9a-z]{17}"), frequency("[0-9a-z]{20}")));
        let word = ByteSet::from_iter((0..=255).filter(|&b: &u8| b.is_ascii_alphanumeric()));
        let continues = (-WORD_CONTINUES_BITS).exp2();
        assert!(equal(frequency("[0-9A-Za-z]{12}"), word.frequency() * continues.powi(11)));
    }

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
            // Of equally rare ones the first.
            ("[0-9]{20}.{2}[0-9]{20}", Some(("0123456789", 20, Some(0), Some(22)))),
            // Over several parts, but not all.
            (".?[0-9]{8}-[0-9]{12}.{0,3}", Some(("-0123456789", 21, Some(1), Some(3)))),
            ("[0-9]{8}-[0-9]{12}.{3}", Some(("-0123456789", 21, Some(0), Some(3)))),
            // In a part, and in one that is repeated.
            ("(?:.[01]{12}|[01]{16}.).{3}", Some(("01", 12, Some(1), Some(4)))),
            ("(?:.[0-9]{20}){2}", Some(("0123456789", 20, Some(42), Some(42)))),
        ];
        for (pattern, expected) in cases {
            let found = filter_run(&parse(pattern)).map(|run| {
                let class: String =
                    (0..=255u8).filter(|&b| run.class.contains(b)).map(char::from).collect();
                (class, run.len, run.before, run.after)
            });
            let expected = expected.map(|(class, len, b, a)| (class.to_owned(), len, b, a));
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
