//! Finds the files to search.
//!
//! One thread at a time walks the tree, a directory before its contents, in the order in which results are
//! printed. [`Filter`] decides which entries are searched. Files are opened by the threads that search them.
//!
//! The `ignore` crate could walk too. It takes longer: it looks for every kind of ignore file in every
//! directory, although the names of the directory's files are known, and passes the whole path to each
//! call of the system, see [`directory`](super::directory). Its parallel walk has no order.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ignore::overrides::Override;
use ignore::types::Types;

use super::directory::{self, Directory, Entry, Kind, OpenDirectories};
use super::encoding::Encoding;
use super::filter::{Filter, Hidden, Skipped, without_dot};
use super::{Interrupt, Source};
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

    /// An error because of which some lines of a file were not searched.
    pub(crate) fn in_source(source: &Source, error: &dyn Display) -> WalkError {
        WalkError::unsearched(format!("{}: {error}", source.display_path()))
    }

    /// A message about something that was searched all the same, or is never searched.
    pub(super) fn note(message: impl Into<String>) -> WalkError {
        WalkError { message: message.into(), skips_input: false }
    }
}

/// An iterator over the files under some paths; see [`walk`].
pub(crate) struct FileWalk {
    /// The paths that were not entered yet, the next one last.
    roots: Vec<PathBuf>,
    /// The directories above the current entry.
    levels: Vec<Level>,
    directories: OpenDirectories,
    filter: Filter,
    sort: SortOrder,
    is_reversed: bool,
    is_default_path: bool,
    max_size: Option<u64>,
    encoding: Encoding,
    suggests_pattern: bool,
    /// The number of files that were larger than `max_size`.
    large: u64,
    interrupt: Arc<Interrupt>,
    /// Items that were found and not returned yet, the next one last.
    pending: Vec<Result<Source, WalkError>>,
}

/// A directory that is being walked.
struct Level {
    path: PathBuf,
    /// `None` if its entries are opened by their path.
    directory: Option<Arc<Directory>>,
    /// The entries that were not visited yet, the next one last.
    entries: Vec<Entry>,
}

/// Returns all files under `paths`, or under the current directory if `paths` is empty, in the
/// order of `paths` and, within a directory, sorted by path. Links are followed only if they are among
/// `paths`.
pub(crate) fn walk(paths: &[PathBuf], options: &WalkOptions) -> FileWalk {
    let mut roots: Vec<PathBuf> = match paths {
        [] => vec![PathBuf::from("./")],
        paths => paths.to_vec(),
    };
    roots.reverse();
    let WalkOptions { hidden, no_ignore, globs, types, sort, is_reversed, .. } = options.clone();
    let mut found = FileWalk {
        roots,
        levels: Vec::new(),
        directories: OpenDirectories::new(),
        filter: Filter::new(hidden, !no_ignore, globs, types),
        sort,
        is_reversed,
        is_default_path: paths.is_empty(),
        max_size: options.max_size,
        encoding: options.encoding,
        suggests_pattern: options.suggests_pattern,
        large: 0,
        interrupt: Arc::default(),
        pending: Vec::new(),
    };
    if let SortOrder::Modified | SortOrder::Accessed | SortOrder::Created = sort {
        found.sort_by_time(sort, is_reversed);
    }
    found
}

impl FileWalk {
    /// Ends the walk early when `interrupt` is set, also between directories in which nothing is found.
    pub(super) fn until(mut self, interrupt: Arc<Interrupt>) -> FileWalk {
        self.interrupt = interrupt;
        self
    }

    /// The number of files and directories that were excluded so far.
    pub(crate) fn skipped(&self) -> Skipped {
        Skipped { large: self.large, ..self.filter.skipped() }
    }

