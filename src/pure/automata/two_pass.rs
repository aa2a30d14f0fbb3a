//! All spans of one pattern in one record in linear time, whatever the pattern.
//!
//! A find-iterator over a leftmost-first automaton is quadratic in the worst case: each search may
//! read to the end of the record to settle a short match. Here the future is known beforehand.
//! One pass from the end of the record to its start tells, for each position, which NFA states a
//! match can still be reached from; then one pass forward takes, at each choice, the first branch
//! that can, and so never turns back. This is the two-pass greedy matching of Frisch and Cardelli
//! ("Greedy Regular Expression Matching", ICALP 2004), with look-around and a find-iterator's
//! rules on top.
//!
//! The first pass keeps only every so many positions, about the square root of their number, and
//! the second works the ones between out again; so the memory is that of two square roots, and
//! the time that of two passes of an NFA simulation.

use std::ops::{ControlFlow, Range};

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

use super::spans::Progress;

/// A pattern's NFA with the way back from each of its states.
#[derive(Debug)]
pub(crate) struct Linear {
    nfa: NFA,
    /// By state: the states that lead to it, without a byte or by one of a range.
    back: Vec<Vec<Edge>>,
    accept: Vec<StateID>,
}

#[derive(Clone, Copy, Debug)]
enum Edge {
    Epsilon(StateID),
    /// Only where the state's assertion holds.
    Look(StateID),
    Byte(StateID, u8, u8),
}

/// Working memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The states at every so many positions: from the first pass.
    checkpoints: Vec<Vec<StateID>>,
    /// The states at each position of the block in hand, and its number.
    block: Vec<Vec<StateID>>,
    current: Option<usize>,
    set: Set,
    visited: Set,
    stack: Vec<StateID>,
}

/// A set of states that is emptied in the time that it took to fill.
#[derive(Debug, Default)]
struct Set {
    has: Vec<bool>,
    list: Vec<StateID>,
}

impl Set {
    fn reset(&mut self, states: usize) {
        for state in self.list.drain(..) {
            self.has[state.as_usize()] = false;
        }
        if self.has.len() < states {
            self.has.resize(states, false);
        }
    }

    fn insert(&mut self, state: StateID) -> bool {
        let new = !std::mem::replace(&mut self.has[state.as_usize()], true);
        if new {
            self.list.push(state);
        }
        new
    }
}

impl Cache {
    pub(crate) fn memory(&self) -> usize {
        let lists = self.checkpoints.iter().chain(&self.block).map(Vec::capacity).sum::<usize>()
            + self.set.list.capacity()
            + self.visited.list.capacity()
            + self.stack.capacity();
        lists * size_of::<StateID>() + self.set.has.capacity() + self.visited.has.capacity()
    }
}

impl Linear {
    pub(crate) fn new(nfa: NFA) -> Linear {
        let mut back = vec![Vec::new(); nfa.states().len()];
        let mut accept = Vec::new();
        for (index, state) in nfa.states().iter().enumerate() {
            let from = StateID::new_unchecked(index);
            let mut edge = |to: StateID, edge: Edge| back[to.as_usize()].push(edge);
            match state {
                State::ByteRange { trans } => {
                    edge(trans.next, Edge::Byte(from, trans.start, trans.end));
                }
                State::Sparse(sparse) => {
                    for trans in &sparse.transitions {
                        edge(trans.next, Edge::Byte(from, trans.start, trans.end));
                    }
                }
                State::Dense(dense) => {
                    // State 0 always fails, and stands here for bytes that lead nowhere.
                    for (byte, &next) in (0..=255).zip(&dense.transitions[..]) {
                        if next != StateID::ZERO {
                            edge(next, Edge::Byte(from, byte, byte));
                        }
                    }
                }
                State::Look { next, .. } => edge(*next, Edge::Look(from)),
                State::Union { alternates } => {
                    for &next in alternates {
                        edge(next, Edge::Epsilon(from));
                    }
                }
                State::BinaryUnion { alt1, alt2 } => {
                    edge(*alt1, Edge::Epsilon(from));
                    edge(*alt2, Edge::Epsilon(from));
                }
                State::Capture { next, .. } => edge(*next, Edge::Epsilon(from)),
                State::Fail => {}
                State::Match { .. } => accept.push(from),
            }
        }
        Linear { nfa, back, accept }
    }

