//! A pattern as a test writes it. Both dragnet's pattern and the oracle's are made from it.

use std::fmt;
use std::ops::Range;

use dragnet::{Pattern, PatternSet};
use regex_syntax::hir::Hir;

/// A regular expression and its flags.
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    /// The regular expression.
    pub regex: String,
    /// The flags that it is parsed with.
    pub flags: Flags,
    /// The group that is reported, 0 for the whole match.
    pub report_group: usize,
    /// The bounds of what is reported.
    pub bounds: Bounds,
}

/// Bounds on spans, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least offset at which a span may start.
    pub min_offset: usize,
    /// The greatest offset at which a span may end.
    pub max_offset: Option<usize>,
    /// The least length of a span.
    pub min_length: usize,
}

impl Bounds {
    /// Whether a span is within the bounds.
    pub fn contain(&self, span: &Range<usize>) -> bool {
        self.min_offset <= span.start
            && span.end <= self.max_offset.unwrap_or(span.end)
            && self.min_length <= span.end - span.start
    }
}

/// The flags of a pattern, named by the letters that set them inside a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Ignores case.
    pub i: bool,
    /// Lets `^` and `$` match at lines.
    pub m: bool,
    /// Lets `.` match line ends.
    pub s: bool,
    /// Skips white space and comments in the pattern.
    pub x: bool,
    /// Takes `\r` and `\r\n` as line ends, too: the flag `R`.
    pub crlf: bool,
    /// Makes greedy repetitions lazy, and lazy ones greedy: the flag `U`.
    pub swap_greed: bool,
    /// Turns Unicode off: the flag `-u`.
    pub ascii: bool,
}

impl Flags {
    /// Reads letters as they stand in `(?imsxRU-u)`.
    ///
    /// # Panics
    ///
    /// If there is another letter among them.
    pub fn parse(letters: &str) -> Flags {
        let mut flags = Flags::default();
        let letters = match letters.strip_suffix("-u") {
            Some(rest) => {
                flags.ascii = true;
                rest
            }
            None => letters,
        };
        for letter in letters.chars() {
            match letter {
                'i' => flags.i = true,
                'm' => flags.m = true,
                's' => flags.s = true,
                'x' => flags.x = true,
                'R' => flags.crlf = true,
                'U' => flags.swap_greed = true,
                other => panic!("no flag {other:?}"),
            }
        }
        flags
    }
}

impl Spec {
    /// A regular expression with the flags that [`Flags::parse`] reads.
    pub fn new(regex: impl Into<String>, flags: &str) -> Spec {
        Spec {
            regex: regex.into(),
            flags: Flags::parse(flags),
            report_group: 0,
            bounds: Bounds::default(),
        }
    }

    /// The pattern for dragnet.
    pub fn pattern(&self) -> Pattern {
        let pattern = Pattern::new(self.regex.as_str())
            .case_insensitive(self.flags.i)
            .multi_line(self.flags.m)
            .dot_matches_new_line(self.flags.s)
            .ignore_whitespace(self.flags.x)
            .crlf(self.flags.crlf)
            .swap_greed(self.flags.swap_greed)
            .unicode(!self.flags.ascii)
            .report_group(self.report_group)
            .min_offset(self.bounds.min_offset)
            .min_length(self.bounds.min_length);
        match self.bounds.max_offset {
            Some(max) => pattern.max_offset(max),
            None => pattern,
        }
    }

    /// The parsed pattern, from which texts that it may match are drawn. The oracle does not use it.
    ///
    /// # Panics
    ///
    /// If the pattern is invalid.
    pub fn hir(&self) -> Hir {
        regex_syntax::ParserBuilder::new()
            .utf8(false)
            .case_insensitive(self.flags.i)
            .multi_line(self.flags.m)
            .dot_matches_new_line(self.flags.s)
            .ignore_whitespace(self.flags.x)
            .crlf(self.flags.crlf)
            .swap_greed(self.flags.swap_greed)
            .unicode(!self.flags.ascii)
            .build()
            .parse(&self.regex)
            .unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flags { i, m, s, x, crlf, swap_greed, ascii } = self.flags;
        let on = [(i, 'i'), (m, 'm'), (s, 's'), (x, 'x'), (crlf, 'R'), (swap_greed, 'U')];
        let letters: String = on.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
        let off = if ascii { "-u" } else { "" };
        write!(f, "{:?} flags {:?}", self.regex, format!("{letters}{off}"))?;
        if self.report_group != 0 {
            write!(f, " group {}", self.report_group)?;
        }
        if self.bounds != Bounds::default() {
            write!(f, " {:?}", self.bounds)?;
        }
        Ok(())
    }
}

/// The set of these patterns.
///
/// # Panics
///
/// If one of them is invalid, or all together are over a limit.
pub fn set(specs: &[Spec]) -> PatternSet {
    PatternSet::new(specs.iter().map(Spec::pattern))
        .unwrap_or_else(|error| panic!("{specs:?}: {error}"))
}
