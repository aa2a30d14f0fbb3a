//! The position automaton of a pattern as a graph (Glushkov 1961).
//!
//! Each byte or class of bytes in the pattern is a position, and the bytes of a match go from
//! position to position. So a pattern is described by the positions that a match can begin with,
//! those that it can end with, and for each position those that can come next. All three follow
//! from those of the parts of the pattern, in one walk over its HIR. There are no transitions
//! without a byte, and all transitions into a position read the same class: this is what makes it
//! possible to advance a whole set of positions at once.
//!
//! - Assertions are conditions on a step between two positions, on a first position, or on a last
//!   one. Where the classes on both sides already decide a condition, as in `\s\bfoo`, it
//!   disappears.
//! - A counted repetition is written out, `x{2,4}` as `x?x?xx`; the optional copies come first, so
//!   that it is entered at several positions but left at one. A long one of a single class becomes
//!   one position with a [counter](super::counter); [`super::size`] decides how long is long.
//! - A character of several bytes is a sequence of positions. Characters of a class that end in
//!   the same bytes share the positions of these.
//! - For a search that reads backward, the automaton is that of the reversed pattern.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::pure::literal::ByteSet;

use super::Direction;
use super::bits::Bits;
use super::characters::Characters;
use super::looks::{self, Looks, Outlook};

/// The largest number of different conditions at which one part of a pattern can begin, end or be
/// empty. Ordinary patterns have one or two.
const MAX_CONDITIONS: usize = 16;
/// The largest number of conditional steps, before their conditions are simplified.
const MAX_CONDITIONAL_STEPS: usize = 2048;

/// The positions that there is room for at first: more than most patterns have.
const INITIAL_CAPACITY: usize = 32;

/// The position automaton of a pattern.
pub(super) struct Graph<const N: usize> {
    /// The different classes of bytes.
    pub(super) classes: Vec<ByteSet>,
    pub(super) positions: Vec<Position<N>>,
    /// Steps with conditions.
    pub(super) conditional: Vec<ConditionalStep<N>>,
    /// How the whole pattern begins and ends.
    pub(super) whole: Part<N>,
}

pub(super) struct Position<const N: usize> {
    /// An index into [`Graph::classes`].
    pub(super) class: usize,
    /// The minimum and the maximum of a counted repetition, if the position is one.
    pub(super) repeat: Option<(u32, Option<u32>)>,
    /// The positions that can come next, whatever the bytes are.
    pub(super) next: Bits<N>,
}

/// A step to one of several positions at boundaries where some assertions hold.
pub(super) struct ConditionalStep<const N: usize> {
    pub(super) from: usize,
    pub(super) to: Bits<N>,
    pub(super) looks: Looks,
}

/// Where a part of the pattern begins and ends.
pub(super) struct Part<const N: usize> {
    pub(super) first: Ends<N>,
    pub(super) last: Ends<N>,
    pub(super) empty: Emptiness,
}

/// Positions at one end of a part.
#[derive(Clone)]
pub(super) struct Ends<const N: usize> {
    pub(super) always: Bits<N>,
    /// Positions that count only where these assertions hold.
    pub(super) when: Vec<(Looks, Bits<N>)>,
}

/// Where a part matches the empty string.
#[derive(Debug)]
pub(super) struct Emptiness {
    pub(super) always: bool,
    /// Each alternative: the assertions that have to hold for it.
    pub(super) when: Vec<Looks>,
}

impl<const N: usize> Graph<N> {
    /// Builds the automaton of `hir`. Repetitions of a class with more than `max_copies` copies
    /// become counters. Returns `None` if there are too many positions or conditions.
    pub(super) fn new(hir: &Hir, direction: Direction, max_copies: u32) -> Option<Graph<N>> {
        let mut builder = Builder {
            direction,
            max_copies,
            classes: Vec::with_capacity(INITIAL_CAPACITY),
            class_by_first: [0; 256],
            positions: Vec::with_capacity(INITIAL_CAPACITY),
            conditional: Vec::new(),
        };
        let whole = builder.part(hir)?;
        let Builder { classes, positions, conditional, .. } = builder;
        let mut graph = Graph { classes, positions, conditional, whole };
        graph.simplify_conditions(direction);
        Some(graph)
    }