    /// Calls `found` with each span of `record` from `progress.at` on, until it breaks.
    pub(crate) fn find(
        &self,
        cache: &mut Cache,
        record: &[u8],
        progress: &mut Progress,
        found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if progress.at > record.len() {
            return ControlFlow::Continue(());
        }
        let base = progress.at;
        let positions = record.len() - base + 1;
        let block = (positions as f64).sqrt().ceil() as usize;
        self.first_pass(cache, record, base, block);
        progress.steps += 2 * positions as u64;

        let start = self.nfa.start_anchored();
        let mut at = base;
        while at <= record.len() {
            self.load(cache, record, base, block, at);
            // The leftmost position where a match can start.
            if !contains(&cache.block[(at - base) % block], start) {
                at += 1;
                continue;
            }
            let from = at;
            let end = self.follow(cache, record, base, block, start, at);
            // `accept` counts from the search's start, which may lie before an empty match.
            progress.at = from;
            if progress.accept(&(from..end)) {
                found(from..end)?;
            }
            at = progress.at;
        }
        progress.at = record.len() + 1;
        ControlFlow::Continue(())
    }

    /// Fills the checkpoints: the states at the positions `base + block`, `base + 2 * block`, ...
    fn first_pass(&self, cache: &mut Cache, record: &[u8], base: usize, block: usize) {
        let blocks = (record.len() - base) / block + 1;
        cache.checkpoints.truncate(0);
        cache.checkpoints.resize(blocks + 1, Vec::new());
        cache.current = None;
        let mut states = Vec::new();
        for at in (base..=record.len()).rev() {
            self.step_back(cache, record, at, &mut states);
            if (at - base).is_multiple_of(block) {
                cache.checkpoints[(at - base) / block] = states.clone();
            }
        }
    }

    /// Makes the block that holds `at` the one in hand.
    fn load(&self, cache: &mut Cache, record: &[u8], base: usize, block: usize, at: usize) {
        let number = (at - base) / block;
        if cache.current == Some(number) {
            return;
        }
        cache.current = Some(number);
        let first = base + number * block;
        let last = (first + block - 1).min(record.len());
        let mut states = std::mem::take(&mut cache.checkpoints[number + 1]);
        let mut list = std::mem::take(&mut cache.block);
        list.resize(block, Vec::new());
        for at in (first..=last).rev() {
            self.step_back(cache, record, at, &mut states);
            let slot = &mut list[at - first];
            slot.clear();
            slot.extend_from_slice(&states);
        }
        cache.block = list;
    }

    /// Turns the states from which a match can be reached at `at + 1` into those at `at`, sorted.
    fn step_back(&self, cache: &mut Cache, record: &[u8], at: usize, states: &mut Vec<StateID>) {
        let set = &mut cache.set;
        set.reset(self.back.len());
        if let Some(&byte) = record.get(at) {
            for state in states.iter() {
                for edge in &self.back[state.as_usize()] {
                    if let Edge::Byte(from, low, high) = *edge
                        && (low..=high).contains(&byte)
                    {
                        set.insert(from);
                    }
                }
            }
        }
        for &state in &self.accept {
            set.insert(state);
        }
        let mut next = 0;
        while let Some(&state) = set.list.get(next) {
            next += 1;
            for edge in &self.back[state.as_usize()] {
                match *edge {
                    Edge::Epsilon(from) => {
                        set.insert(from);
                    }
                    Edge::Look(from) if self.holds(from, record, at) => {
                        set.insert(from);
                    }
                    Edge::Look(_) | Edge::Byte(..) => {}
                }
            }
        }
        states.clear();
        states.extend_from_slice(&set.list);
        states.sort_unstable();
    }

    fn holds(&self, state: StateID, record: &[u8], at: usize) -> bool {
        match self.nfa.state(state) {
            State::Look { look, .. } => self.nfa.look_matcher().matches(*look, record, at),
            _ => true,
        }
    }

    /// The end of the match that starts in `state` at `at`, where one is sure to be.
    fn follow(
        &self,
        cache: &mut Cache,
        record: &[u8],
        base: usize,
        block: usize,
        mut state: StateID,
        mut at: usize,
    ) -> usize {
        loop {
            self.load(cache, record, base, block, at);
            let leaf = self.first_leaf(cache, record, (at - base) % block, state, at);
            let next = match self.nfa.state(leaf) {
                State::ByteRange { trans } => trans.matches(record, at).then_some(trans.next),
                State::Sparse(sparse) => sparse.matches(record, at),
                State::Dense(dense) => dense.matches(record, at),
                _ => None,
            };
            match next {
                Some(next) => state = next,
                None => return at,
            }
            at += 1;
        }
    }

