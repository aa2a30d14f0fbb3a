//! The literals of each part of a pattern: what its matches start with, end with and contain.
//!
//! One bottom-up walk over the HIR computes three sets for each part: prefixes, suffixes, and the
//! best set inside, as RE2's `prefilter.cc` and `regex-syntax`'s literal extractor do. A part is
//! *exact* while its prefixes are all the strings that it matches; exact parts that follow one
//! another are joined by concatenating each string of one with each of the other, so that `ab[cd]e`
//! gives `abce` and `abde`. Limits on the number and the length of literals keep sets small; a part
//! that exceeds them is no longer exact, which loses precision but never a match.
//!
//! In contrast to both models, each set has the largest distance of its literals from the ends of
//! a match, so that a candidate is verified within a window and not in the whole record.
//!
//! The time is linear in the HIR as it is written, times the limits below. Counted repetitions are
//! unrolled at most [`MAX_LEN`] times.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::cube::{Cube, Literal};
use super::distance::{Bound, add_bounds, subtract_len};
use super::required::{RequiredLiterals, cheaper};

/// The maximum length of a literal, in bytes. Longer ones are only slightly rarer.
pub(super) const MAX_LEN: usize = 32;
/// The maximum number of literals in a set that joins classes and short alternatives.
const MAX_JOINED: usize = 64;
/// The maximum number of literals in the set of an alternation: high, for lists of words.
const MAX_UNION: usize = 4096;
/// The maximum number of characters in a class that is expanded.
const MAX_CLASS: usize = 16;

/// What is known about the strings that a part of a pattern matches.
#[derive(Clone, Debug)]
pub(super) struct PartLiterals {
    /// The length of the longest string.
    pub(super) longest: Bound,
    /// Whether `prefixes` are all the strings of this part.
    pub(super) exact: bool,
    /// Each string starts with one of these.
    pub(super) prefixes: Vec<Literal>,
    /// Each string ends with one of these. Empty if the part is exact, since they would be the prefixes.
    suffixes: Vec<Literal>,
    /// The cheapest set of literals found inside, of which each string contains one.
    inner: Option<RequiredLiterals>,
}

impl PartLiterals {
    /// A part that matches these strings and no others.
    fn exact(strings: Vec<Literal>) -> PartLiterals {
        let longest = strings.iter().map(|s| s.len() as u32).max();
        let mut part = PartLiterals {
            longest: Some(longest.unwrap_or(0)),
            exact: true,
            suffixes: Vec::new(),
            prefixes: strings,
            inner: None,
        };
        part.limit_lengths();
        part
    }

    /// Each string of this part ends with one of these.
    fn suffixes(&self) -> &[Literal] {
        if self.exact { &self.prefixes } else { &self.suffixes }
    }

    /// A part that matches this string alone.
    fn string(string: Literal) -> PartLiterals {
        let longest = Some(string.len() as u32);
        // If the string is cut, it is longer than what is left of it.
        PartLiterals { longest, ..PartLiterals::exact(vec![string]) }
    }

    /// A part that may match anything up to this length.
    fn unknown(longest: Bound) -> PartLiterals {
        PartLiterals {
            longest,
            exact: false,
            prefixes: vec![Literal::empty()],
            suffixes: vec![Literal::empty()],
            inner: None,
        }
    }

    /// Records that the part matches other strings than its prefixes, too.
    fn set_inexact(&mut self) {
        if std::mem::take(&mut self.exact) {
            self.suffixes = self.prefixes.clone();
        }
    }

    /// Cuts the literals to [`MAX_LEN`]. If some are longer, the part is no longer exact.
    fn limit_lengths(&mut self) {
        if longest(&self.prefixes).max(longest(&self.suffixes)) <= MAX_LEN {
            return;
        }
        self.set_inexact();
        self.prefixes = truncated(std::mem::take(&mut self.prefixes));
        for suffix in &mut self.suffixes {
            suffix.cubes.drain(..suffix.len().saturating_sub(MAX_LEN));
        }
        self.suffixes.sort();
        self.suffixes.dedup();
    }

