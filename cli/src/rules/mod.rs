//! Loads the rules to search for, from the command line, from files, or the built-in ones.
//!
//! Loading does not stop at the first error: it reports all errors, each with its file and line.
//! `dragnet rules`, which lists the rules, is in `commands/rules`.

mod builtin;
mod diagnostic;
mod pattern_file;
mod rule_file;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dragnet::reader::AcrossLines;
use dragnet::{BuildError, Pattern, PatternSet};
use regex_syntax::hir::Hir;

use crate::args::RuleArgs;
use crate::escape;
use crate::messages;
use crate::status::Failure;
use rule_file::ParsedRuleFile;

/// A pattern with its name.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The name that matches are printed with. Not necessarily unique.
    pub(crate) id: String,
    pub(crate) regex: String,
    pub(crate) description: Option<String>,
    /// The group whose span is reported, 0 for the whole match.
    pub(crate) report_group: usize,
    origin: Origin,
}

/// Where a rule was defined, for messages. Numbers are from 1.
#[derive(Clone, Debug)]
enum Origin {
    /// An `-e` option, with its position among them.
    Expression(usize),
    PatternFile {
        file: Arc<str>,
        line: usize,
    },
    RuleFile {
        file: Arc<str>,
        line: usize,
        id: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Expression(number) => write!(f, "-e pattern {number}"),
            Origin::PatternFile { file, line } => write!(f, "{file}:{line}"),
            Origin::RuleFile { file, line, id } => {
                write!(f, "{file}:{line}: rule {}", escape::text(id.as_bytes()))
            }
        }
    }
}

/// The rules of one run. A rule's number is its index in the list, and the index of its pattern in
/// the set.
#[derive(Debug)]
pub(crate) struct Rules {
    list: Vec<Rule>,
    patterns: PatternSet,
    reads_stdin: bool,
    is_builtin: bool,
    has_rule_files: bool,
    options: Options,
    /// `None` if every rule is searched line by line.
    across: Option<AcrossLines>,
}

/// Which rules are searched across lines, if they may match a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiline {
    None,
    /// The built-in rules. They match the same in a line as otherwise, and private keys to their ends.
    BuiltIn,
    All,
}

/// The longest match across lines that is found for certain, in bytes. Private keys have up to 13 KB,
/// those of PGP with pictures some more. A window takes about five times as much memory.
const WINDOW: usize = 64 << 10;