    /// The first state, in the order of preference, that consumes a byte or accepts, that `state`
    /// leads to without a byte, and from which a match can be reached.
    fn first_leaf(
        &self,
        cache: &mut Cache,
        record: &[u8],
        slot: usize,
        state: StateID,
        at: usize,
    ) -> StateID {
        let (viable, visited, stack) = (&cache.block[slot], &mut cache.visited, &mut cache.stack);
        visited.reset(self.back.len());
        stack.clear();
        stack.push(state);
        while let Some(state) = stack.pop() {
            if !contains(viable, state) || !visited.insert(state) {
                continue;
            }
            match self.nfa.state(state) {
                State::Look { next, .. } => {
                    if self.holds(state, record, at) {
                        stack.push(*next);
                    }
                }
                State::Union { alternates } => stack.extend(alternates.iter().rev()),
                State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
                State::Capture { next, .. } => stack.push(*next),
                State::ByteRange { .. }
                | State::Sparse(_)
                | State::Dense(_)
                | State::Match { .. } => return state,
                State::Fail => {}
            }
        }
        // Not reached for a viable state. Ending the match here keeps the walk finite.
        debug_assert!(false, "a viable state leads nowhere");
        self.accept.first().copied().unwrap_or(state)
    }
}

fn contains(sorted: &[StateID], state: StateID) -> bool {
    sorted.binary_search(&state).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::nfa::thompson::pikevm::PikeVM;
    use regex_automata::util::syntax;

    use super::*;

    /// Small patterns in which preferences, empty matches and assertions meet.
    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(
            &[
                "a",
                "b",
                ".",
                "[ab]",
                "[^a]",
                "",
                "^",
                "$",
                r"\b",
                r"\B",
                "(?m:^)",
                "(?m:$)",
                "ab",
                "é",
                r"\w",
                r"(?-u:\b)",
            ][..],
        )
        .prop_map(str::to_owned);
        leaf.prop_recursive(4, 16, 3, |inner| {
            let repeat =
                prop::sample::select(&["*", "*?", "+", "+?", "?", "??", "{2}", "{0,2}?"][..]);
            prop_oneof![
                (inner.clone(), repeat).prop_map(|(p, r)| format!("(?:{p}){r}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            ]
        })
    }

    fn linear_spans(pattern: &str, record: &[u8]) -> Vec<Range<usize>> {
        let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap();
        let linear = Linear::new(super::super::lazy_dfa::compile(&[&hir], false));
        let mut spans = Vec::new();
        let flow =
            linear.find(&mut Cache::default(), record, &mut Progress::default(), &mut |span| {
                spans.push(span);
                ControlFlow::Continue(())
            });
        assert!(flow.is_continue());
        spans
    }

    fn simulated_spans(pattern: &str, record: &[u8]) -> Vec<Range<usize>> {
        let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap();
        let nfa = super::super::lazy_dfa::compile(&[&hir], false);
        let mut cache = super::super::nfa_simulation::Cache::default();
        let (mut spans, mut progress) = (Vec::new(), Progress::default());
        while progress.at <= record.len() {
            let (start, mut steps) = (progress.at, 0);
            match super::super::nfa_simulation::find_one(
                &nfa, &mut cache, record, start, &mut steps,
            ) {
                Some(span) if progress.accept(&span) => spans.push(span),
                Some(_) => {}
                None => break,
            }
        }
        spans
    }

    proptest! {
        #[test]
        fn finds_the_spans_of_a_find_iterator(
            pattern in pattern(),
            record in prop::collection::vec(prop::sample::select(&b"aab \n\xC3\xA9"[..]), 0..40),
        ) {
            let vm = PikeVM::builder()
                .syntax(syntax::Config::new().utf8(false))
                .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
                .build(&pattern)
                .unwrap();
            let mut cache = vm.create_cache();
            let expected: Vec<_> = vm.find_iter(&mut cache, &record).map(|m| m.range()).collect();
            prop_assert_eq!(linear_spans(&pattern, &record), &expected[..]);
            prop_assert_eq!(simulated_spans(&pattern, &record), expected);
        }
    }

    #[test]
    fn takes_steps_in_proportion_to_the_record() {
        let hir = regex_syntax::parse(".*[^A-Z]|[A-Z]").unwrap();
        let automaton = super::super::pattern::Automaton::default();
        let steps: Vec<u64> = [100_000, 200_000]
            .into_iter()
            .map(|len| {
                let record = vec![b'A'; len];
                let mut count = 0;
                let mut cache = super::super::pattern::Cache::default();
                let mut steps = 0;
                let flow = automaton.spans(&hir, &mut cache, &record, &mut steps, |_| {
                    count += 1;
                    ControlFlow::Continue(())
                });
                assert_eq!((count, flow), (len, ControlFlow::Continue(())));
                steps
            })
            .collect();
        assert!(steps[0] <= 20 * 100_000, "{steps:?}");
        assert!(steps[1] <= steps[0] * 5 / 2, "{steps:?}");
    }
}
