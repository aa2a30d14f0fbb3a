//! A file or standard input, as a source of lines.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::open::{Links, regular_file};
use crate::escape;

/// The name of standard input in the output.
const STDIN: &str = "<stdin>";

/// A file to be searched, or standard input.
#[derive(Debug)]
pub(crate) struct Source {
    /// `None` for standard input.
    path: Option<PathBuf>,
    is_explicit: bool,
    may_block: bool,
    display_path: String,
    /// The number of matches found so far, for `--count`.
    pub(crate) match_count: AtomicU64,
}

impl Source {
    pub(crate) fn stdin() -> Source {
        Source {
            path: None,
            is_explicit: true,
            may_block: true,
            display_path: STDIN.to_owned(),
            match_count: AtomicU64::new(0),
        }
    }

    pub(crate) fn file(path: PathBuf, is_explicit: bool, may_block: bool) -> Source {
        let display_path = escape::path(&path);
        let match_count = AtomicU64::new(0);
        Source { path: Some(path), is_explicit, may_block, display_path, match_count }
    }

    /// The path, or `None` for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Opens the file at `path`, which must be the path of this source.
    ///
    /// # Errors
    ///
    /// Also if the file was found by a walk and is not a regular file any more.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        match self.is_explicit {
            true => File::open(path),
            false => regular_file(path, Links::Refuse),
        }
    }

    /// Whether the user named the source. Such a source is searched even if it is binary.
    pub(crate) fn is_explicit(&self) -> bool {
        self.is_explicit
    }

    /// Whether a read may wait for another process to write, as for a pipe.
    pub(crate) fn may_block(&self) -> bool {
        self.may_block
    }

    /// The path for JSON, with invalid UTF-8 replaced by U+FFFD; `<stdin>` for standard input.
    pub(crate) fn json_path(&self) -> Cow<'_, str> {
        self.path.as_ref().map_or(Cow::Borrowed(STDIN), |path| path.to_string_lossy())
    }

    /// The path, safe to print on a terminal; `<stdin>` for standard input.
    pub(crate) fn display_path(&self) -> &str {
        &self.display_path
    }
}
