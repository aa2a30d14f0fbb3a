//! One pattern as a test writes it, which both dragnet and the oracle are built from.

use std::fmt;

use dragnet::{Pattern, PatternSet};
use regex_syntax::hir::Hir;

/// A regular expression and its flags.
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    pub regex: String,
    pub flags: Flags,
}

/// The flags of a pattern, by the letters that they have inside of one. Unicode is on unless
/// `ascii` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub i: bool,
    pub m: bool,
    pub s: bool,
    pub x: bool,
    pub crlf: bool,
    pub swap_greed: bool,
    pub ascii: bool,
}

impl Flags {
    /// Reads letters as in `(?imsxRU-u)`.
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
    pub fn new(regex: impl Into<String>, flags: &str) -> Spec {
        Spec { regex: regex.into(), flags: Flags::parse(flags) }
    }

    /// The pattern as dragnet takes it.
    pub fn pattern(&self) -> Pattern {
        Pattern::new(self.regex.as_str())
            .case_insensitive(self.flags.i)
            .multi_line(self.flags.m)
            .dot_matches_new_line(self.flags.s)
            .ignore_whitespace(self.flags.x)
            .crlf(self.flags.crlf)
            .swap_greed(self.flags.swap_greed)
            .unicode(!self.flags.ascii)
    }

    /// The pattern as the oracle takes it, parsed without dragnet.
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
        write!(f, "{:?} flags {:?}", self.regex, format!("{letters}{off}"))
    }
}

/// The set of these patterns.
pub fn set(specs: &[Spec]) -> PatternSet {
    PatternSet::new(specs.iter().map(Spec::pattern))
        .unwrap_or_else(|error| panic!("{specs:?}: {error}"))
}
