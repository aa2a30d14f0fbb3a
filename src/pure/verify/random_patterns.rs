//! What random patterns and records of tests are made of, and the oracle for them.

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_syntax::hir::Hir;

/// Parts of patterns.
pub(super) const PARTS: &[&str] = &[
    "a",
    "ab",
    "[ab]",
    "; {0,2}",
    "(?:S|ab|b)",
    "(?:a|)",
    "(?:ab)+",
    "(?:ab|b){2}",
    "[ab]{1,3}",
    "b*",
    "é",
    "(;S)",
    "(?-u:.)",
    ".",
    "[a&&b]?",
    "(?:b;){0}",
    "^",
    "$",
    r"(?-u:\b)",
    "(?:é|;)S",
];

/// The bytes of records.
pub(super) const BYTES: &[u8] = b"ab;S \xC3\xA9";

pub(super) fn parse(pattern: &str) -> Hir {
    regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
}

pub(super) fn oracle(hir: &Hir) -> PikeVM {
    let config = thompson::Config::new().utf8(false);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).unwrap();
    PikeVM::new_from_nfa(nfa).unwrap()
}