    /// Decides the conditions of steps by the classes on both sides, as far as that is possible.
    pub(super) fn simplify_conditions(&mut self, direction: Direction) {
        if self.conditional.is_empty() {
            return;
        }
        let kinds: Vec<u8> = self.classes.iter().map(looks::kinds_of).collect();
        for step in std::mem::take(&mut self.conditional) {
            let from_kinds = kinds[self.positions[step.from].class];
            for to in step.to.iter() {
                let to_kinds = kinds[self.positions[to].class];
                let (before, after) = match direction {
                    Direction::Forward => (from_kinds, to_kinds),
                    Direction::Backward => (to_kinds, from_kinds),
                };
                match looks::outlook(step.looks, before, after) {
                    Outlook::Always => self.positions[step.from].next.insert(to),
                    Outlook::Never => {}
                    Outlook::Depends(looks) => {
                        let same =
                            |s: &&mut ConditionalStep<N>| s.from == step.from && s.looks == looks;
                        match self.conditional.iter_mut().rev().find(same) {
                            Some(known) => known.to.insert(to),
                            None => self.conditional.push(ConditionalStep {
                                from: step.from,
                                to: Bits::single(to),
                                looks,
                            }),
                        }
                    }
                }
            }
        }
    }
}

impl<const N: usize> Part<N> {
    /// The part that matches the empty string and nothing else.
    fn empty() -> Part<N> {
        Part { first: Ends::none(), last: Ends::none(), empty: Emptiness::always() }
    }

    /// A part that begins at the positions `first` and ends at `last`.
    fn between(first: Bits<N>, last: Bits<N>) -> Part<N> {
        let ends = |always| Ends { always, when: Vec::new() };
        let empty = Emptiness { always: false, when: Vec::new() };
        Part { first: ends(first), last: ends(last), empty }
    }

    fn single(position: usize) -> Part<N> {
        Part::between(Bits::single(position), Bits::single(position))
    }

    /// Whether it is never empty, and its last positions count whatever comes after them.
    fn ends_unconditionally(&self) -> bool {
        !self.empty.always && self.empty.when.is_empty() && self.last.when.is_empty()
    }

    /// The same part, or nothing.
    fn optional(mut self) -> Part<N> {
        self.empty = Emptiness::always();
        self
    }
}

impl<const N: usize> Ends<N> {
    pub(super) fn none() -> Ends<N> {
        Ends { always: Bits::EMPTY, when: Vec::new() }
    }

    pub(super) fn add(&mut self, looks: Looks, positions: Bits<N>) -> Option<()> {
        let positions = positions & !self.always;
        if looks == 0 {
            self.always |= positions;
        } else if let Some((_, known)) = self.when.iter_mut().find(|(known, _)| *known == looks) {
            *known |= positions;
        } else if !positions.is_empty() {
            self.when.push((looks, positions));
        }
        (self.when.len() <= MAX_CONDITIONS).then_some(())
    }

    fn add_all(&mut self, other: &Ends<N>) -> Option<()> {
        self.add(0, other.always)?;
        other.when.iter().try_for_each(|&(looks, positions)| self.add(looks, positions))
    }

    /// Adds the ends of the part that comes after an end which may be empty.
    fn add_beyond(&mut self, empty: &Emptiness, other: &Ends<N>) -> Option<()> {
        if empty.always {
            return self.add_all(other);
        }
        for &condition in &empty.when {
            self.add(condition, other.always)?;
            for &(looks, positions) in &other.when {
                self.add(condition | looks, positions)?;
            }
        }
        Some(())
    }
}

impl Emptiness {
    fn always() -> Emptiness {
        Emptiness { always: true, when: Vec::new() }
    }

