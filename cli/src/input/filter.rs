//! Decides which entries of a directory tree are searched: ignore files, globs, types and hidden
//! names, with ripgrep's rules and precedence.
//!
//! The first of these that has an opinion decides: the globs of `-g`; `.ignore`; `.gitignore`;
//! `.git/info/exclude`; git's global ignore file; the types of `-t` and `-T`; and, for an entry
//! that none of these includes, whether its name is hidden. Of ignore files of one kind, the one in
//! the deepest directory decides. Git's files apply inside a repository only, and not beyond its
//! top.
//!
//! The walk passes each entry to [`Filter::includes`] in the order of the tree, a directory before
//! its contents. So a stack of the directories above the current entry is enough, and every
//! directory's ignore files are read once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::DirEntry;
use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::overrides::Override;
use ignore::types::Types;

use super::ignore_file::IgnoreFiles;
use crate::escape;

/// The directories of version control systems. Their contents are copies of what is or was in the
/// tree, mostly compressed.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Which hidden files and directories are searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hidden {
    #[default]
    None,
    /// All except [`VERSION_CONTROL`].
    ExceptVersionControl,
    All,
}

/// The number of files and directories that were not searched. The contents of a directory are not
/// counted, because it is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Excluded by ignore files.
    pub(crate) ignored: u64,
    /// Hidden.
    pub(crate) hidden: u64,
    /// Larger than the limit.
    pub(crate) large: u64,
    /// Binary.
    pub(crate) binary: u64,
}

impl Skipped {
    /// Returns a phrase with all numbers that are not 0, or `None` if all are.
    pub(crate) fn describe(&self) -> Option<String> {
        let counts = [
            (self.hidden, "hidden (see --hidden)"),
            (self.ignored, "excluded by ignore files (see --no-ignore)"),
            (self.large, "larger than --max-filesize"),
            (self.binary, "binary"),
        ];
        let parts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// What excludes an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exclusion {
    /// A glob or a type of the command line, or a version control directory: as requested.
    Request,
    IgnoreFile,
    Hidden,
}

/// Decides about the entries of one walk.
#[derive(Debug)]
pub(super) struct Filter {
    hidden: Hidden,
    uses_ignore_files: bool,
    globs: Override,
    types: Types,
    /// From git's global ignore file.
    global: Gitignore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The directories above the current entry, from the root of the walk.
    levels: Vec<Level>,
    /// The directories above the root, from the top of the file system. Those without rules are
    /// left out.
    above: Vec<IgnoreFiles>,
    /// The absolute path of the root. Empty if `above` is.
    absolute_root: PathBuf,
    skipped: Skipped,
    errors: Vec<String>,
}

#[derive(Debug)]
struct Level {
    path: PathBuf,
    /// `None` if the directory adds no rules.
    files: Option<IgnoreFiles>,
}

impl Filter {
    pub(super) fn new(hidden: Hidden, ignore_files: bool, globs: Override, types: Types) -> Filter {
        let mut state = State::default();
        let mut global = Gitignore::empty();
        if ignore_files {
            let (found, error) = Gitignore::global();
            global = found;
            // A current directory that was removed has no paths to exclude.
            let error = error.filter(|error| !error.is_io());
            state.errors.extend(error.map(|error| escape::text(error.to_string().as_bytes())));
        }
        let state = Mutex::new(state);
        Filter { hidden, uses_ignore_files: ignore_files, globs, types, global, state }
    }

    /// Whether an entry below the root is searched, or entered if it is a directory.
    pub(super) fn includes(&self, entry: &DirEntry) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_directory = entry.file_type().is_some_and(|file_type| file_type.is_dir());
        let is_file = entry.file_type().is_some_and(|file_type| file_type.is_file());
        if self.uses_ignore_files
            && let Some(parent) = entry.path().parent()
        {
            state.enter(parent, entry.depth());
        }
        let exclusion = self.exclusion(&state, entry, is_directory);
        if is_directory || is_file {
            match exclusion {
                Some(Exclusion::IgnoreFile) => state.skipped.ignored += 1,
                Some(Exclusion::Hidden) => state.skipped.hidden += 1,
                Some(Exclusion::Request) | None => {}
            }
        }
        exclusion.is_none()
    }

