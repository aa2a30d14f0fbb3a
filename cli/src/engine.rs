//! Builds the engine that a command scans with.

use dragnet::{Backend, Engine, Report};

use crate::messages;
use crate::rules::Rules;
use crate::status::Failure;

/// Compiles the rules for `backend`, with spans reported.
///
/// With [`Backend::Auto`], a native backend that fails its self-test is replaced by the pure one,
/// with a warning. A build without a native backend gives no warning.
pub(crate) fn build(rules: &Rules, backend: Backend) -> Result<Engine, Failure> {
    let engine = Engine::with_backend(rules.patterns(), Report::Spans, backend)
        .map_err(|error| Failure::new(format!("--backend {backend}: {error}")))?;
    if let Some(reason) = engine.fallback_reason() {
        messages::warning(format_args!("falling back to the pure backend: {reason}"));
    }
    Ok(engine)
}
