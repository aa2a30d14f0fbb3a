//! Patterns, their flags, and sets of patterns parsed to the HIR of `regex-syntax`.

mod bounds;
mod error;
mod line_feed;
mod plain_string;
mod set;
mod size;

pub use bounds::PatternBounds;
pub use error::{BuildError, PatternError};
pub use set::{PatternSet, PatternSetBuilder};
pub(crate) use size::{memory_of, size_of};

/// One regular expression with its optional name and its flags.
///
/// The syntax is that of the [`regex`](https://docs.rs/regex/latest/regex/#syntax) crate, over
/// bytes as in `regex::bytes`. A `Pattern` is only a description: it is parsed when a
/// [`PatternSet`] is built.
///
/// # Differences from the `regex` crate
///
/// A pattern means the same in both, as far as it is documented. In these cases `regex` 1.13.1 can
/// give other answers:
///
/// - Alternatives that start with the same repetition, as in `a.*?c|a.*?b`. The first one that leads to
///   a match is preferred, so in `abc` the pattern matches `abc`, as in Perl, Python and Go. With
///   `regex-syntax` before 0.8.12, `regex` rewrites it to `a.*?(?:c|b)`, which prefers `ab`
///   ([rust-lang/regex#1360](https://github.com/rust-lang/regex/issues/1360)). dragnet requires
///   0.8.12.
/// - Programs in which some package turns on the feature `dfa-build` of `regex-automata`. The fully
///   compiled DFA of `regex` then misses or misplaces some matches: with Unicode off, `[ab]\n.*[ab]`
///   finds nothing in `a\na`. dragnet does not use it.
///
/// In one place the two agree on what is not documented. In a record that is not UTF-8, a Unicode word
/// boundary skips up to three continuation bytes after the character before it, so there is none
/// between `\xA9` and `b` in `a\xA9b`. ASCII word boundaries, `(?-u:\b)`, look at bytes.
///
/// ```
/// use dragnet::Pattern;
///
/// let p = Pattern::new(r"\bakia[0-9a-z]{16}\b").name("aws-key").case_insensitive(true);
/// assert_eq!(p.as_str(), r"\bakia[0-9a-z]{16}\b");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    regex: String,
    name: Option<String>,
    flags: PatternFlags,
    report_group: usize,
    bounds: PatternBounds,
}

/// The flags of one pattern, as set by the methods of [`Pattern`] with the same names. Flags in the
/// pattern's text, such as `(?i)`, are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternFlags {
    /// See [`Pattern::case_insensitive`].
    pub case_insensitive: bool,
    /// See [`Pattern::multi_line`].
    pub multi_line: bool,
    /// See [`Pattern::dot_matches_new_line`].
    pub dot_matches_new_line: bool,
    /// See [`Pattern::ignore_whitespace`].
    pub ignore_whitespace: bool,
    /// See [`Pattern::crlf`].
    pub crlf: bool,
    /// See [`Pattern::swap_greed`].
    pub swap_greed: bool,
    /// See [`Pattern::unicode`].
    pub unicode: bool,
}

impl Default for PatternFlags {
    fn default() -> PatternFlags {
        PatternFlags {
            case_insensitive: false,
            multi_line: false,
            dot_matches_new_line: false,
            ignore_whitespace: false,
            crlf: false,
            swap_greed: false,
            unicode: true,
        }
    }
}

impl Pattern {
    /// Returns a pattern without a name and with the default flags: Unicode is on, all others are
    /// off. The text is parsed when a [`PatternSet`] is built.
    pub fn new(regex: impl Into<String>) -> Pattern {
        Pattern {
            regex: regex.into(),
            name: None,
            flags: PatternFlags::default(),
            report_group: 0,
            bounds: PatternBounds::default(),
        }
    }

    /// Sets the name, which errors and reports show. Names need not be unique.
    pub fn name(mut self, name: impl Into<String>) -> Pattern {
        self.name = Some(name.into());
        self
    }

    /// Reports the span of the group with this number in place of that of the whole match, as the
    /// `secretGroup` of a gitleaks rule does. 0, the default, is the whole match.
    ///
    /// Where the group took no part in a match, the whole match is reported. Which patterns match which
    /// records does not change, and neither do the matches themselves: the next one is still searched
    /// for after the end of the whole match. If one match ends with an empty group and the next one
    /// starts with it, at the same position, it is reported once. A group that the pattern does not
    /// have is an error when the set is built.
    ///
    /// ```
    /// use dragnet::{Pattern, PatternSet};
    ///
    /// let set = PatternSet::new([Pattern::new(r"key=(\w+)").report_group(1)])?;
    /// let found: Vec<_> = set.find_iter("key=a7f, key=").map(|m| m.range()).collect();
    /// assert_eq!(found, [4..7]);
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    pub fn report_group(mut self, number: usize) -> Pattern {
        self.report_group = number;
        self
    }

