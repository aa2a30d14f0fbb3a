//! Turns the syntax tree of a pattern into a list of steps.
//!
//! A part of the tree becomes a fragment: a list of steps that is entered at its first step and left
//! after its last. All targets are relative to the step that has them, so that fragments are joined by
//! appending one to the other, and repeated by appending copies:
//!
//! ```text
//! a|b       Either(+1, +3)  a  Jump(+2)  b
//! a?        Either(+1, +2)  a
//! a+        a  Either(-1, +1)
//! a*        Either(+1, +3)  a  Jump(-2)
//! (?:a?)*   ((a?)+)?
//! (a)       Save(2)  a  Save(3)
//! a{2,}     a  a+
//! a{1,3}    a  Either(+1, +4)  a  Either(+1, +2)  a
//! ```
//!
//! The first target of `Either` is preferred; a lazy repetition has the targets exchanged. Nothing is
//! simplified, since each simplification is a chance to change a preference. If the body of `*` may match
//! the empty string, its first iteration differs from the others: see [`search`](super::search).
//!
//! Only sets of characters come from the translator of `regex-syntax`, which is given one class or
//! one letter at a time. There is no alternative in it that it could reorder.

use std::rc::Rc;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast, FlagsItemKind, GroupKind, RepetitionKind, RepetitionRange};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::look::Look;
use crate::{Flags, Spec};

/// One step of a search at a position of a record.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Consumes these bytes.
    Text(Rc<[u8]>),
    /// Consumes a byte for which this is true.
    Byte(Rc<[bool; 256]>),
    /// Consumes the UTF-8 encoding of a character of this class.
    Char(Rc<ClassUnicode>),
    /// Fails unless an assertion holds.
    Look(Look),
    /// Stores the position in this slot: `2 * i` for the start of group `i`, `2 * i + 1` for its end.
    Save(usize),
    /// Continues at the first target or, if no match is found that way, at the second one.
    Either(isize, isize),
    /// Continues at the target.
    Jump(isize),
}

impl Step {
    fn consumes(&self) -> bool {
        matches!(self, Step::Text(_) | Step::Byte(_) | Step::Char(_))
    }
}

/// The steps of a pattern. A match is complete after the last one.
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// For each step, the number of `Either` steps before it.
    pub(super) choices_before: Vec<usize>,
    /// The number of `Either` steps.
    pub(super) choices: usize,
    /// Two for each group, including group 0, the whole match.
    pub(super) slots: usize,
}

impl Program {
    /// Whether an assertion asks for `\r\n` at an end of a line.
    pub(super) fn looks_at_crlf(&self) -> bool {
        let is_line =
            |kind: &_| matches!(kind, ast::AssertionKind::StartLine | ast::AssertionKind::EndLine);
        self.steps.iter().any(|step| match step {
            Step::Look(look) => look.multi_line && look.crlf && is_line(&look.kind),
            _ => false,
        })
    }

    /// The program of a pattern.
    ///
    /// # Panics
    ///
    /// If the pattern is invalid.
    pub(super) fn new(spec: &Spec) -> Program {
        let mut parser = ParserBuilder::new().ignore_whitespace(spec.flags.x).build();
        let ast = parser.parse(&spec.regex).unwrap_or_else(|error| panic!("{spec:?}: {error}"));
        let mut compiler = Compiler { pattern: &spec.regex, flags: spec.flags, groups: 0 };
        let steps = compiler.fragment(&ast);
        let slots = 2 * (compiler.groups + 1);
        let mut choices = 0;
        let choices_before = steps
            .iter()
            .map(|step| {
                let before = choices;
                choices += usize::from(matches!(step, Step::Either(..)));
                before
            })
            .collect();
        Program { steps, choices_before, choices, slots }
    }
}

struct Compiler<'p> {
    pattern: &'p str,
    /// The flags at the part of the pattern that is being compiled. `(?i)` without a colon changes
    /// them up to the end of the group that it is in, across the `|` of that group.
    flags: Flags,
    /// The number of the last group.
    groups: usize,
}

