//! How each pattern of a set is searched.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::{PatternSet, pattern};

use super::crowd::{Crowd, take_crowds};
use super::handle::{Handle, without_streams};
use super::literal::{self, ByteRun, ByteSet, Literal, Lookaheads, NeedleId, RequiredLiterals};
use super::need::Needs;
use super::owners::{Owner, Owners};
use super::prefilter::{BitStreams, ClassSequence, Prefilter, RunSearch};
use super::shared::{self, Group};
use super::simd::Isa;
use super::spread::spread;
use super::trim::{matches_always, trim};

/// The arrangement of all patterns of an engine.
#[derive(Debug)]
pub(super) struct Plan {
    /// The patterns, reduced to what decides whether they match.
    pub(super) trimmed: Vec<Hir>,
    /// By pattern: its parts up to its literal and from there on, if these are confirmed apart.
    pub(super) splits: Vec<Option<Box<Split>>>,
    /// By pattern: the literals that it has instead of the best, which too many share.
    moved: HashMap<u32, RequiredLiterals>,
    /// The patterns that would be searched by streams in another set.
    without_streams: HashSet<u32>,
    /// Searches for the literals of all patterns that have some.
    pub(super) prefilter: Option<Prefilter>,
    /// What follows each literal or run.
    pub(super) follows: Lookaheads,
    /// Searches for the runs of patterns that have those instead. They are numbered like literals,
    /// behind all literals.
    pub(super) runs: Vec<RunSearch>,
    /// Searches for the parts of patterns that are made of classes. They are numbered behind all
    /// runs.
    pub(super) streams: Option<BitStreams>,
    /// By such a part, from the first one's number on: the pattern, if it matches wherever that is.
    sure: Vec<Option<u32>>,
    first_sure: usize,
    /// The runs that patterns with a literal need besides.
    pub(super) needs: Needs,
    /// By literal or run: the patterns to confirm where it stands. Those whose matches start with the
    /// literal come first.
    pub(super) owners: Owners,
    /// Patterns with a literal that very many start with, confirmed together.
    pub(super) crowd_groups: Vec<Crowd>,
    /// By literal: its crowds, if it has some; empty if none has.
    crowds: Vec<Range<u32>>,
    /// Patterns that match every record, ascending.
    pub(super) always: Vec<u32>,
    /// Patterns without literals.
    pub(super) groups: Vec<Arc<Group>>,
}

/// A pattern in two, parted where its literal starts.
#[derive(Debug)]
pub(super) struct Split {
    /// What matches up to the literal.
    pub(super) head: Hir,
    /// What matches from there on.
    pub(super) tail: Hir,
}

impl Plan {
    /// Plans the patterns of `set` with these numbers; the engine counts them from 0.
    pub(super) fn new(set: &PatternSet, numbers: &[u32], isa: Isa) -> Plan {
        let mut literals = Literals::default();
        let mut needs = Needs::default();
        let mut always = Vec::new();
        let mut runs = Vec::new();
        let mut rest = Vec::new();
        let mut classes = Vec::new();
        let trimmed: Vec<Hir> =
            numbers.iter().map(|&number| trim(set.hir(number as usize)).hir).collect();
        let mut splits: Vec<Option<Box<Split>>> = trimmed.iter().map(|_| None).collect();
        let mut handles: Vec<Handle> = trimmed.iter().map(Handle::of).collect();
        let moved = spread(&trimmed, &mut handles);
        let without_streams = without_streams(&trimmed, &mut handles);
        for (pattern, (hir, handle)) in (0..).zip(trimmed.iter().zip(handles)) {
            if matches_always(hir) {
                always.push(pattern);
                continue;
            }
            match handle {
                Handle::Literals(required) => {
                    let split = &mut splits[pattern as usize];
                    *split = required
                        .anchor_part
                        .and_then(|at| literal::split_at_part(hir, at))
                        .map(|(head, tail)| Box::new(Split { head, tail }));
                    let tail = split.as_ref().map_or(hir, |split| &split.tail);
                    let owner = Owner::new(pattern, hir, tail, &required).with_need(needs.add(hir));
                    literals.add(owner, required.literals, &required.lookahead);
                }
                Handle::Run(run) => runs.push((pattern, run)),
                Handle::Classes(part) => classes.push((pattern, part)),
                Handle::Nothing => rest.push((pattern, hir)),
            }
        }
        let prefilter = (!literals.list.is_empty()).then(|| Prefilter::new(&literals.list, isa));
        let first = literals.list.len() as u32;
        let runs = merge_runs(runs, first, isa, &mut literals.owners);
        let first = first + runs.len() as u32;
        let sure = classes.iter().map(|(pattern, part)| part.exact.then_some(*pattern)).collect();
        let streams = streams(classes, first, isa, &trimmed, &mut literals.owners);
        let handles = first as usize + streams.as_ref().map_or(0, BitStreams::len);
        literals.follow.resize(handles, Vec::new());
        let follows = Lookaheads::new(&literals.follow);
        let (crowd_groups, crowds) =
            take_crowds(&mut literals.owners, handles, &|pattern| tail(&trimmed, &splits, pattern));
        let owners = Owners::new(literals.owners, handles);
        let groups = shared::groups(rest);
        Plan {
            trimmed,
            splits,
            moved,
            without_streams,
            prefilter,
            follows,
            runs,
            streams,
            sure,
            first_sure: first as usize,
            needs,
            owners,
            crowd_groups,
            crowds,
            always,
            groups,
        }
    }

