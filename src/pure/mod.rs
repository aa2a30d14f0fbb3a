//! The pure-Rust engine.
//!
//! A scan makes one pass over the whole buffer of a batch for literals that the patterns require
//! (`prefilter`), and maps what it finds to records. Where a literal stands, the patterns that it
//! was chosen for are confirmed, each by the cheapest question that is left: do the bytes behind
//! the literal fit (`literal`), is the record long enough, does it hold the long run of digits
//! that the pattern needs besides (`need`); and only then, does what follows match from there on,
//! and what comes before up to there (`automaton`). Many patterns with the same literal are asked
//! together. Patterns without a literal are looked for by a run of bytes of one class, or share
//! lazy DFAs that read every record, several of them side by side (`walkers`, `lockstep`).
//!
//! Nothing takes longer than in proportion to the record, whatever is in it: automata that are
//! started at one place after the other have a budget, and when that is used up, what is left of
//! the record is searched once for all places.

mod automaton;
mod chain;
mod confirm;
mod crowd;
mod explain;
#[cfg(feature = "native")]
mod finder;
mod handle;
mod linear;
mod literal;
mod lockstep;
mod need;
mod owners;
mod plan;
mod prefilter;
mod scanner;
mod shared;
mod simd;
mod simulation;
mod spans;
mod spotter;
mod spread;
mod state;
mod table;
mod trim;
mod walkers;

use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::{PatternSet, Report, StopFlag};

use automaton::Automaton;
use plan::Plan;

pub use explain::Explanation;
#[cfg(feature = "native")]
pub(crate) use finder::{SpanFinder, Spans};
pub use scanner::Scanner;
pub use simd::Isa;

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

    /// As [`Engine::new`], with this instruction set instead of the best that the machine has, for
    /// tests and measurements.
    pub fn with_isa(set: &PatternSet, report: Report, isa: Isa) -> Engine {
        Engine::build(set, (0..set.len() as u32).collect(), report, isa)
    }

    /// Compiles only the patterns with these numbers, which matches go on to carry. The numbers
    /// must be ascending and in the set.
    pub(crate) fn subset(
        set: &PatternSet,
        numbers: impl IntoIterator<Item = u32>,
        report: Report,
    ) -> Engine {
        Engine::build(set, numbers.into_iter().collect(), report, Isa::best())
    }

    fn build(set: &PatternSet, numbers: Vec<u32>, report: Report, isa: Isa) -> Engine {
        let plan = Plan::new(set, &numbers, isa);
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

    /// How the pattern with this number is searched, or `None` if the engine does not have it.
    pub fn explain(&self, pattern: usize) -> Option<Explanation> {
        let number = u32::try_from(pattern).ok()?;
        let index = self.inner.numbers.binary_search(&number).ok()?;
        let always = self.inner.plan.always.binary_search(&(index as u32)).is_ok();
        Some(Explanation::of(self.inner.plan.handle(index as u32), always))
    }

    /// How the literals of all patterns are looked for, in words. Empty if there are none.
    pub fn prefilter(&self) -> String {
        self.inner.plan.prefilter.as_ref().map_or(String::new(), |p| p.describe())
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
