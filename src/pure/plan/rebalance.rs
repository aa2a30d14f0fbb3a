//! Moves patterns from an overshared literal to their second-best one.
//!
//! The frequency of a literal is an estimate. If it is wrong for a literal that six hundred
//! patterns are searched by, each hit costs six hundred verifications. It is safer to give each of
//! them a literal of its own, even if all these together are expected more often.
//!
//! A pattern moves only to literals that fewer than [`cost::MAX_SHARERS`] patterns have, that are
//! no extension of the old ones (they would be found at the same positions), and whose expected
//! frequency is within the pattern's share of [`cost::MAX_REBALANCED_FREQUENCY`]. A pattern without
//! such literals keeps the overshared one; see `shared_literal` for how those are verified.

use std::collections::HashMap;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::cost;
use crate::pure::literal::{self, Literal, RequiredLiterals};
use crate::pure::mechanism;

use super::strategy::Strategy;

/// Replaces the literals of patterns that share one with more than [`cost::MAX_SHARERS`] patterns,
/// where a pattern has others that qualify.
pub(in crate::pure) fn rebalance(trimmed: &[Arc<Hir>], strategies: &mut [Strategy]) {
    if !mechanism::rebalance() {
        return;
    }
    let mut sharers: HashMap<Literal, usize> = HashMap::with_capacity(strategies.len());
    for strategy in &*strategies {
        if let Strategy::Literals(required) = strategy {
            for literal in &required.literals {
                *sharers.entry(literal.clone()).or_default() += 1;
            }
        }
    }
    for (hir, strategy) in trimmed.iter().zip(strategies) {
        let Strategy::Literals(required) = strategy else { continue };
        let count = |literal: &Literal| sharers.get(literal).copied().unwrap_or(0);
        let most = required.literals.iter().map(count).max().unwrap_or(0);
        if most <= cost::MAX_SHARERS {
            continue;
        }
        let estimate = required.frequency.max(cost::MIN_LITERAL_FREQUENCY);
        let limit = (cost::MAX_REBALANCED_FREQUENCY / most as f64).min(estimate * most as f64);
        let accept = |other: &RequiredLiterals| {
            other.frequency <= limit
                && other.literals.iter().all(|literal| {
                    count(literal) < cost::MAX_SHARERS
                        && !required.literals.iter().any(|old| literal.starts_with(old))
                })
        };
        if let Some(other) = literal::anchor_literals(hir, &accept) {
            for literal in &other.literals {
                *sharers.entry(literal.clone()).or_default() += 1;
            }
            *required = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of each pattern's literals after the rebalance.
    fn literal_lens(patterns: Vec<String>) -> Vec<Vec<usize>> {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let parse = |p: &String| Arc::new(parser.clone().parse(p).unwrap());
        let hirs: Vec<Arc<Hir>> = patterns.iter().map(parse).collect();
        let mut strategies: Vec<Strategy> = hirs.iter().map(|hir| Strategy::of(hir)).collect();
        rebalance(&hirs, &mut strategies);
        strategies
            .iter()
            .map(|strategy| match strategy {
                Strategy::Literals(required) => {
                    required.literals.iter().map(Literal::len).collect()
                }
                _ => Vec::new(),
            })
            .collect()
    }

    #[test]
    fn sharers_of_a_literal_get_their_own() {
        let shared =
            |n: usize| format!("qz{}x[a-z]{{1,9}} AppleWebKit/", "bcdfghjk".as_bytes()[n % 8]);
        let few = literal_lens((0..cost::MAX_SHARERS).map(shared).collect());
        assert!(few.iter().all(|lens| *lens == [13]), "{few:?}");
        let own = |n: usize| format!("{}qzvx[a-z]{{1,9}} AppleWebKit/", n + 100);
        let many = literal_lens((0..100).map(own).collect());
        assert!(many.iter().all(|lens| *lens == [7]), "{many:?}");
    }

    #[test]
    fn sharers_without_another_literal_keep_it() {
        let many = literal_lens((0..100).map(|n| format!("{n}[a-z]{{1,9}}AppleWebKit/")).collect());
        assert!(many.iter().all(|lens| *lens == [12]), "{many:?}");
    }
}
