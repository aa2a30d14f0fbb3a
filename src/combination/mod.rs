//! Boolean combinations of patterns, evaluated for each record.
//!
//! [`parse`] turns the text of an expression into a list of steps in postfix order, in which names are
//! numbers already. [`evaluate`] runs the steps of those combinations that a record's matches can have
//! changed. [`scanner`] adds the result to the matches of any [`Scan`](crate::Scan).

mod error;
mod evaluate;
mod parse;
mod scanner;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::CombinationError;
pub use scanner::CombinedScanner;

use self::evaluate::Program;
use crate::{PatternSet, Scan};

/// Named boolean expressions over the patterns of a set, such as `login and not internal`.
///
/// A combination holds in a record or does not; it depends on which patterns match there, and not on
/// where. [`Combinations::scanner`] wraps any scanner. A combination that holds is reported as a match
/// without a span, whose pattern number is the number of patterns in the set plus the number of the
/// combination. It is reported after the patterns of its record. A combination may hold in a record in
/// which nothing matches, as `not a` does.
///
/// ```
/// use dragnet::{BatchBuf, Combinations, Engine, Matches, Pattern, PatternSet, Report, Scan};
///
/// let set = PatternSet::builder()
///     .pattern(Pattern::new(r"\blogin\b").name("login"))
///     .pattern(Pattern::new(r"\b10\.\d+\.\d+\.\d+\b").name("internal"))
///     .build()?;
/// let combinations = Combinations::new(&set, [("foreign login", "login and not internal")])?;
/// let engine = Engine::new(&set, Report::Patterns);
/// let mut scanner = combinations.scanner(engine.scanner()?).only_combinations(true);
///
/// let mut records = BatchBuf::new();
/// records.push(b"login from 10.0.0.7")?;
/// records.push(b"login from 192.0.2.1")?;
/// let mut matches = Matches::new();
/// scanner.scan(&records.as_batch(), &mut matches)?;
/// assert_eq!(matches.len(), 1);
/// let found = matches.as_slice()[0];
/// assert_eq!((found.record(), combinations.name_of(&found)), (1, Some("foreign login")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Expressions
///
/// From the strongest to the weakest binding:
///
/// | form | holds if |
/// | --- | --- |
/// | `login` | a pattern of this name matches, or the earlier combination of this name holds |
/// | `#3` | pattern number 3 of the set matches, from 0 |
/// | `any of LIST` | at least one member of the list holds |
/// | `any 2 of LIST` | at least two members hold |
/// | `all of LIST` | every member holds |
/// | `none of LIST` | no member holds |
/// | `( EXPRESSION )` | the expression holds |
/// | `not A` | `A` does not hold |
/// | `A and B` | both hold |
/// | `A or B` | at least one of them holds |
///
/// A list is a name, `them` (all patterns of the set), or names in parentheses, separated by commas:
/// `any 2 of (login, token-*, #7)`. In a list, a name may end with `*`: it stands for all patterns and
/// earlier combinations whose names begin so. A list counts each member once, however often it is
/// named. Several patterns of one name are one member each; outside of a list the name holds if one
/// of them matches.
///
/// Names consist of letters, digits, `_`, `-`, `.`, `:` and `/`. Others, and those that are words of
/// this language, are put in double quotes, with `\` before a quote or a backslash.
#[derive(Clone, Debug)]
pub struct Combinations {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    names: Vec<String>,
    program: Program,
}

impl Combinations {
    /// Parses combinations, each given by its name and its expression. Names must not repeat, and a
    /// combination may refer to earlier ones.
    ///
    /// # Errors
    ///
    /// If an expression is invalid or refers to a name that does not exist. The error says which
    /// combination, at which byte and why.
    pub fn new<N, E>(
        set: &PatternSet,
        combinations: impl IntoIterator<Item = (N, E)>,
    ) -> Result<Combinations, CombinationError>
    where
        N: Into<String>,
        E: AsRef<str>,
    {
        let mut parser = parse::Parser::new(set);
        for (name, expression) in combinations {
            parser.add(name.into(), expression.as_ref())?;
        }
        let (names, program) = parser.finish();
        Ok(Combinations { inner: Arc::new(Inner { names, program }) })
    }

    /// Returns the number of combinations.
    pub fn len(&self) -> usize {
        self.inner.names.len()
    }

    /// Returns whether there are no combinations.
    pub fn is_empty(&self) -> bool {
        self.inner.names.is_empty()
    }

    /// Iterates over the names in the order of their numbers, from 0.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.names.iter().map(String::as_str)
    }

    /// Returns the number of the combination that a match reports, or `None` for a match of a pattern.
    pub fn number_of(&self, m: &crate::Match) -> Option<usize> {
        let number = m.pattern().checked_sub(self.inner.program.patterns())?;
        (number < self.len()).then_some(number)
    }

    /// Returns the name of the combination that a match reports, or `None` for a match of a pattern.
    pub fn name_of(&self, m: &crate::Match) -> Option<&str> {
        self.number_of(m).map(|number| self.inner.names[number].as_str())
    }

    /// Returns a scanner that reports the matches of `scanner` and the combinations that hold. The
    /// scanner must have been made for the set that these combinations were made for; pattern numbers
    /// beyond that set are passed on and otherwise ignored.
    ///
    /// A record costs the evaluation of the combinations that refer to a pattern that matches in it.
    /// Combinations that hold where nothing matches cost one report for each record.
    pub fn scanner<S: Scan>(&self, scanner: S) -> CombinedScanner<S> {
        CombinedScanner::new(self.clone(), scanner)
    }
}
