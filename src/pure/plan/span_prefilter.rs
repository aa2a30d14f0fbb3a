//! Chooses the literals that a search for the spans of one pattern skips ahead to.
//!
//! Only a trimmed form that starts with a literal qualifies: then every span contains the literal
//! at a bounded distance from its start, and the parts of the record between literals need not be
//! read. The literals are chosen for the pattern alone, not moved by
//! [`rebalance`](super::rebalance): a search for spans looks for one pattern at a time. The search
//! itself is in [`automata::span_prefilter`](crate::pure::automata::span_prefilter).

use regex_syntax::hir::Hir;

use crate::pure::automata::span_prefilter::SpanPrefilter;
use crate::pure::literal::Bound;
use crate::pure::verify::SpanLiterals;

use super::strategy::Strategy;
use super::trim::{Trimmed, trim};

/// The literals that spans of a pattern are searched by, given the strategy for its trimmed form,
/// or `None` if the trimmed form does not start with a literal that is worth searching for.
pub(super) fn span_literals(strategy: &Strategy, head: Bound) -> Option<Box<SpanLiterals>> {
    match strategy {
        Strategy::Literals(required) if required.anchor_part == Some(0) => {
            Some(Box::new(SpanLiterals { literals: required.literals.clone(), head }))
        }
        _ => None,
    }
}

/// The span prefilter of the pattern `hir`, for engines without a [`Plan`](super::Plan).
pub(in crate::pure) fn span_prefilter(hir: &Hir) -> Option<SpanPrefilter> {
    let Trimmed { hir: trimmed, head } = trim(hir);
    span_literals(&Strategy::of(&trimmed), head).map(|literals| literals.prefilter(&trimmed))
}
