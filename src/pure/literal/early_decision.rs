//! Whether the first bytes of a record mostly decide that a pattern does not match.
//!
//! An automaton that reads from the start of a record for `^[0-9]+ [A-Z]+ .*x` mostly fails at the first byte,
//! and for `^\S+: .*x` at the end of the first word. For `^.{0,200}Android` it reads on, and it is better to
//! look for `Android`.

use regex_syntax::hir::{Hir, HirKind};

use super::byte_set::ByteSet;
use super::distance::matches_only_at_start;
use super::lookahead::first_bytes;

/// The share of records that may be left where an automaton begins to read on. A guess.
const MAX_LEFT: f64 = 0.1;
/// The frequency of a class from which on its repetitions extend over many bytes: more than 20, on average.
const BROAD: f64 = 0.95;
/// The number of bytes of a part whose frequencies are counted.
const LEN: usize = 8;
/// The largest number of copies of a class that does not count as a repetition.
const FEW: u32 = 8;

/// Whether all matches of `hir` start where the record does, and an automaton that reads from there mostly fails
/// within a few bytes. Takes time linear in the size of the pattern.
pub(crate) fn is_decided_early(hir: &Hir) -> bool {
    if !matches_only_at_start(hir) {
        return false;
    }
    let parts = match hir.kind() {
        HirKind::Concat(parts) => &parts[..],
        _ => std::slice::from_ref(hir),
    };
    let mut left = 1.0;
    for part in parts {
        if has_broad_repetition(part) {
            return left <= MAX_LEFT;
        }
        left *= first_bytes(part, LEN).iter().map(ByteSet::frequency).product::<f64>();
        if left <= MAX_LEFT {
            return true;
        }
    }
    true
}

/// Whether a part of `hir` can match many bytes of nearly any text.
fn has_broad_repetition(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
        HirKind::Capture(capture) => has_broad_repetition(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(has_broad_repetition)
        }
        HirKind::Repetition(repetition) => {
            let is_broad = |sub: &Hir| match sub.kind() {
                HirKind::Class(class) => ByteSet::of(class).frequency() >= BROAD,
                _ => false,
            };
            repetition.max.is_none_or(|max| max > FEW) && is_broad(&repetition.sub)
                || has_broad_repetition(&repetition.sub)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broad_repetitions_delay_a_decision() {
        let early = [
            "^GET .*x",
            "^[0-9]+ [A-Z]+ .*x",
            r"^\S+: .*x",
            r"^\s*(?:\[\])?(?:\S+\s*x)?: (?:.+)$",
            "^[a-z]*$",
            "^.{1,3}qz.*x",
            "^.{0,8}Android",
        ];
        let not = [
            "^.*x",
            "^.{0,200}Android",
            "^(?:.*;|)q",
            "^[^;]*;q",
            "^(?:(?:.|x)y.*)*z",
            // Parts are not looked into.
            "^(?:ab|cd.*)",
            "GET",
            "GET|^x",
            "(?m)^GET",
        ];
        for (patterns, expected) in [(&early[..], true), (&not[..], false)] {
            for pattern in patterns {
                let hir = regex_syntax::parse(pattern).unwrap();
                assert_eq!(is_decided_early(&hir), expected, "{pattern}");
            }
        }
    }
}
