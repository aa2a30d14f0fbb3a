//! The automaton in the form that a search uses: its positions as bits of `N` machine words.
//!
//! The positions that can come next are computed for the whole state at once, as in Hyperscan's
//! engine LimEx (Wang et al., NSDI 2019). Positions are numbered in the order of the pattern, so
//! most steps go from a position to the next one or to itself:
//!
//! ```text
//! next = (state & steps) << 1 | state & loops | further(state & branching)
//! ```
//!
//! All other steps are in a table by position, for the *branching* positions only. A search mostly
//! stays in the same branching positions from byte to byte, as in `[^;]*(?:;|\))`, and remembers
//! what they lead to.

use crate::pure::literal::ByteSet;

use super::bits::Bits;
use super::counter::Limits;
use super::graph::{Emptiness, Ends, Graph};
use super::looks::Looks;

/// The largest memory for the rings of all counters of an automaton, in words: 64 KiB.
const MAX_RING_WORDS: usize = 8 << 10;

/// The position automaton of one pattern, with a state of `N` words.
#[derive(Debug)]
pub(super) struct Automaton<const N: usize> {
    /// By byte: its class. Bytes of a class are in the same positions.
    byte_class: [u8; 256],
    /// By class: the positions that it can be read at.
    reading: Box<[Bits<N>]>,
    pub(super) first: EndBits<N>,
    pub(super) last: EndBits<N>,
    pub(super) empty: Emptiness,
    /// All assertions that anything depends on.
    pub(super) looks: Looks,
    /// Positions that the next one can come after.
    pub(super) steps: Bits<N>,
    /// Positions that can be repeated at once.
    pub(super) loops: Bits<N>,
    /// Positions that others than these can come after.
    pub(super) branching: Bits<N>,
    /// By branching position: the positions other than itself and the next that can come after it.
    further: ByPosition<Bits<N>>,
    /// Positions from which there are conditional steps.
    pub(super) conditional: Bits<N>,
    pub(super) conditional_steps: Box<[Step<N>]>,
    /// Positions where a match can end, and those that are branching or have conditional steps.
    pub(super) special: Bits<N>,
    /// Positions that are counted repetitions.
    pub(super) counting: Bits<N>,
    /// By such a position: its limits.
    limits: ByPosition<Limits>,
    pub(super) ring_words: usize,
    /// The bytes that a match can begin with, if they are few.
    pub(super) first_bytes: FirstBytes,
}

/// The bytes that a match can begin with, in the form of `memchr`'s searches.
#[derive(Clone, Copy, Debug)]
pub(super) enum FirstBytes {
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    Many,
}

impl FirstBytes {
    fn of<const N: usize>(graph: &Graph<N>) -> FirstBytes {
        let first = &graph.whole.first;
        let any = first.when.iter().fold(first.always, |any, &(_, positions)| any | positions);
        let mut set = ByteSet::EMPTY;
        any.for_each(|position| {
            set = set.union(&graph.classes[graph.positions[position].class]);
        });
        let mut bytes = set.iter();
        match [bytes.next(), bytes.next(), bytes.next(), bytes.next()] {
            [Some(a), None, ..] => FirstBytes::One(a),
            [Some(a), Some(b), None, _] => FirstBytes::Two(a, b),
            [Some(a), Some(b), Some(c), None] => FirstBytes::Three(a, b, c),
            _ => FirstBytes::Many,
        }
    }
}

/// Positions at one end of a match.
#[derive(Debug)]
pub(super) struct EndBits<const N: usize> {
    pub(super) always: Bits<N>,
    /// Positions that count only where the assertions hold.
    pub(super) when: Box<[(Looks, Bits<N>)]>,
    /// All of these.
    pub(super) any: Bits<N>,
}

/// Steps that are possible only where assertions hold.
#[derive(Debug)]
pub(super) struct Step<const N: usize> {
    pub(super) looks: Looks,
    pub(super) from: Bits<N>,
    pub(super) to: Bits<N>,
}

/// Values of some of the positions.
#[derive(Debug)]
struct ByPosition<T> {
    /// By position, up to the last that has a value: its index in `values`.
    index: Box<[u16]>,
    values: Box<[T]>,
}

impl<T: PartialEq> ByPosition<T> {
    /// `list` has the positions in ascending order.
    fn new(list: Vec<(usize, T)>) -> ByPosition<T> {
        let mut index = vec![0; list.last().map_or(0, |(position, _)| position + 1)];
        let mut values: Vec<T> = Vec::new();
        for (position, value) in list {
            // The same comes after the ends of all words of an alternation.
            if values.last() != Some(&value) {
                values.push(value);
            }
            index[position] = values.len() as u16 - 1;
        }
        ByPosition { index: index.into(), values: values.into() }
    }

    fn memory(&self) -> usize {
        size_of_val(&self.index[..]) + size_of_val(&self.values[..])
    }

    #[inline(always)]
    fn get(&self, position: usize) -> &T {
        &self.values[usize::from(self.index[position])]
    }
}

impl<const N: usize> EndBits<N> {
    fn new(ends: Ends<N>) -> EndBits<N> {
        let Ends { always, when } = ends;
        let any = when.iter().fold(always, |any, &(_, positions)| any | positions);
        EndBits { always, when: when.into(), any }
    }
}

