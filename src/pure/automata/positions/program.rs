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

use regex_syntax::hir::Hir;

use crate::pure::literal::ByteSet;

use super::byte_index::{ByteIndex, LONG_LIST};
use super::looks::{self, Looks};
use super::nodes::{Builder, Node, Repeat, Sets};
use super::starts::{Parts, Starts};

/// The largest number of nodes that the walks for all choices of a pattern may visit. Patterns of
/// real rule sets need up to ten for each position; a repeated alternation of many words needs as
/// many as the square of their number.
const MAX_VISITS: usize = 64 << 10;

/// The positions of a pattern and their choices.
#[derive(Debug)]
pub(in crate::pure::automata) struct Program {
    /// The different classes of bytes.
    pub(super) sets: Box<[ByteSet]>,
    /// By position: the list of what can come after it.
    after: Box<[List]>,
    /// The bounded repetitions of a class.
    pub(super) runs: Box<[Run]>,
    /// All lists of choices, one after the other.
    choices: Box<[Choice]>,
    /// The indexes of long lists, by [`List::index`].
    indexes: Box<[ByteIndex]>,
    /// The list of what a match can begin with.
    pub(super) start: List,
    /// The number of lists that have a [`List::memo`].
    pub(super) memos: usize,
    /// Where a match can begin.
    pub(super) starts: Starts,
    /// Whether each match is a single byte, one of [`Starts::first_bytes`].
    pub(super) is_byte: bool,
}

/// A list of choices.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// Where it starts and ends in [`Program::choices`].
    start: u32,
    end: u32,
    pub(super) kind: ListKind,
    /// The number under which it is remembered where this list has been tried, or [`List::NO_MEMO`] if
    /// only one choice leads here. Then it suffices that the list of that choice is not tried twice.
    pub(super) memo: u16,
    /// The number of its index, or [`List::NO_INDEX`].
    index: u16,
}

/// A repetition of a class, which reads from `min` to `max` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) set: u16,
    /// At least 1.
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) greedy: bool,
    /// What can come after it.
    pub(super) after: List,
    /// The bytes of which one must come after it, if the match does not end there.
    pub(super) next_bytes: Option<ByteSet>,
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
    /// A byte of this class must come next, which is read at this position.
    Byte {
        set: u16,
        position: u16,
    },
}

/// What a match can continue with, at boundaries where some assertions hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) looks: Looks,
    /// The position where the next byte is read, [`Choice::RUN`] plus the number of a run that begins
    /// with it, or [`Choice::END`] if the match ends.
    pub(super) position: u16,
    /// The class of the position or the run.
    pub(super) set: u16,
}

impl List {
    pub(super) const NO_MEMO: u16 = u16::MAX;
    const NO_INDEX: u16 = u16::MAX;

