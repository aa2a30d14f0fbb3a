//! Common prefixes of alternatives.
//!
//! In `(?:x{1,4}:){7}A|(?:x{1,4}:){6}B|(?:x{1,4}:){5}C`, as patterns of IPv6 addresses begin, a backtracking matcher
//! reads the same run of `x` for each alternative. In `x{1,4}:x{1,4}:..(?:x{1,4}:(?:x{1,4}:A|B)|C)` it is read once.
//!
//! This may not change which match is preferred. It does not where the prefix matches the text at a place in one way at
//! most, since then the ways of the first alternative still come before those of the second. So a prefix consists of
//! characters, classes, assertions, and runs of a class that are continued by a byte which is not in it; `.*a|.*b` is
//! left as it is. Only alternatives that are next to one another are compared, and only those that begin with a run:
//! reading a common byte again costs less than one more list of choices. (With all prefixes, verifying with the rules
//! of uap-core takes 3% more instructions.)

use std::collections::VecDeque;

use regex_syntax::hir::{Hir, HirKind, Literal, Repetition};

use crate::pure::literal::ByteSet;
use crate::pure::mechanism;

/// How deep factored alternatives may nest. Patterns are walked by recursion.
const MAX_DEPTH: usize = 24;
/// The largest number of times that a part is divided, in all alternatives of a pattern.
const MAX_DIVISIONS: usize = 16 << 10;
/// Copies of a repetition are divided from it if it repeats at most this number of parts.
const MAX_REPEATED: usize = 4;

/// The pattern with common prefixes of its alternatives factored out, or `None` if none of them begin with the same
/// run. Takes time in proportion to the pattern, with the repetitions that are divided written out.
pub(super) fn factor(hir: &Hir) -> Option<Hir> {
    let is_used = mechanism::common_prefixes() && has_common_prefix(hir);
    is_used.then(|| Factoring { left: MAX_DIVISIONS }.part(hir.clone(), 0))
}

/// Whether some alternatives next to one another begin with the same run. Builds nothing, since few patterns have such.
fn has_common_prefix(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
        HirKind::Capture(capture) => has_common_prefix(&capture.sub),
        HirKind::Repetition(repetition) => has_common_prefix(&repetition.sub),
        HirKind::Concat(subs) => subs.iter().any(has_common_prefix),
        HirKind::Alternation(subs) => {
            let firsts = || subs.iter().map(leading_run);
            let mut pairs = firsts().zip(firsts().skip(1));
            pairs.any(|(a, b)| a.is_some() && a == b) || subs.iter().any(has_common_prefix)
        }
    }
}

/// The repetition of a class that a pattern begins with, if it does.
fn leading_run(hir: &Hir) -> Option<&Hir> {
    match hir.kind() {
        HirKind::Capture(capture) => leading_run(&capture.sub),
        HirKind::Concat(subs) => leading_run(&subs[0]),
        HirKind::Repetition(repetition) if is_written_out(repetition) => {
            leading_run(&repetition.sub)
        }
        HirKind::Repetition(repetition) => ByteSet::of_byte(&repetition.sub).map(|_| hir),
        _ => None,
    }
}

/// An alternative, as the parts that it is a sequence of.
type Parts = VecDeque<Hir>;

struct Factoring {
    /// The number of times that a part may still be divided.
    left: usize,
}

impl Factoring {
    fn part(&mut self, hir: Hir, depth: usize) -> Hir {
        match hir.into_kind() {
            HirKind::Empty => Hir::empty(),
            HirKind::Literal(Literal(bytes)) => Hir::literal(bytes),
            HirKind::Class(class) => Hir::class(class),
            HirKind::Look(look) => Hir::look(look),
            HirKind::Capture(capture) => self.part(*capture.sub, depth),
            HirKind::Repetition(mut repetition) => {
                *repetition.sub = self.part(*repetition.sub, depth);
                Hir::repetition(repetition)
            }
            HirKind::Concat(subs) => self.sequence(subs, depth),
            HirKind::Alternation(subs) => {
                self.alternation(subs.into_iter().map(|sub| Parts::from([sub])).collect(), depth)
            }
        }
    }

