//! Makes the states of a [`GroupNfa`], from the end of the patterns to their start.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};
use regex_syntax::utf8::Utf8Sequences;

use crate::pure::literal::ByteSet;

use super::group_nfa::{EMPTY, GroupNfa, LOOK, State, StateId, Step};
use super::hash::{Mixer, mix};
use super::positions::looks::{self, Looks};

/// The largest number of steps, of eight bytes each, with those of states that are used only while
/// others are made.
const MAX_STEPS: usize = 1 << 19;

/// Makes the states, from the end of the patterns to their start.
#[derive(Default)]
pub(super) struct NfaBuilder {
    sets: Vec<ByteSet>,
    set_ids: HashMap<ByteSet, u32, BuildHasherDefault<Mixer>>,
    steps: Vec<Step>,
    states: Vec<Draft>,
    /// By a hash of a state's steps and matches: a state.
    known: HashMap<u64, StateId, BuildHasherDefault<Mixer>>,
    /// The steps of unions that are being made, one after the other.
    union: Vec<Step>,
    looks: Looks,
    unicode_boundary: bool,
    too_large: bool,
}

/// A state that is being made.
#[derive(Clone)]
struct Draft {
    /// Its steps, sorted: those over bytes, over assertions, and to loops.
    steps: Range<usize>,
    matches: u64,
    /// The state is the start of a loop whose body is being made.
    open: bool,
}

impl NfaBuilder {
    /// Adds a state with these steps, which are sorted, unless there is an equal one.
    pub(super) fn add(&mut self, steps: &[Step], matches: u64) -> StateId {
        let hash = hash_of(steps, matches);
        if let Some(&known) = self.known.get(&hash) {
            let draft = &self.states[known as usize];
            if draft.matches == matches && self.steps[draft.steps.clone()] == *steps {
                return known;
            }
        }
        let id = self.states.len() as StateId;
        let draft = self.draft(steps, matches);
        self.states.push(draft);
        self.known.insert(hash, id);
        id
    }

    fn draft(&mut self, steps: &[Step], matches: u64) -> Draft {
        let start = self.steps.len();
        self.too_large |= start + steps.len() > MAX_STEPS;
        if !self.too_large {
            self.steps.extend_from_slice(steps);
        }
        Draft { steps: start..self.steps.len(), matches, open: false }
    }

    /// Appends the steps of a state to the current union. Returns its matches.
    fn unite(&mut self, state: StateId) -> u64 {
        let Draft { steps, matches, open } = self.states[state as usize].clone();
        match open {
            true => self.union.push(Step { over: EMPTY, to: state }),
            false => self.union.extend_from_slice(&self.steps[steps]),
        }
        matches
    }