    /// Finds all files and sorts them by a time. Files without that time come first.
    fn sort_by_time(&mut self, order: SortOrder, is_reversed: bool) {
        let mut files: Vec<(Option<SystemTime>, Result<Source, WalkError>)> = self
            .by_ref()
            .map(|item| {
                let path = item.as_ref().ok().and_then(Source::path);
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

    /// Adds an item, after the messages about ignore files that were read to find it.
    fn push(&mut self, item: Option<Result<Source, WalkError>>) {
        self.pending.extend(item);
        let errors = self.filter.take_errors();
        self.pending.extend(errors.into_iter().rev().map(|error| Err(WalkError::note(error))));
    }

    /// Visits a path that the user named, which is searched whatever it is, also through a link.
    fn visit_root(&mut self, path: PathBuf) -> Option<Result<Source, WalkError>> {
        if path.as_os_str() == "-" {
            return Some(Ok(self.file(Source::stdin())));
        }
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.enter(path),
            Ok(metadata) => {
                let mut source = Source::file(path, true, !metadata.is_file());
                source.size = metadata.len();
                Some(Ok(self.file(source)))
            }
            Err(error) => {
                let mut error_message = message(&path, &error);
                if self.suggests_pattern && error.kind() == io::ErrorKind::NotFound {
                    error_message.push_str(&format!(": did you mean -e {}?", shell_word(&path)));
                }
                Some(Err(WalkError::unsearched(error_message)))
            }
        }
    }

    /// Visits an entry of the current directory.
    fn visit(&mut self, path: PathBuf, entry: &Entry) -> Option<Result<Source, WalkError>> {
        if !self.filter.includes(&path, &entry.name, entry.kind) {
            return None;
        }
        match entry.kind {
            Kind::Directory => return self.enter(path),
            Kind::Other => return None,
            Kind::File => {}
        }
        let parent = self.levels.last().and_then(|level| level.directory.clone());
        if let Some(max_size) = self.max_size {
            match directory::file_size(parent.as_deref(), &path) {
                Ok(size) if size > max_size => {
                    self.large += 1;
                    return None;
                }
                Ok(_) => {}
                Err(error) => {
                    return Some(Err(WalkError::unsearched(message(self.shown(&path), &error))));
                }
            }
        }
        let path = if self.is_default_path { self.shown(&path).to_owned() } else { path };
        let mut source = Source::file(path, false, false);
        source.directory = parent;
        Some(Ok(self.file(source)))
    }

    /// Enters a directory. Returns an error if not all of its entries could be read.
    fn enter(&mut self, path: PathBuf) -> Option<Result<Source, WalkError>> {
        let mut entries = Vec::new();
        let is_root = self.levels.is_empty();
        let parent = self.levels.last().and_then(|level| level.directory.as_deref());
        let listed = self.directories.list(parent, &path, is_root, &mut entries);
        let (directory, error) = match listed {
            Ok(directory) => (directory, None),
            Err(error) => {
                // An error of the default path itself needs a name.
                let shown = if is_root { &path } else { self.shown(&path) };
                (None, Some(Err(WalkError::unsearched(message(shown, &error)))))
            }
        };
        if self.sort != SortOrder::None {
            entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        }
        // The next one is last.
        if self.sort == SortOrder::None || !self.is_reversed {
            entries.reverse();
        }
        self.filter.enter(&path, &entries, error.is_none());
        self.levels.push(Level { path, directory, entries });
        error
    }

    fn file(&self, mut source: Source) -> Source {
        source.encoding = self.encoding;
        source
    }

    /// The path as it is printed: the user did not type the `./` of the default path.
    fn shown<'a>(&self, path: &'a Path) -> &'a Path {
        if self.is_default_path { without_dot(path) } else { path }
    }
}

impl Iterator for FileWalk {
    type Item = Result<Source, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.interrupt.is_set() {
                return None;
            }
            if let Some(item) = self.pending.pop() {
                return Some(item);
            }
            let item = match self.levels.last_mut() {
                Some(level) => match level.entries.pop() {
                    Some(entry) => {
                        let path = level.path.join(&entry.name);
                        self.visit(path, &entry)
                    }
                    None => {
                        self.filter.leave();
                        self.levels.pop();
                        None
                    }
                },
                None => {
                    let root = self.roots.pop()?;
                    self.visit_root(root)
                }
            };
            self.push(item);
        }
    }
}

/// Returns the message for an error, starting with its path.
fn message(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", escape::path(path))
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
