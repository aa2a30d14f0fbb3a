//! How an engine searches a pattern, for people who wonder why a rule is slow.

use std::fmt;

use crate::pure;

/// How one pattern of an [`Engine`](crate::Engine) is searched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Explanation {
    /// By the C library, with all other patterns at once.
    Native,
    /// By the pure engine.
    Pure {
        /// What it looks for.
        by: pure::Explanation,
        /// Why the C library does not get the pattern, if the engine has one.
        instead: Option<String>,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Explanation::Native => f.write_str("the C library"),
            Explanation::Pure { by, instead: None } => by.fmt(f),
            Explanation::Pure { by, instead: Some(reason) } => {
                write!(f, "{by}; not by the C library: {reason}")
            }
        }
    }
}
