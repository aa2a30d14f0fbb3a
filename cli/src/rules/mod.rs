//! What to look for: rules from the command line, from files, or the built-in ones.

mod builtin;
mod pattern_file;
mod problem;
mod rule_file;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dragnet::{BuildError, Pattern, PatternSet};

use crate::args::RuleArgs;
use crate::escape;
use crate::messages;
use crate::status::Failure;
use rule_file::Parsed;

/// One pattern, its name and where it was written.
#[derive(Debug)]
pub(crate) struct Rule {
    /// What matches are reported under. Need not be unique.
    pub(crate) id: String,
    pub(crate) regex: String,
    pub(crate) description: Option<String>,
    origin: Origin,
}

/// Where a rule was written, for messages.
#[derive(Clone, Debug)]
enum Origin {
    /// The n-th `-e`, from 1.
    Expression(usize),
    /// A line, from 1, of a pattern file.
    Line(Arc<str>, usize),
    /// A line, from 1, of a rule file, and the rule's id.
    Rule(Arc<str>, usize, String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Expression(number) => write!(f, "-e pattern {number}"),
            Origin::Line(file, line) => write!(f, "{file}:{line}"),
            Origin::Rule(file, line, id) => {
                write!(f, "{file}:{line}: rule {}", escape::text(id.as_bytes()))
            }
        }
    }
}

/// The rules of one run. A rule's number is its pattern's number in the set.
#[derive(Debug)]
pub(crate) struct Rules {
    list: Vec<Rule>,
    patterns: PatternSet,
    reads_stdin: bool,
}

impl Rules {
    /// Loads all rules that `args` name, in the order `-e`, `-f`, `-r`; the built-in ones if it
    /// names none. What is odd but usable is reported as a warning.
    ///
    /// # Errors
    ///
    /// With everything that is wrong, not only the first thing.
    pub(crate) fn load(args: &RuleArgs) -> Result<Rules, Failure> {
        let mut list = Vec::new();
        let mut errors = Vec::new();
        for (index, regex) in args.expressions.iter().enumerate() {
            list.push(Rule {
                id: (index + 1).to_string(),
                regex: regex.clone(),
                description: None,
                origin: Origin::Expression(index + 1),
            });
        }
        let mut reads_stdin = false;
        for path in &args.pattern_files {
            let is_stdin = path == Path::new("-");
            if is_stdin && reads_stdin {
                errors.push("-f -: standard input can be read only once".to_owned());
                continue;
            }
            reads_stdin |= is_stdin;
            match read(path, is_stdin) {
                Ok((name, bytes)) => match pattern_file::parse(&name, &bytes) {
                    Ok(rules) => list.extend(rules),
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
        let mut files: Vec<Parsed> = args
            .rule_files
            .iter()
            .map(|path| match read(path, false) {
                Ok((name, bytes)) => rule_file::parse(&name, &bytes),
                Err(error) => Parsed::failed(vec![error]),
            })
            .collect();
        if args.expressions.is_empty()
            && args.pattern_files.is_empty()
            && args.rule_files.is_empty()
        {
            files.push(builtin::rules());
        }
        for file in files {
            list.extend(file.rules);
            file.warnings.iter().for_each(messages::warning);
            errors.extend(file.errors);
        }
        match compile(&list, args.unicode) {
            Ok(patterns) if errors.is_empty() => Ok(Rules { list, patterns, reads_stdin }),
            Ok(_) => Err(Failure::Errors(errors)),
            Err(bad) => {
                errors.extend(bad);
                Err(Failure::Errors(errors))
            }
        }
    }

    /// All rules, by number.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.list.iter()
    }

    /// The id of the rule with this number.
    ///
    /// # Panics
    ///
    /// If there is no such rule.
    pub(crate) fn id(&self, number: usize) -> &str {
        &self.list[number].id
    }

    /// The patterns, compiled from the rules in their order.
    pub(crate) fn patterns(&self) -> &PatternSet {
        &self.patterns
    }

    /// Fails if `paths` ask for standard input, but the patterns were read from it.
    pub(crate) fn check_stdin(&self, paths: &[PathBuf]) -> Result<(), Failure> {
        if self.reads_stdin && paths.iter().any(|path| path == Path::new("-")) {
            return Err(Failure::new("standard input can't be both the patterns and the data"));
        }
        Ok(())
    }

    /// Whether standard input held patterns, and is used up.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.reads_stdin
    }
}

/// The patterns of `rules` as one set, or all that is wrong with them.
fn compile(rules: &[Rule], unicode: bool) -> Result<PatternSet, Vec<String>> {
    let patterns = rules
        .iter()
        .map(|rule| Pattern::new(rule.regex.as_str()).name(rule.id.as_str()).unicode(unicode));
    PatternSet::builder().patterns(patterns).build().map_err(|error| match error {
        BuildError::Patterns(errors) => errors
            .iter()
            .map(|error| problem::describe(&rules[error.index()].origin, error))
            .collect(),
        other => vec![format!("the rules can't be used together: {other}")],
    })
}

/// The contents of a file of patterns or rules, and its name for messages. A byte order mark,
/// which editors leave behind, is not part of the contents.
fn read(path: &Path, is_stdin: bool) -> Result<(Arc<str>, Vec<u8>), String> {
    let name: Arc<str> = if is_stdin { "<stdin>".into() } else { escape::path(path).into() };
    let mut bytes = Vec::new();
    let result = if is_stdin {
        io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    result.map_err(|error| format!("{name}: {error}"))?;
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    Ok((name, bytes))
}

/// Checks that the contents of a file are UTF-8; the message names the line and the byte.
fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let line_start = memchr::memrchr(b'\n', valid).map_or(0, |at| at + 1);
        format!(
            "{name}:{}: invalid UTF-8 at byte {} of the line: \\x{:02x}; to match such bytes, \
             write them as (?-u:\\xNN)",
            line_number(bytes, valid.len()),
            valid.len() - line_start + 1,
            bytes[valid.len()],
        )
    })
}

/// The number, from 1, of the line that the byte at `offset` is in.
fn line_number(bytes: &[u8], offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..offset]).count() + 1
}
