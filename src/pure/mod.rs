//! The pure-Rust engine.

use std::sync::Arc;

use regex_automata::Input;
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

use crate::{Batch, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};

/// A set of patterns compiled for the pure-Rust engine. Cheap to clone and to share.
#[derive(Clone, Debug)]
pub struct Engine {
    patterns: Arc<[(u32, PikeVM)]>,
    report: Report,
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
        let patterns = numbers
            .into_iter()
            .map(|number| {
                let nfa = thompson::NFA::compiler()
                    .configure(thompson::Config::new().utf8(false))
                    .build_from_hir(set.hir(number as usize))
                    .expect("a pattern within the limits compiles");
                (number, PikeVM::new_from_nfa(nfa).expect("every NFA runs"))
            })
            .collect();
        Engine { patterns, report }
    }

    /// A scanner for one thread.
    pub fn scanner(&self) -> Scanner {
        self.scanner_with(StopFlag::new())
    }

    /// A scanner for one thread that stops when `stop` is raised.
    pub fn scanner_with(&self, stop: StopFlag) -> Scanner {
        Scanner { engine: self.clone(), stop }
    }
}

/// Scans batches with the pure-Rust engine.
#[derive(Debug)]
pub struct Scanner {
    engine: Engine,
    stop: StopFlag,
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        for (r, record) in batch.iter().enumerate() {
            if self.stop.is_raised() {
                out.clear();
                return Err(ScanError::Stopped);
            }
            for (number, vm) in self.engine.patterns.iter() {
                let mut cache = vm.create_cache();
                match self.engine.report {
                    Report::Which => {
                        if vm.is_match(&mut cache, Input::new(record)) {
                            out.push(Match::new(r as u32, *number, 0..0));
                        }
                    }
                    Report::Spans => {
                        for m in vm.find_iter(&mut cache, record) {
                            out.push(Match::new(
                                r as u32,
                                *number,
                                m.start() as u32..m.end() as u32,
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
