//! Patterns that share their literal with very many others, spread over other literals.
//!
//! How frequent a literal is, is a guess. Where it is wrong for one that six hundred patterns are
//! searched by, all of them pay for it at each place; it is safer if each has a literal of its
//! own, though all these together are expected more often.

use std::collections::HashMap;

use regex_syntax::hir::Hir;

use super::crowd::CROWD;
use super::handle::Handle;
use super::literal::{self, Literal, RequiredLiterals};

/// How often the new literals may be expected altogether, for the patterns that shared one.
const MAX_FREQUENCY: f64 = 4e-3;

/// No literal is so rare that this could be relied upon.
const LEAST_FREQUENCY: f64 = 1e-6;

/// Gives patterns that share a literal with more than `CROWD` others one that fewer have, where
/// there is one that is rare as well. Returns those that were given one.
pub(super) fn spread(trimmed: &[Hir], handles: &mut [Handle]) -> HashMap<u32, RequiredLiterals> {
    let mut owners: HashMap<Literal, usize> = HashMap::new();
    for handle in &*handles {
        if let Handle::Literals(required) = handle {
            for literal in &required.literals {
                *owners.entry(literal.clone()).or_default() += 1;
            }
        }
    }
    let mut moved = HashMap::new();
    for (pattern, (hir, handle)) in (0..).zip(trimmed.iter().zip(handles)) {
        let Handle::Literals(required) = handle else { continue };
        let count = |literal: &Literal| owners.get(literal).copied().unwrap_or(0);
        let sharers = required.literals.iter().map(count).max().unwrap_or(0);
        if sharers <= CROWD {
            continue;
        }
        let guess = required.frequency.max(LEAST_FREQUENCY);
        let limit = (MAX_FREQUENCY / sharers as f64).min(guess * sharers as f64);
        let accept = |other: &RequiredLiterals| {
            other.frequency <= limit
                && other.literals.iter().all(|literal| {
                    // A longer one from the same place would stand where the old one does.
                    count(literal) < CROWD
                        && !required.literals.iter().any(|old| literal.starts_with(old))
                })
        };
        if let Some(other) = literal::anchor_literals(hir, &accept) {
            for literal in &other.literals {
                *owners.entry(literal.clone()).or_default() += 1;
            }
            *required = other.clone();
            moved.insert(pattern, other);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(patterns: Vec<String>) -> Vec<Vec<usize>> {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let hirs: Vec<Hir> = patterns.iter().map(|p| parser.clone().parse(p).unwrap()).collect();
        let mut handles: Vec<Handle> = hirs.iter().map(Handle::of).collect();
        spread(&hirs, &mut handles);
        handles
            .iter()
            .map(|handle| match handle {
                Handle::Literals(required) => required.literals.iter().map(Literal::len).collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    #[test]
    fn patterns_that_share_a_literal_get_their_own() {
        let shared =
            |n: usize| format!("qz{}x[a-z]{{1,9}} AppleWebKit/", "bcdfghjk".as_bytes()[n % 8]);
        let few = literals((0..CROWD).map(shared).collect());
        assert!(few.iter().all(|literals| *literals == [13]), "{few:?}");
        let own = |n: usize| format!("{}qzvx[a-z]{{1,9}} AppleWebKit/", n + 100);
        let many = literals((0..100).map(own).collect());
        assert!(many.iter().all(|literals| *literals == [7]), "{many:?}");
    }

    #[test]
    fn patterns_without_another_rare_literal_stay_together() {
        let many = literals((0..100).map(|n| format!("{n}[a-z]{{1,9}}AppleWebKit/")).collect());
        assert!(many.iter().all(|literals| *literals == [12]), "{many:?}");
    }
}
