//! The options of `dragnet redact`.

// Brackets in help texts are not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use crate::args::{EncodingArgs, EngineArgs, RuleArgs};

/// Copy a file or standard input, replacing every match
///
/// Bytes outside matches are copied unchanged. Overlapping matches are replaced together and named
/// after the rule whose match starts first; of those, after the one with the longest match, and of
/// those, after the first one.
///
/// Text that is decoded, because it has a byte order mark in UTF-16 or an --encoding, is written as
/// UTF-8, with a note.
///
/// Each line is written as soon as it is complete, so the output of `tail -f` can be piped through.
/// The built-in rules find private keys and folded headers that extend over several lines, of up to
/// 64 KiB; where one may have begun, lines are held back until it is seen to end or not to match.
///
/// The exit status is 0 on success, with or without a match, and 2 if there was an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet redact app.log > clean.log\n  \
        tail -f app.log | dragnet redact\n  \
        dragnet redact -e '\\d{3}-\\d{2}-\\d{4}' --with '***' < people.csv")]
pub(crate) struct RedactArgs {
    /// File to copy; `-` or no FILE is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// Replace each match by TEXT instead of [REDACTED:rule]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) with: Option<String>,

    /// Let patterns match across lines, as in `dragnet scan -U`
    ///
    /// A match is found if it has up to 64 KiB. Lines are held back as long as a match may be under
    /// way: with a pattern that can begin with a line feed, until 320 KiB have followed or the input
    /// ends.
    #[arg(short = 'U', long)]
    pub(crate) multiline: bool,

    #[command(flatten)]
    pub(crate) encoding: EncodingArgs,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
