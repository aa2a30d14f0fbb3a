//! The positions of a pattern with the order in which a backtracking matcher would try them.
//!
//! Which positions can come next is a set; which of them is *preferred* depends on the order of
//! alternatives and on whether repetitions are greedy. A recursive walk over the HIR, from the end of
//! the pattern to its start, makes a small graph as Thompson's construction does: nodes that read a
//! byte, which are the positions, and nodes that read none, of which those with several successors
//! have them in the order of preference. What comes after a position is then found by a walk over the
//! nodes that read no byte. All positions that lead to the same node, such as the ends of the words of
//! an alternation, share one list of choices.
//!
//! Repetitions of what may be empty are built as in `regex_automata`, whose spans are the ones to
//! find: `x*` is `(x+)?` then (rust-lang/regex issue 779). Its own NFA is not used, because it takes
//! several times as long to build.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::pure::literal::ByteSet;

use super::Direction;
use super::bits::Bits;
use super::characters::{Characters, byte_class};
use super::graph::{ConditionalStep, Emptiness, Ends, Graph, Part, Position};
use super::looks::{self, Looks};

/// The largest number of positions. Repetitions are written out.
pub(super) const MAX_POSITIONS: usize = 4096;
/// The largest number of parts of the HIR that are visited, with repetitions written out. More than
/// [`MAX_POSITIONS`] only if many parts are empty.
const MAX_PARTS: usize = 64 << 10;
/// The largest number of nodes that the walks for all choices of a pattern may visit. Patterns of
/// real rule sets need up to ten for each position; a repeated alternation of many words needs as
/// many as the square of their number.
const MAX_VISITS: usize = 64 << 10;

/// A list with more choices has an index by byte.
pub(super) const LONG_LIST: usize = 8;
/// The largest number of choices in such an index, of all bytes together.
const MAX_INDEX: usize = 4096;

/// The positions of a pattern and their choices.
#[derive(Debug)]
pub(in crate::pure::automata) struct Program {
    /// The different classes of bytes.
    pub(super) sets: Box<[ByteSet]>,
    /// By position: its class, an index into `sets`.
    set_of: Box<[u16]>,
    /// By position: the list of what can come after it.
    after: Box<[List]>,
    /// All lists of choices, one after the other.
    choices: Box<[Choice]>,
    /// The indexes of long lists, ascending by where the list starts.
    indexes: Box<[(u32, ByteIndex)]>,
    /// The list of what a match can begin with.
    pub(super) start: List,
    /// The bytes that a match can begin with.
    pub(super) first_bytes: ByteSet,
    /// Whether a match may be empty.
    pub(super) may_be_empty: bool,
    /// Whether a match can begin only at the start of a record.
    pub(super) only_at_start: bool,
}

/// A list of choices.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// Where it starts and ends in [`Program::choices`].
    start: u32,
    end: u32,
    pub(super) kind: ListKind,
}

/// What is known of a list whatever the record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListKind {
    Any,
    /// The match ends.
    End,
    /// A byte of the class with this number leads back to this list, and nothing else is possible
    /// where it stands, except that the match may also end.
    Loop(u16),
}

/// What a match can continue with, at boundaries where some assertions hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) looks: Looks,
    /// The position where the next byte is read, or [`Choice::END`] if the match ends.
    pub(super) position: u16,
    /// The class of the position.
    pub(super) set: u16,
}

