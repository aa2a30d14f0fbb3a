//! The size of a pattern, in units that do not depend on the target.
//!
//! The memory of an automaton depends on the pointer width and on the engine. A limit on memory would
//! accept a pattern on one target and reject it on another. So the limit is on a count that is
//! computed from the HIR alone: about one for each byte or byte range that has a state in a Thompson
//! NFA and two for each group, with counted repeats multiplied out.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Returns the size of `hir`; saturates at `u64::MAX`. Costs time linear in the HIR as written,
/// whatever its repeat counts are.
pub(crate) fn size_of(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Class(Class::Unicode(class)) => class
            .ranges()
            .iter()
            .map(|range| range.end().len_utf8() as u64)
            .fold(1, u64::saturating_add),
        HirKind::Repetition(repetition) => {
            // An unbounded repeat has its minimum number of copies, and one that loops.
            let copies = match repetition.max {
                Some(max) => u64::from(max),
                None => u64::from(repetition.min) + 1,
            };
            size_of(&repetition.sub).saturating_add(1).saturating_mul(copies.max(1))
        }
        // One state at either end, in the automaton that finds the groups.
        HirKind::Capture(capture) => size_of(&capture.sub).saturating_add(2),
        HirKind::Concat(subs) => subs.iter().map(size_of).fold(0, u64::saturating_add),
        HirKind::Alternation(subs) => {
            subs.iter().map(size_of).fold(subs.len() as u64, u64::saturating_add)
        }
    }
}

/// Returns the number of the last group of `hir`, or 0 if it has none.
pub(crate) fn last_group(hir: &Hir) -> u32 {
    if hir.properties().explicit_captures_len() == 0 {
        return 0;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => 0,
        HirKind::Repetition(repetition) => last_group(&repetition.sub),
        HirKind::Capture(capture) => capture.index.max(last_group(&capture.sub)),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().map(last_group).max().unwrap_or(0)
        }
    }
}

/// Approximate size of the properties that `regex-syntax` allocates for each HIR, in bytes.
const PROPERTIES: usize = 88;

/// Returns the approximate memory of `hir` in bytes.
pub(crate) fn memory_of(hir: &Hir) -> usize {
    let children = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => size_of_val(class.ranges()),
        HirKind::Class(Class::Unicode(class)) => size_of_val(class.ranges()),
        HirKind::Repetition(repetition) => memory_of(&repetition.sub),
        HirKind::Capture(capture) => {
            memory_of(&capture.sub) + capture.name.as_ref().map_or(0, |name| name.len())
        }
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().map(memory_of).sum(),
    };
    std::mem::size_of::<Hir>() + PROPERTIES + children
}

#[cfg(test)]
mod tests {
    fn size(pattern: &str) -> u64 {
        super::size_of(&regex_syntax::parse(pattern).unwrap())
    }

    #[test]
    fn repeat_counts_multiply_and_saturate() {
        assert_eq!(size("abc"), 3);
        assert_eq!(size("(?-u:[a-f])"), 1);
        assert_eq!(size("a{10}"), 20);
        assert_eq!(size("(a){10}"), 40);
        assert!(size("(?:a{1000}){1000}") >= 1_000_000);
        assert_eq!(size("(?:(?:(?:(?:a{4000000000}){4000000000}){4000000000}){9})"), u64::MAX);
    }
}