    #[inline(always)]
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl ListKind {
    /// The kind of list number `list`. `after` has the numbers of the lists after each position. May
    /// add a class to `sets`.
    fn of(list: u16, choices: &[Choice], after: &[u16], sets: &mut Sets) -> ListKind {
        if let [Choice { looks: 0, position: Choice::END, .. }, ..] = choices {
            return ListKind::End;
        }
        if let [Choice { looks: 0, position, set }] = *choices
            && position < Choice::RUN
        {
            return ListKind::Byte { set, position };
        }
        let is_loop = |choice: &&Choice| {
            choice.position < Choice::RUN
                && choice.looks == 0
                && after[usize::from(choice.position)] == list
        };
        let Some(&back) = choices.iter().take(LONG_LIST).find(is_loop) else {
            return ListKind::Any;
        };
        let mut others = ByteSet::EMPTY;
        for choice in choices {
            if choice.position != Choice::END {
                if choice.position != back.position {
                    others = others.union(&sets.list[usize::from(choice.set)]);
                }
            } else if choice.looks != 0 && choice.looks & looks::END == 0 {
                // Whether the match may end here is not the same at each byte of the loop.
                return ListKind::Any;
            }
        }
        let set = sets.list[usize::from(back.set)].difference(&others);
        ListKind::Loop(sets.number_of(set))
    }
}

impl Choice {
    pub(super) const END: u16 = u16::MAX;
    /// More than [`MAX_POSITIONS`].
    pub(super) const RUN: u16 = 1 << 15;
}

impl Program {
    /// Returns `None` if there are too many positions or choices.
    pub(in crate::pure::automata) fn new(hir: &Hir) -> Option<Program> {
        let mut builder = Builder::default();
        builder.nodes.push(Node::Match);
        let start = builder.part(hir, 0)?;
        let Builder { nodes, alternatives, mut sets, positions, runs, .. } = builder;
        let visited = vec![(0, 0); nodes.len()];
        let list_of = vec![None; nodes.len()];
        let mut walk = Walk {
            nodes,
            alternatives,
            positions: &positions,
            runs: &runs,
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
        let after_runs: Option<Vec<u16>> = runs.iter().map(|run| walk.list(run.next)).collect();
        let after_runs = after_runs?;
        let Walk { choices, mut lists, .. } = walk;
        let memos = number_memos(&mut lists, &choices, start, &after, &after_runs);
        for (index, list) in lists.iter_mut().enumerate() {
            let choices = &choices[list.range()];
            list.kind = ListKind::of(index as u16, choices, &after, &mut sets);
        }
        let sets = sets.list;
        let sizes: Vec<usize> = sets.iter().map(|set| set.iter().count()).collect();
        let mut indexes = Vec::new();
        for list in &mut lists {
            if let Some(index) = ByteIndex::new(&choices[list.range()], &sets, &sizes) {
                list.index = indexes.len() as u16;
                indexes.push(index);
            }
        }
        let start = lists[usize::from(start)];
        let starting = &choices[start.range()];
        let starts = Starts::new(&Parts {
            start,
            lists: &lists,
            choices: &choices,
            after: &after,
            after_runs: &after_runs,
            runs: &runs,
            sets: &sets,
        });
        let runs = runs.iter().zip(after_runs).map(|(run, after)| {
            let &Repeat { set, min, max, greedy, .. } = run;
            let after = lists[usize::from(after)];
            let next_bytes = first_bytes_unless_empty(choices[after.range()].iter(), &sets);
            Run { set, min, max, greedy, after, next_bytes }
        });
        Some(Program {
            runs: runs.collect(),
            starts,
            sets: sets.into(),
            after: after.iter().map(|&list| lists[usize::from(list)]).collect(),
            is_byte: starting.iter().all(|choice| {
                choice.looks == 0
                    && choice.position < Choice::RUN
                    && lists[usize::from(after[usize::from(choice.position)])].kind == ListKind::End
            }),
            choices: choices.into(),
            indexes: indexes.into(),
            start,
            memos,
        })
    }

    /// The list of what can come after a byte that is read at a position.
    #[inline(always)]
    pub(super) fn after(&self, position: u16) -> List {
        self.after[usize::from(position)]
    }

    /// The choices of all lists.
    pub(super) fn all_choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The number of positions.
    pub(super) fn positions(&self) -> usize {
        self.after.len()
    }

    #[inline(always)]
    pub(super) fn choices(&self, list: List) -> &[Choice] {
        &self.choices[list.range()]
    }

    /// The choices of a list, as far as `byte`, the next one of the record, allows them. Some may be
    /// left that it does not allow.
    #[inline(always)]
    pub(super) fn allowed(&self, list: List, byte: Option<u8>) -> &[Choice] {
        match list.index {
            List::NO_INDEX => self.choices(list),
            index => self.indexes[usize::from(index)].of(byte),
        }
    }

    /// Memory in bytes.
    pub(in crate::pure::automata) fn memory(&self) -> usize {
        size_of::<Program>()
            + size_of_val(&self.sets[..])
            + size_of_val(&self.runs[..])
            + size_of_val(&self.after[..])
            + size_of_val(&self.choices[..])
            + self.indexes.iter().map(ByteIndex::memory).sum::<usize>()
    }
}

/// The bytes that a match of one of these choices begins with.
pub(super) fn first_bytes<'a>(
    choices: impl Iterator<Item = &'a Choice>,
    sets: &[ByteSet],
) -> ByteSet {
    let sets = choices
        .filter(|choice| choice.position != Choice::END)
        .map(|choice| sets[usize::from(choice.set)]);
    sets.fold(ByteSet::EMPTY, |all, set| all.union(&set))
}

/// As [`first_bytes`], or `None` if the match may also end.
pub(super) fn first_bytes_unless_empty<'a>(
    choices: impl Iterator<Item = &'a Choice> + Clone,
    sets: &[ByteSet],
) -> Option<ByteSet> {
    let may_end = choices.clone().any(|choice| choice.position == Choice::END);
    (!may_end).then(|| first_bytes(choices, sets))
}

/// Numbers the lists that several choices lead to. Returns how many there are.
fn number_memos(
    lists: &mut [List],
    choices: &[Choice],
    start: u16,
    after: &[u16],
    after_runs: &[u16],
) -> usize {
    let mut ways = vec![0u32; lists.len()];
    // A match can begin at each offset, and a run can end at several.
    ways[usize::from(start)] = 1;
    after_runs.iter().for_each(|&list| ways[usize::from(list)] = 2);
    for choice in choices.iter().filter(|choice| choice.position < Choice::RUN) {
        ways[usize::from(after[usize::from(choice.position)])] += 1;
    }
    let mut memos = 0;
    for (list, _) in lists.iter_mut().zip(ways).filter(|&(_, ways)| ways > 1) {
        list.memo = memos;
        memos += 1;
    }
    usize::from(memos)
}

/// Makes the lists of choices by walks over the nodes that read no byte.
struct Walk<'a> {
    nodes: Vec<Node>,
    alternatives: Vec<u32>,
    positions: &'a [(u16, u32)],
    runs: &'a [Repeat],
    /// The number of nodes that may still be visited.
    left: usize,
    /// The number of walks so far.
    walks: u32,
    /// By node: the number of the last walk that visited it, and the assertions on its way
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
                Node::Run(run) => {
                    let set = self.runs[usize::from(run)].set;
                    self.choices.push(Choice { looks, position: Choice::RUN + run, set });
                }
            }
        }
        let list = self.lists.len() as u16;
        let end = self.choices.len() as u32;
        let (memo, index) = (List::NO_MEMO, List::NO_INDEX);
        self.lists.push(List { start, end, kind: ListKind::Any, memo, index });
        self.list_of[node as usize] = Some(list);
        Some(list)
    }
}
