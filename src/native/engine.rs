//! A pattern set compiled for libhs, and for the pure engine where libhs does not take it.

use std::sync::Arc;

use super::compile::{OnPure, Plan};
use super::library::Library;
use super::objects::Database;
use super::scanner::Scanner;
use crate::pure::{self, SpanEngine};
use crate::{EngineError, Explanation, PatternSet, Report, ScanError, StopFlag};

/// A set of patterns compiled for Hyperscan or Vectorscan. Cheap to clone and to share.
///
/// ```
/// use dragnet::{BatchBuf, Matches, Pattern, PatternSet, Report, Scan, StopFlag, native};
///
/// let set = PatternSet::new([Pattern::new("er+or").unicode(false), Pattern::new(r"\bé")])?;
/// let engine = native::Engine::new(&set, Report::Patterns)?;
/// // libhs knows Unicode word boundaries only for valid UTF-8, which records need not be.
/// assert_eq!(engine.on_pure().iter().map(|left| left.pattern()).collect::<Vec<_>>(), [1]);
///
/// let mut records = BatchBuf::new();
/// records.push("error: été".as_bytes())?;
/// let mut matches = Matches::new();
/// engine.scanner_with(StopFlag::new())?.scan(&records.as_batch(), &mut matches)?;
/// assert_eq!(matches.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) library: &'static Library,
    pub(super) databases: Vec<Database>,
    on_pure: Vec<OnPure>,
    patterns: usize,
    /// For the patterns that libhs did not take; `None` if it took all.
    pub(super) rest: Option<pure::Engine>,
    /// For the patterns that libhs took; `None` if only which match is reported.
    pub(super) spans: Option<SpanEngine>,
}

impl Inner {
    /// How many patterns libhs has.
    pub(super) fn on_libhs(&self) -> usize {
        self.patterns - self.on_pure.len()
    }
}

impl Engine {
    /// Compiles all patterns of `set`, after making sure that the library can be trusted.
    ///
    /// # Errors
    ///
    /// If the library is too old, does not support this processor or fails its self-test. No
    /// pattern is an error: what libhs refuses runs on the pure engine.
    pub fn new(set: &PatternSet, report: Report) -> Result<Engine, EngineError> {
        let library = Library::get()?;
        let Plan { databases, on_pure } = Plan::new(set);
        let numbers = on_pure.iter().map(|left| left.pattern() as u32);
        let rest = (!on_pure.is_empty()).then(|| pure::Engine::subset(set, numbers, report));
        let patterns = set.len();
        let spans = (report == Report::Spans).then(|| SpanEngine::new(set));
        Ok(Engine { inner: Arc::new(Inner { library, databases, on_pure, patterns, rest, spans }) })
    }

    /// A scanner for one thread.
    ///
    /// # Errors
    ///
    /// If libhs can't allocate its scratch space.
    pub fn scanner(&self) -> Result<Scanner, ScanError> {
        self.scanner_with(StopFlag::new())
    }

    /// A scanner for one thread that stops when `stop` is raised.
    ///
    /// # Errors
    ///
    /// As [`Engine::scanner`].
    pub fn scanner_with(&self, stop: StopFlag) -> Result<Scanner, ScanError> {
        Scanner::new(Arc::clone(&self.inner), stop)
    }

    /// The patterns that run on the pure engine, ascending by number, each with the reason. All
    /// others run on libhs.
    pub fn on_pure(&self) -> &[OnPure] {
        &self.inner.on_pure
    }

    /// How the pattern with this number is searched, or `None` if the set has no such pattern.
    pub(crate) fn explain(&self, pattern: usize) -> Option<Explanation> {
        match self.inner.on_pure.binary_search_by_key(&pattern, OnPure::pattern) {
            Ok(index) => {
                let by = self.inner.rest.as_ref()?.explain(pattern)?;
                let instead = Some(self.inner.on_pure[index].reason().to_owned());
                Some(Explanation::Pure { by, instead })
            }
            Err(_) => (pattern < self.inner.patterns).then_some(Explanation::Native),
        }
    }

    /// As [`pure::Engine::prefilter`], for the patterns that run on that engine.
    pub(crate) fn prefilter(&self) -> String {
        self.inner.rest.as_ref().map_or(String::new(), pure::Engine::prefilter)
    }

    /// The name and version of the library, such as `Hyperscan 5.4.0`.
    pub fn library(&self) -> String {
        self.inner.library.to_string()
    }

    /// The memory in bytes that the compiled patterns take: libhs's databases, and the tables of
    /// the pure engine for the rest.
    pub fn memory(&self) -> usize {
        self.inner.databases.iter().map(Database::size).sum::<usize>()
            + self.inner.rest.as_ref().map_or(0, pure::Engine::memory)
    }
}