    /// Takes the steps of the current union, from `start` on, sorted.
    fn take_union(&mut self, start: usize) -> Vec<Step> {
        let mut steps = self.union.split_off(start);
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// The union of two states.
    fn either(&mut self, a: StateId, b: StateId) -> StateId {
        let start = self.union.len();
        let matches = self.unite(a) | self.unite(b);
        let steps = self.take_union(start);
        self.add(&steps, matches)
    }

    fn set(&mut self, set: ByteSet) -> u32 {
        let NfaBuilder { sets, set_ids, .. } = self;
        *set_ids.entry(set).or_insert_with(|| {
            sets.push(set);
            sets.len() as u32 - 1
        })
    }

    /// The state that reads a byte of `set` and leads to `next`.
    fn byte(&mut self, set: ByteSet, next: StateId) -> StateId {
        let over = self.set(set);
        self.add(&[Step { over, to: next }], 0)
    }

    /// The state that crosses an assertion and leads to `next`.
    fn look(&mut self, look: Look, next: StateId) -> StateId {
        // Between ASCII bytes these are the same. The determinizer quits at any other byte.
        let ascii = looks::in_ascii(look);
        self.unicode_boundary |= look != ascii;
        self.looks |= ascii.as_repr();
        self.add(&[Step { over: LOOK | ascii.as_repr(), to: next }], 0)
    }

    /// The state that matches anything up to the end of the record and leads to `next` there.
    pub(super) fn until_record_end(&mut self, next: StateId) -> StateId {
        let (any, end) = (self.set((0..=255).collect()), self.look(Look::End, next));
        let all = self.open_loop();
        let start = self.union.len();
        self.union.push(Step { over: any, to: all });
        self.unite(end);
        self.close_loop(all, start, 0);
        all
    }

    fn open_loop(&mut self) -> StateId {
        self.states.push(Draft { steps: 0..0, matches: 0, open: true });
        self.states.len() as StateId - 1
    }

    /// Defines the start of a loop as the current union, from `start` on.
    fn close_loop(&mut self, id: StateId, start: usize, matches: u64) {
        let mut steps = self.take_union(start);
        steps.retain(|&step| step != Step { over: EMPTY, to: id });
        self.states[id as usize] = self.draft(&steps, matches);
        self.known.entry(hash_of(&steps, matches)).or_insert(id);
    }

    /// The state before several patterns, given the parts of each and the state after them. Equal
    /// parts at the start of several patterns are made once.
    pub(super) fn members(&mut self, mut members: Vec<(&[Hir], StateId)>) -> StateId {
        let mut starts = Vec::new();
        while let Some(&(parts, next)) = members.first() {
            let Some(first) = parts.first() else {
                starts.push(next);
                members.remove(0);
                continue;
            };
            let (same, others): (Vec<_>, Vec<_>) =
                members.into_iter().partition(|(other, _)| other.first() == Some(first));
            members = others;
            let is_common =
                |at: usize| same.iter().all(|(other, _)| other.get(at) == parts.get(at));
            let common = match same.len() {
                1 => parts.len(),
                _ => (1..parts.len()).find(|&at| !is_common(at)).unwrap_or(parts.len()),
            };
            let rest = same.iter().map(|&(other, next)| (&other[common..], next)).collect();
            let next = self.members(rest);
            starts.push(self.concat(&parts[..common], next));
        }
        let start = self.union.len();
        let matches = starts.into_iter().fold(0, |all, state| all | self.unite(state));
        let steps = self.take_union(start);
        self.add(&steps, matches)
    }

    fn concat(&mut self, parts: &[Hir], next: StateId) -> StateId {
        parts.iter().rev().fold(next, |next, part| self.part(part, next))
    }

    /// The state before a part of a pattern, given the state after it.
    fn part(&mut self, hir: &Hir, next: StateId) -> StateId {
        if self.too_large {
            return next;
        }
        match hir.kind() {
            HirKind::Empty => next,
            HirKind::Literal(literal) => literal
                .0
                .iter()
                .rev()
                .fold(next, |next, &b| self.byte(ByteSet::from_iter([b]), next)),
            HirKind::Class(Class::Unicode(class)) if !class.is_ascii() => {
                self.characters(class, next)
            }
            HirKind::Class(class) => self.byte(ByteSet::of(class), next),
            HirKind::Look(look) => self.look(*look, next),
            HirKind::Capture(capture) => self.part(&capture.sub, next),
            HirKind::Concat(parts) => self.concat(parts, next),
            HirKind::Alternation(branches) => {
                let start = self.union.len();
                let mut matches = 0;
                for branch in branches {
                    let state = self.part(branch, next);
                    matches |= self.unite(state);
                }
                let steps = self.take_union(start);
                self.add(&steps, matches)
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
        }
    }

    fn repetition(&mut self, repetition: &Repetition, next: StateId) -> StateId {
        let Repetition { min, max, ref sub, .. } = *repetition;
        let mut copies = min;
        let mut state = next;
        match max {
            None => {
                let all = self.open_loop();
                let body = self.part(sub, all);
                let start = self.union.len();
                let matches = self.unite(body) | self.unite(next);
                self.close_loop(all, start, matches);
                state = if min == 0 { all } else { body };
                copies = min.saturating_sub(1);
            }
            Some(max) => {
                for _ in min..max {
                    let copy = self.part(sub, state);
                    let longer = self.either(copy, next);
                    if longer == state || self.too_large {
                        break;
                    }
                    state = longer;
                }
            }
        }
        for _ in 0..copies {
            let longer = self.part(sub, state);
            if longer == state || self.too_large {
                break;
            }
            state = longer;
        }
        state
    }

    /// The state before a class of characters, some of which are several bytes.
    fn characters(&mut self, class: &ClassUnicode, next: StateId) -> StateId {
        // The first bytes of characters, by the state after them.
        let mut heads: HashMap<StateId, ByteSet> = HashMap::new();
        for sequence in class.ranges().iter().flat_map(|r| Utf8Sequences::new(r.start(), r.end())) {
            let mut after = next;
            for (index, range) in sequence.as_slice().iter().enumerate().rev() {
                let set = (range.start..=range.end).collect();
                if index == 0 {
                    let head = heads.entry(after).or_insert(set);
                    *head = head.union(&set);
                } else {
                    after = self.byte(set, after);
                }
            }
        }
        let mut steps: Vec<Step> =
            heads.into_iter().map(|(to, set)| Step { over: self.set(set), to }).collect();
        steps.sort_unstable();
        self.add(&steps, 0)
    }

    /// Replaces steps to loops by the steps of these, and drops the states that `start` does not
    /// lead to.
    pub(super) fn finish(self, start: StateId) -> Option<GroupNfa> {
        const UNKNOWN: StateId = StateId::MAX;
        if self.too_large {
            return None;
        }
        let mut nfa = GroupNfa {
            sets: self.sets,
            steps: Vec::new(),
            states: Vec::new(),
            looks: self.looks,
            unicode_boundary: self.unicode_boundary,
        };
        // By draft: its new number, and the state whose steps last included its own.
        let mut numbers = vec![UNKNOWN; self.states.len()];
        let mut included = vec![UNKNOWN; self.states.len()];
        let mut order = vec![start];
        numbers[start as usize] = GroupNfa::START;
        let (mut pending, mut steps) = (Vec::new(), Vec::new());
        while let Some(&draft) = order.get(nfa.states.len()) {
            let number = nfa.states.len() as StateId;
            let mut matches = 0;
            pending.push(draft);
            while let Some(from) = pending.pop() {
                if std::mem::replace(&mut included[from as usize], number) == number {
                    continue;
                }
                let from = &self.states[from as usize];
                matches |= from.matches;
                for &step in &self.steps[from.steps.clone()] {
                    match step.over {
                        EMPTY => pending.push(step.to),
                        _ => steps.push(step),
                    }
                }
            }
            steps.sort_unstable();
            steps.dedup();
            let start = nfa.steps.len() as u32;
            let looks = start + steps.partition_point(|step| step.over < LOOK) as u32;
            for Step { over, to } in steps.drain(..) {
                let to_number = &mut numbers[to as usize];
                if *to_number == UNKNOWN {
                    *to_number = order.len() as StateId;
                    order.push(to);
                }
                nfa.steps.push(Step { over, to: *to_number });
            }
            if nfa.steps.len() > MAX_STEPS {
                return None;
            }
            nfa.states.push(State { start, looks, end: nfa.steps.len() as u32, matches });
        }
        nfa.sets.shrink_to_fit();
        nfa.steps.shrink_to_fit();
        nfa.states.shrink_to_fit();
        Some(nfa)
    }
}

fn hash_of(steps: &[Step], matches: u64) -> u64 {
    let add = |hash, step: &Step| mix(hash, u64::from(step.over) << 32 | u64::from(step.to));
    steps.iter().fold(mix(steps.len() as u64, matches), add)
}