impl List {
    #[inline(always)]
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl ListKind {
    /// The kind of list number `list`. `after` has the numbers of the lists after each position. May
    /// add a class to `sets`.
    fn of(list: u16, choices: &[Choice], after: &[u16], sets: &mut Vec<ByteSet>) -> ListKind {
        if let [Choice { looks: 0, position: Choice::END, .. }, ..] = choices {
            return ListKind::End;
        }
        let is_loop = |choice: &&Choice| {
            choice.position != Choice::END
                && choice.looks == 0
                && after[usize::from(choice.position)] == list
        };
        let Some(&back) = choices.iter().take(LONG_LIST).find(is_loop) else {
            return ListKind::Any;
        };
        let mut others = ByteSet::from_iter([]);
        for choice in choices {
            if choice.position != Choice::END {
                if choice.position != back.position {
                    others = others.union(&sets[usize::from(choice.set)]);
                }
            } else if choice.looks != 0 && choice.looks & looks::END == 0 {
                // Whether the match may end here is not the same at each byte of the loop.
                return ListKind::Any;
            }
        }
        let set = sets[usize::from(back.set)].difference(&others);
        ListKind::Loop(number_of(set, sets))
    }
}

impl Choice {
    pub(super) const END: u16 = u16::MAX;
}

impl Program {
    /// Returns `None` if there are too many positions or choices, or if an assertion depends on more
    /// than the two bytes next to it.
    pub(in crate::pure::automata) fn new(hir: &Hir) -> Option<Program> {
        let mut builder = Builder::default();
        builder.nodes.push(Node::Match);
        let start = builder.part(hir, 0)?;
        let Builder { nodes, alternatives, sets, positions, .. } = builder;
        let visited = vec![(0, 0); nodes.len()];
        let list_of = vec![None; nodes.len()];
        let mut walk = Walk {
            nodes,
            alternatives,
            positions: &positions,
            left: MAX_VISITS,
            walks: 0,
            visited,
            stack: Vec::new(),
            list_of,
            choices: Vec::new(),
            lists: Vec::new(),
        };
        let start = walk.list(start)?;
        let after: Option<Vec<u16>> = positions.iter().map(|&(_, next)| walk.list(next)).collect();
        let after = after?;
        let Walk { choices, mut lists, .. } = walk;
        let mut sets = sets;
        for (index, list) in lists.iter_mut().enumerate() {
            let choices = &choices[list.range()];
            list.kind = ListKind::of(index as u16, choices, &after, &mut sets);
        }
        let sizes: Vec<usize> = sets.iter().map(|set| set.iter().count()).collect();
        let index = |list: &List| {
            let index = ByteIndex::new(&choices[list.range()], &sets, &sizes)?;
            Some((list.start, index))
        };
        let indexes = lists.iter().filter_map(index).collect();
        let (mut first_bytes, mut may_be_empty, mut only_at_start) =
            (ByteSet::from_iter([]), false, true);
        let start = lists[usize::from(start)];
        for choice in &choices[start.range()] {
            match choice.position {
                Choice::END => may_be_empty = true,
                _ => first_bytes = first_bytes.union(&sets[usize::from(choice.set)]),
            }
            only_at_start &= choice.looks & looks::START != 0;
        }
        Some(Program {
            sets: sets.into(),
            set_of: positions.iter().map(|&(set, _)| set).collect(),
            after: after.iter().map(|&list| lists[usize::from(list)]).collect(),
            choices: choices.into(),
            indexes,
            start,
            first_bytes,
            may_be_empty,
            only_at_start,
        })
    }

    /// The number of positions.
    pub(super) fn len(&self) -> usize {
        self.set_of.len()
    }

    /// The list of what can come after a byte that is read at a position.
    #[inline(always)]
    pub(super) fn after(&self, position: u16) -> List {
        self.after[usize::from(position)]
    }

    #[inline(always)]
    pub(super) fn choices(&self, list: List) -> &[Choice] {
        &self.choices[list.range()]
    }

    /// The choices of a list, as far as `byte`, the next one of the record, allows them. Some may be
    /// left that it does not allow.
    #[inline(always)]
    pub(super) fn allowed(&self, list: List, byte: Option<u8>) -> &[Choice] {
        let choices = self.choices(list);
        if choices.len() > LONG_LIST
            && let Ok(index) = self.indexes.binary_search_by_key(&list.start, |&(start, _)| start)
        {
            return self.indexes[index].1.of(byte);
        }
        choices
    }

    /// Memory in bytes.
    pub(in crate::pure::automata) fn memory(&self) -> usize {
        size_of::<Program>()
            + size_of_val(&self.sets[..])
            + size_of_val(&self.set_of[..])
            + size_of_val(&self.after[..])
            + size_of_val(&self.choices[..])
            + self.indexes.iter().map(|(_, index)| index.memory()).sum::<usize>()
    }