    fn alternation(&mut self, mut alternatives: Vec<Parts>, depth: usize) -> Hir {
        let mut factored = Vec::new();
        let mut rest = &mut alternatives[..];
        while let Some((first, others)) = rest.split_first_mut() {
            let has_run = first.front().and_then(leading_run).is_some();
            let mut same = 1;
            if has_run && depth < MAX_DEPTH && self.has_common_part(first) {
                let count = others.len();
                let differs = |other| !self.begins_with(other, first);
                same += others.iter_mut().position(differs).unwrap_or(count);
            }
            let group;
            (group, rest) = rest.split_at_mut(same);
            if let [alternative] = group {
                factored.push(self.sequence(std::mem::take(alternative), depth));
                continue;
            }
            let mut prefix = self.take_prefix(group);
            let group = group.iter_mut().map(std::mem::take).collect();
            prefix.push(self.alternation(group, depth + 1));
            factored.push(Hir::concat(prefix));
        }
        Hir::alternation(factored)
    }

    /// Removes what all alternatives of a group begin with. It is known that they have their first part in common.
    fn take_prefix(&mut self, group: &mut [Parts]) -> Vec<Hir> {
        let mut prefix = Vec::new();
        loop {
            let (first, others) = group.split_first_mut().expect("a group has alternatives");
            prefix.extend(first.pop_front());
            others.iter_mut().for_each(|other| drop(other.pop_front()));
            let mut others = others.iter_mut();
            if !self.has_common_part(first) || !others.all(|other| self.begins_with(other, first)) {
                return prefix;
            }
        }
    }

    /// Whether an alternative begins with the same part as `first`, which is one that may be in common.
    fn begins_with(&mut self, other: &mut Parts, first: &Parts) -> bool {
        self.has_common_part(other) && other.front() == first.front()
    }

    fn sequence(&mut self, parts: impl IntoIterator<Item = Hir>, depth: usize) -> Hir {
        Hir::concat(parts.into_iter().map(|part| self.part(part, depth)).collect())
    }

    /// Whether an alternative begins with a part that matches in one way at most at each place where the alternative
    /// matches. Divides the first parts.
    fn has_common_part(&mut self, parts: &mut Parts) -> bool {
        self.divide(parts, 0);
        let Some(first) = parts.front() else { return false };
        match first.kind() {
            HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
            HirKind::Repetition(Repetition { min, max, sub, .. }) => {
                let Some(class) = ByteSet::of_byte(sub) else { return false };
                if *max == Some(*min) {
                    return true;
                }
                self.divide(parts, 1);
                let next = parts.get(1).and_then(ByteSet::of_byte);
                next.is_some_and(|next| next.is_disjoint(&class))
            }
            _ => false,
        }
    }

    /// Divides part number `index` until it is a character, a class, an assertion, a repeated class or what can't be
    /// divided.
    fn divide(&mut self, parts: &mut Parts, index: usize) {
        while parts.get(index).is_some_and(can_divide)
            && let Some(left) = self.left.checked_sub(1)
        {
            self.left = left;
            let part = parts.remove(index).expect("the part that can be divided");
            // At the front of a queue, this moves no other parts.
            match part.into_kind() {
                HirKind::Concat(subs) => {
                    subs.into_iter().rev().for_each(|sub| parts.insert(index, sub));
                }
                HirKind::Capture(capture) => parts.insert(index, *capture.sub),
                HirKind::Literal(Literal(bytes)) => {
                    parts.insert(index, Hir::literal(&bytes[1..]));
                    parts.insert(index, Hir::literal([bytes[0]]));
                }
                HirKind::Repetition(mut repetition) => {
                    let sub = (*repetition.sub).clone();
                    repetition.min -= 1;
                    repetition.max = repetition.max.map(|max| max - 1);
                    parts.insert(index, Hir::repetition(repetition));
                    parts.insert(index, sub);
                }
                // Nothing is left of it.
                _ => {}
            }
        }
    }
}

