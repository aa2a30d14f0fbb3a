//! The engine for a command's rules.

use dragnet::{Backend, Engine, Report};

use crate::messages;
use crate::rules::Rules;
use crate::status::Failure;

/// Compiles the rules for the backend that was asked for, to report spans. Says so, once, when
/// the choice was left open and this build's native backend was refused.
pub(crate) fn build(rules: &Rules, backend: Backend) -> Result<Engine, Failure> {
    let engine = Engine::with_backend(rules.patterns(), Report::Spans, backend)
        .map_err(|error| Failure::new(format!("--backend {backend}: {error}")))?;
    if let Some(reason) = engine.fallback_reason() {
        messages::warning(format_args!("going on with the pure backend: {reason}"));
    }
    Ok(engine)
}