    /// Sets the flag `i`: letters match both cases. Off by default.
    pub fn case_insensitive(mut self, yes: bool) -> Pattern {
        self.flags.case_insensitive = yes;
        self
    }

    /// Sets the flag `m`: `^` and `$` also match at the ends of lines inside a record. Off by default.
    pub fn multi_line(mut self, yes: bool) -> Pattern {
        self.flags.multi_line = yes;
        self
    }

    /// Sets the flag `s`: `.` also matches `\n`. Off by default.
    pub fn dot_matches_new_line(mut self, yes: bool) -> Pattern {
        self.flags.dot_matches_new_line = yes;
        self
    }

    /// Sets the flag `x`: white space and `#` comments in the pattern are ignored. Off by default.
    pub fn ignore_whitespace(mut self, yes: bool) -> Pattern {
        self.flags.ignore_whitespace = yes;
        self
    }

    /// Sets the flag `R`: `\r\n` counts as one line end for `.` and, with [`multi_line`], for `^` and
    /// `$`. Off by default.
    ///
    /// [`multi_line`]: Pattern::multi_line
    pub fn crlf(mut self, yes: bool) -> Pattern {
        self.flags.crlf = yes;
        self
    }

    /// Sets the flag `U`: `a*` is lazy and `a*?` greedy. Off by default.
    pub fn swap_greed(mut self, yes: bool) -> Pattern {
        self.flags.swap_greed = yes;
        self
    }

    /// Sets the flag `u`: classes, case folding, `.` and `\b` are those of Unicode, and `.` and
    /// negated classes match only valid UTF-8. On by default.
    ///
    /// When it is off, classes are ASCII, `\b` is an ASCII word boundary, and `.` matches any byte
    /// except `\n`. Rule sets written for RE2 or Hyperscan expect this.
    pub fn unicode(mut self, yes: bool) -> Pattern {
        self.flags.unicode = yes;
        self
    }

    /// Drops spans that start before this offset in their record, in bytes. 0 by default.
    ///
    /// Bounds choose among the spans that are reported without them: a span is reported or not, but the
    /// next one is still searched for after it. With [`Report::Patterns`](crate::Report::Patterns), the
    /// pattern matches a record if one of its spans there is within all its bounds. This takes a search
    /// for spans in each record that the pattern itself matches. If the pattern
    /// [reports a group](Pattern::report_group), the bounds are those of the group's span.
    ///
    /// ```
    /// use dragnet::{Pattern, PatternSet};
    ///
    /// let digits = Pattern::new(r"\d+").min_offset(2).max_offset(9).min_length(3);
    /// let set = PatternSet::new([digits])?;
    /// let found: Vec<_> = set.find_iter("100 200 40 5000").map(|m| m.range()).collect();
    /// assert_eq!(found, [4..7]);
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    pub fn min_offset(mut self, bytes: usize) -> Pattern {
        self.bounds.min_offset = bytes;
        self
    }

    /// Drops spans that end after this offset in their record, in bytes. No bound by default. See
    /// [`Pattern::min_offset`].
    pub fn max_offset(mut self, bytes: usize) -> Pattern {
        self.bounds.max_offset = Some(bytes);
        self
    }

    /// Drops spans that are shorter than this, in bytes. 0 by default. See [`Pattern::min_offset`].
    pub fn min_length(mut self, bytes: usize) -> Pattern {
        self.bounds.min_length = bytes;
        self
    }

    /// Returns the bounds that were set on this pattern.
    pub fn bounds(&self) -> PatternBounds {
        self.bounds
    }

    /// Returns the text of the pattern, as it was given.
    pub fn as_str(&self) -> &str {
        &self.regex
    }

    /// Returns the name set by [`Pattern::name`], if any.
    pub fn get_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the number of the group set by [`Pattern::report_group`]; 0 stands for the whole match.
    pub fn get_report_group(&self) -> usize {
        self.report_group
    }

    /// Returns the flags that were set on this pattern.
    pub fn flags(&self) -> PatternFlags {
        self.flags
    }
}

impl From<&str> for Pattern {
    fn from(regex: &str) -> Pattern {
        Pattern::new(regex)
    }
}

/// A name and a regex, as in lists of rules.
///
/// ```
/// let set = dragnet::PatternSet::new([("token", r"\bghp_\w+"), ("time", r"\d+ ms")])?;
/// assert_eq!(set.get(0).and_then(|pattern| pattern.get_name()), Some("token"));
/// # Ok::<(), dragnet::BuildError>(())
/// ```
impl<N: Into<String>, R: Into<String>> From<(N, R)> for Pattern {
    fn from((name, regex): (N, R)) -> Pattern {
        Pattern::new(regex).name(name)
    }
}

impl From<String> for Pattern {
    fn from(regex: String) -> Pattern {
        Pattern::new(regex)
    }
}

impl From<&String> for Pattern {
    fn from(regex: &String) -> Pattern {
        Pattern::new(regex.as_str())
    }
}
