//! Decides which entries of a directory tree are searched: ignore files, globs, types and hidden
//! names, with ripgrep's rules and precedence.
//!
//! The first of these that has an opinion decides: the globs of `-g`; `.ignore`; `.gitignore`;
//! `.git/info/exclude`; git's global ignore file; the types of `-t` and `-T`; and, for an entry
//! that none of these includes, whether its name is hidden. Of ignore files of one kind, the one in
//! the deepest directory decides. Git's files apply inside a repository only, and not beyond its
//! top.
//!
//! The walk calls [`Filter::enter`] and [`Filter::leave`] for each directory. So a stack of the directories
//! above the current entry is enough, and every directory's ignore files are read once. The names in a
//! directory are known by then, so no ignore file is looked for that isn't there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::overrides::Override;
use ignore::types::Types;

use super::directory::{Entry, Kind};
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
    /// The directories above the current entry, from the root of the walk; `None` for those that add no
    /// rules.
    levels: Vec<Option<IgnoreFiles>>,
    root: PathBuf,
    /// The directories above the root, from the top of the file system. Those without rules are
    /// left out.
    above: Vec<IgnoreFiles>,
    /// The absolute path of the root. Empty if `above` is.
    absolute_root: PathBuf,
    skipped: Skipped,
    errors: Vec<String>,
}

impl Filter {
    pub(super) fn new(hidden: Hidden, ignore_files: bool, globs: Override, types: Types) -> Filter {
        let mut errors = Vec::new();
        let mut global = Gitignore::empty();
        if ignore_files {
            let (found, error) = Gitignore::global();
            global = found;
            // A current directory that was removed has no paths to exclude.
            let error = error.filter(|error| !error.is_io());
            errors.extend(error.map(|error| escape::text(error.to_string().as_bytes())));
        }
        Filter {
            hidden,
            uses_ignore_files: ignore_files,
            globs,
            types,
            global,
            levels: Vec::new(),
            root: PathBuf::new(),
            above: Vec::new(),
            absolute_root: PathBuf::new(),
            skipped: Skipped::default(),
            errors,
        }
    }

    /// Makes a directory with these entries the one whose entries are decided about. It must be the root of
    /// a walk or an entry of the current directory. If the list is not complete, the directory may have ignore
    /// files that are not listed.
    pub(super) fn enter(&mut self, directory: &Path, entries: &[Entry], is_complete: bool) {
        if !self.uses_ignore_files {
            return;
        }
        if self.levels.is_empty() {
            directory.clone_into(&mut self.root);
            self.read_above(directory);
        }
        // Some file systems ignore case.
        let is_listed =
            |name: &str| entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name));
        // Without entries there is nothing to exclude.
        let has = |name: &str| is_listed(name) || !is_complete && !entries.is_empty();
        self.levels.push(IgnoreFiles::read(directory, has, &mut self.errors));
    }

    /// Leaves the current directory.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether an entry of the current directory is searched, or entered if it is a directory.
    pub(super) fn includes(&mut self, path: &Path, name: &OsStr, kind: Kind) -> bool {
        let exclusion = self.exclusion(path, name, kind == Kind::Directory);
        if kind != Kind::Other {
            match exclusion {
                Some(Exclusion::IgnoreFile) => self.skipped.ignored += 1,
                Some(Exclusion::Hidden) => self.skipped.hidden += 1,
                Some(Exclusion::Request) | None => {}
            }
        }
        exclusion.is_none()
    }

    /// The messages since the last call: ignore files and globs that are not used.
    pub(super) fn take_errors(&mut self) -> Vec<String> {
        std::mem::take(&mut self.errors)
    }

    /// The number of entries that were excluded so far. Those that the command line excludes by a
    /// glob or a type are not counted.
    pub(super) fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn exclusion(&self, path: &Path, name: &OsStr, is_directory: bool) -> Option<Exclusion> {
        let full_path = path;
        let path = without_dot(path);
        match self.globs.matched(path, is_directory) {
            Match::Ignore(_) => return Some(Exclusion::Request),
            Match::Whitelist(_) => return None,
            Match::None => {}
        }
        let mut is_included = false;
        if self.uses_ignore_files {
            match self.matched(path, is_directory) {
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
        match self.hidden {
            _ if is_included || !is_hidden(full_path, name) => None,
            Hidden::None => Some(Exclusion::Hidden),
            Hidden::ExceptVersionControl if VERSION_CONTROL.iter().any(|it| name == *it) => {
                Some(Exclusion::Request)
            }
            Hidden::ExceptVersionControl | Hidden::All => None,
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
        self.above.extend(
            above.iter().rev().filter_map(|path| IgnoreFiles::read(path, |_| true, errors)),
        );
        if !self.above.is_empty() {
            self.absolute_root = absolute;
        }
    }

    /// Returns what ignore files say about a path.
    fn matched(&self, path: &Path, is_directory: bool) -> Match<()> {
        let below = self.levels.iter().flatten().rev();
        let absolute = (!self.above.is_empty()).then(|| {
            let root = without_dot(&self.root);
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
        by_ignore.or(by_git).or(by_exclude).or(self.global.matched(path, is_directory).map(drop))
    }
}

/// Returns a path without `./` at its start.
pub(super) fn without_dot(path: &Path) -> &Path {
    // Splitting a path into components takes much longer than to see that there is nothing to do.
    match path.as_os_str().as_encoded_bytes() {
        [b'.', ..] => path.strip_prefix("./").unwrap_or(path),
        _ => path,
    }
}

/// Whether the name of an entry begins with a dot or, on Windows, it has the attribute.
#[cfg_attr(not(windows), allow(unused_variables))]
fn is_hidden(path: &Path, name: &OsStr) -> bool {
    #[cfg(windows)]
    {
        use std::os::windows::fs::MetadataExt;

        const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
        let attributes =
            std::fs::symlink_metadata(path).map_or(0, |metadata| metadata.file_attributes());
        if attributes & FILE_ATTRIBUTE_HIDDEN != 0 {
            return true;
        }
    }
    name.as_encoded_bytes().starts_with(b".")
}
