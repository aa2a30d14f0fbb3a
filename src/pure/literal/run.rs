//! Runs of a class that a match must contain, as the forty digits of `[a-f0-9]{40}`.
//!
//! A pattern without a rare literal often has a long run of bytes that are all in one class, which
//! ordinary text hardly has.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::extract::{Bound, MAX_FREQUENCY, add, longest};
use super::rank;

/// A set of bytes, as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    const EMPTY: ByteSet = ByteSet([0; 4]);

    /// The bytes that a class matches, and of characters that are not ASCII any that they are made
    /// of.
    pub(crate) fn of(class: &Class) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        match class {
            Class::Bytes(bytes) => {
                bytes.ranges().iter().flat_map(|r| r.start()..=r.end()).for_each(|b| set.insert(b));
            }
            Class::Unicode(chars) => {
                for range in chars.ranges() {
                    let ascii = range.start()..=range.end().min('\x7F');
                    ascii.for_each(|c| set.insert(c as u8));
                    if !range.end().is_ascii() {
                        (0x80..=0xFF).for_each(|b| set.insert(b));
                    }
                }
            }
        }
        set
    }

    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    pub(crate) fn union(mut self, other: &ByteSet) -> ByteSet {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
        self
    }

    /// How many of the bytes of ordinary text are in the set.
    pub(crate) fn frequency(&self) -> f64 {
        let mut sum = 0.0;
        for (index, mut bits) in self.0.into_iter().enumerate() {
            while bits != 0 {
                sum += rank::value((64 * index) as u8 | bits.trailing_zeros() as u8);
                bits &= bits - 1;
            }
        }
        sum.min(1.0)
    }
}

impl FromIterator<u8> for ByteSet {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        bytes.into_iter().for_each(|byte| set.insert(byte));
        set
    }
}

/// A run that every match contains.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) class: ByteSet,
    /// How many bytes it has at least.
    pub(crate) len: u32,
    /// From the start of a match to the start of the run in it, at most.
    pub(crate) before: Bound,
    /// From the end of the run to the end of the match, at most.
    pub(crate) after: Bound,
    /// How often such a run is expected to be at a given position of ordinary text.
    pub(crate) frequency: f64,
}

/// A run shorter than this is no use: too many positions would have to be looked at.
const MIN_LEN: u32 = 6;
/// The longest run that is asked for: it is rare enough, and any match has it.
const MAX_LEN: u32 = 64;
/// Bytes of one class follow one another more often than chance would have it: in words, names
/// and numbers. Each byte of a run counts only as this much of an independent one.
const DEPENDENCE: f64 = 0.4;
/// How often a byte of a word is followed by another one: words have five or six.
const WORD_GOES_ON: f64 = 0.82;
/// The most parts of a concatenation between which a run may begin and end.
const MAX_PARTS: usize = 64;

/// Finds the rarest run that every match of `hir` must contain, or `None` if there is none that
/// is rare enough to filter by.
pub(crate) fn required_run(hir: &Hir) -> Option<Run> {
    any_run(hir).filter(|run| run.frequency <= MAX_FREQUENCY)
}

/// The rarest run that every match of `hir` must contain, however frequent it is.
pub(crate) fn any_run(hir: &Hir) -> Option<Run> {
    info(hir).best
}

/// The bytes that matches of `hir` are made of, and how many they have at least.
pub(crate) fn bytes_of(hir: &Hir) -> (ByteSet, u32) {
    let Uniform { class, len } = info(hir).uniform;
    (class, len)
}

/// All bytes that a part can match, and how many it matches at least.
#[derive(Clone, Copy)]
struct Uniform {
    class: ByteSet,
    len: u32,
}

impl Uniform {
    fn run(self, before: Bound, after: Bound) -> Option<Run> {
        if self.len < MIN_LEN {
            return None;
        }
        let len = self.len.min(MAX_LEN);
        let class = self.class.frequency();
        let mut frequency = class.powf(f64::from(len) * DEPENDENCE);
        if !self.class.contains(b' ') {
            frequency = frequency.min(class * WORD_GOES_ON.powf(f64::from(len) - 1.0));
        }
        Some(Run { class: self.class, len, before, after, frequency })
    }
}

