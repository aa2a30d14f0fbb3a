//! Determinizes the NFA of a group of patterns, one transition at a time.
//!
//! A DFA state is a set of NFA states. `regex_automata`'s lazy DFA computes such sets, too, but for
//! the groups here it takes two to four microseconds for each: the search may start at every byte,
//! so each of its states contains all NFA states that a match can start with, for a list of words
//! several hundreds, and each transition visits all of them. Where most of the first pass over a
//! text goes into new transitions, this is most of its time. Here, a transition costs a fraction
//! of a microsecond:
//!
//! - The states that a match can start with are in no set. What they lead to with a byte does not
//!   depend on the set, so it is computed once for each class of bytes ([`StartSteps`]) and added
//!   to each transition.
//! - The [NFA](super::group_nfa) has no empty transitions, so a set has only the states that the last
//!   byte led to: mostly one to three.
//! - An assertion depends on the bytes on both sides of a boundary. Of the byte before, a DFA state
//!   keeps only its kind, and only if assertions are left to decide. They are decided when the next
//!   byte is known.
//!
//! The sets are [keys](KeyBuilder): sorted lists, which are equal if and only if the states are.
//!
//! # Limits
//!
//! A Unicode word boundary next to a byte outside ASCII is not decided: the determinizer
//! [quits](Determinizer::quits).

use super::byte_classes::ByteClasses;
use super::group_nfa::{GroupNfa, StateId};
use super::positions::looks::{EDGE, HOLDING, KINDS, Looks, kind_of};

/// The length of the head of a key: the kind of the byte before, and the patterns that match, as
/// the two halves of a `u64`.
const KEY_HEAD: usize = 3;

/// Computes the states and transitions of a DFA of at most 64 patterns. Immutable, and shared by
/// all scanners.
#[derive(Debug)]
pub(super) struct Determinizer {
    nfa: GroupNfa,
    /// By byte: its class. Bytes of a class lead to the same states.
    classes: [u8; 256],
    /// By class: one of its bytes.
    samples: Vec<u8>,
    /// By kind: the first of those between which, before a boundary, no assertion of the NFA
    /// distinguishes.
    before: [u8; KINDS],
    /// Whether the start of a match has assertions, so that the byte before it matters.
    start_has_looks: bool,
    /// Whether matches start only at the start of a record.
    from_start: bool,
}

/// What the start of a match leads to, as far as that is known.
#[derive(Clone, Debug)]
pub(super) struct StartSteps {
    /// By the kind of the byte before, if the start has assertions, and by the class of the next byte.
    steps: Box<[Option<StartStep>]>,
    /// The memory of all steps, in bytes.
    memory: usize,
}

/// The states that are entered by a byte at the start of a match.
#[derive(Clone, Debug)]
struct StartStep {
    states: Box<[StateId]>,
    /// The patterns that match before or after the byte, as bits.
    matches: u64,
    /// The row of the DFA's table of the state that has these states and matches, if that is known.
    row: Option<u16>,
}

/// The index of a step in [`StartSteps`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StartStepId(usize);

impl StartSteps {
    /// The row of the table that a step leads to, if that is known.
    pub(super) fn row(&self, id: StartStepId) -> Option<u16> {
        self.steps[id.0].as_ref().and_then(|step| step.row)
    }

    pub(super) fn set_row(&mut self, id: StartStepId, row: u16) {
        if let Some(step) = &mut self.steps[id.0] {
            step.row = Some(row);
        }
    }

    /// Forgets all rows of the table.
    pub(super) fn clear_rows(&mut self) {
        self.steps.iter_mut().flatten().for_each(|step| step.row = None);
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

/// Working memory to compute transitions, for all DFAs of a scanner.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyBuilder {
    /// By NFA state: the number of the latest walk that visited it.
    visited: Vec<u32>,
    walk: u32,
    /// States that a walk has yet to visit.
    pending: Vec<StateId>,
    /// The states that the next byte leads to.
    next: Vec<StateId>,
    /// The patterns that match, as bits.
    matches: u64,
    key: Vec<u32>,
}

impl KeyBuilder {
    /// The key of the state that was computed last.
    pub(super) fn key(&self) -> &[u32] {
        &self.key
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        (self.visited.capacity()
            + self.key.capacity()
            + self.pending.capacity()
            + self.next.capacity())
            * size_of::<u32>()
    }

    /// Starts a walk over an NFA of this many states.
    fn begin_walk(&mut self, states: usize) {
        if self.walk == u32::MAX {
            self.visited.clear();
            self.walk = 0;
        }
        if self.visited.len() < states {
            self.visited.resize(states, 0);
        }
        self.walk += 1;
    }

