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
//! - A set has only NFA states that read a byte, and those at which an assertion has to be
//!   decided. Empty transitions are followed when a state is entered. A set mostly has fewer than
//!   ten states.
//! - An assertion depends on the bytes on both sides of a boundary. Of the byte before, a DFA state
//!   keeps only its [kind](Kind), and only if assertions are left to decide. They are decided
//!   when the next byte is known.
//!
//! The sets are [keys](KeyBuilder): sorted lists, which are equal if and only if the states are.
//!
//! # Limits
//!
//! A Unicode word boundary next to a byte outside ASCII is not decided: the determinizer
//! [quits](Determinizer::quits).

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::LookSet;
use regex_automata::util::primitives::StateID;

/// The length of the head of a key: the kind of the byte before, and the patterns that match, as
/// the two halves of a `u64`.
const KEY_HEAD: usize = 3;

/// What assertions distinguish of the byte on one side of a boundary.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// No byte: the boundary is at the start or the end of the record.
    Edge,
    LineFeed,
    CarriageReturn,
    Word,
    Other,
}

const KINDS: [Kind; 5] =
    [Kind::Edge, Kind::LineFeed, Kind::CarriageReturn, Kind::Word, Kind::Other];

impl Kind {
    fn of(byte: u8) -> Kind {
        match byte {
            b'\n' => Kind::LineFeed,
            b'\r' => Kind::CarriageReturn,
            b'_' => Kind::Word,
            _ if byte.is_ascii_alphanumeric() => Kind::Word,
            _ => Kind::Other,
        }
    }

    /// A text of this kind.
    fn sample(self) -> &'static [u8] {
        match self {
            Kind::Edge => b"",
            Kind::LineFeed => b"\n",
            Kind::CarriageReturn => b"\r",
            Kind::Word => b"a",
            Kind::Other => b" ",
        }
    }
}

/// Computes the states and transitions of a DFA of at most 64 patterns. Immutable, and shared by
/// all scanners.
#[derive(Debug)]
pub(super) struct Determinizer {
    nfa: NFA,
    /// By byte: its class. Bytes of a class lead to the same states.
    classes: [u8; 256],
    /// By class: one of its bytes.
    samples: Vec<u8>,
    /// By the kinds before and after a boundary: the assertions that hold there.
    holds: [[LookSet; KINDS.len()]; KINDS.len()],
    /// By kind: the first of those between which, before a boundary, no assertion of the NFA
    /// distinguishes.
    before: [u8; KINDS.len()],
    /// Whether the start of a match has assertions, so that the byte before it matters.
    start_has_looks: bool,
    /// Whether matches start only at the start of a record.
    from_start: bool,
    unicode_boundary: bool,
}

/// What the start of a match leads to, as far as that is known.
#[derive(Debug)]
pub(super) struct StartSteps {
    /// By the kind of the byte before and the class of the next byte.
    steps: Box<[Option<StartStep>]>,
    /// The memory of all steps, in bytes.
    memory: usize,
}

/// The states that are entered by a byte at the start of a match.
#[derive(Debug)]
struct StartStep {
    states: Box<[StateID]>,
    /// The patterns that match before or after the byte, as bits.
    matches: u64,
    /// The row in the DFA's table of the state with these states and matches, if that is known.
    row: Option<u32>,
}

/// The index of a step in [`StartSteps`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StartStepId(usize);

impl StartSteps {
    /// The row of the state that a step leads to, if that is known.
    pub(super) fn row(&self, id: StartStepId) -> Option<u32> {
        self.steps[id.0].as_ref().and_then(|step| step.row)
    }

    pub(super) fn set_row(&mut self, id: StartStepId, row: u32) {
        if let Some(step) = &mut self.steps[id.0] {
            step.row = Some(row);
        }
    }

