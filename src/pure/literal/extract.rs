//! The best set of required literals of one pattern.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::{ByteSet, Cube, Literal, lead, rank};

/// No literal is longer: a longer one is hardly rarer.
pub(super) const MAX_LEN: usize = 32;
/// The largest set that crossing classes and short alternatives may make.
const MAX_CROSS: usize = 64;
/// The largest set that an alternation may make: a list of words is one literal each.
const MAX_UNION: usize = 4096;
/// The largest class that is taken apart into bytes.
const MAX_CLASS: usize = 16;
/// A set that is expected more often than this, per byte of text, is no use as a filter.
pub(super) const MAX_FREQUENCY: f64 = 1.0 / 64.0;

/// What one more literal costs, as the frequency of candidates that would cost as much.
const LITERAL_COST: f64 = 1e-6;

/// The largest distance in bytes, or `None` if there is no bound.
pub(crate) type Bound = Option<u32>;

pub(crate) fn add(a: Bound, b: Bound) -> Bound {
    a?.checked_add(b?)
}

/// The length of the longest string that `hir` matches.
pub(crate) fn longest(hir: &Hir) -> Bound {
    u32::try_from(hir.properties().maximum_len()?).ok()
}

pub(super) fn subtract(a: Bound, len: usize) -> Bound {
    Some(a?.saturating_sub(len as u32))
}

/// A set of literals of which every match contains at least one.
#[derive(Clone, Debug)]
pub(crate) struct Required {
    /// The literals; never empty, and none of them is.
    pub(crate) literals: Vec<Literal>,
    /// From the start of a match to the start of the literal in it, at most.
    pub(crate) before: Bound,
    /// From the end of the literal to the end of the match, at most.
    pub(crate) after: Bound,
    /// How often one of the literals is expected at a given position of ordinary text.
    pub(crate) frequency: f64,
    /// If every match of the pattern's parts from one on starts with one of the literals: the
    /// first of these parts, as [`split`](super::split) counts them.
    pub(crate) split: Option<usize>,
    /// The sets of the bytes that then follow the literal, as far as that is known.
    pub(crate) follow: Vec<ByteSet>,
}

impl Required {
    /// Whether it costs less than so many literals do that are never found.
    pub(super) fn beats(&self, literals: usize) -> bool {
        self.cost() <= literals as f64 * LITERAL_COST
    }

    /// What it costs to search by these literals, as the frequency of candidates of the cheapest
    /// kind that would cost as much.
    fn cost(&self) -> f64 {
        let confirmation = match (self.split, self.before, self.after) {
            (Some(0), ..) => 1.0,
            (Some(_), ..) => 1.1,
            (None, Some(before), Some(after)) => {
                2.0 + f64::from(before.saturating_add(after)) / 64.0
            }
            _ => 4.0,
        };
        self.frequency * confirmation + self.literals.len() as f64 * LITERAL_COST
    }
}

/// Finds the rarest set of literals that every match of `hir` must contain one of, or `None` if
/// there is none that is rare enough to filter by.
///
/// Takes time in proportion to the HIR as written, times the limits on sets.
pub(crate) fn required(hir: &Hir) -> Option<Required> {
    let infos = lead::infos(hir);
    let leading = lead::leading_of(lead::parts(hir), &infos, &|_| true);
    let inside = infos.into_iter().reduce(join).and_then(Info::into_best);
    let mut best = better(leading, inside)?;
    best.literals.sort();
    best.literals.dedup();
    (best.frequency <= MAX_FREQUENCY).then_some(best)
}

/// What is known of the strings that a part of a pattern matches.
#[derive(Clone, Debug)]
pub(super) struct Info {
    /// The longest of them.
    longest: Bound,
    /// All of them, if they are few; `prefixes` and `suffixes` are then the same.
    pub(super) exact: bool,
    /// Each of them starts with one of these.
    pub(super) prefixes: Vec<Literal>,
    /// Each of them ends with one of these.
    suffixes: Vec<Literal>,
    /// Each of them contains one of these: the best found inside, apart from the above.
    inner: Option<Required>,
}