impl Compiler<'_> {
    fn fragment(&mut self, ast: &Ast) -> Vec<Step> {
        match ast {
            Ast::Empty(_) => Vec::new(),
            Ast::Flags(set) => {
                self.set_flags(&set.flags);
                Vec::new()
            }
            Ast::Literal(literal) => vec![self.literal(ast, literal)],
            Ast::Dot(_) => vec![self.dot()],
            Ast::Assertion(assertion) => {
                let Flags { m, crlf, ascii, .. } = self.flags;
                let kind = assertion.kind.clone();
                vec![Step::Look(Look { kind, multi_line: m, crlf, unicode: !ascii })]
            }
            Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => {
                vec![self.set(ast)]
            }
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => {
                let outer = self.flags;
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.set_flags(flags);
                }
                let mut fragment = self.fragment(&group.ast);
                self.flags = outer;
                if let Some(index) = group.capture_index() {
                    let index = index as usize;
                    self.groups = self.groups.max(index);
                    fragment.insert(0, Step::Save(2 * index));
                    fragment.push(Step::Save(2 * index + 1));
                }
                fragment
            }
            Ast::Concat(concat) => concat.asts.iter().flat_map(|ast| self.fragment(ast)).collect(),
            Ast::Alternation(alternation) => {
                either(alternation.asts.iter().map(|ast| self.fragment(ast)).collect())
            }
        }
    }

    fn set_flags(&mut self, flags: &ast::Flags) {
        let mut on = true;
        for item in &flags.items {
            match &item.kind {
                FlagsItemKind::Negation => on = false,
                FlagsItemKind::Flag(flag) => match flag {
                    ast::Flag::CaseInsensitive => self.flags.i = on,
                    ast::Flag::MultiLine => self.flags.m = on,
                    ast::Flag::DotMatchesNewLine => self.flags.s = on,
                    ast::Flag::SwapGreed => self.flags.swap_greed = on,
                    ast::Flag::Unicode => self.flags.ascii = !on,
                    ast::Flag::CRLF => self.flags.crlf = on,
                    // The parser has applied it.
                    ast::Flag::IgnoreWhitespace => {}
                },
            }
        }
    }

    fn literal(&self, ast: &Ast, literal: &ast::Literal) -> Step {
        match literal.byte() {
            // `\xFF` is a byte where Unicode is off, and a character where it is on.
            Some(byte) if self.flags.ascii && !byte.is_ascii() => Step::Text([byte].into()),
            _ if self.flags.i => self.set(ast),
            _ => Step::Text(literal.c.encode_utf8(&mut [0; 4]).as_bytes().into()),
        }
    }

    fn dot(&self) -> Step {
        let excluded: &[u8] = match self.flags {
            Flags { s: true, .. } => b"",
            Flags { crlf: true, .. } => b"\r\n",
            _ => b"\n",
        };
        if self.flags.ascii {
            return Step::Byte(Rc::new(std::array::from_fn(|b| !excluded.contains(&(b as u8)))));
        }
        let excluded = excluded.iter().map(|&b| char::from(b));
        let mut class = ClassUnicode::new(excluded.map(|c| ClassUnicodeRange::new(c, c)));
        class.negate();
        Step::Char(Rc::new(class))
    }

    /// The step for a class, or for a letter that ignores case.
    fn set(&self, ast: &Ast) -> Step {
        let hir = TranslatorBuilder::new()
            .utf8(false)
            .case_insensitive(self.flags.i)
            .unicode(!self.flags.ascii)
            .build()
            .translate(self.pattern, ast)
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.pattern));
        match hir.into_kind() {
            // What a class of one member is translated to.
            HirKind::Literal(literal) => Step::Text(literal.0.into()),
            HirKind::Class(Class::Unicode(class)) => Step::Char(Rc::new(class)),
            HirKind::Class(Class::Bytes(class)) => {
                let mut set = [false; 256];
                for range in class.ranges() {
                    (range.start()..=range.end()).for_each(|byte| set[usize::from(byte)] = true);
                }
                Step::Byte(Rc::new(set))
            }
            other => panic!("a class is not translated to {other:?}"),
        }
    }

    fn repetition(&mut self, repetition: &ast::Repetition) -> Vec<Step> {
        let (mut min, mut max) = match repetition.op.kind {
            RepetitionKind::ZeroOrOne => (0, Some(1)),
            RepetitionKind::ZeroOrMore => (0, None),
            RepetitionKind::OneOrMore => (1, None),
            RepetitionKind::Range(RepetitionRange::Exactly(n)) => (n, Some(n)),
            RepetitionKind::Range(RepetitionRange::AtLeast(n)) => (n, None),
            RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (min, Some(max)),
        };
        let greedy = repetition.greedy != self.flags.swap_greed;
        let body = self.fragment(&repetition.ast);
        // What holds at a position holds there any number of times. Without this, `^{65535}` would
        // be as many steps.
        if !body.iter().any(Step::consumes) {
            min = min.min(1);
            max = Some(max.map_or(1, |max| max.min(1)));
        }
        let mut steps = Vec::new();
        match max {
            None if min == 0 => return star(body, greedy),
            None => {
                (1..min).for_each(|_| steps.extend_from_slice(&body));
                steps.extend(plus(body, greedy));
            }
            Some(max) => {
                (0..min).for_each(|_| steps.extend_from_slice(&body));
                // Each optional copy is followed by those after it only if it matches.
                for left in (1..=max - min).rev() {
                    let end = left as isize * (body.len() as isize + 1);
                    steps.push(choice(1, end, greedy));
                    steps.extend_from_slice(&body);
                }
            }
        }
        steps
    }
}