    /// Whether each record has to be looked at, with candidates or without.
    pub(super) fn every_record(&self) -> bool {
        !self.always.is_empty() || !self.groups.is_empty()
    }

    /// What matches of a pattern from its literal on.
    pub(super) fn tail(&self, pattern: u32) -> &Hir {
        tail(&self.trimmed, &self.splits, pattern)
    }

    /// What matches of a pattern up to its literal, if the two are confirmed apart.
    pub(super) fn head(&self, pattern: u32) -> Option<&Hir> {
        self.splits[pattern as usize].as_ref().map(|split| &split.head)
    }

    /// What a pattern is looked for by, unless it matches every record.
    pub(super) fn handle(&self, pattern: u32) -> Handle {
        match self.moved.get(&pattern) {
            Some(required) => Handle::Literals(required.clone()),
            None => {
                let trimmed = &self.trimmed[pattern as usize];
                if self.without_streams.contains(&pattern) {
                    Handle::found(trimmed)
                } else {
                    Handle::of(trimmed)
                }
            }
        }
    }

    /// The pattern that matches wherever this is found, if one is known to.
    pub(super) fn sure(&self, needle: NeedleId) -> Option<u32> {
        *self.sure.get(needle.index().checked_sub(self.first_sure)?)?
    }

    /// The numbers of the groups of patterns that start with a literal, if they are very many.
    pub(super) fn crowds(&self, needle: NeedleId) -> Range<usize> {
        match self.crowds.get(needle.index()) {
            Some(range) => range.start as usize..range.end as usize,
            None => 0..0,
        }
    }

    /// Memory in bytes, without the automata.
    pub(super) fn memory(&self) -> usize {
        let parts = self.splits.iter().flatten().flat_map(|split| [&split.head, &split.tail]);
        self.trimmed.iter().chain(parts).map(pattern::memory_of).sum::<usize>()
            + self.prefilter.as_ref().map_or(0, Prefilter::memory)
            + size_of_val(&self.runs[..])
            + self.streams.as_ref().map_or(0, BitStreams::memory)
            + self.needs.memory()
            + self.follows.memory()
            + self.owners.memory()
    }
}

fn tail<'a>(trimmed: &'a [Hir], splits: &'a [Option<Box<Split>>], pattern: u32) -> &'a Hir {
    match &splits[pattern as usize] {
        Some(split) => &split.tail,
        None => &trimmed[pattern as usize],
    }
}

/// Literals of all patterns, each once.
#[derive(Default)]
struct Literals {
    numbers: HashMap<Literal, u32>,
    list: Vec<Literal>,
    /// For each literal, the sets of the bytes that follow it.
    follow: Vec<Vec<ByteSet>>,
    owners: Vec<(u32, Owner)>,
}

impl Literals {
    fn add(&mut self, owner: Owner, literals: Vec<Literal>, follow: &[ByteSet]) {
        for literal in literals {
            let number = *self.numbers.entry(literal).or_insert_with_key(|literal| {
                self.list.push(literal.clone());
                self.follow.push(follow.to_vec());
                self.list.len() as u32 - 1
            });
            // What follows it in a match of any of its patterns.
            let all = &mut self.follow[number as usize];
            *all = literal::union_lookaheads(std::mem::take(all), follow.to_vec());
            self.owners.push((number, owner));
        }
    }
}

/// Runs of the same class and length are one search. They are numbered from `first` on.
fn merge_runs(
    mut runs: Vec<(u32, ByteRun)>,
    first: u32,
    isa: Isa,
    owners: &mut Vec<(u32, Owner)>,
) -> Vec<RunSearch> {
    let key = |run: &ByteRun| -> (ByteSet, u32) { (run.class, run.len) };
    runs.sort_by_key(|(pattern, run)| (key(run), *pattern));
    let mut searches = Vec::new();
    for same in runs.chunk_by(|(_, a), (_, b)| key(a) == key(b)) {
        let number = first + searches.len() as u32;
        let (class, len) = key(&same[0].1);
        searches.push(RunSearch::new(class, len, NeedleId::new(number as usize), isa));
        owners.extend(same.iter().map(|(pattern, run)| {
            // A run may go on before the part of it that belongs to the match.
            let (before, after) = (run.before, run.after);
            (number, Owner::around(*pattern, len, before, after))
        }));
    }
    searches
}

/// The streams for patterns that are searched by classes, numbered from `first` on.
fn streams(
    patterns: Vec<(u32, ClassSequence)>,
    first: u32,
    isa: Isa,
    trimmed: &[Hir],
    owners: &mut Vec<(u32, Owner)>,
) -> Option<BitStreams> {
    let numbered = || (first..).zip(&patterns);
    owners.extend(numbered().map(|(number, (pattern, part))| {
        let (before, after) = (part.before, part.after);
        (number, Owner::around(*pattern, part.len, before, after))
    }));
    let parts = numbered().map(|(number, (pattern, part))| {
        (NeedleId::new(number as usize), &trimmed[*pattern as usize], part)
    });
    (!patterns.is_empty()).then(|| BitStreams::new(parts, isa))
}
