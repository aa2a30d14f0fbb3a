//! The options of `dragnet compare`.

use std::path::PathBuf;

use crate::args::{OutputArgs, RuleArgs};

/// Compare the backends on your rules and data
///
/// Searches the files that `dragnet scan` would search with every backend of this build, and reports
/// whether the answers are equal and how long each backend took. The backends take turns on the same
/// blocks of lines, on one thread. Time spent reading files is not counted.
///
/// The exit status is 0 if all backends found the same matches, and 2 if they did not or if there was
/// an error.
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
