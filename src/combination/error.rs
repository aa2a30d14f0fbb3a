//! The error of an invalid combination.

/// An invalid expression of a combination: its name, the position of the fault, and the reason.
///
/// The `Display` form is one line: `combination login: no pattern is called "logn" at byte 4`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("combination {name}: {reason} at byte {position}")]
pub struct CombinationError {
    pub(super) name: String,
    pub(super) position: usize,
    pub(super) reason: String,
}

impl CombinationError {
    /// Returns the name of the combination.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the byte of the expression at which the fault is. It may be the expression's length.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the reason, as a phrase that repeats neither the name nor the position.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
