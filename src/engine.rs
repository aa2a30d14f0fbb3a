//! The choice between the engines at run time.

use std::ops::ControlFlow;

use crate::pure;
use crate::{
    Batch, EngineError, Explanation, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag,
};

/// The engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// The native engine if this build has one and its library passes the self-test, else the pure
    /// engine. [`Engine::backend`] returns which engine was chosen, and [`Engine::fallback_reason`]
    /// why the native one was not.
    ///
    /// Which engine is faster depends on the patterns and the data. `dragnet compare` measures both
    /// on yours.
    #[default]
    Auto,
    /// The pure-Rust engine.
    Pure,
    /// Hyperscan or Vectorscan. An error where the build has neither or the library is rejected.
    Native,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Backend::Auto => "auto",
            Backend::Pure => "pure",
            Backend::Native => "native",
        })
    }
}

/// A set of patterns compiled for scanning. Cheap to clone, and shared between threads.
///
/// Each thread makes a [`Scanner`] of its own from it.
///
/// ```
/// use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};
///
/// let set = PatternSet::new(["error", r"\d{3}", "warning"])?;
/// let engine = Engine::new(&set, Report::Spans);
/// let mut scanner = engine.scanner()?;
///
/// let mut records = BatchBuf::new();
/// records.push(b"all is well")?;
/// records.push(b"error 404, then 500")?;
///
/// let mut matches = Matches::new();
/// scanner.scan(&records.as_batch(), &mut matches)?;
/// let found: Vec<_> = matches.iter().map(|m| (m.record(), m.pattern(), m.range())).collect();
/// assert_eq!(found, [(1, 0, 0..5), (1, 1, 6..9), (1, 1, 16..19)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    backend: BackendEngine,
    fallback_reason: Option<EngineError>,
}

#[derive(Clone, Debug)]
enum BackendEngine {
    Pure(pure::Engine),
    #[cfg(feature = "native")]
    Native(crate::native::Engine),
}

impl Engine {
    /// Compiles `set` for the backend that [`Backend::Auto`] chooses. It can't fail, because the pure
    /// engine accepts every set.
    pub fn new(set: &PatternSet, report: Report) -> Engine {
        match Engine::native(set, report) {
            Ok(engine) => engine,
            Err(error) => {
                // A build without the native backend has nothing to fall back from.
                let fallback_reason = (error != EngineError::NotBuilt).then_some(error);
                Engine {
                    backend: BackendEngine::Pure(pure::Engine::new(set, report)),
                    fallback_reason,
                }
            }
        }
    }

    /// Compiles `set` for a backend.
    ///
    /// # Errors
    ///
    /// For [`Backend::Native`] only: if this build has no native backend, or its library was rejected.
    pub fn with_backend(
        set: &PatternSet,
        report: Report,
        backend: Backend,
    ) -> Result<Engine, EngineError> {
        match backend {
            Backend::Auto => Ok(Engine::new(set, report)),
            Backend::Pure => Ok(Engine {
                backend: BackendEngine::Pure(pure::Engine::new(set, report)),
                fallback_reason: None,
            }),
            Backend::Native => Engine::native(set, report),
        }
    }

