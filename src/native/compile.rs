//! Compiles a pattern set into databases, and lists the patterns that libhs can't search.
//!
//! Each pattern is translated into libhs's syntax ([`translate`]). All translations are compiled
//! into one database, since one scan for thousands of expressions costs little more than one for a
//! few. A pattern that can't be translated, or that libhs refuses, becomes a [`Fallback`].

use std::ffi::CString;

use super::objects::{Database, Expression};
use super::translate::translate;
use crate::PatternSet;

/// A pattern that the native engine leaves to the pure engine, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    pattern: u32,
    reason: String,
}

impl Fallback {
    /// Returns the number of the pattern in its set, from 0.
    pub fn pattern(&self) -> usize {
        self.pattern as usize
    }

    /// Returns why libhs does not search for the pattern: the construct that it lacks or defines
    /// differently, or its own error message.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A pattern set after compilation. Each pattern is in one of the databases or a fallback.
#[derive(Debug)]
pub(super) struct Compilation<D = Database> {
    /// More than one only if libhs does not compile all expressions together.
    pub(super) databases: Vec<D>,
    /// Ascending by pattern.
    pub(super) fallbacks: Vec<Fallback>,
}

/// Why the compiler refused a list of expressions.
struct Refusal {
    /// The index in the list of the expression at fault; `None` if they are too large together.
    expression: Option<usize>,
    reason: String,
}

impl Compilation {
    pub(super) fn new(set: &PatternSet) -> Compilation {
        let mut compilation = Compilation { databases: Vec::new(), fallbacks: Vec::new() };
        let mut expressions = Vec::with_capacity(set.len());
        for pattern in 0..set.len() as u32 {
            // libhs has bounds too, but of the matches that it finds, which are not all reported.
            if set.bounds(pattern as usize).is_some() {
                compilation.add_fallback(pattern, "bounds on spans");
                continue;
            }
            match translate(set.hir(pattern as usize)) {
                Ok(text) => {
                    let text = CString::new(text).expect("translations are printable ASCII");
                    expressions.push(Expression { pattern, text });
                }
                Err(reason) => compilation.add_fallback(pattern, reason),
            }
        }
        compilation.compile(expressions, |part| {
            Database::compile(part).map_err(|error| Refusal {
                expression: error.expression(),
                reason: error.message(),
            })
        });
        compilation.fallbacks.sort_by_key(|fallback| fallback.pattern);
        compilation
    }
}

impl<D> Compilation<D> {
    fn add_fallback(&mut self, pattern: u32, reason: impl Into<String>) {
        self.fallbacks.push(Fallback { pattern, reason: reason.into() });
    }

    /// Compiles the expressions into as few databases as the compiler allows.
    ///
    /// Most sets take one compilation. When an expression is refused, libhs reports only the first
    /// one. The expressions after it are then compiled one by one to find the others, and the
    /// accepted ones are compiled again together. When no expression is at fault, the list is too
    /// large and is halved. In all, each expression is compiled `O(log n)`
    /// times for `n` expressions, however many are refused. Compiling again after each refusal
    /// would take quadratic time.
    fn compile<C>(&mut self, expressions: Vec<Expression>, mut compile: C)
    where
        C: FnMut(&[Expression]) -> Result<D, Refusal>,
    {
        // Lists to compile, and whether each of their expressions is known to compile alone.
        let mut parts = vec![(expressions, false)];
        while let Some((mut part, tested)) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let refusal = match compile(&part) {
                Ok(database) => {
                    self.databases.push(database);
                    continue;
                }
                Err(refusal) => refusal,
            };
            match refusal.expression {
                _ if part.len() == 1 => self.add_fallback(part[0].pattern, refusal.reason),
                Some(index) if index < part.len() && !tested => {
                    let untested = part.split_off(index + 1);
                    self.add_fallback(part[index].pattern, refusal.reason);
                    part.truncate(index);
                    for expression in untested {
                        match compile(std::slice::from_ref(&expression)) {
                            Ok(_) => part.push(expression),
                            Err(refusal) => self.add_fallback(expression.pattern, refusal.reason),
                        }
                    }
                    parts.push((part, true));
                }
                _ => {
                    let second_half = part.split_off(part.len() / 2);
                    parts.push((second_half, tested));
                    parts.push((part, tested));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles `count` expressions with a compiler that refuses some of them. It also refuses lists
    /// of more than `longest` expressions. Returns the databases, the fallbacks, and the number of
    /// expressions that the compiler was passed in all.
    fn compile(
        count: u32,
        is_refused: fn(u32) -> bool,
        longest: usize,
    ) -> (Vec<Vec<u32>>, Vec<u32>, usize) {
        let expressions: Vec<_> =
            (0..count).map(|pattern| Expression { pattern, text: CString::default() }).collect();
        let mut compilation = Compilation { databases: Vec::new(), fallbacks: Vec::new() };
        let mut passed = 0;
        compilation.compile(expressions, |part| {
            passed += part.len();
            let patterns: Vec<u32> = part.iter().map(|e| e.pattern).collect();
            let expression = patterns.iter().position(|&pattern| is_refused(pattern));
            if expression.is_some() || patterns.len() > longest {
                return Err(Refusal { expression, reason: "no".to_owned() });
            }
            Ok(patterns)
        });
        let mut fallbacks: Vec<u32> = compilation.fallbacks.iter().map(|f| f.pattern).collect();
        fallbacks.sort_unstable();
        (compilation.databases, fallbacks, passed)
    }

    #[test]
    fn every_pattern_is_compiled_or_a_fallback() {
        type IsRefused = fn(u32) -> bool;
        let cases: [(u32, IsRefused, usize); 8] = [
            (0, |_| false, 9),
            (1, |_| false, 9),
            (1, |_| true, 9),
            (100, |_| true, 999),
            (100, |n| n % 3 == 0, 999),
            (100, |n| n == 99, 999),
            (1000, |n| n % 2 == 0, 100),
            (1000, |_| false, 1),
        ];
        for (count, is_refused, longest) in cases {
            let (databases, fallbacks, passed) = compile(count, is_refused, longest);
            assert_eq!(fallbacks, (0..count).filter(|&n| is_refused(n)).collect::<Vec<_>>());
            let mut compiled = databases.concat();
            compiled.sort_unstable();
            assert_eq!(compiled, (0..count).filter(|&n| !is_refused(n)).collect::<Vec<_>>());
            // A few passes over the list and one for each halving, not a quadratic number.
            let passes = 3 + usize::try_from(count.max(1).ilog2()).unwrap();
            assert!(passed <= passes * count as usize, "{passed} for {count}");
        }
    }

    #[test]
    fn refused_patterns_are_fallbacks_with_a_reason() {
        let set =
            PatternSet::new(["ab", r"a\zb|c", "(?:ab){10000}", "cd", r"(?m:^)x?", "x*"]).unwrap();
        let compilation = Compilation::new(&set);
        let fallbacks = &compilation.fallbacks;
        assert_eq!(fallbacks.iter().map(Fallback::pattern).collect::<Vec<_>>(), [1, 2, 4, 5]);
        assert!(fallbacks.iter().all(|fallback| !fallback.reason().is_empty()), "{fallbacks:?}");
        assert_eq!(compilation.databases.len(), 1);
    }
}