/// What is known of a part: what it is made of, and the rarest run in it.
struct Info {
    uniform: Uniform,
    best: Option<Run>,
}

fn info(hir: &Hir) -> Info {
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
        HirKind::Capture(capture) => return info(&capture.sub),
        HirKind::Repetition(repetition) if repetition.max == Some(0) => 0,
        HirKind::Repetition(repetition) => {
            let sub = info(&repetition.sub);
            class = sub.uniform.class;
            if repetition.min > 0 {
                let bound = longest(hir);
                inner = sub.best.map(|run| Run { before: bound, after: bound, ..run });
            }
            sub.uniform.len.saturating_mul(repetition.min)
        }
        HirKind::Concat(subs) => {
            let infos: Vec<Info> = subs.iter().map(info).collect();
            let mut len = 0u32;
            for sub in &infos {
                class = class.union(&sub.uniform.class);
                len = len.saturating_add(sub.uniform.len);
            }
            inner = best_of_concat(subs, infos);
            len
        }
        HirKind::Alternation(subs) => {
            let infos: Vec<Info> = subs.iter().map(info).collect();
            for sub in &infos {
                class = class.union(&sub.uniform.class);
            }
            let len = infos.iter().map(|sub| sub.uniform.len).min().unwrap_or(0);
            inner = best_of_alternation(infos);
            len
        }
    };
    let uniform = Uniform { class, len };
    Info { best: rarer(uniform.run(Some(0), Some(0)), inner), uniform }
}

fn rarer(a: Option<Run>, b: Option<Run>) -> Option<Run> {
    match (a, b) {
        (Some(a), Some(b)) => {
            // Of two that are as good as never there, the longer one costs less to look for.
            let key = |run: &Run| (run.frequency.max(1e-9), u32::MAX - run.len, run.frequency);
            Some(if key(&b) < key(&a) { b } else { a })
        }
        (a, b) => a.or(b),
    }
}

/// One run that each alternative has: of all their bytes, as long as the shortest.
fn best_of_alternation(infos: Vec<Info>) -> Option<Run> {
    infos.into_iter().try_fold(None, |all: Option<Run>, sub| {
        let run = sub.best?;
        Some(Some(match all {
            None => run,
            Some(all) => {
                let class = all.class.union(&run.class);
                let before = all.before.and_then(|a| Some(a.max(run.before?)));
                let after = all.after.and_then(|a| Some(a.max(run.after?)));
                Uniform { class, len: all.len.min(run.len) }.run(before, after)?
            }
        }))
    })?
}

fn best_of_concat(subs: &[Hir], infos: Vec<Info>) -> Option<Run> {
    // The longest that the parts up to each can be together, and from each on.
    let mut before = vec![Some(0)];
    let mut after = vec![Some(0)];
    for (first, last) in subs.iter().zip(subs.iter().rev()) {
        before.push(add(before[before.len() - 1], longest(first)));
        after.push(add(after[after.len() - 1], longest(last)));
    }
    after.reverse();
    let uniforms: Vec<Uniform> = infos.iter().map(|sub| sub.uniform).collect();
    let mut found = None;
    for (start, sub) in infos.into_iter().enumerate() {
        let inside = sub.best.map(|run| Run {
            before: add(before[start], run.before),
            after: add(run.after, after[start + 1]),
            ..run
        });
        found = rarer(found, inside);
        let mut all = Uniform { class: ByteSet::EMPTY, len: 0 };
        for end in start..subs.len().min(start + MAX_PARTS) {
            all.class = all.class.union(&uniforms[end].class);
            all.len = all.len.saturating_add(uniforms[end].len);
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
    fn the_rarest_run_is_chosen() {
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
            let hir = regex_syntax::ParserBuilder::new()
                .utf8(false)
                .unicode(false)
                .build()
                .parse(pattern)
                .unwrap();
            let found = required_run(&hir).map(|run| {
                let class: String =
                    (0..=255u8).filter(|&b| run.class.contains(b)).map(char::from).collect();
                (class, run.len, run.before, run.after)
            });
            let expected = expected.map(|(class, len, b, a)| (class.to_owned(), len, b, a));
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