    cfg_if::cfg_if! {
        if #[cfg(feature = "native")] {
            fn native(set: &PatternSet, report: Report) -> Result<Engine, EngineError> {
                let engine = crate::native::Engine::new(set, report)?;
                Ok(Engine { backend: BackendEngine::Native(engine), fallback_reason: None })
            }
        } else {
            fn native(_: &PatternSet, _: Report) -> Result<Engine, EngineError> {
                Err(EngineError::NotBuilt)
            }
        }
    }

    /// Returns the patterns that this engine was compiled from.
    pub fn patterns(&self) -> &PatternSet {
        match &self.backend {
            BackendEngine::Pure(engine) => engine.patterns(),
            #[cfg(feature = "native")]
            BackendEngine::Native(engine) => engine.patterns(),
        }
    }

    /// Returns the backend of this engine: [`Backend::Pure`] or [`Backend::Native`].
    pub fn backend(&self) -> Backend {
        match self.backend {
            BackendEngine::Pure(_) => Backend::Pure,
            #[cfg(feature = "native")]
            BackendEngine::Native(_) => Backend::Native,
        }
    }

    /// Returns why [`Backend::Auto`] did not choose the native backend, in a build that has one.
    pub fn fallback_reason(&self) -> Option<&EngineError> {
        self.fallback_reason.as_ref()
    }

    /// Returns the memory of the compiled patterns in bytes. All scanners share it. It does not
    /// include automata that the pure engine builds on first use.
    pub fn memory(&self) -> usize {
        match &self.backend {
            BackendEngine::Pure(engine) => engine.memory(),
            #[cfg(feature = "native")]
            BackendEngine::Native(engine) => engine.memory(),
        }
    }

    /// Returns how pattern number `pattern` is searched, or `None` if the set has no such pattern.
    pub fn explain(&self, pattern: usize) -> Option<Explanation> {
        match &self.backend {
            BackendEngine::Pure(engine) => engine
                .explain(pattern)
                .map(|strategy| Explanation::Pure { strategy, fallback_reason: None }),
            #[cfg(feature = "native")]
            BackendEngine::Native(engine) => engine.explain(pattern),
        }
    }

    /// Describes, for people, how the pure engine searches for the literals of its patterns: the
    /// algorithms, and how many literals each has. Empty if there are no literals. Byte runs and class
    /// sequences are not described here but by [`Engine::explain`], pattern by pattern.
    pub fn describe_literal_search(&self) -> String {
        match &self.backend {
            BackendEngine::Pure(engine) => engine.describe_literal_search(),
            #[cfg(feature = "native")]
            BackendEngine::Native(engine) => engine.describe_literal_search(),
        }
    }

    /// Makes a scanner for one thread.
    ///
    /// # Errors
    ///
    /// If the C library can't allocate its scratch space.
    pub fn scanner(&self) -> Result<Scanner, ScanError> {
        self.scanner_with(StopFlag::new())
    }

    /// Makes a scanner for each of `count` threads, as
    /// [`ReaderScan::scan_threads`](crate::reader::ReaderScan::scan_threads) takes them.
    ///
    /// # Errors
    ///
    /// As [`Engine::scanner`].
    pub fn scanners(&self, count: usize) -> Result<Vec<Scanner>, ScanError> {
        (0..count).map(|_| self.scanner()).collect()
    }

    /// Makes a scanner for one thread that stops when `stop` is raised.
    ///
    /// # Errors
    ///
    /// As [`Engine::scanner`].
    pub fn scanner_with(&self, stop: StopFlag) -> Result<Scanner, ScanError> {
        let backend = match &self.backend {
            BackendEngine::Pure(engine) => BackendScanner::Pure(engine.scanner_with(stop)),
            #[cfg(feature = "native")]
            BackendEngine::Native(engine) => BackendScanner::Native(engine.scanner_with(stop)?),
        };
        Ok(Scanner { backend })
    }
}

/// A scanner of the backend that its [`Engine`] chose.
#[derive(Debug)]
pub struct Scanner {
    backend: BackendScanner,
}

#[allow(clippy::large_enum_variant, reason = "there is one for each thread, which is not moved")]
#[derive(Debug)]
enum BackendScanner {
    Pure(pure::Scanner),
    #[cfg(feature = "native")]
    Native(crate::native::Scanner),
}

impl Scanner {
    /// Chooses the patterns that are searched for from the next scan on: those for whose number in the
    /// set `is_enabled` returns true. All others are not reported. It is called once for each pattern
    /// of the set. A new scanner searches for all patterns.
    ///
    /// Costs a few nanoseconds for each pattern, and builds nothing. See the methods of the same name in
    /// [`pure::Scanner`] and, with the feature, `native::Scanner` for what is saved.
    ///
    /// ```
    /// use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};
    ///
    /// let set = PatternSet::new(["a", "b", "c"])?;
    /// let mut scanner = Engine::new(&set, Report::Patterns).scanner()?;
    /// scanner.enable(|number| number != 1);
    ///
    /// let mut records = BatchBuf::new();
    /// records.push(b"abc")?;
    /// let mut matches = Matches::new();
    /// scanner.scan(&records.as_batch(), &mut matches)?;
    /// let found: Vec<_> = matches.iter().map(|m| m.pattern()).collect();
    /// assert_eq!(found, [0, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn enable(&mut self, is_enabled: impl FnMut(usize) -> bool) {
        match &mut self.backend {
            BackendScanner::Pure(scanner) => scanner.enable(is_enabled),
            #[cfg(feature = "native")]
            BackendScanner::Native(scanner) => scanner.enable(is_enabled),
        }
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        match &mut self.backend {
            BackendScanner::Pure(scanner) => scanner.scan(batch, out),
            #[cfg(feature = "native")]
            BackendScanner::Native(scanner) => scanner.scan(batch, out),
        }
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        match &mut self.backend {
            BackendScanner::Pure(scanner) => scanner.scan_with(batch, each),
            #[cfg(feature = "native")]
            BackendScanner::Native(scanner) => scanner.scan_with(batch, each),
        }
    }

    fn set_stop(&mut self, stop: StopFlag) {
        match &mut self.backend {
            BackendScanner::Pure(scanner) => scanner.set_stop(stop),
            #[cfg(feature = "native")]
            BackendScanner::Native(scanner) => scanner.set_stop(stop),
        }
    }
}
