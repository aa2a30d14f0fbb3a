//! The command line.

// The comments here are the help that users read, in which brackets are brackets.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use crate::cost::measure::Peer;
use clap::{Parser, Subcommand, ValueEnum};

/// Find which of thousands of regular expressions match, and where.
#[derive(Debug, Parser)]
#[command(
    name = "dragnet",
    version,
    after_help = "Examples:\n  \
        dragnet scan                      credentials in this directory\n  \
        dragnet scan -e 'ERR(OR)?' app.log\n  \
        tail -f app.log | dragnet redact  hide credentials as they come\n\n\
        `dragnet COMMAND --help` tells more."
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
    Rules(ListArgs),
    Serve(ServeArgs),
    Cost(CostArgs),
    /// What `dragnet cost` runs as its other process
    #[command(hide = true)]
    CostPeer(CostPeerArgs),
}

/// Show which patterns match where
///
/// Searches files line by line and prints each match as path:line:column: rule: match. Columns
/// count bytes from 1. Control characters and invalid UTF-8 are printed as escapes.
///
/// Directories are searched recursively as ripgrep does it: hidden files, binary files (a NUL in
/// the first 64 KiB) and what .gitignore and .ignore files name are skipped; symbolic links are
/// not followed. Files named on the command line are always searched, as they are. Results come
/// in the order of the paths given, then sorted by path.
///
/// The exit status is 0 if something was found, 1 if nothing was, and 2 after an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet scan                          built-in credential rules, this directory\n  \
        dragnet scan -e 'todo|fixme' src      a pattern of your own\n  \
        dragnet scan -r gitleaks.toml --format json . > found.jsonl\n  \
        git diff | dragnet scan --redact")]
pub(crate) struct ScanArgs {
    /// Files and directories to search; `-` is standard input
    ///
    /// With none: standard input when something is piped into it, else the current directory.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// Print matches as text, or as one JSON object per line
    ///
    /// The JSON fields are path, line (from 1), rule, start and end (byte offsets in the line)
    /// and match. Bytes of a path or match that are not UTF-8 are replaced by U+FFFD; start and
    /// end still tell the exact bytes. With --count the fields are path and count.
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,

    /// Print only the number of matches of each file that has any, as path:count
    ///
    /// Counts every match of every rule.
    #[arg(long)]
    pub(crate) count: bool,

    /// Print [REDACTED] in place of the matched text
    #[arg(long)]
    pub(crate) redact: bool,

    /// Search hidden files and directories too, such as .env
    #[arg(long)]
    pub(crate) hidden: bool,

    /// Search what .gitignore, .ignore and the like exclude too
    #[arg(long)]
    pub(crate) no_ignore: bool,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// Copy a file or standard input to standard output, matches replaced
///
/// Every byte that no rule matches is copied exactly. Matches that overlap are replaced together,
/// by the name of the rule that matched first. Lines are written as soon as they are complete, so
/// that `tail -f` can be piped through.
///
/// The exit status is 0 unless there was an error, which is 2.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet redact app.log > clean.log\n  \
        tail -f app.log | dragnet redact\n  \
        dragnet redact -e '\\d{3}-\\d{2}-\\d{4}' --with '***' < people.csv")]
pub(crate) struct RedactArgs {
    /// The file to copy; standard input if not given or `-`
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// What to put in place of matches, instead of [REDACTED:rule]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) with: Option<String>,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// Run both backends on your rules and data: same answers? how fast?
///
/// Searches as `dragnet scan` does, with every backend that this build has, in turns on the same
/// blocks of lines, on one thread. Only the time that searching takes is counted, not reading.
///
/// The exit status is 0 if all found the same, and 2 if not or after an error.
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

    /// Print a table, or one JSON object
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,
}

/// List the rules, and how each is searched
///
/// The word behind a rule's name tells what it is searched by: a literal that every match must
/// contain, a long run of bytes of one class, a sequence of classes, or no filter, so that an
/// automaton has to read every record; always if it matches every record, and native if the C
/// library searches it. Rules with no filter are the ones that cost the most.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet rules                 the built-in rules\n  \
        dragnet rules --explain       and what each is searched by\n  \
        dragnet rules -r gitleaks.toml --format json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// Print the rules as text, or as one JSON object per line
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,

