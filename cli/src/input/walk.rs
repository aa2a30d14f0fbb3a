//! Which files there are.

use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::Source;
use crate::escape;

/// Which files a walk leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WalkOptions {
    /// Whether hidden files are searched.
    pub(crate) hidden: bool,
    /// Whether files are searched that ignore files exclude.
    pub(crate) no_ignore: bool,
}

/// A file to be searched.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) source: Source,
    /// How many bytes it has, as far as that is known.
    pub(crate) size: u64,
}

/// Something that could not be read as it should.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) message: String,
    /// Whether something went unsearched because of it. A line of an ignore file that is no
    /// glob, for one, hides nothing.
    pub(crate) is_error: bool,
}

impl Trouble {
    pub(super) fn error(message: impl Into<String>) -> Trouble {
        Trouble { message: message.into(), is_error: true }
    }
}

/// All files under `paths`, or in the current directory if there are none, in the order of the
/// paths and then sorted by path.
pub(crate) fn walk(
    paths: &[PathBuf],
    options: WalkOptions,
) -> impl Iterator<Item = Result<Found, Trouble>> + use<> {
    let in_place = paths.is_empty();
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
        // Scanning what this very command writes would never end.
        .skip_stdout(true)
        .sort_by_file_path(|a, b| a.cmp(b));
    walk.build()
        .flat_map(move |entry| match entry {
            Ok(entry) => [fault(&entry).map(Err), file(entry, in_place)],
            Err(error) => [Some(Err(Trouble::error(describe(&error)))), None],
        })
        .flatten()
}

/// What is wrong about an entry that is there all the same.
fn fault(entry: &DirEntry) -> Option<Trouble> {
    entry.error().map(|fault| Trouble { message: fault.to_string(), is_error: false })
}

/// The file of an entry, if it is one to search.
fn file(entry: DirEntry, in_place: bool) -> Option<Result<Found, Trouble>> {
    if entry.is_stdin() {
        return Some(Ok(Found { source: Source::stdin(), size: 0 }));
    }
    let explicit = entry.depth() == 0;
    // What the user names is searched whatever it is, through symbolic links too.
    let metadata = if explicit {
        std::fs::metadata(entry.path()).map_err(|error| error.to_string())
    } else if entry.file_type().is_some_and(|kind| kind.is_file()) {
        entry.metadata().map_err(|error| reason(&error))
    } else {
        return None;
    };
    let path = match entry.path().strip_prefix("./") {
        Ok(path) if in_place => path.to_path_buf(),
        _ => entry.into_path(),
    };
    match metadata {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(metadata) => {
            let source = Source::file(path, explicit, !metadata.is_file());
            Some(Ok(Found { source, size: metadata.len() }))
        }
        Err(error) => Some(Err(Trouble::error(format!("{}: {error}", escape::path(&path))))),
    }
}

/// What is wrong, with the path that it is about.
fn describe(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, err } => {
            format!("{}: {}", escape::path(path), reason(err))
        }
        ignore::Error::WithDepth { err, .. } => describe(err),
        error => reason(error),
    }
}

/// What is wrong, without the path where that can be had.
fn reason(error: &ignore::Error) -> String {
    // The walker wraps the system's error in one that names the path once more.
    let inner = error.io_error().and_then(io::Error::get_ref).and_then(|inner| inner.source());
    inner.map_or_else(|| error.to_string(), |inner| inner.to_string())
}