    /// Forgets all rows.
    pub(super) fn clear_rows(&mut self) {
        self.steps.iter_mut().flatten().for_each(|step| step.row = None);
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

/// Working memory to compute transitions, for all DFAs of a scanner.
#[derive(Debug, Default)]
pub(super) struct KeyBuilder {
    /// By NFA state: the number of the latest walk that visited it.
    visited: Vec<u32>,
    walk: u32,
    /// States that a walk has yet to visit.
    pending: Vec<StateID>,
    /// The states that the next byte leads to.
    next: Vec<StateID>,
    /// The states that are entered: the next states, and those that empty transitions lead to.
    entered: Vec<StateID>,
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
        (self.visited.capacity() + self.key.capacity()) * size_of::<u32>()
            + (self.pending.capacity() + self.next.capacity() + self.entered.capacity())
                * size_of::<StateID>()
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
    fn visit(&mut self, state: StateID) -> bool {
        std::mem::replace(&mut self.visited[state.as_usize()], self.walk) != self.walk
    }
}

/// The patterns that match in the state with this key, as bits.
pub(super) fn matches_of(key: &[u32]) -> u64 {
    u64::from(key[1]) | u64::from(key[2]) << 32
}

impl Determinizer {
    pub(super) fn new(nfa: NFA) -> Determinizer {
        let unicode_boundary = nfa.look_set_any().contains_word_unicode();
        let mut classes = [0; 256];
        let mut samples: Vec<u8> = Vec::new();
        for byte in 0..=255u8 {
            let class = |other: u8| (nfa.byte_classes().get(other), other.is_ascii());
            let known = samples.iter().position(|&sample| class(sample) == class(byte));
            classes[usize::from(byte)] = known.unwrap_or(samples.len()) as u8;
            if known.is_none() {
                samples.push(byte);
            }
        }
        let holds = KINDS.map(|before| {
            KINDS.map(|after| {
                let text = [before.sample(), after.sample()].concat();
                let holds =
                    |look: &_| nfa.look_matcher().matches(*look, &text, before.sample().len());
                let looks = nfa.look_set_any().iter().filter(holds);
                looks.fold(LookSet::empty(), |looks, look| looks.insert(look))
            })
        });
        let before = KINDS.map(|kind| {
            holds.iter().position(|row| *row == holds[kind as usize]).unwrap_or(0) as u8
        });
        let mut determinizer = Determinizer {
            nfa,
            classes,
            samples,
            holds,
            before,
            start_has_looks: false,
            from_start: true,
            unicode_boundary,
        };
        determinizer.inspect_start();
        determinizer
    }

    /// Finds out whether assertions decide if a match can start.
    fn inspect_start(&mut self) {
        let mut builder = KeyBuilder::default();
        builder.begin_walk(self.nfa.states().len());
        builder.next.push(self.nfa.start_anchored());
        self.enter(&mut builder);
        let is_look = |&state: &StateID| matches!(self.nfa.state(state), State::Look { .. });
        self.start_has_looks = builder.entered.iter().any(is_look);
        // The assertions that can hold after a byte. That they may exclude one another doesn't
        // matter: a state that is not known to be dead costs time, but no match.
        let later = self.holds[1..].iter().flatten();
        let later = later.fold(LookSet::empty(), |all, &holds| all.union(holds));
        builder.entered.clear();
        builder.begin_walk(self.nfa.states().len());
        self.decide(self.nfa.start_anchored(), later, None, &mut builder);
        self.from_start = builder.entered.is_empty() && builder.matches == 0;
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
        let steps: Box<[Option<StartStep>]> =
            (0..KINDS.len() * self.samples.len()).map(|_| None).collect();
        StartSteps { memory: size_of_val(&steps[..]), steps }
    }

    /// Whether nothing can be decided about a record that contains this byte.
    pub(super) fn quits(&self, byte: u8) -> bool {
        self.unicode_boundary && !byte.is_ascii()
    }

    /// Whether nothing can match after the state with this key is entered. The state must not be
    /// the one in which a record starts.
    pub(super) fn is_dead(&self, key: &[u32]) -> bool {
        self.from_start && key.len() == KEY_HEAD && matches_of(key) == 0
    }

    /// Computes the key of the state in which a record starts.
    pub(super) fn start(&self, builder: &mut KeyBuilder) {
        builder.key.clear();
        builder.key.extend([Kind::Edge as u32, 0, 0]);
    }

    /// Computes the key of the state that follows the one with key `from` on a byte of `class`.
    ///
    /// In most states, most bytes end all matches that have begun. The next state is then the one that
    /// the start of a match leads to, and the step is returned. Its key is not computed again if its row
    /// is known.
    pub(super) fn step(
        &self,
        from: &[u32],
        class: u8,
        starts: &mut StartSteps,
        builder: &mut KeyBuilder,
    ) -> Option<StartStepId> {
        let byte = self.samples[usize::from(class)];
        let after = Kind::of(byte);
        let holds = self.holds[from[0] as usize][after as usize];
        let id = StartStepId(from[0] as usize * self.samples.len() + usize::from(class));
        let start = starts.steps[id.0].get_or_insert_with(|| {
            let step = self.start_step(holds, byte, builder);
            starts.memory += size_of_val(&step.states[..]);
            step
        });

        builder.matches = 0;
        builder.next.clear();
        let mut looks = false;
        for &state in &from[KEY_HEAD..] {
            let state = StateID::must(state as usize);
            if let State::Look { .. } = self.nfa.state(state) {
                if !std::mem::replace(&mut looks, true) {
                    builder.begin_walk(self.nfa.states().len());
                }
                self.decide(state, holds, Some(byte), builder);
            } else {
                self.read(state, byte, builder);
            }
        }
        let only_start = builder.next.is_empty() && builder.matches & !start.matches == 0;
        if only_start && start.row.is_some() {
            return Some(id);
        }
        builder.matches |= start.matches;
        builder.entered.clear();
        builder.begin_walk(self.nfa.states().len());
        for &state in &start.states {
            builder.visit(state);
            builder.entered.push(state);
        }
        self.enter(builder);

        let is_look = |&state: &StateID| matches!(self.nfa.state(state), State::Look { .. });
        let undecided = self.start_has_looks || builder.entered.iter().any(is_look);
        let before = if undecided { self.before[after as usize] } else { 0 };
        let KeyBuilder { entered, key, matches, .. } = builder;
        key.clear();
        key.extend([u32::from(before), *matches as u32, (*matches >> 32) as u32]);
        key.extend(entered.iter().map(|state| state.as_u32()));
        key[KEY_HEAD..].sort_unstable();
        only_start.then_some(id)
    }

    /// The patterns that match if the record ends in the state with key `from`, as bits.
    pub(super) fn end_matches(&self, from: &[u32], builder: &mut KeyBuilder) -> u64 {
        let holds = self.holds[from[0] as usize][Kind::Edge as usize];
        builder.matches = 0;
        builder.begin_walk(self.nfa.states().len());
        self.decide(self.nfa.start_anchored(), holds, None, builder);
        for &state in &from[KEY_HEAD..] {
            self.decide(StateID::must(state as usize), holds, None, builder);
        }
        builder.matches
    }

    /// What a match can start with where `holds` are the assertions that hold and `byte` is next.
    fn start_step(&self, holds: LookSet, byte: u8, builder: &mut KeyBuilder) -> StartStep {
        builder.matches = 0;
        builder.next.clear();
        builder.begin_walk(self.nfa.states().len());
        self.decide(self.nfa.start_anchored(), holds, Some(byte), builder);
        builder.entered.clear();
        builder.begin_walk(self.nfa.states().len());
        self.enter(builder);
        StartStep { states: builder.entered[..].into(), matches: builder.matches, row: None }
    }

    /// Follows empty transitions from `from` at a boundary where `holds` are the assertions that
    /// hold. Adds to `builder` the patterns that match, and the states that `byte` leads to. Without a
    /// byte, at the end of a record, it adds the states that would read one to those entered.
    fn decide(&self, from: StateID, holds: LookSet, byte: Option<u8>, builder: &mut KeyBuilder) {
        builder.pending.push(from);
        while let Some(state) = builder.pending.pop() {
            if !builder.visit(state) {
                continue;
            }
            match self.nfa.state(state) {
                State::Look { look, next } => {
                    if holds.contains(*look) {
                        builder.pending.push(*next);
                    }
                }
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => match byte {
                    Some(byte) => self.read(state, byte, builder),
                    None => builder.entered.push(state),
                },
                empty => follow(empty, builder),
            }
        }
    }

    /// Adds the state that `byte` leads to from a state that reads a byte.
    fn read(&self, state: StateID, byte: u8, builder: &mut KeyBuilder) {
        let next = match self.nfa.state(state) {
            State::ByteRange { trans } if trans.matches_byte(byte) => Some(trans.next),
            State::Sparse(transitions) => transitions.matches_byte(byte),
            State::Dense(transitions) => transitions.matches_byte(byte),
            _ => None,
        };
        builder.next.extend(next);
    }

    /// Follows empty transitions from the next states up to assertions, and adds to `builder` the
    /// states that are entered and the patterns that match.
    fn enter(&self, builder: &mut KeyBuilder) {
        builder.pending.clear();
        builder.pending.append(&mut builder.next);
        while let Some(state) = builder.pending.pop() {
            if !builder.visit(state) {
                continue;
            }
            match self.nfa.state(state) {
                State::Look { .. }
                | State::ByteRange { .. }
                | State::Sparse(_)
                | State::Dense(_) => builder.entered.push(state),
                empty => follow(empty, builder),
            }
        }
    }
}

/// Follows the empty transitions of a state that has no assertion and reads no byte, or adds the
/// pattern that matches there.
fn follow(state: &State, builder: &mut KeyBuilder) {
    match state {
        State::Union { alternates } => builder.pending.extend_from_slice(alternates),
        State::BinaryUnion { alt1, alt2 } => builder.pending.extend([*alt1, *alt2]),
        State::Capture { next, .. } => builder.pending.push(*next),
        State::Match { pattern_id } => builder.matches |= 1 << pattern_id.as_usize(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::nfa::thompson::pikevm::PikeVM;
    use regex_syntax::hir::Hir;

    use super::super::lazy_dfa;
    use super::*;

    /// Assertions of each kind, at the start, inside and at the end of a match, and where they can
    /// never hold; optional parts and repetitions; and patterns that match only where a record
    /// starts.
    const PATTERNS: [&str; 24] = [
        "a",
        r"\ba",
        r"a\b",
        r"\Ba",
        r"a\B",
        r"a\b\B",
        r"\b{start}a|x",
        r"a\b{end}",
        r"\b{start-half}a",
        r"a\b{end-half}",
        "^a",
        "a$",
        "(?m)^a",
        "(?m)a$",
        "(?Rm)^a",
        "(?Rm)a$",
        r"(?m) ^|\bx",
        r"(?:^|a)(?s:.)",
        r"a(?:\b|\n)$",
        "a?a a?",
        "(?:a |b){2,3}",
        "[^a]{3}$",
        r"^(?:a|\n)+$",
        r"(?:\b|a)(?:\B|$) ?a",
    ];

    fn parse(pattern: &str, unicode: bool) -> Hir {
        let mut parser = regex_syntax::ParserBuilder::new();
        parser.utf8(false).unicode(unicode).build().parse(pattern).unwrap()
    }

    /// The patterns that match in `text`, as bits, or `None` if the determinizer quits.
    fn matches(determinizer: &Determinizer, text: &[u8]) -> Option<u64> {
        let (mut starts, mut builder) = (determinizer.unknown_start_steps(), KeyBuilder::default());
        determinizer.start(&mut builder);
        let mut found = 0;
        for &byte in text {
            if determinizer.quits(byte) {
                return None;
            }
            let (from, class) = (builder.key().to_vec(), determinizer.classes[usize::from(byte)]);
            determinizer.step(&from, class, &mut starts, &mut builder);
            found |= matches_of(builder.key());
            if determinizer.is_dead(builder.key()) {
                return Some(found);
            }
        }
        let from = builder.key().to_vec();
        Some(found | determinizer.end_matches(&from, &mut builder))
    }

    #[test]
    fn all_short_texts_match_as_the_simulation_says() {
        const BYTES: &[u8] = b"ab \n\r\xC3";
        for unicode in [false, true] {
            let hirs = PATTERNS.map(|pattern| parse(pattern, unicode));
            let groups = hirs.iter().map(|hir| vec![hir]).chain([hirs.iter().collect()]);
            let groups: Vec<(Determinizer, Vec<PikeVM>)> = groups
                .map(|group| {
                    let oracle =
                        |hir: &&Hir| PikeVM::new_from_nfa(lazy_dfa::compile(&[*hir])).unwrap();
                    let oracles = group.iter().map(oracle).collect();
                    (Determinizer::new(lazy_dfa::compile(&group)), oracles)
                })
                .collect();
            for (determinizer, oracles) in &groups {
                let mut caches: Vec<_> = oracles.iter().map(PikeVM::create_cache).collect();
                let texts =
                    (0..=5).flat_map(|len| (0..BYTES.len().pow(len)).map(move |n| (len, n)));
                for (len, number) in texts {
                    let digit = |place| BYTES[number / BYTES.len().pow(place) % BYTES.len()];
                    let text: Vec<u8> = (0..len).map(digit).collect();
                    let Some(found) = matches(determinizer, &text) else { continue };
                    let expected = oracles.iter().zip(&mut caches).enumerate().fold(
                        0,
                        |bits, (index, (oracle, cache))| {
                            bits | u64::from(oracle.is_match(cache, &text[..])) << index
                        },
                    );
                    assert_eq!(found, expected, "{}", text.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn states_from_which_nothing_matches_are_dead() {
        for (pattern, text, dead) in
            [("^ab", "b", true), ("^ab", "a", false), ("(?m)^ab", "b", false), ("ab", "b", false)]
        {
            let determinizer = Determinizer::new(lazy_dfa::compile(&[&parse(pattern, false)]));
            let (mut starts, mut builder) =
                (determinizer.unknown_start_steps(), KeyBuilder::default());
            determinizer.start(&mut builder);
            let from = builder.key().to_vec();
            let class = determinizer.classes[usize::from(text.as_bytes()[0])];
            determinizer.step(&from, class, &mut starts, &mut builder);
            assert_eq!(determinizer.is_dead(builder.key()), dead, "{pattern}");
        }
    }
}
