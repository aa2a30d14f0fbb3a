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
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) databases: Vec<Database>,
    /// Ascending by pattern.
    pub(super) on_pure: Vec<OnPure>,
}

impl Plan {
    pub(super) fn new(set: &PatternSet) -> Plan {
        let mut plan = Plan::default();
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
        plan.compile(expressions);
        plan.on_pure.sort_by_key(|left| left.pattern);
        plan
    }

    fn leave(&mut self, pattern: u32, reason: impl Into<String>) {
        self.on_pure.push(OnPure { pattern, reason: reason.into() });
    }

    /// Compiles into as few databases as libhs allows.
    ///
    /// One compilation does it for most sets. If an expression is refused, libhs names only the
    /// first, so the others behind it are tried one by one; all that is left then compiles. If no
    /// single one is at fault, they are too large together and are halved. So the work is that of
    /// a few compilations, however many expressions are refused.
    fn compile(&mut self, expressions: Vec<Expression>) {
        let mut parts = vec![expressions];
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let mut error = match Database::compile(&part) {
                Ok(database) => {
                    self.databases.push(database);
                    continue;
                }
                Err(error) => error,
            };
            if let Some(at) = error.expression().filter(|&at| at < part.len()) {
                let behind = part.split_off(at + 1);
                if let Some(refused) = part.pop() {
                    self.leave(refused.number, error.message());
                }
                for expression in behind {
                    match Database::compile(std::slice::from_ref(&expression)) {
                        Ok(_) => part.push(expression),
                        Err(error) => self.leave(expression.number, error.message()),
                    }
                }
                if part.is_empty() {
                    continue;
                }
                error = match Database::compile(&part) {
                    Ok(database) => {
                        self.databases.push(database);
                        continue;
                    }
                    Err(error) => error,
                };
            }
            if part.len() == 1 {
                self.leave(part[0].number, error.message());
            } else {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
            }
        }
    }
}
