//! Reads the ignore files of a directory, in bounded time and memory.
//!
//! The `ignore` crate parses and matches globs. It would also find and read the files, but it opens
//! whatever has the name: a link to `/dev/zero` would be read until memory ends, a FIFO would be
//! waited for. Here a file that is not regular or too large is refused and named, and the search
//! continues without it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::open::regular_file;
use crate::escape;

/// The largest ignore file that is read, in bytes. The largest in public repositories have about
/// 100 KiB.
const MAX_SIZE: u64 = 1 << 20;

/// The most globs of one ignore file. A set of globs takes about 2 KiB for each.
const MAX_GLOBS: usize = 20_000;

/// The most invalid globs of one file that are reported one by one.
const MAX_MESSAGES: usize = 10;

/// The ignore rules that one directory adds to those of its parents.
#[derive(Debug)]
pub(super) struct IgnoreFiles {
    /// From `.ignore`.
    pub(super) ignore: Gitignore,
    /// From `.gitignore`.
    pub(super) git_ignore: Gitignore,
    /// From `.git/info/exclude`.
    pub(super) git_exclude: Gitignore,
    /// Whether the directory is the top of a repository, at which rules of git files end.
    pub(super) is_repository: bool,
}

impl IgnoreFiles {
    /// Reads the ignore files of `directory`; `has` says whether it may have a file of some name. Returns
    /// `None` if they exclude nothing and the directory is not the top of a repository. Adds a message to
    /// `errors` for each file or glob that is not used.
    pub(super) fn read(
        directory: &Path,
        has: impl Fn(&str) -> bool,
        errors: &mut Vec<String>,
    ) -> Option<IgnoreFiles> {
        let git = directory.join(".git");
        let git_type = if has(".git") { std::fs::metadata(&git).ok() } else { None };
        let is_repository = git_type.is_some() || has(".jj") && directory.join(".jj").exists();
        let exclude = match git_type {
            Some(metadata) if metadata.is_dir() => Some(git.join("info/exclude")),
            Some(metadata) if metadata.is_file() => {
                common_git_directory(&git, errors).map(|common| common.join("info/exclude"))
            }
            _ => None,
        };
        let mut globs = |name: &str| match has(name) {
            true => read_globs(directory, &directory.join(name), errors),
            false => Gitignore::empty(),
        };
        let files = IgnoreFiles {
            ignore: globs(".ignore"),
            git_ignore: globs(".gitignore"),
            git_exclude: exclude
                .map_or_else(Gitignore::empty, |path| read_globs(directory, &path, errors)),
            is_repository,
        };
        let is_needed = is_repository || !files.ignore.is_empty() || !files.git_ignore.is_empty();
        is_needed.then_some(files)
    }
}

/// Returns the repository that a work tree or submodule belongs to, from its `.git` file.
fn common_git_directory(git_file: &Path, errors: &mut Vec<String>) -> Option<PathBuf> {
    let text = read_text(git_file, errors)?;
    let directory = git_file.parent()?.join(text.lines().next()?.strip_prefix("gitdir: ")?);
    let text = read_text(&directory.join("commondir"), errors)?;
    Some(directory.join(text.lines().next()?))
}

/// Returns the text of a small file, with invalid UTF-8 replaced. Returns `None` if there is no
/// such file, or with a message if it can't be used.
fn read_text(path: &Path, errors: &mut Vec<String>) -> Option<String> {
    match read_small(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if is_missing(&error) => None,
        Err(error) => {
            errors.push(format!("{}: not used: {error}", escape::path(path)));
            None
        }
    }
}

/// Whether a file can't be there, which is no reason for a message.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};

    // A file whose path is too long can be there: its directory may have been opened step by step.
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Returns the contents of a regular file of at most [`MAX_SIZE`] bytes.
fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let (mut file, metadata) = regular_file(path)?;
    let size = metadata.len();
    let mut bytes = Vec::new();
    // The size can be wrong: files of /proc have none, and any file can grow.
    if size <= MAX_SIZE {
        (&mut file).take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    }
    if size > MAX_SIZE || bytes.len() as u64 > MAX_SIZE {
        return Err(io::Error::other(format!("it is larger than {} KiB", MAX_SIZE >> 10)));
    }
    Ok(bytes)
}

/// Returns the globs of the ignore file `path`, which apply to paths below `directory`.
fn read_globs(directory: &Path, path: &Path, errors: &mut Vec<String>) -> Gitignore {
    let Some(text) = read_text(path, errors) else { return Gitignore::empty() };
    let name = escape::path(path);
    let mut builder = GitignoreBuilder::new(directory);
    let mut invalid = 0;
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut globs =
        lines.enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in globs.by_ref().take(MAX_GLOBS) {
        if let Err(error) = builder.add_line(None, line) {
            invalid += 1;
            if invalid <= MAX_MESSAGES {
                let reason = escape::text(error.to_string().as_bytes());
                errors.push(format!("{name}:{}: not used: {reason}", number + 1));
            }
        }
    }
    if invalid > MAX_MESSAGES {
        errors.push(format!("{name}: {} more invalid globs", invalid - MAX_MESSAGES));
    }
    if globs.next().is_some() {
        errors.push(format!("{name}: only the first {MAX_GLOBS} globs are used"));
    }
    builder.build().unwrap_or_else(|error| {
        errors.push(format!("{name}: not used: {}", escape::text(error.to_string().as_bytes())));
        Gitignore::empty()
    })
}