    pub(super) fn add(&mut self, looks: Looks) -> Option<()> {
        if looks == 0 {
            *self = Emptiness::always();
        } else if !self.always && !self.when.contains(&looks) {
            self.when.push(looks);
        }
        (self.when.len() <= MAX_CONDITIONS).then_some(())
    }

    /// The conditions on which both are empty.
    fn and(&self, other: &Emptiness) -> Option<Emptiness> {
        let mut both = Emptiness { always: false, when: Vec::new() };
        for mine in self.alternatives() {
            for theirs in other.alternatives() {
                both.add(mine | theirs)?;
            }
        }
        Some(both)
    }

    fn alternatives(&self) -> impl Iterator<Item = Looks> {
        self.always.then_some(0).into_iter().chain(self.when.iter().copied())
    }
}

struct Builder<const N: usize> {
    direction: Direction,
    max_copies: u32,
    classes: Vec<ByteSet>,
    /// By byte: a class of which it is the first byte, if there is one.
    class_by_first: [u16; 256],
    positions: Vec<Position<N>>,
    conditional: Vec<ConditionalStep<N>>,
}

impl<const N: usize> Builder<N> {
    fn part(&mut self, hir: &Hir) -> Option<Part<N>> {
        match hir.kind() {
            HirKind::Empty => Some(Part::empty()),
            HirKind::Literal(literal) => self.literal(&literal.0),
            HirKind::Class(class) => self.class(class),
            HirKind::Look(look) => {
                let empty = Emptiness { always: false, when: vec![look.as_repr()] };
                Some(Part { empty, ..Part::empty() })
            }
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) => self.part(&capture.sub),
            HirKind::Concat(subs) => match self.direction {
                Direction::Forward => self.concatenation(subs.iter()),
                Direction::Backward => self.concatenation(subs.iter().rev()),
            },
            HirKind::Alternation(subs) => {
                let mut whole = Part::between(Bits::EMPTY, Bits::EMPTY);
                for sub in subs {
                    let part = self.part(sub)?;
                    whole.first.add_all(&part.first)?;
                    whole.last.add_all(&part.last)?;
                    part.empty.alternatives().try_for_each(|looks| whole.empty.add(looks))?;
                }
                Some(whole)
            }
        }
    }

    fn literal(&mut self, bytes: &[u8]) -> Option<Part<N>> {
        let first = self.positions.len();
        for index in 0..bytes.len() {
            let byte = match self.direction {
                Direction::Forward => bytes[index],
                Direction::Backward => bytes[bytes.len() - 1 - index],
            };
            let position = self.position(ByteSet::from_iter([byte]), None)?;
            if position > first {
                self.positions[position - 1].next.insert(position);
            }
        }
        let last = self.positions.len() - 1;
        Some(Part::between(Bits::single(first), Bits::single(last)))
    }

    fn class(&mut self, class: &Class) -> Option<Part<N>> {
        if let Some(set) = ByteSet::of_byte_class(class) {
            return Some(Part::single(self.position(set, None)?));
        }
        let Class::Unicode(class) = class else { return None };
        let characters = Characters::new(class)?;
        let base = self.positions.len();
        let (mut heads, mut tails) = (Bits::EMPTY, Bits::EMPTY);
        for (set, _) in &characters.bytes {
            self.position(*set, None)?;
        }
        for (index, (_, next)) in characters.bytes.iter().enumerate() {
            match (next, self.direction) {
                (None, _) => tails.insert(base + index),
                (&Some(next), Direction::Forward) => {
                    self.positions[base + index].next.insert(base + next);
                }
                (&Some(next), Direction::Backward) => {
                    self.positions[base + next].next.insert(base + index);
                }
            }
        }
        characters.heads().for_each(|head| heads.insert(base + head));
        Some(match self.direction {
            Direction::Forward => Part::between(heads, tails),
            Direction::Backward => Part::between(tails, heads),
        })
    }

    fn concatenation<'a>(&mut self, subs: impl Iterator<Item = &'a Hir>) -> Option<Part<N>> {
        let mut whole = Part::empty();
        for sub in subs {
            if let Some(set) = ByteSet::of_byte(sub).filter(|_| whole.ends_unconditionally()) {
                // As `part` and `concat` of a single position, without moving the lists. Most parts of case-insensitive
                // strings are of this kind.
                let position = self.position(set, None)?;
                for from in whole.last.always.iter() {
                    self.positions[from].next.insert(position);
                }
                whole.last.always = Bits::single(position);
                continue;
            }
            let part = self.part(sub)?;
            whole = self.concat(whole, part)?;
        }
        Some(whole)
    }

    fn concat(&mut self, left: Part<N>, right: Part<N>) -> Option<Part<N>> {
        self.connect(&left.last, &right.first)?;
        let empty = left.empty.and(&right.empty)?;
        let (mut first, mut last) = (left.first, right.last);
        first.add_beyond(&left.empty, &right.first)?;
        last.add_beyond(&right.empty, &left.last)?;
        Some(Part { first, last, empty })
    }

    fn repetition(&mut self, repetition: &Repetition) -> Option<Part<N>> {
        let (min, max) = (repetition.min, repetition.max);
        let copies = max.unwrap_or(min.max(1));
        if copies > self.max_copies
            && let Some(set) = ByteSet::of_byte(&repetition.sub)
        {
            let part = Part::single(self.position(set, Some((min.max(1), max)))?);
            return Some(if min == 0 { part.optional() } else { part });
        }
        let mut whole = Part::empty();
        for copy in 0..copies {
            let before = self.positions.len();
            let mut part = self.part(&repetition.sub)?;
            if self.positions.len() == before {
                // Assertions or nothing: one copy is as good as many.
                return Some(if min == 0 { part.optional() } else { part });
            }
            // The last of the copies without a maximum repeats.
            if max.is_none() && copy + 1 == copies {
                self.connect(&part.last, &part.first)?;
                if min == 0 {
                    part = part.optional();
                }
            }
            whole = self.concat(whole, part)?;
            if max.is_some_and(|max| copy < max - min) {
                whole = whole.optional();
            }
        }
        Some(whole)
    }

    /// Lets the positions `first` come after the positions `last`.
    fn connect(&mut self, last: &Ends<N>, first: &Ends<N>) -> Option<()> {
        for from in last.always.iter() {
            self.positions[from].next |= first.always;
            for &(looks, to) in &first.when {
                self.connect_when(from, to, looks)?;
            }
        }
        for &(condition, positions) in &last.when {
            for from in positions.iter() {
                self.connect_when(from, first.always, condition)?;
                for &(looks, to) in &first.when {
                    self.connect_when(from, to, condition | looks)?;
                }
            }
        }
        Some(())
    }

    fn connect_when(&mut self, from: usize, to: Bits<N>, looks: Looks) -> Option<()> {
        if !to.is_empty() {
            self.conditional.push(ConditionalStep { from, to, looks });
        }
        (self.conditional.len() <= MAX_CONDITIONAL_STEPS).then_some(())
    }

    /// The index of a class, which is added if it is new.
    fn class_of(&mut self, set: ByteSet) -> usize {
        let first = set.iter().next().map_or(0, usize::from);
        let likely = usize::from(self.class_by_first[first]);
        if self.classes.get(likely) == Some(&set) {
            return likely;
        }
        let class = self.classes.iter().position(|known| *known == set).unwrap_or_else(|| {
            self.classes.push(set);
            self.classes.len() - 1
        });
        // At most 64 * N classes, one for each position, which is less than 2^16.
        self.class_by_first[first] = class as u16;
        class
    }

    fn position(&mut self, set: ByteSet, repeat: Option<(u32, Option<u32>)>) -> Option<usize> {
        let class = self.class_of(set);
        self.positions.push(Position { class, repeat, next: Bits::EMPTY });
        (self.positions.len() <= 64 * N).then_some(self.positions.len() - 1)
    }
}
