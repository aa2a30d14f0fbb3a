//! The options of `dragnet compare`.

use std::path::PathBuf;

use crate::args::{OutputArgs, RuleArgs};

/// Compare the matches and the speed of the backends on your data
///
/// Searches files with every backend of this build, and reports whether the matches are equal, how
/// long each backend took to compile the rules, and how fast it searched the data for the first time
/// and, warm, again. The backends search the same blocks of lines in turn, on one thread. The time for
/// reading files is not counted. In directories, hidden files, binary files and files that ignore files
/// exclude are skipped.
///
/// The first 64 MiB are searched again in rounds, for up to 5 seconds, until the difference between
/// the backends is larger than its noise. The recommendation counts the time to compile the rules:
/// it says from how much data on the faster backend is ahead.
///
/// A build without the `native` feature has only the pure backend, and nothing to compare it with.
///
/// The exit status is 0 if all backends found the same matches, and 2 if they did not or if there
/// was an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet compare /var/log\n  \
        dragnet compare -r gitleaks.toml --format json src")]
pub(crate) struct CompareArgs {
    /// Files and directories to search; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