    /// Tell for each rule what it is searched by and why, and at the end how that is looked for
    ///
    /// In JSON, rules get an explanation, and the last line is an object with the prefilter alone.
    #[arg(long)]
    pub(crate) explain: bool,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// Scan for other processes, so that what goes wrong here does no harm there
///
/// This is the other process of dragnet_sidecar::Sidecar, whose patterns and records come over a
/// Unix socket and shared memory. Each client is served by a process of its own, which gives up what
/// it does not need (files, network and, on x86-64, AArch64 and RISC-V, most system calls) before it
/// reads what the client sends, and ends with it. Only processes of the same user are served. Needs
/// Linux.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet serve --socket /run/user/1000/dragnet.sock\n  \
        dragnet serve --stdin         as Sidecar::spawn starts it")]
#[command(group = clap::ArgGroup::new("place").required(true))]
pub(crate) struct ServeArgs {
    /// Listen at this path; only its owner may connect. A socket that is left over is replaced
    #[arg(long, value_name = "PATH", group = "place")]
    pub(crate) socket: Option<PathBuf>,

    /// Serve one client, to which standard input is connected
    #[arg(long, group = "place")]
    pub(crate) stdin: bool,

    /// How many clients may be served at a time; more are turned away
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) clients: usize,

    /// The longest piece of memory that is taken from a client, in MiB; it has 8 of them
    ///
    /// A record can be about as long.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=4095))]
    pub(crate) max_memory: u64,

    /// How many patterns are taken from a client
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) max_patterns: u32,
}

/// Measure what it costs to cross to C, threads and processes
///
/// Has the same work done, a hash of records of 64 bytes, by a Rust function and behind each kind
/// of boundary: C, C that calls back, another thread (Owner, Pool), another process by a Unix
/// socket and by shared memory. What one takes more than the Rust function is what it takes to get
/// there. Columns are the crossing alone (a call for no records) by its median and its 90th and
/// 99th percentiles, how many times the plain call that is, the time for each record in batches
/// of 1 to 10,000, and the batch from which on the crossing adds less than 5% to the work.
///
/// All rungs take turns, but what else runs on the machine still counts. JSON has all percentiles
/// of all batches, in nanoseconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet cost\n  \
        dragnet cost --time 500 --format json > cost.json")]
pub(crate) struct CostArgs {
    /// Print a table, or one JSON object
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,

    /// For how many milliseconds to measure each of 12 rungs with each of 6 sizes of batches
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) time: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostPeerArgs {
    #[arg(value_parser = |name: &str| Peer::from_name(name).ok_or("there is no such peer"))]
    pub(crate) peer: Peer,
}

/// The heading of the options that choose rules.
const RULES: &str = "Rules (the built-in credential rules if none of -e, -f, -r is given)";

/// Where the rules come from.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// Search for this pattern; may be given more than once
    ///
    /// The syntax is that of Rust's regex crate. The rule's name is its number, from 1.
    #[arg(help_heading = RULES, short = 'e', long = "regexp", value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) expressions: Vec<String>,

    /// Search for the patterns in FILE, one per line; `-` is standard input
    ///
    /// A rule's name is its line's number. As in grep, an empty line is a pattern that matches
    /// every line.
    #[arg(help_heading = RULES, short = 'f', long = "file", value_name = "FILE")]
    pub(crate) pattern_files: Vec<PathBuf>,

    /// Search for the rules in a TOML file, such as one of gitleaks
    ///
    /// Each [[rules]] has an id, a regex and, if you like, a description. What else gitleaks
    /// knows is ignored with a warning.
    #[arg(help_heading = RULES, short = 'r', long = "rules", value_name = "FILE.toml")]
    pub(crate) rule_files: Vec<PathBuf>,

    /// Let \w, \b, (?i), classes and dots go by Unicode, not by ASCII and bytes
    #[arg(help_heading = RULES, long)]
    pub(crate) unicode: bool,
}

/// Which engine searches.
#[derive(Debug, clap::Args)]
pub(crate) struct EngineArgs {
    /// Search with the pure-Rust engine, or the native one (Hyperscan or Vectorscan)
    ///
    /// auto takes the native one if this build has it and it passes its self-test. The answers
    /// are the same.
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|pure|native"
    )]
    pub(crate) backend: Backend,
}

/// A form of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// [`dragnet::Backend`] as it is written on the command line.
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

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