fn choice(body: isize, rest: isize, greedy: bool) -> Step {
    if greedy { Step::Either(body, rest) } else { Step::Either(rest, body) }
}

fn optional(mut body: Vec<Step>, greedy: bool) -> Vec<Step> {
    body.insert(0, choice(1, body.len() as isize + 1, greedy));
    body
}

fn plus(mut body: Vec<Step>, greedy: bool) -> Vec<Step> {
    body.push(choice(-(body.len() as isize), 1, greedy));
    body
}

fn star(body: Vec<Step>, greedy: bool) -> Vec<Step> {
    if may_be_empty(&body) {
        return optional(plus(body, greedy), greedy);
    }
    let mut steps = optional(body, greedy);
    // One more step, so one more to skip.
    steps[0] = choice(1, steps.len() as isize + 1, greedy);
    steps.push(Step::Jump(-(steps.len() as isize)));
    steps
}

/// Whether a fragment can be left without consuming a byte.
fn may_be_empty(fragment: &[Step]) -> bool {
    let mut seen = vec![false; fragment.len()];
    let mut next = vec![0];
    while let Some(step) = next.pop() {
        match fragment.get(step) {
            None => return true,
            Some(_) if std::mem::replace(&mut seen[step], true) => {}
            Some(Step::Text(_) | Step::Byte(_) | Step::Char(_)) => {}
            Some(Step::Look(_) | Step::Save(_)) => next.push(step + 1),
            Some(Step::Jump(to)) => next.push(moved(step, *to)),
            Some(Step::Either(first, second)) => {
                next.extend([moved(step, *first), moved(step, *second)]);
            }
        }
    }
    false
}

/// The number of the step that is `target` steps after number `step`.
pub(super) fn moved(step: usize, target: isize) -> usize {
    step.checked_add_signed(target).expect("targets are in the program")
}

/// The alternatives of `fragments`, in this order.
fn either(mut fragments: Vec<Vec<Step>>) -> Vec<Step> {
    let Some(last) = fragments.pop() else { return Vec::new() };
    // Each alternative before the last has a step before and after it.
    let mut rest: usize = last.len() + fragments.iter().map(|f| f.len() + 2).sum::<usize>();
    let mut steps = Vec::with_capacity(rest);
    for fragment in fragments {
        let len = fragment.len() as isize;
        rest -= fragment.len() + 2;
        steps.push(Step::Either(1, len + 2));
        steps.extend(fragment);
        steps.push(Step::Jump(rest as isize + 1));
    }
    steps.extend(last);
    steps
}
