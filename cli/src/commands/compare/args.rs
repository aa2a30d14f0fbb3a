//! The options of `dragnet compare`.

use std::path::PathBuf;

use crate::args::{OutputArgs, RuleArgs};

/// Compare the matches and the speed of the backends on your data
///
/// Searches the files that `dragnet scan` would search, once with every backend of this build, and
/// reports whether the matches are equal and how long each backend took to compile the rules and to
/// search. The backends search the same blocks of lines in turn, on one thread. The time for
/// reading files is not counted.
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
