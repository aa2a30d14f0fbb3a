//! The pure-Rust engine.
//!
//! A scan makes one pass over the whole buffer of a batch for literals that the patterns require,
//! maps what it finds to records, and runs a pattern's automaton only in the part of the record
//! that a match with that literal can lie in. Patterns without such literals share lazy DFAs that
//! read every record.

mod automaton;
mod linear;
mod literal;
mod plan;
mod prefilter;
mod scanner;
mod shared;
mod spans;
mod trim;

use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::{PatternSet, Report, StopFlag};

use automaton::Automaton;
use plan::Plan;

pub use scanner::Scanner;

/// A set of patterns compiled for the pure-Rust engine. Cheap to clone and to share.
///
/// Building takes the patterns' literals and arranges them; automata are built when a scan first
/// needs them, once for all scanners.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    set: PatternSet,
    report: Report,
    /// The patterns' numbers in the set, ascending. All else counts the engine's patterns from 0.
    numbers: Vec<u32>,
    automata: Vec<Automaton>,
    plan: Plan,
}

impl Engine {
    /// Compiles all patterns of `set`. Cannot fail: what a set holds is within the limits.
    pub fn new(set: &PatternSet, report: Report) -> Engine {
        Engine::subset(set, 0..set.len() as u32, report)
    }

    /// Compiles only the patterns with these numbers, which matches go on to carry. The numbers
    /// must be ascending and in the set.
    pub(crate) fn subset(
        set: &PatternSet,
        numbers: impl IntoIterator<Item = u32>,
        report: Report,
    ) -> Engine {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let plan = Plan::new(set, &numbers);
        let automata = numbers.iter().map(|_| Automaton::default()).collect();
        Engine { inner: Arc::new(Inner { set: set.clone(), report, numbers, automata, plan }) }
    }

    /// A scanner for one thread.
    pub fn scanner(&self) -> Scanner {
        self.scanner_with(StopFlag::new())
    }

    /// A scanner for one thread that stops when `stop` is raised.
    pub fn scanner_with(&self, stop: StopFlag) -> Scanner {
        Scanner::new(self.clone(), stop)
    }

    /// The memory in bytes that the engine's tables take, without the automata, which are built
    /// when needed.
    pub fn memory(&self) -> usize {
        self.inner.plan.memory()
    }

    fn hir(&self, pattern: u32) -> &Hir {
        self.inner.set.hir(self.inner.numbers[pattern as usize] as usize)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("patterns", &self.inner.numbers.len())
            .field("report", &self.inner.report)
            .finish_non_exhaustive()
    }
}
