//! From a pattern set to databases, and to the list of what libhs does not take.

use std::ffi::CString;

use super::objects::{Database, Expression};
use super::printer;
use crate::PatternSet;

/// A pattern that the native engine leaves to the pure one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnPure {
    pattern: u32,
    reason: String,
}

impl OnPure {
    /// The number of the pattern in its set.
    pub fn pattern(&self) -> usize {
        self.pattern as usize
    }

    /// Why libhs does not get it: what it can't express, or what it said when it refused it.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// How a set is searched: with these databases, and with the pure engine for the rest.
#[derive(Debug)]
pub(super) struct Plan<D = Database> {
    pub(super) databases: Vec<D>,
    /// Ascending by pattern.
    pub(super) on_pure: Vec<OnPure>,
}

/// Why a compiler did not take a list of expressions.
struct Refusal {
    /// The position in the list of the one at fault; `None` if they are too large together.
    at: Option<usize>,
    reason: String,
}

impl Plan {
    pub(super) fn new(set: &PatternSet) -> Plan {
        let mut plan = Plan { databases: Vec::new(), on_pure: Vec::new() };
        let mut expressions = Vec::with_capacity(set.len());
        for number in 0..set.len() as u32 {
            match printer::print(set.hir(number as usize)) {
                Ok(text) => {
                    let text = CString::new(text).expect("what is printed is graphic ASCII");
                    expressions.push(Expression { number, text });
                }
                Err(reason) => plan.leave(number, reason),
            }
        }
        plan.compile(expressions, |part| {
            Database::compile(part)
                .map_err(|error| Refusal { at: error.expression(), reason: error.message() })
        });
        plan.on_pure.sort_by_key(|left| left.pattern);
        plan
    }
}

impl<D> Plan<D> {
    fn leave(&mut self, pattern: u32, reason: impl Into<String>) {
        self.on_pure.push(OnPure { pattern, reason: reason.into() });
    }

    /// Compiles into as few databases as the compiler allows.
    ///
    /// One compilation does it for most sets. When an expression is refused, only the first such
    /// is named, so those behind it are tried one by one, and what is left is compiled again.
    /// When no single one is at fault, they are too large together and are halved. So all takes
    /// the time of a few compilations, however many expressions are refused.
    fn compile<C>(&mut self, expressions: Vec<Expression>, mut compile: C)
    where
        C: FnMut(&[Expression]) -> Result<D, Refusal>,
    {
        let mut parts = vec![(expressions, false)];
        while let Some((mut part, sifted)) = parts.pop() {
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
            match refusal.at {
                _ if part.len() == 1 => self.leave(part[0].number, refusal.reason),
                Some(at) if at < part.len() && !sifted => {
                    let behind = part.split_off(at + 1);
                    self.leave(part[at].number, refusal.reason);
                    part.truncate(at);
                    for expression in behind {
                        match compile(std::slice::from_ref(&expression)) {
                            Ok(_) => part.push(expression),
                            Err(refusal) => self.leave(expression.number, refusal.reason),
                        }
                    }
                    parts.push((part, true));
                }
                _ => {
                    let behind = part.split_off(part.len() / 2);
                    parts.push((behind, sifted));
                    parts.push((part, sifted));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles `count` expressions with a compiler that refuses some, or too many at a time,
    /// and returns what it made, what was left, and how many expressions it was shown in all.
    fn plan(count: u32, refused: fn(u32) -> bool, most: usize) -> (Vec<Vec<u32>>, Vec<u32>, usize) {
        let expressions: Vec<_> =
            (0..count).map(|number| Expression { number, text: CString::default() }).collect();
        let mut plan = Plan { databases: Vec::new(), on_pure: Vec::new() };
        let mut shown = 0;
        plan.compile(expressions, |part| {
            shown += part.len();
            let numbers: Vec<u32> = part.iter().map(|e| e.number).collect();
            let at = numbers.iter().position(|&number| refused(number));
            if at.is_some() || numbers.len() > most {
                return Err(Refusal { at, reason: "no".to_owned() });
            }
            Ok(numbers)
        });
        let mut left: Vec<u32> = plan.on_pure.iter().map(|left| left.pattern).collect();
        left.sort_unstable();
        (plan.databases, left, shown)
    }

    #[test]
    fn all_that_compiles_is_compiled_and_the_rest_is_left() {
        type Refused = fn(u32) -> bool;
        let cases: [(u32, Refused, usize); 8] = [
            (0, |_| false, 9),
            (1, |_| false, 9),
            (1, |_| true, 9),
            (100, |_| true, 999),
            (100, |n| n % 3 == 0, 999),
            (100, |n| n == 99, 999),
            (1000, |n| n % 2 == 0, 100),
            (1000, |_| false, 1),
        ];
        for (count, refused, most) in cases {
            let (databases, left, shown) = plan(count, refused, most);
            assert_eq!(left, (0..count).filter(|&n| refused(n)).collect::<Vec<_>>());
            let mut compiled = databases.concat();
            compiled.sort_unstable();
            assert_eq!(compiled, (0..count).filter(|&n| !refused(n)).collect::<Vec<_>>());
            // A few passes over the list, and as many as it is halved times; never its square.
            let passes = 3 + usize::try_from(count.max(1).ilog2()).unwrap();
            assert!(shown <= passes * count as usize, "{shown} for {count}");
        }
    }

    #[test]
    fn what_libhs_refuses_is_left_with_the_reason() {
        let set =
            PatternSet::new(["ab", r"a\zb|c", "(?:ab){10000}", "cd", r"(?m:^)x?", "x*"]).unwrap();
        let plan = Plan::new(&set);
        let left: Vec<_> =
            plan.on_pure.iter().map(|left| (left.pattern(), left.reason())).collect();
        assert_eq!(left.iter().map(|left| left.0).collect::<Vec<_>>(), [1, 2, 4, 5]);
        assert!(left.iter().all(|left| !left.1.is_empty()), "{left:?}");
        assert_eq!(plan.databases.len(), 1);
    }
}
