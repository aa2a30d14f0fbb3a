//! How an engine searches a pattern, for people who wonder why a rule is slow.

use std::fmt;

use crate::pure;

/// How one pattern of an [`Engine`](crate::Engine) is searched.
///
/// Returned by [`Engine::explain`](crate::Engine::explain). Its `Display` is one line of English,
/// meant for people: the wording changes between versions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Explanation {
    /// The C library searches for the pattern, together with all others that it can express.
    Native,
    /// The pure engine searches for the pattern.
    Pure {
        /// How the pure engine searches for it.
        by: pure::Explanation,
        /// If the engine has the C library: why the pattern is not searched with it.
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
