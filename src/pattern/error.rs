//! The errors of building a pattern set, which list every bad pattern.

use std::fmt;
use std::ops::Range;

/// An invalid or oversized pattern: its number in the set, the position of the fault, and the
/// reason.
///
/// The `Display` form is one line: `pattern 3 (aws-key): unclosed group at byte 7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    index: usize,
    name: Option<String>,
    regex: String,
    position: Option<Range<usize>>,
    reason: String,
}

impl PatternError {
    pub(crate) fn new(
        index: usize,
        pattern: &super::Pattern,
        position: Option<Range<usize>>,
        reason: String,
    ) -> PatternError {
        PatternError {
            index,
            name: pattern.get_name().map(str::to_owned),
            regex: pattern.as_str().to_owned(),
            position,
            reason,
        }
    }

    /// Returns the number of the pattern in its set, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the name of the pattern, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the text of the pattern, as it was given.
    pub fn regex(&self) -> &str {
        &self.regex
    }

    /// Returns the range of bytes of [`regex`](PatternError::regex) that is at fault, if the error
    /// has a position. The range may be empty, and may lie at the end of the pattern.
    pub fn position(&self) -> Option<Range<usize>> {
        self.position.clone()
    }

    /// Returns the reason, as a phrase that repeats neither the pattern nor its position.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {}", self.index)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        write!(f, ": {}", self.reason)?;
        if let Some(position) = &self.position {
            write!(f, " at byte {}", position.start)?;
        }
        Ok(())
    }
}

impl std::error::Error for PatternError {}

/// Why a [`PatternSet`](super::PatternSet) could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Some patterns are invalid or too large. The list has all of them, in the order of the set, and
    /// is never empty.
    #[error("{}", one_per_line(.0))]
    Patterns(Vec<PatternError>),
    /// Each pattern is within its limit, but the set as a whole exceeds its own.
    #[error("the size of the set is {size}, its limit is {limit}")]
    SetTooLarge {
        /// The size of all patterns together, in the units of
        /// [`PatternSetBuilder::set_size_limit`](super::PatternSetBuilder::set_size_limit).
        size: u64,
        /// The limit of the set.
        limit: u64,
    },
    /// There are more patterns than a set can number.
    #[error("the set would have {count} patterns, the limit is {limit}")]
    TooManyPatterns {
        /// Number of patterns given.
        count: usize,
        /// Maximum number of patterns in a set.
        limit: usize,
    },
}

fn one_per_line(errors: &[PatternError]) -> String {
    let lines: Vec<String> = errors.iter().map(PatternError::to_string).collect();
    lines.join("\n")
}