    /// The messages since the last call: ignore files and globs that are not used.
    pub(super) fn take_errors(&self) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.errors)
    }

    /// The number of entries that were excluded so far. Those that the command line excludes by a
    /// glob or a type are not counted.
    pub(super) fn skipped(&self) -> Skipped {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).skipped
    }

    fn exclusion(&self, state: &State, entry: &DirEntry, is_directory: bool) -> Option<Exclusion> {
        let path = entry.path();
        let path = path.strip_prefix("./").unwrap_or(path);
        match self.globs.matched(path, is_directory) {
            Match::Ignore(_) => return Some(Exclusion::Request),
            Match::Whitelist(_) => return None,
            Match::None => {}
        }
        let mut is_included = false;
        if self.uses_ignore_files {
            match state.matched(path, is_directory, &self.global) {
                Match::Ignore(()) => return Some(Exclusion::IgnoreFile),
                Match::Whitelist(()) => is_included = true,
                Match::None => {}
            }
        }
        match self.types.matched(path, is_directory) {
            Match::Ignore(_) => return Some(Exclusion::Request),
            Match::Whitelist(_) => is_included = true,
            Match::None => {}
        }
        let name = entry.file_name();
        match self.hidden {
            _ if is_included || !is_hidden(entry) => None,
            Hidden::None => Some(Exclusion::Hidden),
            Hidden::ExceptVersionControl if VERSION_CONTROL.iter().any(|it| name == *it) => {
                Some(Exclusion::Request)
            }
            Hidden::ExceptVersionControl | Hidden::All => None,
        }
    }
}

impl State {
    /// Makes `parent`, the directory of an entry at `depth` below the root, the last of the levels.
    fn enter(&mut self, parent: &Path, depth: usize) {
        // Compared byte by byte: all paths are made from those of the levels above.
        let is_parent = |level: &Level| level.path.as_os_str() == parent.as_os_str();
        if depth == 1 && !self.levels.first().is_some_and(is_parent) {
            self.levels.clear();
            self.read_above(parent);
        }
        self.levels.truncate(depth);
        if self.levels.len() == depth && !self.levels.last().is_some_and(is_parent) {
            self.levels.pop();
        }
        if self.levels.len() < depth {
            let files = IgnoreFiles::read(parent, &mut self.errors);
            self.levels.push(Level { path: parent.to_owned(), files });
        }
    }

    /// Reads the ignore files of all directories above a root.
    fn read_above(&mut self, root: &Path) {
        self.above.clear();
        self.absolute_root.clear();
        // A root that has no absolute path, such as a deleted directory, has nothing above it.
        let Ok(absolute) = root.canonicalize() else { return };
        let above: Vec<&Path> = absolute.ancestors().skip(1).collect();
        let errors = &mut self.errors;
        self.above.extend(above.iter().rev().filter_map(|path| IgnoreFiles::read(path, errors)));
        if !self.above.is_empty() {
            self.absolute_root = absolute;
        }
    }

    /// Returns what ignore files say about a path.
    fn matched(&self, path: &Path, is_directory: bool, global: &Gitignore) -> Match<()> {
        let below = self.levels.iter().filter_map(|level| level.files.as_ref()).rev();
        let absolute = self.levels.first().filter(|_| !self.above.is_empty()).map(|root| {
            let root = root.path.strip_prefix("./").unwrap_or(&root.path);
            self.absolute_root.join(path.strip_prefix(root).unwrap_or(path))
        });
        let above = self.above.iter().rev();
        let directories = below
            .map(|files| (files, path))
            .chain(above.map(|files| (files, absolute.as_deref().unwrap_or(path))));
        let (mut by_ignore, mut by_git, mut by_exclude) = (Match::None, Match::None, Match::None);
        let mut is_in_repository = false;
        for (files, path) in directories {
            let of = |globs: &Gitignore| globs.matched(path, is_directory).map(drop);
            by_ignore = by_ignore.or(of(&files.ignore));
            if !is_in_repository {
                by_git = by_git.or(of(&files.git_ignore));
                by_exclude = by_exclude.or(of(&files.git_exclude));
            }
            is_in_repository |= files.is_repository;
        }
        if !is_in_repository {
            return by_ignore;
        }
        by_ignore.or(by_git).or(by_exclude).or(global.matched(path, is_directory).map(drop))
    }
}

/// Whether an entry's name begins with a dot or, on Windows, it has the attribute.
fn is_hidden(entry: &DirEntry) -> bool {
    #[cfg(windows)]
    {
        use std::os::windows::fs::MetadataExt;

        const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
        let attributes = entry.metadata().map_or(0, |metadata| metadata.file_attributes());
        if attributes & FILE_ATTRIBUTE_HIDDEN != 0 {
            return true;
        }
    }
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