impl<const N: usize> Automaton<N> {
    /// Returns `None` if the counters take too much memory.
    pub(super) fn new(graph: Graph<N>) -> Option<Automaton<N>> {
        let (byte_class, reading) = classes(&graph);
        let first_bytes = FirstBytes::of(&graph);
        let mut automaton = Automaton {
            byte_class,
            reading,
            first: EndBits::new(graph.whole.first),
            last: EndBits::new(graph.whole.last),
            empty: graph.whole.empty,
            looks: 0,
            steps: Bits::EMPTY,
            loops: Bits::EMPTY,
            branching: Bits::EMPTY,
            further: ByPosition::new(Vec::new()),
            conditional: Bits::EMPTY,
            conditional_steps: Box::new([]),
            special: Bits::EMPTY,
            counting: Bits::EMPTY,
            limits: ByPosition::new(Vec::new()),
            ring_words: 0,
            first_bytes,
        };
        let (mut further, mut limits) = (Vec::new(), Vec::new());
        for (index, position) in graph.positions.iter().enumerate() {
            let mut next = position.next;
            if next.contains(index) {
                next.remove(index);
                automaton.loops.insert(index);
            }
            if index + 1 < graph.positions.len() && next.contains(index + 1) {
                next.remove(index + 1);
                automaton.steps.insert(index);
            }
            if !next.is_empty() {
                automaton.branching.insert(index);
                further.push((index, next));
            }
            if let Some((min, max)) = position.repeat {
                let counted = Limits::new(min, max, automaton.ring_words);
                automaton.counting.insert(index);
                automaton.ring_words += counted.ring_words();
                limits.push((index, counted));
            }
        }
        if automaton.ring_words > MAX_RING_WORDS {
            return None;
        }
        automaton.further = ByPosition::new(further);
        automaton.limits = ByPosition::new(limits);
        let mut steps: Vec<Step<N>> = Vec::new();
        for step in &graph.conditional {
            automaton.conditional.insert(step.from);
            let same = |known: &&mut Step<N>| known.looks == step.looks && known.to == step.to;
            match steps.iter_mut().find(same) {
                Some(known) => known.from.insert(step.from),
                None => steps.push(Step {
                    looks: step.looks,
                    from: Bits::single(step.from),
                    to: step.to,
                }),
            }
        }
        automaton.conditional_steps = steps.into();
        let ends = [&automaton.first, &automaton.last];
        let at_ends = ends.into_iter().flat_map(|end| end.when.iter().map(|&(looks, _)| looks));
        let of_steps = automaton.conditional_steps.iter().map(|step| step.looks);
        let all = at_ends.chain(of_steps).chain(automaton.empty.when.iter().copied());
        automaton.looks = all.fold(0, |all, looks| all | looks);
        automaton.special = automaton.last.any | automaton.branching | automaton.conditional;
        Some(automaton)
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&self.reading[..])
            + size_of_val(&self.conditional_steps[..])
            + size_of_val(&self.first.when[..])
            + size_of_val(&self.last.when[..])
            + self.further.memory()
            + self.limits.memory()
    }

    /// The positions that `byte` can be read at.
    #[inline(always)]
    pub(super) fn reading(&self, byte: u8) -> Bits<N> {
        self.reading[usize::from(self.byte_class[usize::from(byte)])]
    }

    /// The positions other than itself and the next that can come after a branching position.
    #[inline(always)]
    pub(super) fn further(&self, position: usize) -> Bits<N> {
        *self.further.get(position)
    }

    /// The limits of a position that is a counted repetition.
    #[inline(always)]
    pub(super) fn limits(&self, position: usize) -> &Limits {
        self.limits.get(position)
    }

    /// The number of positions up to the last one that is a counted repetition.
    #[inline(always)]
    pub(super) fn counters(&self) -> usize {
        self.limits.index.len()
    }
}

/// Divides the bytes into classes of those that can be read at the same positions. Returns the
/// class of each byte and the positions of each class.
fn classes<const N: usize>(graph: &Graph<N>) -> ([u8; 256], Box<[Bits<N>]>) {
    let mut with_class = vec![Bits::<N>::EMPTY; graph.classes.len()];
    for (index, position) in graph.positions.iter().enumerate() {
        with_class[position.class].insert(index);
    }
    let mut of_byte = [Bits::<N>::EMPTY; 256];
    for (class, positions) in graph.classes.iter().zip(with_class) {
        ByteSet::iter(class).for_each(|byte| of_byte[usize::from(byte)] |= positions);
    }
    let mut reading: Vec<Bits<N>> = Vec::new();
    let mut byte_class = [0; 256];
    let mut class = 0;
    for (byte, positions) in of_byte.into_iter().enumerate() {
        // Neighbours are mostly in the same class.
        if reading.get(class) != Some(&positions) {
            class = reading.iter().position(|known| *known == positions).unwrap_or_else(|| {
                reading.push(positions);
                reading.len() - 1
            });
        }
        byte_class[byte] = class as u8;
    }
    (byte_class, reading.into())
}
