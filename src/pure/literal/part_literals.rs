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

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::cube::{Cube, Literal};
use super::distance::{Bound, add_bounds, subtract};
use super::required::{RequiredLiterals, cheaper};

/// The maximum length of a literal, in bytes. A longer one is hardly rarer.
pub(super) const MAX_LEN: usize = 32;
/// The largest set that joining classes and short alternatives may make.
const MAX_JOINED: usize = 64;
/// The largest set that an alternation may make: a list of words is one literal each.
const MAX_UNION: usize = 4096;
/// The largest class that is expanded into its characters.
const MAX_CLASS: usize = 16;

/// What is known about the strings that a part of a pattern matches.
#[derive(Clone, Debug)]
pub(super) struct PartLiterals {
    /// The length of the longest string.
    longest: Bound,
    /// Whether `prefixes` are all the strings of this part; `suffixes` are then the same.
    pub(super) exact: bool,
    /// Each string starts with one of these.
    pub(super) prefixes: Vec<Literal>,
    /// Each string ends with one of these.
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
            suffixes: strings.clone(),
            prefixes: strings,
            inner: None,
        };
        part.limit_lengths();
        part
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

    /// Cuts the literals to [`MAX_LEN`]. If some are longer, the part is no longer exact.
    fn limit_lengths(&mut self) {
        if self.prefixes.iter().all(|p| p.len() <= MAX_LEN)
            && self.suffixes.iter().all(|s| s.len() <= MAX_LEN)
        {
            return;
        }
        self.exact = false;
        self.prefixes = truncated(std::mem::take(&mut self.prefixes));
        for suffix in &mut self.suffixes {
            suffix.cubes.drain(..suffix.len().saturating_sub(MAX_LEN));
        }
        self.suffixes.sort();
        self.suffixes.dedup();
    }

    /// The cheapest set of literals of which each match of this part contains one.
    pub(super) fn into_cheapest(self) -> Option<RequiredLiterals> {
        let rest = |len| subtract(self.longest, len);
        let prefixes = RequiredLiterals::new(&self.prefixes, |_| Some(0), rest);
        let suffixes = RequiredLiterals::new(&self.suffixes, rest, |_| Some(0));
        cheaper(self.inner, cheaper(prefixes, suffixes))
    }

    /// The literals of this part followed by `next`.
    pub(super) fn join(self, next: PartLiterals) -> PartLiterals {
        let (a, b) = (self, next);
        let longest = add_bounds(a.longest, b.longest);
        if a.exact
            && b.exact
            && let Some(strings) = concatenations(&a.prefixes, &b.prefixes)
        {
            let suffixes = strings.clone();
            let mut joined =
                PartLiterals { longest, exact: true, suffixes, prefixes: strings, inner: None };
            if joined.prefixes.iter().all(|p| p.len() <= MAX_LEN) {
                return joined;
            }
            // The strings are cut, which may lose the rarest bytes with the middle. The set inside
            // keeps a window of them.
            joined.inner = join_inner(&a, &b);
            joined.limit_lengths();
            return joined;
        }
        let inner = join_inner(&a, &b);
        let prefixes = match a.exact.then(|| concatenations(&a.prefixes, &b.prefixes)).flatten() {
            Some(prefixes) => prefixes,
            None => a.prefixes,
        };
        let suffixes = match b.exact.then(|| concatenations(&a.suffixes, &b.suffixes)).flatten() {
            Some(suffixes) => suffixes,
            None => b.suffixes,
        };
        let mut joined = PartLiterals { longest, exact: false, prefixes, suffixes, inner };
        joined.limit_lengths();
        joined
    }
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

/// Each string of `a` followed by each of `b`, or `None` if these are too many.
pub(super) fn concatenations(a: &[Literal], b: &[Literal]) -> Option<Vec<Literal>> {
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
        HirKind::Literal(literal) => {
            let mut part = PartLiterals::exact(vec![Literal::exact(&literal.0)]);
            // The string itself may have been cut.
            part.longest = Some(literal.0.len() as u32);
            part
        }
        HirKind::Class(class) => class_literals(class),
        HirKind::Capture(capture) => part_literals(&capture.sub),
        HirKind::Repetition(repetition) => repetition_literals(repetition),
        HirKind::Concat(subs) => subs
            .iter()
            .map(part_literals)
            .reduce(PartLiterals::join)
            .unwrap_or_else(|| PartLiterals::exact(vec![Literal::empty()])),
        HirKind::Alternation(subs) => alternation_literals(subs),
    }
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
        all.inner.map(|inner| RequiredLiterals { before: longest, after: longest, ..inner });
    PartLiterals { longest, exact: false, inner, ..all }
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
    let suffixes = union(&|part| &part.suffixes);
    if exact {
        return PartLiterals { longest, exact, prefixes, suffixes, inner: None };
    }
    // A match contains a literal of its own branch, so each branch adds some or there is no set.
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
fn join_inner(a: &PartLiterals, b: &PartLiterals) -> Option<RequiredLiterals> {
    let of_a = a.inner.as_ref().map(|required| RequiredLiterals {
        after: add_bounds(required.after, b.longest),
        ..required.clone()
    });
    let of_b = b.inner.as_ref().map(|required| RequiredLiterals {
        before: add_bounds(a.longest, required.before),
        ..required.clone()
    });
    // In an exact part, a suffix or prefix is all of the part, so it starts or ends where that does.
    let before = |len| if a.exact { Some(0) } else { subtract(a.longest, len) };
    let after = |len| if b.exact { Some(0) } else { subtract(b.longest, len) };
    let left = RequiredLiterals::new(&a.suffixes, before, |_| b.longest);
    let right = RequiredLiterals::new(&b.prefixes, |_| a.longest, after);
    let joint = concatenations(&a.suffixes, &b.prefixes).and_then(|joined| {
        // The joint may be anywhere in a joined literal. The shortest suffix and prefix give the
        // largest distances.
        let shortest = |set: &[Literal]| set.iter().map(Literal::len).min().unwrap_or(0);
        let before = before(shortest(&a.suffixes));
        let after = after(shortest(&b.prefixes));
        RequiredLiterals::new(&joined, |_| before, |_| after)
    });
    cheaper(cheaper(cheaper(of_a, of_b), joint), cheaper(left, right))
}