/// Whether a part is divided where it comes first.
fn can_divide(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Empty | HirKind::Concat(_) | HirKind::Capture(_) => true,
        HirKind::Literal(literal) => literal.0.len() > 1,
        HirKind::Repetition(repetition) => is_written_out(repetition),
        HirKind::Class(_) | HirKind::Look(_) | HirKind::Alternation(_) => false,
    }
}

/// Whether copies of a repetition are divided from it. Those of a class are not, since it is a run.
fn is_written_out(repetition: &Repetition) -> bool {
    let parts = match repetition.sub.kind() {
        HirKind::Concat(subs) => subs.len(),
        _ => 1,
    };
    repetition.min > 0
        && parts <= MAX_REPEATED
        && ByteSet::of_byte(&repetition.sub).is_none()
        && repetition.sub.properties().minimum_len().is_some_and(|len| len > 0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn common_prefixes_that_match_in_one_way_are_factored_out() {
        for (pattern, expected) in [
            ("a+b|a+c", "a+(?:b|c)"),
            ("x(?:a+b|a+c)*y", "x(?:a+(?:b|c))*y"),
            ("x|a+bcd|a+bce|y|a+bf", "x|a+bc(?:d|e)|y|a+bf"),
            ("[0-9]+?:x|[0-9]+?:y", "[0-9]+?:(?:x|y)"),
            ("a{3}b|a{3}c", "a{3}(?:b|c)"),
            (r"a+\b|a+c", r"a+\b|a+c"),
            (r"a+b\bc|a+b\bd", r"a+b\b(?:c|d)"),
            ("a+b|(a+b)c", "a+b(?:|c)"),
            ("(?:a+b){3}c|(?:a+b){2,}d|e", "a+ba+b(?:a+bc|(?:a+b)*d)|e"),
            ("(?:a+b){1,2}c|a+b(?:a+b)?d", "a+b(?:(?:a+b)?c|(?:a+b)?d)"),
            // The run may end at several places, or differs.
            ("a+[ab]c|a+[ab]d", "a+[ab]c|a+[ab]d"),
            ("a+c|a+?c", "a+c|a+?c"),
            ("a{1,2}b|a{1,3}b", "a{1,2}b|a{1,3}b"),
            ("(?:a+b)*c|(?:a+b)*d", "(?:a+b)*c|(?:a+b)*d"),
            ("(?:a*){2}b|(?:a*){2}c", "(?:a*){2}b|(?:a*){2}c"),
            // Too many parts are repeated.
            ("(?:a+b[xy]c[xy]){2}d|a+b[xy]c[xy]e", "(?:a+b[xy]c[xy]){2}d|a+b[xy]c[xy]e"),
        ] {
            let hir = parse(pattern);
            let found = factor(&hir).unwrap_or(hir);
            assert_eq!(found.to_string(), parse(expected).to_string(), "{pattern}");
        }
    }

    #[test]
    fn patterns_without_common_runs_are_not_copied() {
        for pattern in ["ab|ac", "a+b|x|a+c", "[ab]c|[ab]d", "(?:a+b|c)d"] {
            assert!(factor(&parse(pattern)).is_none(), "{pattern}");
        }
    }

    #[test]
    fn alternatives_nest_no_deeper_than_the_limit() {
        let alternatives = (1..200).map(|copies| format!("(?:a+b){{{copies}}}c"));
        let pattern = alternatives.collect::<Vec<_>>().join("|");
        fn depth(hir: &Hir) -> usize {
            match hir.kind() {
                HirKind::Alternation(subs) => 1 + subs.iter().map(depth).max().unwrap(),
                HirKind::Concat(subs) => subs.iter().map(depth).max().unwrap(),
                _ => 0,
            }
        }
        assert_eq!(depth(&factor(&parse(&pattern)).unwrap()), MAX_DEPTH);
    }
}
