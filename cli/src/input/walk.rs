//! Finds the files to search.
//!
//! The `ignore` crate walks directories, and [`Filter`] decides which entries are searched. This
//! module turns entries into sources, and errors into messages that start with the path.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ignore::overrides::Override;
use ignore::types::Types;
use ignore::{DirEntry, Walk, WalkBuilder};

use super::Source;
use super::encoding::Encoding;
use super::filter::{Filter, Hidden, Skipped};
use crate::escape;

/// The order of the files of a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SortOrder {
    /// By path, within each directory.
    #[default]
    Path,
    /// By the time of the last change.
    Modified,
    /// By the time of the last access.
    Accessed,
    /// By the time of creation.
    Created,
    /// As the system lists them.
    None,
}

/// Which files a walk finds.
#[derive(Clone, Debug)]
pub(crate) struct WalkOptions {
    pub(crate) hidden: Hidden,
    /// Search files that ignore files exclude.
    pub(crate) no_ignore: bool,
    /// Globs of files to search, or not to search.
    pub(crate) globs: Override,
    /// Types of files to search, or not to search.
    pub(crate) types: Types,
    /// The largest file that is searched, in bytes. Files that the user named are not affected.
    pub(crate) max_size: Option<u64>,
    pub(crate) encoding: Encoding,
    pub(crate) sort: SortOrder,
    pub(crate) is_reversed: bool,
    /// Whether the message about a path that does not exist asks if it was meant as a pattern.
    pub(crate) suggests_pattern: bool,
}

impl Default for WalkOptions {
    fn default() -> WalkOptions {
        WalkOptions {
            hidden: Hidden::None,
            no_ignore: false,
            globs: Override::empty(),
            types: Types::empty(),
            max_size: None,
            encoding: Encoding::Auto,
            sort: SortOrder::Path,
            is_reversed: false,
            suggests_pattern: false,
        }
    }
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
    pub(crate) fn unsearched(message: impl Into<String>) -> WalkError {
        WalkError { message: message.into(), skips_input: true }
    }

    /// A message about something that was searched all the same, or is never searched.
    pub(super) fn note(message: impl Into<String>) -> WalkError {
        WalkError { message: message.into(), skips_input: false }
    }
}

/// An iterator over the files under some paths; see [`walk`].
pub(crate) struct FileWalk {
    walk: Walk,
    filter: Arc<Filter>,
    is_default_path: bool,
    max_size: Option<u64>,
    encoding: Encoding,
    suggests_pattern: bool,
    /// The number of files that were larger than `max_size`.
    large: u64,
    /// Items that were found and not returned yet, the next one last.
    pending: Vec<Result<FoundFile, WalkError>>,
}

/// Returns all files under `paths`, or under the current directory if `paths` is empty, in the
/// order of `paths` and, within a directory, sorted by path.
pub(crate) fn walk(paths: &[PathBuf], options: &WalkOptions) -> FileWalk {
    let mut walk = WalkBuilder::new(paths.first().map_or(Path::new("./"), PathBuf::as_path));
    for path in paths.iter().skip(1) {
        walk.add(path);
    }
    let WalkOptions { hidden, no_ignore, globs, types, max_size, sort, is_reversed, .. } =
        options.clone();
    let filter = Arc::new(Filter::new(hidden, !no_ignore, globs, types));
    let for_walk = filter.clone();
    // The filter decides instead: it reads ignore files more carefully.
    walk.standard_filters(false)
        // Searching the file that standard output is redirected to might never end.
        .skip_stdout(true)
        .filter_entry(move |entry| for_walk.includes(entry));
    match (sort, is_reversed) {
        (SortOrder::None, _) => {}
        // The paths that are compared lie in one directory, so their bytes have the same order as their
        // components, which takes longer to find.
        (_, false) => drop(walk.sort_by_file_path(|a, b| a.as_os_str().cmp(b.as_os_str()))),
        (_, true) => drop(walk.sort_by_file_path(|a, b| b.as_os_str().cmp(a.as_os_str()))),
    }
    let mut found = FileWalk {
        walk: walk.build(),
        filter,
        is_default_path: paths.is_empty(),
        max_size,
        encoding: options.encoding,
        suggests_pattern: options.suggests_pattern,
        large: 0,
        pending: Vec::new(),
    };
    if let SortOrder::Modified | SortOrder::Accessed | SortOrder::Created = sort {
        found.sort_by_time(sort, is_reversed);
    }
    found
}

