//! Shrinking of recorded choices: from fewer and lower choices, a generator makes a simpler value.
//!
//! A [`Shrinker`] holds the choices of the simplest known failure and proposes simpler ones, each
//! derived by one edit: a part is left out, a part is replaced by a part within it (`(?:ab)+`
//! becomes `ab`), a few choices are deleted, or one choice is lowered. The generator then reads the
//! edited choices, and the choices that it actually used are recorded again. A proposal is always
//! shorter than the choices before, or as long and lexicographically less, so shrinking ends.
//!
//! Proptest's own way, in which each value in a tree shrinks by itself, would require every
//! generator to be written as a proptest strategy, and then neither a fuzzer nor a plain seed could
//! drive it.

use std::ops::Range;

use super::Choices;

/// Choices that were made, and the parts that they form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    pub(crate) choices: Vec<usize>,
    /// The choices of each part, in the order in which parts began: a part comes right before the
    /// parts within it.
    parts: Vec<Range<usize>>,
}

/// Records what another source answers.
pub(crate) struct Recorder<S> {
    source: S,
    made: Recording,
    /// The numbers of the parts that have not ended.
    open: Vec<usize>,
}

impl<S: Choices> Recorder<S> {
    /// Runs `draw` with the choices of `source`. Returns its value and the recorded choices.
    pub(crate) fn record<T>(source: S, draw: impl FnOnce(&mut dyn Choices) -> T) -> (T, Recording) {
        let mut recorder = Recorder { source, made: Recording::default(), open: Vec::new() };
        let value = draw(&mut recorder);
        (value, recorder.made)
    }
}

impl<S: Choices> Choices for Recorder<S> {
    fn below(&mut self, limit: usize) -> usize {
        let choice = self.source.below(limit);
        self.made.choices.push(choice);
        choice
    }

    fn begin(&mut self) {
        self.open.push(self.made.parts.len());
        let start = self.made.choices.len();
        self.made.parts.push(start..start);
    }

    fn end(&mut self) {
        let part = self.open.pop().expect("a part has begun");
        self.made.parts[part].end = self.made.choices.len();
    }
}

/// Answers with recorded choices, each lowered to the limit if it exceeds it, and with 0 at their
/// end.
pub(crate) struct Replay<'a>(std::slice::Iter<'a, usize>);

impl<'a> Replay<'a> {
    pub(crate) fn new(choices: &'a [usize]) -> Replay<'a> {
        Replay(choices.iter())
    }
}

impl Choices for Replay<'_> {
    fn below(&mut self, limit: usize) -> usize {
        self.0.next().map_or(0, |choice| (*choice).min(limit - 1))
    }
}

/// The edits that are tried, in this order, so that large simplifications come first. Each edit has
/// a position, which advances when an edit fails and stays when it succeeds.
#[derive(Clone, Copy, Debug)]
enum Edit {
    /// Deletes the part with the index `part`. If `inner` is not 0, replaces it by the part with the
    /// index `part + inner`, which must be within it.
    Part { part: usize, inner: usize },
    /// Deletes the `len` choices before the last `back` ones.
    Delete { len: usize, back: usize },
    /// Lowers one choice: to 0, to its half, or by 1.
    Lower { choice: usize, step: usize },
    /// All edits were tried.
    Done,
}

/// The number of choices that [`Edit::Delete`] deletes at first. It is then halved, down to 1.
const LONGEST_DELETION: usize = 8;

/// Finds simpler choices that still fail.
#[derive(Clone, Debug)]
pub(crate) struct Shrinker {
    best: Recording,
    edit: Edit,
    /// Whether an edit succeeded since the first one was tried.
    improved: bool,
}

const FIRST: Edit = Edit::Part { part: 0, inner: 0 };

impl Shrinker {
    pub(crate) fn new(failing: Recording) -> Shrinker {
        Shrinker { best: failing, edit: FIRST, improved: false }
    }

    /// The simplest choices that are known to fail.
    pub(crate) fn best(&self) -> &Recording {
        &self.best
    }

    /// Makes a proposal that still fails the best one.
    pub(crate) fn accept(&mut self, failing: Recording) {
        self.improved |= failing.choices != self.best.choices;
        self.best = failing;
    }

    /// Drops the last proposal, because it does not fail.
    pub(crate) fn reject(&mut self) {
        self.advance();
    }

    /// The next choices to try, or `None` if no edit simplifies the best failure any further.
    pub(crate) fn propose(&mut self, record: impl Fn(&[usize]) -> Recording) -> Option<Recording> {
        loop {
            match self.edited() {
                Some(edited) => {
                    // The generator may use fewer choices than it is given, and lower ones if its
                    // limits changed.
                    let made = record(&edited);
                    let (new, old) = (&made.choices, &self.best.choices);
                    if (new.len(), new) < (old.len(), old) {
                        return Some(made);
                    }
                    self.advance();
                }
                None if self.improved => {
                    // What failed to shrink before may shrink now.
                    self.improved = false;
                    self.edit = FIRST;
                }
                None => return None,
            }
        }
    }

