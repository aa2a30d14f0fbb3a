//! Finds the files to search.
//!
//! The `ignore` crate walks directories with ripgrep's rules. This module turns its entries into
//! sources, and its errors into messages that start with the path.

use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::Source;
use crate::escape;

/// Files to search that a walk skips by default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WalkOptions {
    /// Search hidden files.
    pub(crate) hidden: bool,
    /// Search files that ignore files exclude.
    pub(crate) no_ignore: bool,
}

/// A file to be searched.
#[derive(Debug)]
pub(crate) struct FoundFile {
    pub(crate) source: Source,
    /// The size in bytes at the time of the walk; 0 for standard input and most special files.
    pub(crate) size: u64,
}

/// An error of finding or reading input.
#[derive(Debug)]
pub(crate) struct WalkError {
    pub(crate) message: String,
    /// Whether some input was not searched because of the error. False for an invalid glob in an
    /// ignore file, which excludes nothing.
    pub(crate) skips_input: bool,
}

impl WalkError {
    /// An error because of which some input was not searched.
    pub(super) fn unsearched(message: impl Into<String>) -> WalkError {
        WalkError { message: message.into(), skips_input: true }
    }
}

/// Returns all files under `paths`, or under the current directory if `paths` is empty, in the
/// order of `paths` and, within a directory, sorted by path.
pub(crate) fn walk(
    paths: &[PathBuf],
    options: WalkOptions,
) -> impl Iterator<Item = Result<FoundFile, WalkError>> + use<> {
    let is_default_path = paths.is_empty();
    let mut walk = WalkBuilder::new(paths.first().map_or(Path::new("./"), PathBuf::as_path));
    for path in paths.iter().skip(1) {
        walk.add(path);
    }
    walk.hidden(!options.hidden)
        .parents(!options.no_ignore)
        .ignore(!options.no_ignore)
        .git_ignore(!options.no_ignore)
        .git_global(!options.no_ignore)
        .git_exclude(!options.no_ignore)
        // Searching the file that standard output is redirected to might never end.
        .skip_stdout(true)
        .sort_by_file_path(|a, b| a.cmp(b));
    walk.build()
        .flat_map(move |entry| match entry {
            Ok(entry) => [ignore_file_error(&entry).map(Err), file(entry, is_default_path)],
            Err(error) => [Some(Err(WalkError::unsearched(message(&error)))), None],
        })
        .flatten()
}

/// Returns the error of an ignore file in a directory that could be read.
fn ignore_file_error(entry: &DirEntry) -> Option<WalkError> {
    entry.error().map(|error| WalkError { message: error.to_string(), skips_input: false })
}

/// Returns the file of an entry, or `None` if the entry is not to be searched, such as a directory.
fn file(entry: DirEntry, is_default_path: bool) -> Option<Result<FoundFile, WalkError>> {
    if entry.is_stdin() {
        return Some(Ok(FoundFile { source: Source::stdin(), size: 0 }));
    }
    let is_explicit = entry.depth() == 0;
    // A path that the user named is searched whatever it is, also through a symbolic link.
    let metadata = if is_explicit {
        std::fs::metadata(entry.path()).map_err(|error| error.to_string())
    } else if entry.file_type().is_some_and(|file_type| file_type.is_file()) {
        entry.metadata().map_err(|error| reason(&error))
    } else {
        return None;
    };
    // The user did not type the `./` of the default path, so it is not printed.
    let path = match entry.path().strip_prefix("./") {
        Ok(path) if is_default_path => path.to_path_buf(),
        _ => entry.into_path(),
    };
    match metadata {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(metadata) => {
            let source = Source::file(path, is_explicit, !metadata.is_file());
            Some(Ok(FoundFile { source, size: metadata.len() }))
        }
        Err(error) => Some(Err(WalkError::unsearched(format!("{}: {error}", escape::path(&path))))),
    }
}

/// Returns the message for an error of the walk, starting with its path.
fn message(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, err } => {
            format!("{}: {}", escape::path(path), reason(err))
        }
        ignore::Error::WithDepth { err, .. } => message(err),
        error => reason(error),
    }
}

/// Returns the reason of an error, without the path if possible.
fn reason(error: &ignore::Error) -> String {
    // The walker wraps the system's error in one that repeats the path.
    let inner = error.io_error().and_then(io::Error::get_ref).and_then(|inner| inner.source());
    inner.map_or_else(|| error.to_string(), |inner| inner.to_string())
}
