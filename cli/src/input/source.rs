//! A file or standard input, as a source of lines.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::directory::Directory;
use super::encoding::Encoding;
use super::open::found_regular_file;
use super::read_ahead::Stopper;
use crate::escape;

/// The name of standard input in the output.
const STDIN: &str = "<stdin>";

/// How far the lines of a file have been printed, for options that depend on lines before.
///
/// The blocks of a large file are searched by several threads, which take turns to use this.
#[derive(Debug, Default)]
pub(crate) struct LineProgress {
    /// The number of lines with a match.
    pub(crate) matched: u64,
    /// The last line that was printed, with its number from 1; 0 if none was.
    pub(crate) printed: u64,
    /// The last line to print after a match.
    pub(crate) end: u64,
    /// The last lines of the blocks before, for context.
    pub(crate) tail: Vec<Vec<u8>>,
}

/// A file to be searched, or standard input.
#[derive(Debug)]
pub(crate) struct Source {
    /// `None` for standard input.
    path: Option<PathBuf>,
    /// The open directory that a walk has found the file in, if there is one.
    pub(super) directory: Option<Arc<Directory>>,
    is_explicit: bool,
    may_block: bool,
    /// The size in bytes of a file that the user named; 0 for others and for most special files.
    pub(super) size: u64,
    pub(super) encoding: Encoding,
    /// Made when it is first printed: most files have nothing to be printed for.
    display_path: OnceLock<String>,
    /// The number of matches found so far.
    pub(crate) match_count: AtomicU64,
    /// Whether the rest of the file is not to be searched.
    is_ended: AtomicBool,
    /// Ends the wait for more of a source that may block.
    stopper: OnceLock<Stopper>,
    pub(crate) progress: Mutex<LineProgress>,
}

impl Source {
    pub(crate) fn stdin() -> Source {
        Source {
            path: None,
            directory: None,
            is_explicit: true,
            may_block: true,
            size: 0,
            encoding: Encoding::Auto,
            display_path: OnceLock::new(),
            match_count: AtomicU64::new(0),
            is_ended: AtomicBool::new(false),
            stopper: OnceLock::new(),
            progress: Mutex::default(),
        }
    }

    pub(crate) fn file(path: PathBuf, is_explicit: bool, may_block: bool) -> Source {
        Source { path: Some(path), is_explicit, may_block, ..Source::stdin() }
    }

    /// The path, or `None` for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Opens the file at `path`, which must be the path of this source. Returns also its size in
    /// bytes, which is wrong for files that are not regular and for files that grow. Returns `None` for a
    /// file of a tree that standard output is redirected to.
    ///
    /// # Errors
    ///
    /// Also if the file was found by a walk and is not a regular file any more.
    pub(super) fn open(&self, path: &Path) -> io::Result<Option<(File, u64)>> {
        let opened = match self.is_explicit {
            true => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                Some((file, metadata))
            }
            false => found_regular_file(self.directory.as_deref(), path)?,
        };
        Ok(opened.map(|(file, metadata)| (file, metadata.len())))
    }

    /// Ends the source before its end: nothing more of it is read or searched. A read of a pipe that
    /// is under way continues on its own thread, and nobody waits for it. Returns whether this is the first call.
    pub(crate) fn end(&self) -> bool {
        // The other order could miss a stopper that is being set.
        let is_first = !self.is_ended.swap(true, Ordering::SeqCst);
        if let Some(stopper) = self.stopper.get() {
            stopper.stop();
        }
        is_first
    }

    /// Whether the source was [ended](Source::end).
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::SeqCst)
    }

    /// Sets what ends the wait for more of this source. The first one counts.
    pub(super) fn set_stopper(&self, stopper: Stopper) {
        let stopper = self.stopper.get_or_init(|| stopper);
        if self.is_ended() {
            stopper.stop();
        }
    }

    /// Whether bytes are searched as they are because the user asked for that.
    pub(crate) fn is_raw(&self) -> bool {
        self.encoding == Encoding::None
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
        self.path
            .as_ref()
            .map_or(STDIN, |path| self.display_path.get_or_init(|| escape::path(path)))
    }
}
