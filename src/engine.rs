//! The choice between the engines, at run time.

use std::ops::ControlFlow;

use crate::pure;
use crate::{Batch, Explanation, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};

/// Which engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// The native engine if this build has one and its library passes the self-test, else the
    /// pure one. [`Engine::backend`] tells which it is, and [`Engine::fallback_reason`] why not the
    /// other.
    #[default]
    Auto,
    /// The pure-Rust engine.
    Pure,
    /// Hyperscan or Vectorscan, or an error.
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

/// Why an engine could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The native backend was asked for in a build that has none.
    #[error(
        "this build has no native backend; install Hyperscan or Vectorscan 5.4 or later and \
         rebuild with `--features native`"
    )]
    NotBuilt,
    /// The C library is older than it may be.
    #[error("{library} is too old; 5.4 or later is needed")]
    TooOld {
        /// The library's name and version.
        library: String,
    },
    /// The C library does not run on this processor.
    #[error("{library} does not support this processor")]
    Unsupported {
        /// The library's name and version.
        library: String,
    },
    /// The C library gave a wrong answer in its self-test and is not used.
    #[error("{library} failed its self-test: {case}")]
    SelfTest {
        /// The library's name and version.
        library: String,
        /// The case that it got wrong: the pattern, the record, what was expected and found.
        case: String,
    },
    /// The C library failed where it should not, as for lack of memory in its self-test. That says
    /// nothing of its answers, so the next engine tests it again.
    #[error("{library} failed: {reason}")]
    Library {
        /// The library's name and version.
        library: String,
        /// What it said.
        reason: String,
    },
}

/// A set of patterns compiled for scanning, cheap to clone and to share between threads.
///
/// Each thread takes a [`Scanner`] of its own from it.
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
    kind: Kind,
    fallback_reason: Option<EngineError>,
}

#[derive(Clone, Debug)]
enum Kind {
    Pure(pure::Engine),
    #[cfg(feature = "native")]
    Native(crate::native::Engine),
}

impl Engine {
    /// The engine that [`Backend::Auto`] chooses. Cannot fail: the pure engine takes every set.
    pub fn new(set: &PatternSet, report: Report) -> Engine {
        match Engine::native(set, report) {
            Ok(engine) => engine,
            Err(error) => {
                // In a build without the native backend, that there is none is no news.
                let fallback_reason = (error != EngineError::NotBuilt).then_some(error);
                Engine { kind: Kind::Pure(pure::Engine::new(set, report)), fallback_reason }
            }
        }
    }

    /// The engine for a backend.
    ///
    /// # Errors
    ///
    /// For [`Backend::Native`] alone: if this build has none, or its library was refused.
    pub fn with_backend(
        set: &PatternSet,
        report: Report,
        backend: Backend,
    ) -> Result<Engine, EngineError> {
        match backend {
            Backend::Auto => Ok(Engine::new(set, report)),
            Backend::Pure => Ok(Engine {
                kind: Kind::Pure(pure::Engine::new(set, report)),
                fallback_reason: None,
            }),
            Backend::Native => Engine::native(set, report),
        }
    }

    cfg_if::cfg_if! {
        if #[cfg(feature = "native")] {
            fn native(set: &PatternSet, report: Report) -> Result<Engine, EngineError> {
                let engine = crate::native::Engine::new(set, report)?;
                Ok(Engine { kind: Kind::Native(engine), fallback_reason: None })
            }
        } else {
            fn native(_: &PatternSet, _: Report) -> Result<Engine, EngineError> {
                Err(EngineError::NotBuilt)
            }
        }
    }

    /// The backend that runs: [`Backend::Pure`] or [`Backend::Native`].
    pub fn backend(&self) -> Backend {
        match self.kind {
            Kind::Pure(_) => Backend::Pure,
            #[cfg(feature = "native")]
            Kind::Native(_) => Backend::Native,
        }
    }

    /// Why [`Backend::Auto`] did not take the native backend, in a build that has one.
    pub fn fallback_reason(&self) -> Option<&EngineError> {
        self.fallback_reason.as_ref()
    }

    /// The memory in bytes that the compiled patterns take, shared by all scanners, without the
    /// automata that the pure engine builds when it first needs them.
    pub fn memory(&self) -> usize {
        match &self.kind {
            Kind::Pure(engine) => engine.memory(),
            #[cfg(feature = "native")]
            Kind::Native(engine) => engine.memory(),
        }
    }

    /// How the pattern with this number is searched, or `None` if the set has no such pattern.
    /// Takes about the time that planning the pattern took when the engine was built.
    pub fn explain(&self, pattern: usize) -> Option<Explanation> {
        match &self.kind {
            Kind::Pure(engine) => {
                engine.explain(pattern).map(|by| Explanation::Pure { by, instead: None })
            }
            #[cfg(feature = "native")]
            Kind::Native(engine) => engine.explain(pattern),
        }
    }

    /// How the pure engine looks for the literals of all the patterns that it searches, in words.
    /// Empty if there are none.
    pub fn prefilter(&self) -> String {
        match &self.kind {
            Kind::Pure(engine) => engine.prefilter(),
            #[cfg(feature = "native")]
            Kind::Native(engine) => engine.prefilter(),
        }
    }

    /// A scanner for one thread.
    ///
    /// # Errors
    ///
    /// If the C library can't allocate its scratch space.
    pub fn scanner(&self) -> Result<Scanner, ScanError> {
        self.scanner_with(StopFlag::new())
    }

    /// A scanner for one thread that stops when `stop` is raised.
    ///
    /// # Errors
    ///
    /// As [`Engine::scanner`].
    pub fn scanner_with(&self, stop: StopFlag) -> Result<Scanner, ScanError> {
        let kind = match &self.kind {
            Kind::Pure(engine) => ScannerKind::Pure(engine.scanner_with(stop)),
            #[cfg(feature = "native")]
            Kind::Native(engine) => ScannerKind::Native(engine.scanner_with(stop)?),
        };
        Ok(Scanner { kind })
    }
}

/// A scanner of whichever backend its [`Engine`] chose.
#[derive(Debug)]
pub struct Scanner {
    kind: ScannerKind,
}

#[derive(Debug)]
enum ScannerKind {
    Pure(pure::Scanner),
    #[cfg(feature = "native")]
    Native(crate::native::Scanner),
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        match &mut self.kind {
            ScannerKind::Pure(scanner) => scanner.scan(batch, out),
            #[cfg(feature = "native")]
            ScannerKind::Native(scanner) => scanner.scan(batch, out),
        }
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        match &mut self.kind {
            ScannerKind::Pure(scanner) => scanner.scan_with(batch, each),
            #[cfg(feature = "native")]
            ScannerKind::Native(scanner) => scanner.scan_with(batch, each),
        }
    }

    fn set_stop(&mut self, stop: StopFlag) {
        match &mut self.kind {
            ScannerKind::Pure(scanner) => scanner.set_stop(stop),
            #[cfg(feature = "native")]
            ScannerKind::Native(scanner) => scanner.set_stop(stop),
        }
    }
}