    /// Whether the current walk visits `state` for the first time.
    fn visit(&mut self, state: StateId) -> bool {
        std::mem::replace(&mut self.visited[state as usize], self.walk) != self.walk
    }
}

/// The patterns that match in the state with this key, as bits.
pub(super) fn matches_of(key: &[u32]) -> u64 {
    u64::from(key[1]) | u64::from(key[2]) << 32
}

impl Determinizer {
    pub(super) fn new(nfa: GroupNfa) -> Determinizer {
        let (classes, samples) = byte_classes(&nfa);
        let holds = |before: usize| HOLDING[before].map(|holds| holds & nfa.looks);
        let before = std::array::from_fn(|kind| {
            (0..kind).find(|&other| holds(other) == holds(kind)).unwrap_or(kind) as u8
        });
        // The assertions that can hold after a byte. That they may exclude one another doesn't
        // matter: a state that is not known to be dead costs time, but no match.
        let later = HOLDING.iter().enumerate().filter(|&(before, _)| before != EDGE);
        let later = later.flat_map(|(_, row)| row).fold(0, |all, holds| all | holds);
        let mut builder = KeyBuilder::default();
        builder.begin_walk(nfa.len());
        let can_start = has_steps_or_matches(&nfa, later, &mut builder);
        let start_has_looks = !nfa.look_steps(GroupNfa::START).is_empty();
        Determinizer { nfa, classes, samples, before, start_has_looks, from_start: !can_start }
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.nfa.memory() + self.samples.capacity()
    }

    /// By byte: its class.
    pub(super) fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The number of classes of bytes.
    pub(super) fn class_count(&self) -> usize {
        self.samples.len()
    }

    /// The steps from the start of a match, none of which is known yet.
    pub(super) fn unknown_start_steps(&self) -> StartSteps {
        let kinds = if self.start_has_looks { KINDS } else { 1 };
        let steps: Box<[Option<StartStep>]> =
            (0..kinds * self.samples.len()).map(|_| None).collect();
        StartSteps { memory: size_of_val(&steps[..]), steps }
    }

    /// Whether nothing can be decided about a record that contains this byte.
    pub(super) fn quits(&self, byte: u8) -> bool {
        self.nfa.unicode_boundary && !byte.is_ascii()
    }

    /// Whether nothing can match after the state with this key is entered. The state must not be
    /// the one in which a record starts.
    pub(super) fn is_dead(&self, key: &[u32]) -> bool {
        self.from_start && key.len() == KEY_HEAD && matches_of(key) == 0
    }

    /// Computes the key of the state in which a record starts.
    pub(super) fn start(&self, builder: &mut KeyBuilder) {
        builder.key.clear();
        builder.key.extend([EDGE as u32, 0, 0]);
    }

    /// Computes the key of the state that follows the one with key `from` on a byte of `class`.
    ///
    /// In most states, most bytes end all matches that have begun. The next state is then the one that
    /// the start of a match leads to, and the step is returned. Its key is not computed again if its
    /// state of the table is known.
    pub(super) fn step(
        &self,
        from: &[u32],
        class: u8,
        starts: &mut StartSteps,
        builder: &mut KeyBuilder,
    ) -> Option<StartStepId> {
        let byte = self.samples[usize::from(class)];
        let after = kind_of(byte);
        let holds = HOLDING[from[0] as usize][after];
        let before = if self.start_has_looks { from[0] as usize } else { 0 };
        let id = StartStepId(before * self.samples.len() + usize::from(class));
        let start = starts.steps[id.0].get_or_insert_with(|| {
            let step = self.start_step(holds, byte, builder);
            starts.memory += size_of_val(&step.states[..]);
            step
        });

        builder.matches = 0;
        builder.next.clear();
        let mut looks = false;
        for &state in &from[KEY_HEAD..] {
            self.read(state, byte, builder);
            if !self.nfa.look_steps(state).is_empty() {
                if !std::mem::replace(&mut looks, true) {
                    builder.begin_walk(self.nfa.len());
                }
                self.cross(state, holds, Some(byte), builder);
            }
        }
        let only_start = builder.next.is_empty() && builder.matches & !start.matches == 0;
        if only_start && start.row.is_some() {
            return Some(id);
        }
        builder.matches |= start.matches;
        builder.begin_walk(self.nfa.len());
        start.states.iter().for_each(|&state| _ = builder.visit(state));
        self.enter_next(builder);
        let KeyBuilder { next, key, matches, .. } = builder;
        key.clear();
        key.extend([0; KEY_HEAD]);
        key.extend_from_slice(&start.states);
        key.extend_from_slice(next);
        let has_looks = |&state: &StateId| !self.nfa.look_steps(state).is_empty();
        let undecided = self.start_has_looks || key[KEY_HEAD..].iter().any(has_looks);
        key[0] = if undecided { u32::from(self.before[after]) } else { 0 };
        (key[1], key[2]) = (*matches as u32, (*matches >> 32) as u32);
        key[KEY_HEAD..].sort_unstable();
        only_start.then_some(id)
    }

