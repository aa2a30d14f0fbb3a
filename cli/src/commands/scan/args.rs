//! The options of `dragnet scan`.

// Brackets in help texts are not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use crate::args::{EngineArgs, OutputArgs, RuleArgs};

/// Search files and print every match
///
/// Files are searched line by line, and each match is printed as path:line:column: rule: match.
/// Columns are byte offsets, counted from 1. Control characters and invalid UTF-8 are printed as
/// escapes.
///
/// Directories are searched recursively. As in ripgrep, hidden files, binary files (those with a
/// NUL byte in their first 64 KiB) and files that .gitignore or .ignore exclude are skipped, and
/// symbolic links are not followed. Files named on the command line are always searched. Results
/// are in the order of the given paths and, within a directory, sorted by path.
///
/// A search with the built-in rules also reads hidden files, such as .env and .github/, except in
/// .git and the directories of other version control systems. In the end it says on standard error
/// how many files and directories were skipped, and why.
///
/// With --format json, each line is an object for one match, with the fields path, line (from 1),
/// rule, start and end (byte offsets in the line) and match. Bytes of a path or a match that are
/// not UTF-8 are replaced by U+FFFD; start and end remain exact. With --count, the fields are path
/// and count.
///
/// The exit status is 0 if there was a match, 1 if there was none, and 2 if there was an error, as
/// that of grep. It must not be inverted to check that there is no match: `! dragnet scan nofile`
/// succeeds. With `--exit-code 1` the status is 0 only if everything could be searched and nothing
/// was found, and 1 if there was a match.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet scan                       search this directory for credentials\n  \
        dragnet scan -e 'todo|fixme' src   search a directory for a pattern\n  \
        git diff | dragnet scan --redact   search a diff without printing credentials\n  \
        dragnet scan --exit-code 1 .       fail in CI if a credential is found\n  \
        dragnet scan -r gitleaks.toml --format json . > found.jsonl")]
pub(crate) struct ScanArgs {
    /// Files and directories to search; `-` is standard input
    ///
    /// Without a PATH, standard input is searched if something is piped into it, and the current
    /// directory otherwise.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Print the number of matches in each file instead of the matches
    ///
    /// Prints path:count for each file with at least one match. All matches of all rules count.
    #[arg(long)]
    pub(crate) count: bool,

    /// Print [REDACTED] instead of the matched text
    #[arg(long)]
    pub(crate) redact: bool,

    /// Search hidden files and directories, such as .env and .git
    #[arg(long, overrides_with = "no_hidden")]
    pub(crate) hidden: bool,

    /// Skip hidden files and directories also with the built-in rules
    #[arg(long, overrides_with = "hidden")]
    pub(crate) no_hidden: bool,

    /// Search files that .gitignore, .ignore and similar files exclude
    #[arg(long)]
    pub(crate) no_ignore: bool,

    /// Exit with NUM if there was a match, and with 0 if there was none
    ///
    /// NUM is 1 or 3 to 125. The status after an error remains 2, with or without a match. So a
    /// script or a CI job can require that nothing is found.
    #[arg(long, value_name = "NUM", value_parser = parse_exit_code)]
    pub(crate) exit_code: Option<u8>,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// Parses a status that is neither that of success nor that of an error, and that shells do not use.
fn parse_exit_code(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(code @ (1 | 3..=125)) => Ok(code),
        _ => Err("it must be 1 or 3 to 125".to_owned()),
    }
}
