//! A compiled set of patterns, from which scanners are made.

use std::fmt;
use std::sync::Arc;

use crate::{PatternSet, Report, StopFlag};

use super::plan::{Decisions, Explanation, Plan};
use super::scanner::{Pipeline, Scanner};
use super::verify::Verifier;
use crate::simd::Isa;

/// A set of patterns compiled for the pure-Rust engine. Cheap to clone and to share.
///
/// Compiling plans how each pattern is searched, and builds the tables of the filters and the automata
/// that most scans need. All others are built by the first scan that needs them, once for all scanners of
/// the engine.
#[derive(Clone)]
pub struct Engine {
    pipeline: Arc<Pipeline>,
    decisions: Arc<Decisions>,
}

impl Engine {
    /// Compiles all patterns of `set`. Cannot fail: the patterns of a set are within its limits.
    pub fn new(set: &PatternSet, report: Report) -> Engine {
        Engine::subset(set, 0..set.len() as u32, report)
    }

    /// As [`Engine::new`], with this instruction set instead of the best that the machine has, for
    /// tests and measurements.
    pub fn with_isa(set: &PatternSet, report: Report, isa: Isa) -> Engine {
        Engine::build(set, (0..set.len() as u32).collect(), report, isa)
    }

    /// Compiles only the patterns of `set` with these numbers, which must be in the set and
    /// ascending. Matches report these numbers.
    pub(crate) fn subset(
        set: &PatternSet,
        numbers: impl IntoIterator<Item = u32>,
        report: Report,
    ) -> Engine {
        Engine::build(set, numbers.into_iter().collect(), report, Isa::best())
    }

    fn build(set: &PatternSet, numbers: Vec<u32>, report: Report, isa: Isa) -> Engine {
        let Plan { filters, tables, decisions } = Plan::new(set, &numbers, report, isa);
        let verifier = Verifier::new(set.clone(), numbers, report, tables);
        Engine {
            pipeline: Arc::new(Pipeline { filters, verifier }),
            decisions: Arc::new(decisions),
        }
    }

    /// Returns the patterns that this engine was compiled from.
    pub fn patterns(&self) -> &PatternSet {
        self.pipeline.verifier.set()
    }

    /// Makes a scanner for one thread.
    pub fn scanner(&self) -> Scanner {
        self.scanner_with(StopFlag::new())
    }

    /// Makes a scanner for one thread that stops when `stop` is raised.
    pub fn scanner_with(&self, stop: StopFlag) -> Scanner {
        Scanner::new(self.pipeline.clone(), stop)
    }

    /// Returns the approximate heap memory of the engine in bytes, without the automata that scans
    /// build on first use.
    pub fn memory(&self) -> usize {
        self.pipeline.filters.memory() + self.pipeline.verifier.memory() + self.decisions.memory()
    }

    /// Returns the string that every match contains, if the engine searches for nothing else.
    pub(crate) fn only_literal(&self) -> Option<Vec<u8>> {
        self.decisions.only_literal()
    }

    /// Returns how pattern number `pattern` is searched, or `None` if the engine does not have it.
    pub fn explain(&self, pattern: usize) -> Option<Explanation> {
        let pattern = self.pipeline.verifier.pattern(u32::try_from(pattern).ok()?)?;
        Some(self.decisions.explain(pattern))
    }

    /// Describes, for people, the algorithms that search for the literals of all patterns. Empty if
    /// no pattern is searched by literals.
    pub fn describe_literal_search(&self) -> String {
        self.pipeline.filters.describe()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("patterns", &self.pipeline.verifier.len())
            .field("report", &self.pipeline.verifier.report())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::Pattern;

    use super::*;

    #[test]
    fn explanations_name_the_strategy() {
        let cases = [
            ("", "matches every record"),
            ("a^b", "matches no record"),
            ("AKIA[0-9A-Z]{16}", "literal AKIA, "),
            ("AKIA[0-9A-Z]{16}", "; verified from its start to 16 bytes after it"),
            ("(?i)keq.1", "literal [Kk][Ee][Qq]"),
            ("x.*qzx", "; verified from the record's start to its end"),
            ("q[ab]xy", "literals qaxy, qbxy, 0.3 expected in a million bytes"),
            (r"\bsecret_[0-9]\w{0,9}=", " to 11 bytes after it"),
            ("[A-Z]secret", "; verified from 1 byte before it to its end"),
            ("qz1x|qz2x|qz3x|qz4x|qz5x|qz6x", "literals qz1x, qz2x, qz3x, qz4x and 2 more, "),
            (r"q\.x\xFF\n", r"literal q\.x\\xff\\n"),
            ("[0-9]{3}[a-f]", "classes of 4 bytes or more in sequence, "),
            ("[0-9]{3}[a-f]", " in a million bytes; it matches wherever they are found"),
            (r"[0-9]{3,9}\b{start}[a-f]{30}", "run of 30 bytes from a class of 6, "),
            (r"[0-9]{3,9}\b{start}[a-f]{30}", "; verified from 3 bytes before it to its end"),
            ("[a-z]+", "no filter, an automaton reads every record: "),
        ];
        for (pattern, expected) in cases {
            let set = PatternSet::new([Pattern::new(pattern).unicode(false)]).unwrap();
            let engine = Engine::new(&set, Report::Patterns);
            let text = engine.explain(0).unwrap().to_string();
            assert!(text.contains(expected), "{pattern}: {text}");
            assert_eq!(engine.explain(1), None);
        }
    }
}
