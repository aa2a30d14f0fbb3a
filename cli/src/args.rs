//! The command line: the subcommands, and the options that several of them share.
//!
//! The options of one subcommand alone are in the `args` module beside it, such as
//! `commands/scan/args.rs`. Doc comments in these modules are the help texts that users read.

// Brackets in help texts are not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::compare::CompareArgs;
use crate::commands::redact::RedactArgs;
use crate::commands::rules::RulesArgs;
use crate::commands::scan::ScanArgs;
use crate::commands::serve::ServeArgs;
use crate::cost::measure::Peer;

/// Search files for thousands of regular expressions at once
#[derive(Debug, Parser)]
#[command(
    name = "dragnet",
    version,
    after_help = "Examples:\n  \
        dragnet scan                         search this directory for credentials\n  \
        dragnet scan -e 'ERR(OR)?' app.log   search a file for a pattern\n  \
        tail -f app.log | dragnet redact     redact credentials in a stream\n\n\
        Run `dragnet COMMAND --help` for the options of a command."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(ScanArgs),
    Redact(RedactArgs),
    Compare(CompareArgs),
    Rules(RulesArgs),
    Serve(ServeArgs),
    Cost(CostArgs),
    /// The other process of the measurements of `dragnet cost`
    #[command(hide = true)]
    CostPeer(CostPeerArgs),
}

/// Measure the cost of calling into C, other threads and other processes
///
/// Runs the same work, hashing 64-byte records, as a plain Rust function and across each kind of
/// boundary: a C call, a C call that calls back, another thread (Owner, Pool) and another process
/// (Unix socket, shared memory). The time beyond that of the Rust function is the cost of crossing
/// the boundary.
///
/// The columns are the crossing alone (a call without records) as its median and its 90th and 99th
/// percentiles; its median relative to the plain Rust call; the time per record in batches of 1 to
/// 10,000; and the smallest batch to which the crossing adds less than 5%.
///
/// The measurements take turns, but other load on the machine still affects them. JSON output has
/// all percentiles of all batches, in nanoseconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet cost\n  \
        dragnet cost --time 500 --format json > cost.json")]
pub(crate) struct CostArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Time to measure each of 12 rungs at each of 6 batch sizes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) time: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostPeerArgs {
    #[arg(value_parser = |name: &str| Peer::from_name(name).ok_or("there is no such peer"))]
    pub(crate) peer: Peer,
}

/// The heading of the options in [`RuleArgs`].
const RULES: &str = "Rules (default: the built-in credential rules)";

/// The options that choose rules.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// Search for PATTERN; can be given multiple times
    ///
    /// The syntax is that of Rust's regex crate. Each rule is named after its position among the -e
    /// options, from 1.
    #[arg(help_heading = RULES, short = 'e', long = "regexp", value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) expressions: Vec<String>,

    /// Search for the patterns in FILE, one per line; `-` is standard input
    ///
    /// Each rule is named after its line number. As in grep, an empty line is a pattern that matches
    /// every line.
    #[arg(help_heading = RULES, short = 'f', long = "file", value_name = "FILE")]
    pub(crate) pattern_files: Vec<PathBuf>,

    /// Search for the rules in a TOML file, such as a gitleaks configuration
    ///
    /// Each [[rules]] table has an id, a regex and, optionally, a description. Other gitleaks
    /// settings, such as entropy and allowlists, are ignored with a warning.
    #[arg(help_heading = RULES, short = 'r', long = "rules", value_name = "FILE.toml")]
    pub(crate) rule_files: Vec<PathBuf>,

    /// Match Unicode characters instead of bytes and ASCII
    ///
    /// Applies to `.`, character classes, \w, \b and (?i) in all patterns.
    #[arg(help_heading = RULES, long)]
    pub(crate) unicode: bool,
}

/// The option that chooses an engine.
#[derive(Debug, clap::Args)]
pub(crate) struct EngineArgs {
    /// Engine to search with: pure Rust, or native (Hyperscan or Vectorscan)
    ///
    /// `auto` is the native engine if this build has it and the C library passes its self-test, and
    /// the pure engine otherwise. Both give the same answers; `dragnet compare` measures which one
    /// is faster on your rules and data.
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|pure|native"
    )]
    pub(crate) backend: Backend,
}

/// The option that chooses the form of output.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Output format: text for people, or JSON for programs
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,
}

/// The value of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// The value of `--backend`: a [`dragnet::Backend`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    #[default]
    Auto,
    Pure,
    Native,
}

impl From<Backend> for dragnet::Backend {
    fn from(backend: Backend) -> dragnet::Backend {
        match backend {
            Backend::Auto => dragnet::Backend::Auto,
            Backend::Pure => dragnet::Backend::Pure,
            Backend::Native => dragnet::Backend::Native,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// Clap checks conflicting names and invalid defaults only in debug assertions.
    #[test]
    fn command_line_definition_is_consistent() {
        super::Args::command().debug_assert();
    }
}