    /// The best choices with the current edit applied, or with the next edit that applies.
    fn edited(&mut self) -> Option<Vec<usize>> {
        let Recording { choices, parts } = &self.best;
        loop {
            match self.edit {
                Edit::Part { part, inner } => match parts.get(part) {
                    None => self.edit = Edit::Delete { len: LONGEST_DELETION, back: 0 },
                    Some(outer) => {
                        let kept = match inner {
                            0 => Some(&[][..]),
                            _ => parts
                                .get(part + inner)
                                .filter(|inner| inner.end <= outer.end)
                                .map(|inner| &choices[inner.clone()]),
                        };
                        if let Some(kept) = kept {
                            let (head, tail) = (&choices[..outer.start], &choices[outer.end..]);
                            return Some([head, kept, tail].concat());
                        }
                        self.edit = Edit::Part { part: part + 1, inner: 0 };
                    }
                },
                Edit::Delete { len, back } => match choices.len().checked_sub(back + len) {
                    Some(start) => {
                        return Some([&choices[..start], &choices[start + len..]].concat());
                    }
                    None if len > 1 => self.edit = Edit::Delete { len: len / 2, back: 0 },
                    None => self.edit = Edit::Lower { choice: 0, step: 0 },
                },
                Edit::Lower { choice, step } => match (choices.get(choice), step) {
                    (None, _) => self.edit = Edit::Done,
                    (Some(0), _) | (_, 3..) => {
                        self.edit = Edit::Lower { choice: choice + 1, step: 0 };
                    }
                    (Some(&value), _) => {
                        let mut edited = choices.clone();
                        edited[choice] = [0, value / 2, value - 1][step];
                        return Some(edited);
                    }
                },
                Edit::Done => return None,
            }
        }
    }

    fn advance(&mut self) {
        match &mut self.edit {
            Edit::Part { inner, .. } => *inner += 1,
            Edit::Delete { back, .. } => *back += 1,
            Edit::Lower { step, .. } => *step += 1,
            Edit::Done => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rng, patterns};

    /// Shrinks the first random value that fails, as far as possible.
    fn shrunk<T>(draw: fn(&mut dyn Choices) -> T, fails: impl Fn(&T) -> bool) -> T {
        let record = |choices: &[usize]| Recorder::record(Replay::new(choices), draw).1;
        let value = |made: &Recording| draw(&mut Replay::new(&made.choices));
        let first = (0..).map(|seed| Recorder::record(Rng::new(seed), draw));
        let (_, failing) = first.into_iter().find(|(value, _)| fails(value)).unwrap();
        let mut shrinker = Shrinker::new(failing);
        while let Some(proposal) = shrinker.propose(record) {
            if fails(&value(&proposal)) {
                shrinker.accept(proposal);
            } else {
                shrinker.reject();
            }
        }
        value(shrinker.best())
    }

    #[test]
    fn replayed_choices_make_the_same_value() {
        let regexes = |choices: &mut dyn Choices| -> Vec<String> {
            patterns(choices).iter().map(|(node, flags)| node.regex(flags.ascii)).collect()
        };
        for seed in 0..200 {
            let (value, made) = Recorder::record(Rng::new(seed), regexes);
            let (again, same) = Recorder::record(Replay::new(&made.choices), regexes);
            assert_eq!((value, made.choices), (again, same.choices));
        }
    }

    #[test]
    fn lists_shrink_to_the_items_that_fail() {
        let draw = |choices: &mut dyn Choices| choices.list(0, 50, |choices| choices.below(1000));
        let is_large = |item: &usize| *item >= 321;
        let left = shrunk(draw, |list| list.iter().filter(|item| is_large(item)).count() >= 2);
        assert_eq!(left, [321, 321]);
    }

    #[test]
    fn patterns_shrink_to_the_construct_that_fails() {
        let draw = |choices: &mut dyn Choices| -> Vec<String> {
            patterns(choices).iter().map(|(node, flags)| node.regex(flags.ascii)).collect()
        };
        for part in [r"\b{start}", "secret", "Σς", "){3,}"] {
            let left = shrunk(draw, |list| list.iter().any(|regex| regex.contains(part)));
            assert_eq!(left.len(), 1, "{left:?}");
            // At most a run of a class is left beside it.
            assert!(left[0].len() <= part.len() + "(?:(?-u:[a-b])){3,}".len(), "{left:?}");
        }
    }
}
