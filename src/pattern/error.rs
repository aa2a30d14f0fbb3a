//! What is wrong with a pattern set, for every bad pattern at once.

use std::fmt;
use std::ops::Range;

/// One pattern that could not be taken into a set: which one, where in it, and why.
///
/// Its `Display` is one line: `pattern 3 (aws-key): unclosed group at byte 7`.
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

    /// The position of the pattern in its set, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The name of the pattern, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The regular expression as it was written.
    pub fn regex(&self) -> &str {
        &self.regex
    }

    /// The bytes of [`regex`](PatternError::regex) that are at fault, if one place is. It may be
    /// empty, and may lie at the very end of the pattern.
    pub fn position(&self) -> Option<Range<usize>> {
        self.position.clone()
    }

    /// Why the pattern was refused, as a phrase without the pattern or its position.
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
    /// Some patterns are not valid or too large; all of them are listed, in the set's order. The
    /// list is never empty.
    #[error("{}", list(.0))]
    Patterns(Vec<PatternError>),
    /// Each pattern is within its limit, but together they are larger than the set may be.
    #[error("the set's size of {size} is over its limit of {limit}")]
    SetTooLarge {
        /// The size of all patterns together, in the units of
        /// [`PatternSetBuilder::set_size_limit`](super::PatternSetBuilder::set_size_limit).
        size: u64,
        /// The limit that was set.
        limit: u64,
    },
    /// More patterns than pattern numbers can count.
    #[error("{count} patterns are more than the {limit} that a set can hold")]
    TooManyPatterns {
        /// How many patterns were given.
        count: usize,
        /// How many a set can hold.
        limit: usize,
    },
}

fn list(errors: &[PatternError]) -> String {
    let lines: Vec<String> = errors.iter().map(PatternError::to_string).collect();
    lines.join("\n")
}