    /// The automaton that reads backward: the positions before each one, those that a match can
    /// end with as its first ones, and those that it can start with as its last ones. There must
    /// be at most 64 * `N` positions.
    pub(super) fn backward<const N: usize>(&self) -> Option<Graph<N>> {
        let positions = self.set_of.iter().map(|&set| Position {
            class: usize::from(set),
            repeat: None,
            next: Bits::EMPTY,
        });
        let positions = positions.collect();
        let empty = Emptiness { always: false, when: Vec::new() };
        let whole = Part { first: Ends::none(), last: Ends::none(), empty };
        let classes = self.sets.to_vec();
        let mut graph = Graph { classes, positions, conditional: Vec::new(), whole };
        for choice in self.choices(self.start) {
            match choice.position {
                Choice::END => graph.whole.empty.add(choice.looks)?,
                to => graph.whole.last.add(choice.looks, Bits::single(usize::from(to)))?,
            }
        }
        for from in 0..self.len() {
            let before = Bits::single(from);
            for choice in self.choices(self.after(from as u16)) {
                match choice.position {
                    Choice::END => graph.whole.first.add(choice.looks, before)?,
                    next if choice.looks == 0 => {
                        graph.positions[usize::from(next)].next |= before;
                    }
                    next => graph.conditional.push(ConditionalStep {
                        from: usize::from(next),
                        to: before,
                        looks: choice.looks,
                    }),
                }
            }
        }
        graph.simplify_conditions(Direction::Backward);
        Some(graph)
    }
}

/// The choices of a long list, by byte.
#[derive(Debug)]
struct ByteIndex {
    choices: Box<[Choice]>,
    /// By byte: where its choices start. Two more: for the end of the record, and for the end.
    starts: Box<[u32]>,
}

impl ByteIndex {
    /// Returns `None` for lists that are short, and for those of large classes. `sizes` has the sizes
    /// of the classes in `sets`.
    fn new(list: &[Choice], sets: &[ByteSet], sizes: &[usize]) -> Option<ByteIndex> {
        let size = |choice: &Choice| match choice.position {
            Choice::END => 257,
            _ => sizes[usize::from(choice.set)],
        };
        if list.len() <= LONG_LIST || list.iter().map(size).sum::<usize>() > MAX_INDEX {
            return None;
        }
        // Each byte's choices keep their order. First they are counted.
        let bytes = |choice: &Choice| {
            let end = choice.position == Choice::END;
            let read = (!end).then(|| sets[usize::from(choice.set)].iter().map(usize::from));
            end.then_some(0..=256).into_iter().flatten().chain(read.into_iter().flatten())
        };
        let mut starts = vec![0u32; 258];
        list.iter().flat_map(bytes).for_each(|byte| starts[byte + 1] += 1);
        (1..starts.len()).for_each(|index| starts[index] += starts[index - 1]);
        let mut choices = vec![list[0]; starts[257] as usize];
        let mut next = starts.clone();
        for choice in list {
            for byte in bytes(choice) {
                choices[next[byte] as usize] = *choice;
                next[byte] += 1;
            }
        }
        Some(ByteIndex { choices: choices.into(), starts: starts.into() })
    }

    #[inline]
    fn of(&self, byte: Option<u8>) -> &[Choice] {
        let byte = byte.map_or(256, usize::from);
        &self.choices[self.starts[byte] as usize..self.starts[byte + 1] as usize]
    }

    fn memory(&self) -> usize {
        size_of::<(u32, ByteIndex)>()
            + size_of_val(&self.choices[..])
            + size_of_val(&self.starts[..])
    }
}

/// A place in the pattern. Nodes are known by their index.
#[derive(Clone, Debug)]
enum Node {
    /// The end of the pattern.
    Match,
    /// A byte is read at this position.
    Byte(u16),
    /// One of these [`Builder::alternatives`] comes next, in the order of preference.
    Split(Range<u32>),
    /// The assertion must hold.
    Look(Looks, u32),
}

/// Makes the nodes of a pattern, from its end to its start.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    alternatives: Vec<u32>,
    sets: Vec<ByteSet>,
    /// By position: its class, and the node after it. The backward pass goes from a position to those
    /// before it, and steps to the next higher number are the cheapest ones, so the last position of
    /// the pattern has the lowest number.
    positions: Vec<(u16, u32)>,
    /// The number of parts visited.
    parts: usize,
}

