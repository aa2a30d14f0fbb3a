//! The immutable part of an engine, which its scanners share.

use super::compile::{Compilation, Fallback};
use super::library::Library;
use super::objects::Database;
use crate::pure::{self, SpanEngine};
use crate::{EngineError, PatternSet, Report, ScanError};

/// A pattern set compiled for libhs, and its fallbacks compiled for the pure engine.
#[derive(Debug)]
pub(super) struct CompiledSet {
    library: &'static Library,
    pub(super) databases: Vec<Database>,
    pub(super) fallbacks: Vec<Fallback>,
    pub(super) patterns: PatternSet,
    /// Searches for the fallbacks; `None` if there are none.
    pub(super) fallback_engine: Option<pure::Engine>,
    /// Finds the spans of a pattern in a record that libhs has found to match. `None` if the engine
    /// reports patterns only.
    pub(super) spans: Option<SpanEngine>,
}

impl CompiledSet {
    /// Compiles the patterns, after the library has passed its self-test.
    pub(super) fn new(set: &PatternSet, report: Report) -> Result<CompiledSet, EngineError> {
        let library = Library::get()?;
        let Compilation { databases, fallbacks } = Compilation::new(set);
        let indexes = fallbacks.iter().map(|fallback| fallback.pattern() as u32);
        let fallback_engine =
            (!fallbacks.is_empty()).then(|| pure::Engine::subset(set, indexes, report));
        let spans = (report == Report::Spans).then(|| SpanEngine::new(set));
        let patterns = set.clone();
        Ok(CompiledSet { library, databases, fallbacks, patterns, fallback_engine, spans })
    }

    /// The number of patterns that libhs searches for, in all databases together.
    pub(super) fn patterns_on_libhs(&self) -> usize {
        self.patterns.len() - self.fallbacks.len()
    }

    /// The library's name and version, such as `Hyperscan 5.4.0`.
    pub(super) fn library(&self) -> String {
        self.library.to_string()
    }

    /// The error for a code that libhs returned.
    pub(super) fn libhs_error(&self, code: i32) -> ScanError {
        ScanError::Native { library: self.library(), code }
    }
}
