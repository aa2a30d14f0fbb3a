//! The source of a server's scanners: an engine of dragnet, or a function that the caller of the server
//! provides.

use dragnet::{Backend, Engine, PatternSet, Report, Scan, StopFlag};

/// The patterns of a session, ready to make scanners.
pub(super) struct ScannerSource {
    pub(super) backend: Backend,
    /// Why the native backend was replaced by the pure one; empty if it was not.
    pub(super) fallback_reason: String,
    make: Box<dyn Fn() -> Result<Box<dyn Scan>, String>>,
}

impl ScannerSource {
    /// Compiles the patterns for a backend.
    pub(super) fn engine(
        set: &PatternSet,
        report: Report,
        backend: Backend,
        stop: StopFlag,
    ) -> Result<ScannerSource, String> {
        let engine =
            Engine::with_backend(set, report, backend).map_err(|error| error.to_string())?;
        Ok(ScannerSource {
            backend: engine.backend(),
            fallback_reason: engine.fallback_reason().map_or(String::new(), ToString::to_string),
            make: Box::new(move || match engine.scanner_with(stop.clone()) {
                Ok(scanner) => Ok(Box::new(scanner)),
                Err(error) => Err(error.to_string()),
            }),
        })
    }

    /// Makes scanners with a function instead of an engine.
    pub(super) fn function(
        make: impl Fn(StopFlag) -> Result<Box<dyn Scan>, String> + 'static,
        backend: Backend,
        stop: StopFlag,
    ) -> ScannerSource {
        // The client needs the name of a concrete backend, which `Auto` is not.
        let backend = if backend == Backend::Auto { Backend::Pure } else { backend };
        ScannerSource {
            backend,
            fallback_reason: String::new(),
            make: Box::new(move || make(stop.clone())),
        }
    }

    /// Makes a scanner: the first one, or one to replace a scanner that has panicked.
    pub(super) fn make_scanner(&self) -> Result<Box<dyn Scan>, String> {
        (self.make)()
    }
}