impl Builder {
    /// Makes the nodes of a part of the pattern which continues at `next`. Returns where it begins.
    fn part(&mut self, hir: &Hir, next: u32) -> Option<u32> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => literal
                .0
                .iter()
                .rev()
                .try_fold(next, |next, &byte| self.byte(ByteSet::from_iter([byte]), next)),
            HirKind::Class(class) => self.class(class, next),
            HirKind::Look(look) => {
                looks::is_decidable(*look).then(|| self.node(Node::Look(look.as_repr(), next)))
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => self.part(&capture.sub, next),
            HirKind::Concat(subs) => {
                subs.iter().rev().try_fold(next, |next, sub| self.part(sub, next))
            }
            HirKind::Alternation(subs) => {
                let starts = subs.iter().map(|sub| self.part(sub, next));
                let starts = starts.collect::<Option<Vec<_>>>()?;
                Some(self.split(&starts))
            }
        }
    }

    fn class(&mut self, class: &Class, next: u32) -> Option<u32> {
        if let Some(set) = byte_class(class) {
            return self.byte(set, next);
        }
        let Class::Unicode(class) = class else { return None };
        let characters = Characters::new(class)?;
        let mut nodes: Vec<u32> = Vec::with_capacity(characters.bytes.len());
        for &(set, following) in &characters.bytes {
            let following = following.map_or(next, |index| nodes[index]);
            nodes.push(self.byte(set, following)?);
        }
        // Their order does not matter: at most one of them is in a match.
        let heads: Vec<u32> = characters.heads().map(|head| nodes[head]).collect();
        Some(self.split(&heads))
    }

    fn repetition(&mut self, repetition: &Repetition, next: u32) -> Option<u32> {
        let Repetition { min, max, greedy, ref sub } = *repetition;
        let order = |sub: u32, next: u32| if greedy { [sub, next] } else { [next, sub] };
        let mut begin = next;
        match max {
            Some(max) => {
                for _ in min..max {
                    let copy = self.part(sub, begin)?;
                    begin = self.split(&order(copy, next));
                }
            }
            None => {
                let repeat = self.split(&[0, 0]);
                let copy = self.part(sub, repeat)?;
                let Node::Split(range) = self.nodes[repeat as usize].clone() else { return None };
                let range = range.start as usize..range.end as usize;
                self.alternatives[range].copy_from_slice(&order(copy, next));
                begin = match min {
                    0 if sub.properties().minimum_len() == Some(0) => {
                        self.split(&order(copy, next))
                    }
                    0 => repeat,
                    _ => copy,
                };
            }
        }
        let copies = if max.is_none() { min.saturating_sub(1) } else { min };
        for _ in 0..copies {
            begin = self.part(sub, begin)?;
        }
        Some(begin)
    }

    fn byte(&mut self, set: ByteSet, next: u32) -> Option<u32> {
        let set = number_of(set, &mut self.sets);
        self.positions.push((set, next));
        let position = self.positions.len() - 1;
        (position < MAX_POSITIONS).then(|| self.node(Node::Byte(position as u16)))
    }

    fn split(&mut self, alternatives: &[u32]) -> u32 {
        let start = self.alternatives.len() as u32;
        self.alternatives.extend_from_slice(alternatives);
        self.node(Node::Split(start..self.alternatives.len() as u32))
    }

    fn node(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }
}

/// The index of a class in `sets`, to which it is added if it is new.
fn number_of(set: ByteSet, sets: &mut Vec<ByteSet>) -> u16 {
    let known = sets.iter().rposition(|known| *known == set);
    known.unwrap_or_else(|| {
        sets.push(set);
        sets.len() - 1
    }) as u16
}

/// Makes the lists of choices by walks over the nodes that read no byte.
struct Walk<'a> {
    nodes: Vec<Node>,
    alternatives: Vec<u32>,
    positions: &'a [(u16, u32)],
    /// The number of nodes that may still be visited.
    left: usize,
    /// The number of walks so far.
    walks: u32,
    /// By node: the number of the last walk that has come to it, and the assertions on its way
    /// there. A later way whose assertions include these leads nowhere new.
    visited: Vec<(u32, Looks)>,
    stack: Vec<(u32, Looks)>,
    /// By node: the number of its list, once it is made.
    list_of: Vec<Option<u16>>,
    choices: Vec<Choice>,
    lists: Vec<List>,
}

impl Walk<'_> {
    /// The number of the list of what a match can continue with from `node`.
    fn list(&mut self, node: u32) -> Option<u16> {
        if let Some(list) = self.list_of[node as usize] {
            return Some(list);
        }
        self.walks += 1;
        let start = self.choices.len() as u32;
        self.stack.clear();
        self.stack.push((node, 0));
        while let Some((node, looks)) = self.stack.pop() {
            let visited = &mut self.visited[node as usize];
            if visited.0 == self.walks && visited.1 & !looks == 0 {
                continue;
            }
            // Of several ways, only the last is known, so that a choice may be there twice.
            *visited = (self.walks, looks);
            self.left = self.left.checked_sub(1)?;
            match self.nodes[node as usize] {
                Node::Look(look, next) => self.stack.push((next, looks | look)),
                Node::Split(ref range) => {
                    let alternatives = &self.alternatives[range.start as usize..range.end as usize];
                    self.stack.extend(alternatives.iter().rev().map(|&next| (next, looks)));
                }
                Node::Match => {
                    self.choices.push(Choice { looks, position: Choice::END, set: 0 });
                    if looks == 0 {
                        // Nothing is tried after this.
                        break;
                    }
                }
                Node::Byte(position) => {
                    let (set, _) = self.positions[usize::from(position)];
                    self.choices.push(Choice { looks, position, set });
                }
            }
        }
        let list = self.lists.len() as u16;
        let end = self.choices.len() as u32;
        self.lists.push(List { start, end, kind: ListKind::Any });
        self.list_of[node as usize] = Some(list);
        Some(list)
    }
}