    /// The cheapest set of literals of which each match of this part contains one.
    pub(super) fn into_cheapest(self) -> Option<RequiredLiterals> {
        let rest = |len| subtract_len(self.longest, len);
        let mut best = self.inner;
        // An exact part has no suffixes of its own.
        let sets = [(&self.prefixes, true), (&self.suffixes, false)];
        for (literals, at_start) in sets {
            let before = |len| if at_start { Some(0) } else { rest(len) };
            let after = |len| if at_start { rest(len) } else { Some(0) };
            let found = RequiredLiterals::if_cheaper(literals, before, after, None, best.as_ref());
            best = found.or(best);
        }
        best
    }

    /// The literals of this part followed by `next`.
    pub(super) fn join(mut self, mut next: PartLiterals) -> PartLiterals {
        let length = add_bounds(self.longest, next.longest);
        let fits = longest(&self.prefixes) + longest(&next.prefixes) <= MAX_LEN;
        if self.exact && next.exact && fits && append(&mut self.prefixes, &next.prefixes) {
            return PartLiterals { longest: length, ..self };
        }
        // If strings are cut, their rarest bytes may be lost with the middle. The set inside keeps a
        // window of them.
        let inner = join_inner(&mut self, &mut next);
        let is_exact = self.exact;
        self.set_inexact();
        let PartLiterals { mut prefixes, mut suffixes, .. } = self;
        if is_exact {
            append(&mut prefixes, &next.prefixes);
        }
        if !next.exact || !append(&mut suffixes, &next.prefixes) {
            next.set_inexact();
            suffixes = next.suffixes;
        }
        let mut joined = PartLiterals { longest: length, exact: false, prefixes, suffixes, inner };
        joined.limit_lengths();
        joined
    }
}

/// The length of the longest of these literals.
fn longest(literals: &[Literal]) -> usize {
    literals.iter().map(Literal::len).max().unwrap_or(0)
}

/// Cuts each literal to its first [`MAX_LEN`] bytes.
pub(super) fn truncated(mut prefixes: Vec<Literal>) -> Vec<Literal> {
    if prefixes.iter().any(|p| p.len() > MAX_LEN) {
        for prefix in &mut prefixes {
            prefix.cubes.truncate(MAX_LEN);
        }
        prefixes.sort();
        prefixes.dedup();
    }
    prefixes
}

/// Replaces `strings` by each of them followed by each of `next`. Does nothing and returns `false` if
/// these are too many.
pub(super) fn append(strings: &mut Vec<Literal>, next: &[Literal]) -> bool {
    if let [next] = next {
        strings.iter_mut().for_each(|string| string.cubes.extend_from_slice(&next.cubes));
        return true;
    }
    let Some(joined) = concatenations(strings, next) else { return false };
    *strings = joined;
    true
}

/// Each string of `a` followed by each of `b`, or `None` if these are too many.
fn concatenations(a: &[Literal], b: &[Literal]) -> Option<Vec<Literal>> {
    if a.len().checked_mul(b.len())? > MAX_JOINED.max(a.len()).max(b.len()) {
        return None;
    }
    let mut all: Vec<Literal> = a.iter().flat_map(|a| b.iter().map(move |b| a.concat(b))).collect();
    all.sort();
    all.dedup();
    Some(all)
}

/// Computes the literals of a part.
pub(super) fn part_literals(hir: &Hir) -> PartLiterals {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => PartLiterals::exact(vec![Literal::empty()]),
        HirKind::Literal(literal) => PartLiterals::string(Literal::exact(&literal.0)),
        HirKind::Class(class) => class_literals(class),
        HirKind::Capture(capture) => part_literals(&capture.sub),
        HirKind::Repetition(repetition) => repetition_literals(repetition),
        HirKind::Concat(subs) => literals_of_parts(subs)
            .into_iter()
            .map(|(_, part)| part)
            .reduce(PartLiterals::join)
            .unwrap_or_else(|| PartLiterals::exact(vec![Literal::empty()])),
        HirKind::Alternation(subs) => alternation_literals(subs),
    }
}