impl FileWalk {
    /// The number of files and directories that were excluded so far.
    pub(crate) fn skipped(&self) -> Skipped {
        Skipped { large: self.large, ..self.filter.skipped() }
    }

    /// Finds all files and sorts them by a time. Files without that time come first.
    fn sort_by_time(&mut self, order: SortOrder, is_reversed: bool) {
        let mut files: Vec<(Option<SystemTime>, Result<FoundFile, WalkError>)> = self
            .by_ref()
            .map(|item| {
                let path = item.as_ref().ok().and_then(|file| file.source.path());
                let metadata = path.and_then(|path| std::fs::metadata(path).ok());
                let time = metadata.and_then(|metadata| match order {
                    SortOrder::Accessed => metadata.accessed().ok(),
                    SortOrder::Created => metadata.created().ok(),
                    _ => metadata.modified().ok(),
                });
                (time, item)
            })
            .collect();
        files.sort_by_key(|(time, _)| *time);
        if !is_reversed {
            // The next one is last.
            files.reverse();
        }
        self.pending = files.into_iter().map(|(_, item)| item).collect();
    }

    fn error(&self, error: &ignore::Error) -> WalkError {
        let mut message = message(error);
        let is_missing =
            error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        if let Some(path) = path(error).filter(|_| self.suggests_pattern && is_missing) {
            message.push_str(&format!(": did you mean -e {}?", shell_word(path)));
        }
        WalkError::unsearched(message)
    }

    /// Returns the file of an entry, or `None` if the entry is not to be searched.
    fn found(&mut self, entry: DirEntry) -> Option<Result<FoundFile, WalkError>> {
        let mut found = file(entry, self.is_default_path)?;
        if let Ok(FoundFile { source, .. }) = &mut found {
            source.encoding = self.encoding;
        }
        if let (Ok(FoundFile { source, size }), Some(max_size)) = (&found, self.max_size)
            && !source.is_explicit()
            && *size > max_size
        {
            self.large += 1;
            return None;
        }
        Some(found)
    }
}

impl Iterator for FileWalk {
    type Item = Result<FoundFile, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.pending.pop() {
                return Some(item);
            }
            let entry = self.walk.next();
            let is_end = entry.is_none();
            let item = match entry {
                Some(Ok(entry)) => self.found(entry),
                Some(Err(error)) => Some(Err(self.error(&error))),
                None => None,
            };
            self.pending.extend(item);
            let errors = self.filter.take_errors();
            self.pending.extend(errors.into_iter().rev().map(|error| Err(WalkError::note(error))));
            if is_end && self.pending.is_empty() {
                return None;
            }
        }
    }
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
    let path = match is_default_path.then(|| entry.path().strip_prefix("./")) {
        Some(Ok(path)) => path.to_path_buf(),
        _ => entry.into_path(),
    };
    match metadata {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(metadata) => {
            let mut source = Source::file(path, is_explicit, !metadata.is_file());
            if !is_explicit && metadata.is_file() {
                source.size = metadata.len();
            }
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

/// Returns the path of an error at the root of a walk.
fn path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { depth: 0, err } => path(err),
        _ => None,
    }
}

/// Returns a word as it is typed in a shell, safe to print on a terminal.
fn shell_word(word: &Path) -> String {
    let text = escape::path(word);
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Returns the reason of an error, without the path if possible.
fn reason(error: &ignore::Error) -> String {
    // The walker wraps the system's error in one that repeats the path.
    let inner = error.io_error().and_then(io::Error::get_ref).and_then(|inner| inner.source());
    let reason = inner.map_or_else(|| error.to_string(), |inner| inner.to_string());
    // Some errors have a path in their text.
    escape::text(reason.as_bytes())
}