impl Rules {
    /// Loads the rules of `args` in the order `-e`, `-f`, `-r`, or the built-in rules if there are
    /// none. Prints warnings, such as for unsupported settings in rule files and for rules that can't
    /// match because lines are searched one by one.
    ///
    /// # Errors
    ///
    /// All errors in all files and patterns.
    pub(crate) fn load(args: &RuleArgs, multiline: Multiline) -> Result<Rules, Failure> {
        let mut list = Vec::new();
        let mut errors = Vec::new();
        for (index, regex) in args.expressions.iter().enumerate() {
            list.push(Rule {
                id: (index + 1).to_string(),
                regex: regex.clone(),
                description: None,
                report_group: 0,
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
        let mut files: Vec<ParsedRuleFile> = args
            .rule_files
            .iter()
            .map(|path| match read(path, false) {
                Ok((name, bytes)) => rule_file::parse(&name, &bytes),
                Err(error) => ParsedRuleFile::failed(vec![error]),
            })
            .collect();
        let is_builtin = args.expressions.is_empty()
            && args.pattern_files.is_empty()
            && args.rule_files.is_empty();
        if is_builtin {
            files.push(builtin::rules());
        }
        let has_rule_files = !args.rule_files.is_empty();
        for file in files {
            list.extend(file.rules);
            file.warnings.iter().for_each(messages::warning);
            errors.extend(file.errors);
        }
        let options = Options {
            across: match multiline {
                Multiline::None => false,
                Multiline::BuiltIn => is_builtin,
                Multiline::All => true,
            },
            ..Options::new(args)
        };
        match compile(&list, options) {
            Ok(patterns) if errors.is_empty() => {
                if !options.across {
                    for rule in patterns.line_feed_required().map(|index| &list[index]) {
                        messages::warning(format_args!(
                            "{}: matches nothing, because a match would have a line feed, and lines \
                             are searched one by one (see --multiline of scan and redact)",
                            rule.origin
                        ));
                    }
                }
                let across = options.across.then(|| AcrossLines::new(&patterns, WINDOW));
                let across = across.filter(|across| across.patterns().next().is_some());
                Ok(Rules {
                    list,
                    patterns,
                    reads_stdin,
                    is_builtin,
                    has_rule_files,
                    options,
                    across,
                })
            }
            Ok(_) => Err(Failure::Errors(errors)),
            Err(bad) => {
                errors.extend(bad);
                Err(Failure::Errors(errors))
            }
        }
    }

    /// The rules, in ascending order of their numbers.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.list.iter()
    }

    /// The id of the rule with the given number.
    ///
    /// # Panics
    ///
    /// If there is no such rule.
    pub(crate) fn id(&self, number: usize) -> &str {
        &self.list[number].id
    }

    /// The patterns of all rules, in the same order.
    pub(crate) fn patterns(&self) -> &PatternSet {
        &self.patterns
    }

    /// The search for matches across lines, or `None` if every rule is searched line by line.
    pub(crate) fn across_lines(&self) -> Option<&AcrossLines> {
        self.across.as_ref()
    }

    /// The patterns that are searched across lines, as they are parsed.
    pub(crate) fn hirs_across_lines(&self) -> Vec<Hir> {
        let numbers = self.across.iter().flat_map(|across| across.patterns());
        numbers.filter_map(|number| self.hir(number)).collect()
    }

    /// The pattern of the only rule, as it is parsed, but without the boundaries of ASCII words that the
    /// options add. `None` if there are more rules, or if the options add boundaries of Unicode words.
    pub(crate) fn only_hir(&self) -> Option<Hir> {
        let Options { words, unicode, .. } = self.options;
        if self.list.len() == 1 && !(words && unicode) { self.hir(0) } else { None }
    }

    /// Never `None`: the patterns have been parsed with these flags before.
    fn hir(&self, number: usize) -> Option<Hir> {
        let mut parser = regex_syntax::ParserBuilder::new();
        parser
            .utf8(false)
            .unicode(self.options.unicode)
            .case_insensitive(self.options.ignore_case)
            .multi_line(self.options.crlf || self.options.across)
            .crlf(self.options.crlf);
        parser.build().parse(&self.list[number].regex).ok()
    }

    /// Fails if `paths` contains standard input, but patterns were read from it.
    pub(crate) fn check_stdin(&self, paths: &[PathBuf]) -> Result<(), Failure> {
        if self.reads_stdin && paths.iter().any(|path| path == Path::new("-")) {
            return Err(Failure::new("standard input can't hold both the patterns and the data"));
        }
        Ok(())
    }

    /// Whether these are the built-in rules, which find credentials.
    pub(crate) fn is_builtin(&self) -> bool {
        self.is_builtin
    }

    /// Whether there are rules of a file, which find credentials more often than anything else.
    pub(crate) fn has_rule_files(&self) -> bool {
        self.has_rule_files
    }

    /// Whether patterns were read from standard input, which then has no data left to search.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.reads_stdin
    }
}

/// How patterns are read.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    unicode: bool,
    ignore_case: bool,
    words: bool,
    crlf: bool,
    /// Whether rules that may match a line feed are searched across lines. `^` and `$` match at the ends
    /// of each line then, as in all other rules.
    across: bool,
}

impl Options {
    fn new(args: &RuleArgs) -> Options {
        let RuleArgs { unicode, ignore_case, word_regexp, crlf, .. } = *args;
        Options { unicode, ignore_case, words: word_regexp, crlf, across: false }
    }

    fn pattern(self, rule: &Rule, regex: String) -> Pattern {
        Pattern::new(regex)
            .name(rule.id.as_str())
            .unicode(self.unicode)
            .report_group(rule.report_group)
            .case_insensitive(self.ignore_case)
            .multi_line(self.crlf || self.across)
            .crlf(self.crlf)
    }
}

/// Returns the patterns of `rules` as one set, or one message per invalid pattern.
fn compile(rules: &[Rule], options: Options) -> Result<PatternSet, Vec<String>> {
    let build = |regex: &dyn Fn(&Rule) -> String| {
        let patterns = rules.iter().map(|rule| options.pattern(rule, regex(rule)));
        PatternSet::builder().patterns(patterns).build().map_err(|error| match error {
            BuildError::Patterns(errors) => errors
                .iter()
                .map(|error| diagnostic::message(&rules[error.index()].origin, error))
                .collect(),
            other => vec![format!("the rules can't be compiled together: {other}")],
        })
    };
    // Also with `words`: what is not a pattern by itself, such as `a)|(b`, can be one in parentheses.
    let patterns = build(&|rule| rule.regex.clone())?;
    if options.words {
        return build(&|rule| format!(r"\b{{start-half}}(?:{})\b{{end-half}}", rule.regex));
    }
    Ok(patterns)
}

/// Returns the name of a pattern or rule file for messages, and its contents without the byte order
/// mark that some editors write.
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

/// Returns the contents of a file as text, or a message with the position of the first invalid
/// byte.
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

/// Returns the line number, from 1, of the byte at `offset`.
fn line_number(bytes: &[u8], offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..offset]).count() + 1
}