/// The literals of the parts of a concatenation, and which parts they are of. Successive parts that stand for one
/// string each, as those of a case-insensitive literal, are joined.
pub(super) fn literals_of_parts(parts: &[Hir]) -> Vec<(Range<usize>, PartLiterals)> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let mut string = Literal::empty();
        let strings = parts[at..].iter().take_while(|part| push_string(part, &mut string)).count();
        let (end, part) = match strings {
            0 => (at + 1, part_literals(&parts[at])),
            _ => (at + strings, PartLiterals::string(string)),
        };
        all.push((at..end, part));
        at = end;
    }
    all
}

/// Adds the string that `hir` stands for, if it is one that is not empty.
fn push_string(hir: &Hir, string: &mut Literal) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            string.cubes.extend(literal.0.iter().map(|&byte| Cube::exact(byte)));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let Some(cube) = Cube::of(class) else { return false };
            if string.is_empty() {
                // Mostly the first of many letters.
                string.cubes.reserve(MAX_LEN / 2);
            }
            string.cubes.push(cube);
        }
        _ => return false,
    }
    true
}

fn class_literals(class: &Class) -> PartLiterals {
    let longest = class.maximum_len().map(|len| len as u32);
    match class {
        Class::Bytes(class) => {
            let count: usize = class.ranges().iter().map(|r| r.len()).sum();
            if count > MAX_CLASS {
                return PartLiterals::unknown(longest);
            }
            let bytes: Vec<u8> = class.ranges().iter().flat_map(|r| r.start()..=r.end()).collect();
            PartLiterals::exact(
                Cube::cover(&bytes).into_iter().map(|c| Literal { cubes: vec![c] }).collect(),
            )
        }
        Class::Unicode(class) => {
            let count: usize = class.ranges().iter().map(|r| r.len()).sum();
            if count > MAX_CLASS {
                return PartLiterals::unknown(longest);
            }
            let chars = class.ranges().iter().flat_map(|r| r.start()..=r.end());
            let (ascii, others): (Vec<char>, Vec<char>) = chars.partition(char::is_ascii);
            let ascii: Vec<u8> = ascii.into_iter().map(|c| c as u8).collect();
            let ascii = Cube::cover(&ascii).into_iter().map(|c| Literal { cubes: vec![c] });
            let others =
                others.iter().map(|c| Literal::exact(c.encode_utf8(&mut [0; 4]).as_bytes()));
            PartLiterals::exact(ascii.chain(others).collect())
        }
    }
}

fn repetition_literals(repetition: &Repetition) -> PartLiterals {
    let sub = part_literals(&repetition.sub);
    let longest = match repetition.max {
        Some(0) => Some(0),
        Some(max) => sub.longest.and_then(|longest| longest.checked_mul(max)),
        None if sub.longest == Some(0) => Some(0),
        None => None,
    };
    if repetition.min == 0 {
        if repetition.max == Some(1) && sub.exact && sub.prefixes.len() < MAX_JOINED {
            let mut strings = sub.prefixes;
            strings.push(Literal::empty());
            strings.sort();
            strings.dedup();
            return PartLiterals::exact(strings);
        }
        return PartLiterals::unknown(longest);
    }
    // Joins as many copies as every match has, until the set or its strings get too large.
    let mut copies = 1;
    let mut all = sub.clone();
    while copies < repetition.min && all.exact && (copies as usize) < MAX_LEN {
        all = all.join(sub.clone());
        copies += 1;
    }
    if all.exact && repetition.max == Some(copies) {
        return all;
    }
    // A set found inside the joined copies may be in any of the copies, so the only bound of its
    // distances is the whole length.
    let inner =
        all.inner.take().map(|inner| RequiredLiterals { before: longest, after: longest, ..inner });
    all.set_inexact();
    PartLiterals { longest, inner, ..all }
}

