//! The options of `dragnet scan`.

// Brackets in help texts are not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use ignore::overrides::OverrideBuilder;
use ignore::types::TypesBuilder;

use crate::args::{ColorArgs, EncodingArgs, EngineArgs, Format, RuleArgs};
use crate::escape;
use crate::input::{Encoding, Hidden, SortOrder, WalkOptions};
use crate::status::Failure;

/// Search files and print every match
///
/// Files are searched line by line, and each match is printed as path:line:column: rule: match.
/// Columns are byte offsets, counted from 1. Control characters and invalid UTF-8 are printed as
/// escapes.
///
/// Directories are searched recursively. As in ripgrep, hidden files, binary files (those with a
/// NUL byte in their first 64 KiB) and files that .gitignore or .ignore exclude are skipped, and
/// symbolic links are not followed. Files named on the command line are always searched; of binary
/// data, lines longer than 1 MiB are cut at NUL bytes. Results are in the order of the given paths
/// and, within a directory, sorted by path.
///
/// Text in UTF-16 with a byte order mark is decoded. For other encodings, see --encoding.
///
/// A search with the built-in rules also reads hidden files, such as .env and .github/, except in
/// .git and the directories of other version control systems. In the end, a search with them or with a
/// rule file says on standard error how many files and directories were skipped, and why.
///
/// With --format json, each line is an object for one match, with the fields path, line (from 1),
/// rule, start and end (byte offsets in the line) and match. Bytes of a path or a match that are
/// not UTF-8 are replaced by U+FFFD; start and end remain exact. With --multiline, a match can end
/// after its line. With --count, the fields are path and count.
///
/// The exit status is 0 if there was a match, 1 if there was none, and 2 if there was an error, as
/// that of grep. It must not be inverted to check that there is no match: `! dragnet scan nofile`
/// succeeds. With `--exit-code 1` the status is 0 only if everything could be searched and nothing
/// was found, and 1 if there was a match.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet scan                       search this directory for credentials\n  \
        dragnet scan -e 'todo|fixme' src   search a directory for a pattern\n  \
        dragnet scan -w -t rust -e unsafe  search the Rust files for a word\n  \
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

    /// Let patterns match across lines
    ///
    /// As in ripgrep, `^` and `$` match at the start and end of each line, and `.` matches a line end only
    /// with the flag (?s). A pattern that can't match a line end is searched line by line, so that `\A` and
    /// `\z` are the start and end of a line in it. Each file is read into memory, up to 512 MiB. A
    /// match is found if it has up to 64 KiB; a longer one may be missed.
    #[arg(short = 'U', long)]
    pub(crate) multiline: bool,

    #[command(flatten)]
    pub(crate) files: FileArgs,

    #[command(flatten)]
    pub(crate) output: ScanOutputArgs,

    /// Number of threads that search, at most 1024; 0 is one for each CPU
    #[arg(short = 'j', long, value_name = "NUM", default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,

    #[command(flatten)]
    pub(crate) encoding: EncodingArgs,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

const FILES: &str = "Files";

/// The options that choose files.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// Search hidden files and directories, such as .env and .git
    #[arg(help_heading = FILES, long, overrides_with = "no_hidden")]
    pub(crate) hidden: bool,

    /// Skip hidden files and directories also with the built-in rules
    #[arg(help_heading = FILES, long, overrides_with = "hidden")]
    pub(crate) no_hidden: bool,

    /// Search files that .gitignore, .ignore and similar files exclude
    #[arg(help_heading = FILES, long)]
    pub(crate) no_ignore: bool,

    /// Search only files that match GLOB or, with a `!` before it, only others
    ///
    /// Can be given multiple times; the last glob that matches decides. Has precedence over all other
    /// options and over ignore files. The syntax is that of .gitignore.
    #[arg(help_heading = FILES, short, long, value_name = "GLOB")]
    pub(crate) glob: Vec<String>,

    /// Search only files of a type, such as `rust` or `py`; see --type-list
    #[arg(help_heading = FILES, short = 't', long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,

    /// Do not search files of a type
    #[arg(help_heading = FILES, short = 'T', long = "type-not", value_name = "TYPE")]
    pub(crate) types_not: Vec<String>,

    /// Print all file types with their globs, and search nothing
    #[arg(help_heading = FILES, long)]
    pub(crate) type_list: bool,

    /// Skip files larger than SIZE: bytes, or with the suffix K, M or G, of 1024 each
    ///
    /// Files named on the command line are searched all the same.
    #[arg(help_heading = FILES, long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_filesize: Option<u64>,

    /// Order of the files of a directory: path, modified, accessed, created or none
    ///
    /// With a time, the search begins when all files have been found, and the oldest file comes
    /// first. `none` is the order in which the system lists them.
    #[arg(
        help_heading = FILES,
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "ORDER"
    )]
    pub(crate) sort: SortOrder,

    /// The same in reverse order
    #[arg(
        help_heading = FILES,
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "ORDER",
        conflicts_with = "sort"
    )]
    pub(crate) sortr: Option<SortOrder>,
}