    /// The patterns that match if the record ends in the state with key `from`, as bits.
    pub(super) fn end_matches(&self, from: &[u32], builder: &mut KeyBuilder) -> u64 {
        let holds = HOLDING[from[0] as usize][EDGE];
        builder.matches = self.nfa.matches(GroupNfa::START);
        builder.begin_walk(self.nfa.len());
        self.cross(GroupNfa::START, holds, None, builder);
        for &state in &from[KEY_HEAD..] {
            self.cross(state, holds, None, builder);
        }
        builder.matches
    }

    /// What a match can start with where `holds` are the assertions that hold and `byte` is next.
    fn start_step(&self, holds: Looks, byte: u8, builder: &mut KeyBuilder) -> StartStep {
        builder.matches = self.nfa.matches(GroupNfa::START);
        builder.next.clear();
        self.read(GroupNfa::START, byte, builder);
        builder.begin_walk(self.nfa.len());
        self.cross(GroupNfa::START, holds, Some(byte), builder);
        builder.begin_walk(self.nfa.len());
        self.enter_next(builder);
        StartStep { states: builder.next[..].into(), matches: builder.matches, row: None }
    }

    /// Adds the patterns that match on entering the next states, and keeps those states that a key has.
    fn enter_next(&self, builder: &mut KeyBuilder) {
        let mut next = std::mem::take(&mut builder.next);
        next.retain(|&state| {
            let is_new = builder.visit(state);
            if is_new {
                builder.matches |= self.nfa.matches(state);
            }
            is_new && self.nfa.continues(state) && state != GroupNfa::START
        });
        builder.next = next;
    }

    /// Follows the steps of a state over the assertions in `holds`, which hold at the boundary where
    /// the state is. Adds to `builder` the patterns that match there, and the states that `byte` leads
    /// to from beyond an assertion.
    fn cross(&self, state: StateId, holds: Looks, byte: Option<u8>, builder: &mut KeyBuilder) {
        builder.pending.push(state);
        while let Some(state) = builder.pending.pop() {
            for &step in self.nfa.look_steps(state) {
                if step.looks() & !holds != 0 || !builder.visit(step.to) {
                    continue;
                }
                builder.matches |= self.nfa.matches(step.to);
                builder.pending.push(step.to);
                if let Some(byte) = byte {
                    self.read(step.to, byte, builder);
                }
            }
        }
    }

    /// Adds the states that `byte` leads to from a state.
    fn read(&self, state: StateId, byte: u8, builder: &mut KeyBuilder) {
        let steps = self.nfa.byte_steps(state).iter().filter(|&&step| self.nfa.reads(step, byte));
        builder.next.extend(steps.map(|step| step.to));
    }
}

/// Whether a match can start where the assertions in `holds` hold, as far as that is known without
/// the next byte.
fn has_steps_or_matches(nfa: &GroupNfa, holds: Looks, builder: &mut KeyBuilder) -> bool {
    builder.pending.push(GroupNfa::START);
    let mut found = false;
    while let Some(state) = builder.pending.pop() {
        found |= nfa.matches(state) != 0 || !nfa.byte_steps(state).is_empty();
        for &step in nfa.look_steps(state) {
            if step.looks() & !holds == 0 && builder.visit(step.to) {
                builder.pending.push(step.to);
            }
        }
    }
    found
}

/// The class of each byte, and a byte of each class. No step of the NFA and no assertion
/// distinguishes bytes of a class.
fn byte_classes(nfa: &GroupNfa) -> ([u8; 256], Vec<u8>) {
    let mut classes = ByteClasses::new();
    if nfa.looks != 0 {
        classes.divide(kind_of);
    }
    if nfa.unicode_boundary {
        classes.divide(|byte| usize::from(byte.is_ascii()));
    }
    for set in &nfa.sets {
        classes.divide(|byte| usize::from(set.contains(byte)));
    }
    classes.finish()
}

#[cfg(test)]
mod tests;
