//! Chooses what a search for the spans of one pattern skips ahead by.

use regex_syntax::hir::Hir;

use crate::pure::automata::span_prefilter::SpanPrefilter;
use crate::pure::plan::strategy::Handle;
use crate::pure::plan::trim::{Trimmed, trim};

/// The span prefilter of the pattern `hir`, or `None` if its trimmed form does not start with a
/// literal that is worth searching for.
pub(in crate::pure) fn span_prefilter(hir: &Hir) -> Option<SpanPrefilter> {
    let Trimmed { hir: trimmed, head } = trim(hir);
    match Handle::of(&trimmed) {
        Handle::Literals(required) if required.split == Some(0) => {
            Some(SpanPrefilter::new(&required.literals, trimmed, head))
        }
        _ => None,
    }
}