fn alternation_literals(subs: &[Hir]) -> PartLiterals {
    let branches: Vec<PartLiterals> = subs.iter().map(part_literals).collect();
    let longest = branches.iter().try_fold(0, |max: u32, branch| Some(max.max(branch.longest?)));
    let exact = branches.iter().all(|branch| branch.exact)
        && branches.iter().map(|branch| branch.prefixes.len()).sum::<usize>() <= MAX_UNION;
    let union = |set: &dyn Fn(&PartLiterals) -> &[Literal]| {
        let mut all: Vec<Literal> = branches.iter().flat_map(|b| set(b).iter().cloned()).collect();
        all.sort();
        all.dedup();
        if all.len() > MAX_UNION { vec![Literal::empty()] } else { all }
    };
    let prefixes = union(&|part| &part.prefixes);
    if exact {
        return PartLiterals { longest, exact, prefixes, suffixes: Vec::new(), inner: None };
    }
    let suffixes = union(&PartLiterals::suffixes);
    // A match contains a literal of one branch, so the set needs literals of every branch. If a
    // branch has none, there is no set.
    let inner = branches
        .into_iter()
        .map(PartLiterals::into_cheapest)
        .try_fold(None, |all: Option<RequiredLiterals>, best| {
            let best = best?;
            Some(Some(match all {
                None => best,
                Some(mut all) => {
                    all.literals.extend(best.literals);
                    all.frequency += best.frequency;
                    all.before = all.before.and_then(|a| Some(a.max(best.before?)));
                    all.after = all.after.and_then(|a| Some(a.max(best.after?)));
                    all
                }
            }))
        })
        .flatten()
        .filter(|all| all.literals.len() <= MAX_UNION);
    PartLiterals { longest, exact, prefixes, suffixes, inner }
}

/// The cheapest set inside `a` followed by `b`, including literals that span the joint.
fn join_inner(a: &mut PartLiterals, b: &mut PartLiterals) -> Option<RequiredLiterals> {
    let of_a = a.inner.take().map(|required| RequiredLiterals {
        after: add_bounds(required.after, b.longest),
        ..required
    });
    let of_b = b.inner.take().map(|required| RequiredLiterals {
        before: add_bounds(a.longest, required.before),
        ..required
    });
    // In an exact part, a suffix or prefix is all of the part, so it starts or ends where that does.
    let before = |len| if a.exact { Some(0) } else { subtract_len(a.longest, len) };
    let after = |len| if b.exact { Some(0) } else { subtract_len(b.longest, len) };
    let mut best = cheaper(of_a, of_b);
    let left = a.suffixes();
    let found = RequiredLiterals::if_cheaper(left, before, |_| b.longest, None, best.as_ref());
    best = found.or(best);
    let right = &b.prefixes;
    let found = RequiredLiterals::if_cheaper(right, |_| a.longest, after, None, best.as_ref());
    best = found.or(best);
    // The joined literals are at least as many as those of each side.
    let size = left.len().max(right.len());
    if best.as_ref().is_none_or(|best| !best.is_cheaper_than_any_of_size(size))
        && let Some(joined) = concatenations(left, right)
    {
        // The joint may be anywhere in a joined literal. The shortest suffix and prefix give the
        // largest distances.
        let shortest = |set: &[Literal]| set.iter().map(Literal::len).min().unwrap_or(0);
        let before = before(shortest(left));
        let after = after(shortest(right));
        let found =
            RequiredLiterals::if_cheaper(&joined, |_| before, |_| after, None, best.as_ref());
        best = found.or(best);
    }
    best
}