impl Info {
    fn exact(strings: Vec<Literal>) -> Info {
        let longest = strings.iter().map(|s| s.len() as u32).max();
        let mut info = Info {
            longest: Some(longest.unwrap_or(0)),
            exact: true,
            suffixes: strings.clone(),
            prefixes: strings,
            inner: None,
        };
        info.trim();
        info
    }

    fn unknown(longest: Bound) -> Info {
        Info {
            longest,
            exact: false,
            prefixes: vec![Literal::empty()],
            suffixes: vec![Literal::empty()],
            inner: None,
        }
    }

    /// Keeps the literals within `MAX_LEN`.
    fn trim(&mut self) {
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

    /// The best set there is for this part alone.
    fn into_best(self) -> Option<Required> {
        let longest = self.longest;
        let prefixes = place(&self.prefixes, |_| Some(0), |len| subtract(longest, len));
        let suffixes = place(&self.suffixes, |len| subtract(longest, len), |_| Some(0));
        better(self.inner, better(prefixes, suffixes))
    }
}

/// The first `MAX_LEN` bytes of each.
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

/// Makes a set of `literals`, whose distances are the largest over all of them.
pub(super) fn place(
    literals: &[Literal],
    before: impl Fn(usize) -> Bound,
    after: impl Fn(usize) -> Bound,
) -> Option<Required> {
    if literals.is_empty() || literals.iter().any(Literal::is_empty) {
        return None;
    }
    let largest = |bound: &dyn Fn(usize) -> Bound| {
        literals.iter().try_fold(0, |max: u32, l| Some(max.max(bound(l.len())?)))
    };
    Some(Required {
        before: largest(&before),
        after: largest(&after),
        frequency: literals.iter().map(rank::literal).sum(),
        literals: literals.to_vec(),
        split: None,
        follow: Vec::new(),
    })
}

/// The set that costs less: by how often it is found, and by how many literals must be held.
pub(super) fn better(a: Option<Required>, b: Option<Required>) -> Option<Required> {
    // Of equal sets, the one that leaves less to search around it.
    let key = |r: &Required| (r.cost(), r.before.unwrap_or(u32::MAX), r.after.unwrap_or(u32::MAX));
    match (a, b) {
        (Some(a), Some(b)) => Some(if key(&b) < key(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// All strings of `a` followed by all of `b`, unless they are too many.
pub(super) fn cross(a: &[Literal], b: &[Literal]) -> Option<Vec<Literal>> {
    if a.len().checked_mul(b.len())? > MAX_CROSS.max(a.len()).max(b.len()) {
        return None;
    }
    let mut all: Vec<Literal> = a.iter().flat_map(|a| b.iter().map(move |b| a.concat(b))).collect();
    all.sort();
    all.dedup();
    Some(all)
}

pub(super) fn info(hir: &Hir) -> Info {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Info::exact(vec![Literal::empty()]),
        HirKind::Literal(literal) => {
            let mut info = Info::exact(vec![Literal::exact(&literal.0)]);
            info.longest = Some(literal.0.len() as u32);
            info
        }
        HirKind::Class(class) => class_info(class),
        HirKind::Capture(capture) => info(&capture.sub),
        HirKind::Repetition(repetition) => repetition_info(repetition),
        HirKind::Concat(subs) => subs
            .iter()
            .map(info)
            .reduce(join)
            .unwrap_or_else(|| Info::exact(vec![Literal::empty()])),
        HirKind::Alternation(subs) => alternation_info(subs),
    }
}

fn class_info(class: &Class) -> Info {
    let longest = class.maximum_len().map(|len| len as u32);
    match class {
        Class::Bytes(class) => {
            let count: usize = class.ranges().iter().map(|r| r.len()).sum();
            if count > MAX_CLASS {
                return Info::unknown(longest);
            }
            let bytes: Vec<u8> = class.ranges().iter().flat_map(|r| r.start()..=r.end()).collect();
            Info::exact(
                Cube::cover(&bytes).into_iter().map(|c| Literal { cubes: vec![c] }).collect(),
            )
        }
        Class::Unicode(class) => {
            let count: usize = class.ranges().iter().map(|r| r.len()).sum();
            if count > MAX_CLASS {
                return Info::unknown(longest);
            }
            let chars = class.ranges().iter().flat_map(|r| r.start()..=r.end());
            let (ascii, others): (Vec<char>, Vec<char>) = chars.partition(char::is_ascii);
            let ascii: Vec<u8> = ascii.into_iter().map(|c| c as u8).collect();
            let ascii = Cube::cover(&ascii).into_iter().map(|c| Literal { cubes: vec![c] });
            let others =
                others.iter().map(|c| Literal::exact(c.encode_utf8(&mut [0; 4]).as_bytes()));
            Info::exact(ascii.chain(others).collect())
        }
    }
}

fn repetition_info(repetition: &Repetition) -> Info {
    let sub = info(&repetition.sub);
    let longest = match repetition.max {
        Some(0) => Some(0),
        Some(max) => sub.longest.and_then(|longest| longest.checked_mul(max)),
        None if sub.longest == Some(0) => Some(0),
        None => None,
    };
    if repetition.min == 0 {
        if repetition.max == Some(1) && sub.exact && sub.prefixes.len() < MAX_CROSS {
            let mut strings = sub.prefixes;
            strings.push(Literal::empty());
            strings.sort();
            strings.dedup();
            return Info::exact(strings);
        }
        return Info::unknown(longest);
    }
    // As many copies as are sure to be there, until the set or the strings get too large.
    let mut copies = 1;
    let mut all = sub.clone();
    while copies < repetition.min && all.exact && (copies as usize) < MAX_LEN {
        all = join(all, sub.clone());
        copies += 1;
    }
    if all.exact && repetition.max == Some(copies) {
        return all;
    }
    // What is left out lies before or behind what was found, in any of the repeats.
    let inner = all.inner.map(|inner| Required { before: longest, after: longest, ..inner });
    Info { longest, exact: false, inner, ..all }
}

fn alternation_info(subs: &[Hir]) -> Info {
    let infos: Vec<Info> = subs.iter().map(info).collect();
    let longest = infos.iter().try_fold(0, |max: u32, i| Some(max.max(i.longest?)));
    let exact = infos.iter().all(|i| i.exact)
        && infos.iter().map(|i| i.prefixes.len()).sum::<usize>() <= MAX_UNION;
    let union = |set: &dyn Fn(&Info) -> &[Literal]| {
        let mut all: Vec<Literal> = infos.iter().flat_map(|i| set(i).iter().cloned()).collect();
        all.sort();
        all.dedup();
        if all.len() > MAX_UNION { vec![Literal::empty()] } else { all }
    };
    let prefixes = union(&|i| &i.prefixes);
    let suffixes = union(&|i| &i.suffixes);
    if exact {
        return Info { longest, exact, prefixes, suffixes, inner: None };
    }
    // Every alternative needs a literal of its own.
    let inner = infos
        .into_iter()
        .map(Info::into_best)
        .try_fold(None, |all: Option<Required>, best| {
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
    Info { longest, exact, prefixes, suffixes, inner }
}

/// What is known of `a` followed by `b`.
fn join(a: Info, b: Info) -> Info {
    let longest = add(a.longest, b.longest);
    if a.exact
        && b.exact
        && let Some(strings) = cross(&a.prefixes, &b.prefixes)
    {
        let suffixes = strings.clone();
        let mut info = Info { longest, exact: true, suffixes, prefixes: strings, inner: None };
        if info.prefixes.iter().all(|p| p.len() <= MAX_LEN) {
            return info;
        }
        // Too long to be kept whole: the best window would be lost with the middle.
        info.inner = join_inner(&a, &b);
        info.trim();
        return info;
    }
    let inner = join_inner(&a, &b);
    let prefixes = match a.exact.then(|| cross(&a.prefixes, &b.prefixes)).flatten() {
        Some(prefixes) => prefixes,
        None => a.prefixes,
    };
    let suffixes = match b.exact.then(|| cross(&a.suffixes, &b.suffixes)).flatten() {
        Some(suffixes) => suffixes,
        None => b.suffixes,
    };
    let mut info = Info { longest, exact: false, prefixes, suffixes, inner };
    info.trim();
    info
}

/// The best set inside `a` followed by `b`, the joint between them included.
fn join_inner(a: &Info, b: &Info) -> Option<Required> {
    let shift_a = |r: &Required| Required { after: add(r.after, b.longest), ..r.clone() };
    let shift_b = |r: &Required| Required { before: add(a.longest, r.before), ..r.clone() };
    let best = better(a.inner.as_ref().map(shift_a), b.inner.as_ref().map(shift_b));
    // A literal that is all of a side starts or ends where that side does.
    let before = |len| if a.exact { Some(0) } else { subtract(a.longest, len) };
    let after = |len| if b.exact { Some(0) } else { subtract(b.longest, len) };
    let left = place(&a.suffixes, before, |_| b.longest);
    let right = place(&b.prefixes, |_| a.longest, after);
    let joint = cross(&a.suffixes, &b.prefixes).and_then(|joined| {
        // Where in a joined literal the joint is differs; the shortest parts bound it.
        let shortest = |set: &[Literal]| set.iter().map(Literal::len).min().unwrap_or(0);
        let before = before(shortest(&a.suffixes));
        let after = after(shortest(&b.prefixes));
        place(&joined, |_| before, |_| after)
    });
    better(better(best, joint), better(left, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(pattern: &str) -> Option<(Vec<String>, Bound, Bound)> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .build()
            .parse(pattern)
            .unwrap();
        let required = required(&hir)?;
        let show = |literal: &Literal| {
            literal
                .cubes()
                .iter()
                .map(|cube| match (cube.mask, cube.value) {
                    (0xDF, value) => format!("{}{}", value as char, (value | 0x20) as char),
                    (_, value) => (value as char).to_string(),
                })
                .collect()
        };
        Some((required.literals.iter().map(show).collect(), required.before, required.after))
    }

    #[test]
    fn the_rarest_required_literals_are_chosen() {
        type Case = (&'static str, Option<(&'static [&'static str], Bound, Bound)>);
        let cases: &[Case] = &[
            ("foobar", Some((&["foobar"], Some(0), Some(0)))),
            ("foo|quux", Some((&["foo", "quux"], Some(0), Some(1)))),
            (r"\w{2,5}secret\d+", Some((&["secret"], Some(5), None))),
            (r"\w*secret\d", Some((&["secret"], None, Some(1)))),
            ("(?i)key1", Some((&["KkEeYy1"], Some(0), Some(0)))),
            ("AKIA[0-9A-Z]{16}", Some((&["AKIA"], Some(0), Some(16)))),
            ("[a-c]{0,3}xyzzy", Some((&["xyzzy"], Some(3), Some(0)))),
            ("(?:abc)?xyzzy", Some((&["xyzzy"], Some(3), Some(0)))),
            (
                r"gh[pousr]_\w{36}",
                Some((&["gho_", "ghp_", "ghr_", "ghs_", "ghu_"], Some(0), Some(36))),
            ),
            (r"\bT3BlbkFJ\b", Some((&["T3BlbkFJ"], Some(0), Some(0)))),
            ("(?:qu){3}", Some((&["quququ"], Some(0), Some(0)))),
            ("[a-z]+", None),
            ("(?:zzzz)*", None),
            ("zzzz|a", None),
            ("", None),
            ("e", None),
        ];
        for (pattern, expected) in cases {
            let found = literals(pattern);
            let expected =
                expected.map(|(l, b, a)| (l.iter().map(|s| s.to_string()).collect(), b, a));
            assert_eq!(found, expected, "{pattern}");
        }
    }

    /// Long ones would take memory and time for each, and select no better.
    #[test]
    fn long_literals_are_cut_and_what_is_cut_off_counts_as_around_them() {
        let long = "secret".repeat(MAX_LEN);
        let len = long.len() as u32;
        let cut = len - MAX_LEN as u32;
        for (pattern, around) in [
            (long.clone(), [Some(0), Some(cut)]),
            (format!("{long}|{long}s"), [Some(0), Some(cut + 1)]),
            (format!("a?{long}"), [Some(1), Some(cut)]),
        ] {
            let (literals, before, after) = literals(&pattern).unwrap();
            assert!(
                !literals.is_empty() && literals.iter().all(|l| l.len() == MAX_LEN),
                "{pattern}"
            );
            assert_eq!([before, after], around, "{pattern}");
        }
    }
}
