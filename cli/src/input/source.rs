//! One file, or standard input.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use crate::escape;

/// A file to be searched, or standard input.
#[derive(Debug)]
pub(crate) struct Source {
    /// None for standard input.
    path: Option<PathBuf>,
    /// Whether the user named it, so that it is searched whatever it is.
    explicit: bool,
    /// Whether reading it may have to wait for someone to write.
    may_wait: bool,
    /// The path as it is printed.
    name: String,
    /// How many matches it has so far.
    pub(crate) matches: AtomicU64,
}

impl Source {
    pub(crate) fn stdin() -> Source {
        Source {
            path: None,
            explicit: true,
            may_wait: true,
            name: "<stdin>".to_owned(),
            matches: AtomicU64::new(0),
        }
    }

    pub(crate) fn file(path: PathBuf, explicit: bool, may_wait: bool) -> Source {
        let name = escape::path(&path);
        Source { path: Some(path), explicit, may_wait, name, matches: AtomicU64::new(0) }
    }

    /// The path; None for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the user named it.
    pub(crate) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Whether reading it may have to wait for someone to write, as with a pipe.
    pub(crate) fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// The path for JSON; what is not UTF-8 in it is replaced.
    pub(crate) fn json_path(&self) -> Cow<'_, str> {
        self.path.as_ref().map_or(Cow::Borrowed("<stdin>"), |path| path.to_string_lossy())
    }

    /// The path, safe to print on a terminal; `<stdin>` for standard input.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
