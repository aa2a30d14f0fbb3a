//! The command line: the subcommands, and the options that several of them share.
//!
//! Options of a single subcommand are in its own `args` module, such as `commands/scan/args.rs`.
//! Doc comments in these modules are the help texts that users read.

// Brackets in help texts are not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::compare::CompareArgs;
use crate::commands::cost::{CostArgs, CostPeerArgs};
use crate::commands::docs::{CompletionsArgs, ManArgs};
use crate::commands::redact::RedactArgs;
use crate::commands::rules::RulesArgs;
use crate::commands::scan::ScanArgs;
use crate::commands::serve::ServeArgs;
use crate::input::Encoding;

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
    Completions(CompletionsArgs),
    Man(ManArgs),
    /// Answer the measurements of `dragnet cost` in another process
    #[command(hide = true)]
    CostPeer(CostPeerArgs),
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
    /// Each rule is named after its line number. As in grep, an empty line is a pattern that
    /// matches every line.
    #[arg(help_heading = RULES, short = 'f', long = "file", value_name = "FILE")]
    pub(crate) pattern_files: Vec<PathBuf>,

    /// Search for the rules in a TOML file, such as a gitleaks configuration
    ///
    /// Each [[rules]] table has an id, a regex and, optionally, a description and a secretGroup, the
    /// group to report. Other gitleaks settings, such as entropy and allowlists, are ignored with a
    /// warning.
    #[arg(help_heading = RULES, short = 'r', long = "rules", value_name = "FILE.toml")]
    pub(crate) rule_files: Vec<PathBuf>,

    /// Ignore the case of letters in all patterns
    #[arg(help_heading = RULES, short, long)]
    pub(crate) ignore_case: bool,

    /// Find only matches that are whole words
    ///
    /// A match counts if no letter, digit or underscore stands directly before or after it. Every
    /// pattern is searched as \b{start-half}(?:PATTERN)\b{end-half}, as in ripgrep.
    #[arg(help_heading = RULES, short, long)]
    pub(crate) word_regexp: bool,

    /// Treat a carriage return before a line end as a part of the line end
    ///
    /// `^` and `$` match there, and `.` does not match it. A carriage return elsewhere is treated in
    /// the same way, as in ripgrep.
    #[arg(help_heading = RULES, long)]
    pub(crate) crlf: bool,

    /// Match Unicode characters instead of bytes and ASCII
    ///
    /// Applies to `.`, character classes, \w, \b and (?i) in all patterns.
    #[arg(help_heading = RULES, long)]
    pub(crate) unicode: bool,
}

/// The option that chooses how bytes are read as text.
#[derive(Debug, clap::Args)]
pub(crate) struct EncodingArgs {
    /// Encoding of the text: auto, none, or a name such as utf-16le or latin1
    ///
    /// As in ripgrep, `auto` decodes files that start with a byte order mark in UTF-16, and `none` takes all
    /// bytes as they are. With a name, files without a mark are decoded from that encoding; the names are those
    /// of the Encoding Standard. Offsets are those in the decoded text, which is UTF-8.
    #[arg(
        short = 'E',
        long,
        value_name = "ENCODING",
        default_value = "auto",
        hide_default_value = true
    )]
    pub(crate) encoding: Encoding,
}

/// The option that chooses an engine.
#[derive(Debug, clap::Args)]
pub(crate) struct EngineArgs {
    /// Engine to search with: pure Rust, or native (Hyperscan or Vectorscan)
    ///
    /// `auto` is the native engine if this build has it and the C library passes its self-test, and
    /// the pure engine otherwise. Both find the same matches; `dragnet compare` measures which one
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

/// The option that chooses the output format.
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

/// The option that chooses when to use colors.
#[derive(Debug, clap::Args)]
pub(crate) struct ColorArgs {
    /// When to use colors
    ///
    /// `auto` uses them on a terminal, unless NO_COLOR or TERM=dumb is set, and with CLICOLOR_FORCE
    /// elsewhere too.
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "auto|always|never"
    )]
    pub(crate) color: Color,
}

impl ColorArgs {
    /// Sets the choice for all output of this process.
    pub(crate) fn apply(&self) {
        match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
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
