//! The native engine.

use std::sync::Arc;

use super::compile::Fallback;
use super::compiled_set::CompiledSet;
use super::objects::Database;
use super::scanner::Scanner;
use crate::{EngineError, Explanation, PatternSet, Report, ScanError, StopFlag, pure};

/// A set of patterns compiled for Hyperscan or Vectorscan. Cheap to clone and to share between
/// threads.
///
/// The engine accepts every pattern that the [pure engine](crate::pure) accepts, and gives the same
/// answers. Patterns that libhs can't express run on the pure engine within the same scan;
/// [`Engine::fallbacks`] lists them.
///
/// ```
/// use dragnet::{BatchBuf, Matches, Pattern, PatternSet, Report, Scan, StopFlag, native};
///
/// let set = PatternSet::new([Pattern::new("er+or").unicode(false), Pattern::new(r"\bé")])?;
/// let engine = native::Engine::new(&set, Report::Patterns)?;
/// // libhs has Unicode word boundaries for valid UTF-8 only, and a record may hold any bytes.
/// assert_eq!(engine.fallbacks().iter().map(|f| f.pattern()).collect::<Vec<_>>(), [1]);
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
    set: Arc<CompiledSet>,
}

impl Engine {
    /// Compiles all patterns of `set`. The first call in a process also runs the library's
    /// self-test.
    ///
    /// # Errors
    ///
    /// If the library is too old, does not support this processor or fails its self-test. No
    /// pattern causes an error: those that libhs refuses run on the pure engine.
    pub fn new(set: &PatternSet, report: Report) -> Result<Engine, EngineError> {
        Ok(Engine { set: Arc::new(CompiledSet::new(set, report)?) })
    }

    /// Returns the patterns that this engine was compiled from.
    pub fn patterns(&self) -> &PatternSet {
        &self.set.patterns
    }

    /// Creates a scanner for one thread.
    ///
    /// # Errors
    ///
    /// If libhs can't allocate its scratch space.
    pub fn scanner(&self) -> Result<Scanner, ScanError> {
        self.scanner_with(StopFlag::new())
    }

    /// Creates a scanner for one thread that stops when `stop` is raised.
    ///
    /// # Errors
    ///
    /// If libhs can't allocate its scratch space.
    pub fn scanner_with(&self, stop: StopFlag) -> Result<Scanner, ScanError> {
        Scanner::new(Arc::clone(&self.set), stop)
    }

    /// Returns the patterns that run on the pure engine, in ascending order, each with the reason.
    /// All other patterns run on libhs.
    pub fn fallbacks(&self) -> &[Fallback] {
        &self.set.fallbacks
    }

    /// Returns how pattern number `pattern` is searched, or `None` if the set has no such pattern.
    pub(crate) fn explain(&self, pattern: usize) -> Option<Explanation> {
        match self.set.fallbacks.binary_search_by_key(&pattern, Fallback::pattern) {
            Ok(index) => {
                let strategy = self.set.fallback_engine.as_ref()?.explain(pattern)?;
                let fallback_reason = Some(self.set.fallbacks[index].reason().to_owned());
                Some(Explanation::Pure { strategy, fallback_reason })
            }
            Err(_) => (pattern < self.set.patterns.len()).then_some(Explanation::Native),
        }
    }

    /// Describes how the pure engine that searches for the fallbacks looks for their literals, as
    /// [`pure::Engine::describe_literal_search`] does. Empty if there are no fallbacks.
    pub(crate) fn describe_literal_search(&self) -> String {
        self.set
            .fallback_engine
            .as_ref()
            .map_or(String::new(), pure::Engine::describe_literal_search)
    }

    /// Returns the name and version of the library, such as `Hyperscan 5.4.0`.
    pub fn library(&self) -> String {
        self.set.library()
    }

    /// Returns the memory of the compiled patterns in bytes: libhs's databases, and the pure
    /// engine's tables for the fallbacks. Scanners and lazily built automata are not included.
    pub fn memory(&self) -> usize {
        self.set.databases.iter().map(Database::size).sum::<usize>()
            + self.set.fallback_engine.as_ref().map_or(0, pure::Engine::memory)
    }
}