impl FileArgs {
    /// Returns which files a walk finds. A search for credentials finds more.
    ///
    /// # Errors
    ///
    /// If a glob is invalid or a type unknown.
    pub(super) fn walk_options(
        &self,
        encoding: Encoding,
        finds_credentials: bool,
    ) -> Result<WalkOptions, Failure> {
        let failed =
            |error: ignore::Error| Failure::new(escape::text(error.to_string().as_bytes()));
        let mut globs = OverrideBuilder::new(".");
        for glob in &self.glob {
            globs.add(glob).map_err(failed)?;
        }
        let mut types = TypesBuilder::new();
        types.add_defaults();
        for name in &self.types {
            types.select(name);
        }
        for name in &self.types_not {
            types.negate(name);
        }
        Ok(WalkOptions {
            hidden: match () {
                () if self.hidden => Hidden::All,
                () if self.no_hidden || !finds_credentials => Hidden::None,
                () => Hidden::ExceptVersionControl,
            },
            no_ignore: self.no_ignore,
            globs: globs.build().map_err(failed)?,
            types: types.build().map_err(failed)?,
            max_size: self.max_filesize,
            encoding,
            sort: self.sortr.unwrap_or(self.sort),
            is_reversed: self.sortr.is_some(),
            suggests_pattern: finds_credentials,
        })
    }
}

const OUTPUT: &str = "Output";

/// The options that choose what is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanOutputArgs {
    /// Output format: text for people, or JSON for programs
    #[arg(
        help_heading = OUTPUT,
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) color: ColorArgs,

    /// Print the number of matches in each file instead of the matches
    ///
    /// Prints path:count for each file with at least one match. All matches of all rules count.
    #[arg(help_heading = OUTPUT, long)]
    pub(crate) count: bool,

    /// Print only the paths of files with a match
    #[arg(help_heading = OUTPUT, short = 'l', long, conflicts_with = "count")]
    pub(crate) files_with_matches: bool,

    /// Print nothing, and end at the first match
    ///
    /// If there is a match, the exit status is that of a match also after an error.
    #[arg(help_heading = OUTPUT, short, long)]
    pub(crate) quiet: bool,

    /// Print only the matched text, without path, line, column and rule
    #[arg(help_heading = OUTPUT, short, long, conflicts_with_all = ["count", "files_with_matches"])]
    pub(crate) only_matching: bool,

    /// Print [REDACTED] instead of the matched text
    #[arg(help_heading = OUTPUT, long)]
    pub(crate) redact: bool,

    /// Read and search each file only up to its NUM-th line with a match
    #[arg(help_heading = OUTPUT, short, long, value_name = "NUM")]
    pub(crate) max_count: Option<u64>,

    /// Print NUM lines after each line with a match
    ///
    /// With this option, -B or -C, the line of each match and the lines around it follow the match as
    /// path-line-text, and `--` separates lines that are not adjacent.
    #[arg(help_heading = OUTPUT, short = 'A', long, value_name = "NUM", conflicts_with_all = NO_CONTEXT)]
    pub(crate) after_context: Option<usize>,

    /// Print NUM lines before each line with a match
    #[arg(help_heading = OUTPUT, short = 'B', long, value_name = "NUM", conflicts_with_all = NO_CONTEXT)]
    pub(crate) before_context: Option<usize>,

    /// Print NUM lines before and after each line with a match
    #[arg(help_heading = OUTPUT, short = 'C', long, value_name = "NUM", conflicts_with_all = NO_CONTEXT)]
    pub(crate) context: Option<usize>,

    /// Print a NUL byte after each path, for programs such as xargs -0
    #[arg(help_heading = OUTPUT, short = '0', long)]
    pub(crate) null: bool,

    /// Print only the length of matches and lines that are longer than NUM bytes
    #[arg(help_heading = OUTPUT, short = 'M', long, value_name = "NUM")]
    pub(crate) max_columns: Option<usize>,

    /// Print the numbers of files, bytes and matches and the time, on standard error
    ///
    /// On a terminal, a line with the most important of them is printed anyway.
    #[arg(help_heading = OUTPUT, long)]
    pub(crate) stats: bool,

    /// Exit with NUM if there was a match, and with 0 if there was none
    ///
    /// NUM is 1 or 3 to 125. The status after an error remains 2, with or without a match. So a
    /// script or a CI job can require that nothing is found.
    #[arg(help_heading = OUTPUT, long, value_name = "NUM", value_parser = parse_exit_code)]
    pub(crate) exit_code: Option<u8>,
}

impl ScanOutputArgs {
    /// Whether lines around matches are printed.
    pub(super) fn has_lines(&self) -> bool {
        self.after_context.or(self.before_context).or(self.context).is_some()
    }
}

/// The options that print no lines of a file, or not as they are.
const NO_CONTEXT: [&str; 4] = ["count", "files_with_matches", "only_matching", "redact"];

/// Parses a size such as 1000, 64K or 2G, in bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 10),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 20),
            None => text.strip_suffix(['g', 'G']).map_or((text, 0), |digits| (digits, 30)),
        },
    };
    let size: Option<u64> = digits.parse().ok();
    size.and_then(|size| size.checked_mul(1 << shift))
        .ok_or_else(|| "it must be a number of bytes, such as 1000, 64K or 2G".to_owned())
}

/// Parses a status that is neither that of success nor that of an error, and that shells do not use.
fn parse_exit_code(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(code @ (1 | 3..=125)) => Ok(code),
        _ => Err("it must be 1 or 3 to 125".to_owned()),
    }
}
