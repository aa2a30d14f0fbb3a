//! How each pattern of a set is searched.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use regex_syntax::hir::{Hir, Look};

use crate::PatternSet;

use super::literal::{self, ByteSet, Follows, Literal, Required, Run};
use super::need::Needs;
use super::prefilter::{Level, Part, Prefilter, RunSearch, Streams};
use super::shared::{self, Group};
use super::spread::spread;
use super::trim::{matches_always, trim};

/// The arrangement of all patterns of an engine.
#[derive(Debug)]
pub(super) struct Plan {
    /// The patterns, reduced to what decides whether they match.
    pub(super) trimmed: Vec<Hir>,
    /// By pattern: what matches from its literal on, if its parts up to there and from there on
    /// are confirmed apart; and all of it otherwise.
    pub(super) tails: Vec<Hir>,
    /// What matches up to the literal in such a pattern.
    pub(super) heads: Vec<Option<Hir>>,
    /// By pattern: the literals that it has instead of the best, which too many share.
    moved: HashMap<u32, Required>,
    /// The patterns that would be searched by streams in another set.
    without_streams: HashSet<u32>,
    /// Searches for the literals of all patterns that have some.
    pub(super) prefilter: Option<Prefilter>,
    /// What follows each literal or run.
    pub(super) follows: Follows,
    /// Searches for the runs of patterns that have those instead. They are numbered like literals,
    /// behind all literals.
    pub(super) runs: Vec<RunSearch>,
    /// Searches for the parts of patterns that are made of classes. They are numbered behind all
    /// runs.
    pub(super) streams: Option<Streams>,
    /// By such a part, from the first one's number on: the pattern, if it matches wherever that is.
    sure: Vec<Option<u32>>,
    first_sure: u32,
    /// The runs that patterns with a literal need besides.
    pub(super) needs: Needs,
    /// By literal or run: the patterns to confirm where it stands. Those whose matches start with the
    /// literal come first.
    owners: Owners,
    /// Patterns with a literal that very many start with, confirmed together.
    pub(super) crowd_groups: Vec<Crowd>,
    /// By literal: its crowds, if it has some.
    crowds: Vec<Range<usize>>,
    /// Patterns that match every record, ascending.
    pub(super) always: Vec<u32>,
    /// Patterns without literals.
    pub(super) groups: Vec<Arc<Group>>,
}

/// A pattern that one literal is required by, among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// The pattern's position in the engine.
    pub(super) pattern: u32,
    /// Whether every match of the pattern's tail starts with the literal.
    leads: bool,
    /// How many bytes such a match has at least.
    pub(super) least: u32,
    /// The last place in a record where the literal can be, if a match starts where the record
    /// does.
    pub(super) last: u32,
    /// How many bytes of the record there can be from the literal's start on, if a match ends
    /// where the record does.
    pub(super) most: u32,
    /// The run that the record must have besides.
    pub(super) need: Option<u32>,
    /// How far before the literal a match can start, if there is a bound.
    pub(super) before: Option<u32>,
    /// How far behind the literal's end a match can end, if there is a bound.
    pub(super) after: Option<u32>,
}

impl Owner {
    /// The owner of the literals that `hir` requires, of which `tail` is from there on.
    fn new(pattern: u32, hir: &Hir, tail: &Hir, required: &Required) -> Owner {
        let properties = hir.properties();
        let start = properties.look_set_prefix().contains(Look::Start);
        let end = properties.look_set_suffix().contains(Look::End);
        let leads = required.split.is_some();
        Owner {
            pattern,
            leads,
            least: tail.properties().minimum_len().unwrap_or(0) as u32,
            last: required.before.filter(|_| start && leads).unwrap_or(u32::MAX),
            most: literal::longest(tail).filter(|_| end && leads).unwrap_or(u32::MAX),
            need: None,
            before: required.before,
            after: required.after,
        }
    }

    /// The owner of something in the midst of its matches that has `least` bytes.
    fn around(pattern: u32, least: u32, before: Option<u32>, after: Option<u32>) -> Owner {
        let (last, most) = (u32::MAX, u32::MAX);
        Owner { pattern, leads: false, least, last, most, need: None, before, after }
    }

    fn with_need(self, need: Option<u32>) -> Owner {
        Owner { need, ..self }
    }
}

/// Patterns that are confirmed together where their literal stands.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) group: Group,
    /// One of these runs must be in the record; if there are none, that is not asked.
    pub(super) needs: Vec<u32>,
    /// How many bytes a match from the literal on has at least.
    pub(super) least: u32,
}

/// What a pattern is looked for by.
pub(super) enum Handle {
    Literals(Required),
    Run(Run),
    Classes(Part),
    Nothing,
}

/// A set of literals that is found more often than this is given up for a rarer run.
const FREQUENT: f64 = 1e-3;

impl Handle {
    pub(super) fn of(trimmed: &Hir) -> Handle {
        let handle = Handle::found(trimmed);
        if let Handle::Literals(literals) = &handle
            && literals.frequency <= FREQUENT
        {
            return handle;
        }
        let part = Part::of(trimmed);
        let exact = part.as_ref().is_some_and(|part| part.exact);
        // For each byte, in nanoseconds.
        let cost = match &handle {
            // What has to be confirmed anyway is found by literals as well.
            Handle::Literals(_) if !exact => return handle,
            Handle::Literals(literals) => literals.frequency * 80.0,
            Handle::Run(run) => (if exact { 0.3 } else { 0.1 }) + run.frequency * 100.0,
            _ => 0.4,
        };
        match part {
            Some(part) if part.total() < cost => Handle::Classes(part),
            _ => handle,
        }
    }

    fn found(trimmed: &Hir) -> Handle {
        let literals = literal::required(trimmed);
        if let Some(literals) = literals.as_ref().filter(|r| r.frequency <= FREQUENT) {
            return Handle::Literals(literals.clone());
        }
        match (literals, literal::required_run(trimmed)) {
            (Some(literals), Some(run)) if literals.frequency < 4.0 * run.frequency => {
                Handle::Literals(literals)
            }
            (_, Some(run)) => Handle::Run(run),
            (Some(literals), None) => Handle::Literals(literals),
            (None, None) => Handle::Nothing,
        }
    }
}

/// Up to so many patterns do with their runs, if these are as rare, rather than with streams.
const FEW: usize = 2;
const RARE: f64 = 1e-4;
/// With more patterns than this that would be searched in groups without streams, one more in a
/// group costs next to nothing, or so much for each byte, in nanoseconds, if it remembers much.
const MANY: usize = 8;
const MEMBER_COST: f64 = 0.15;

/// Puts what there is without streams in their place where that costs less for all of a set.
/// Returns the patterns for which it has.
fn without_streams(trimmed: &[Hir], handles: &mut [Handle]) -> HashSet<u32> {
    let mut streams = Vec::new();
    let mut unfiltered = 0;
    for (index, (hir, handle)) in trimmed.iter().zip(&*handles).enumerate() {
        match handle {
            Handle::Classes(part) => {
                let found = Handle::found(hir);
                unfiltered += usize::from(matches!(found, Handle::Nothing));
                streams.push((index, found, part.total()));
            }
            Handle::Nothing => unfiltered += 1,
            _ => {}
        }
    }
    // What streams cost is hardly less for few patterns than for many, and a rare run is found by
    // a single pass.
    let rare = |found: &Handle| matches!(found, Handle::Run(run) if run.frequency <= RARE);
    let few = streams.len() <= FEW && streams.iter().all(|(_, found, _)| rare(found));
    let mut without = HashSet::new();
    for (index, found, cost) in streams {
        let grouped = unfiltered > MANY
            && matches!(found, Handle::Nothing)
            && (cost > MEMBER_COST || !shared::remembers(&trimmed[index]));
        if few || grouped {
            handles[index] = found;
            without.insert(index as u32);
        }
    }
    without
}

impl Plan {
    /// Plans the patterns of `set` with these numbers; the engine counts them from 0.
    pub(super) fn new(set: &PatternSet, numbers: &[u32], level: Level) -> Plan {
        let mut literals = Literals::default();
        let mut needs = Needs::default();
        let mut always = Vec::new();
        let mut runs = Vec::new();
        let mut rest = Vec::new();
        let mut classes = Vec::new();
        let trimmed: Vec<Hir> =
            numbers.iter().map(|&number| trim(set.hir(number as usize)).hir).collect();
        let mut tails = trimmed.clone();
        let mut heads = vec![None; trimmed.len()];
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
                    if let Some(at @ 1..) = required.split {
                        let index = pattern as usize;
                        (heads[index], tails[index]) = literal::split(hir, at);
                    }
                    let owner = Owner::new(pattern, hir, &tails[pattern as usize], &required)
                        .with_need(needs.add(hir));
                    literals.add(owner, required.literals, &required.follow);
                }
                Handle::Run(run) => runs.push((pattern, run)),
                Handle::Classes(part) => classes.push((pattern, part)),
                Handle::Nothing => rest.push((pattern, hir)),
            }
        }
        let prefilter = (!literals.list.is_empty()).then(|| Prefilter::new(&literals.list, level));
        let first = literals.list.len() as u32;
        let runs = merge_runs(runs, first, level, &mut literals.owners);
        let first = first + runs.len() as u32;
        let sure = classes.iter().map(|(pattern, part)| part.exact.then_some(*pattern)).collect();
        let streams = streams(classes, first, level, &trimmed, &mut literals.owners);
        let handles = first as usize + streams.as_ref().map_or(0, Streams::len);
        literals.follow.resize(handles, Vec::new());
        let follows = Follows::new(&literals.follow);
        let (crowd_groups, crowds) = take_crowds(&mut literals.owners, handles, &tails);
        let owners = Owners::new(literals.owners, handles);
        let groups = shared::groups(rest);
        Plan {
            trimmed,
            tails,
            heads,
            moved,
            without_streams,
            prefilter,
            follows,
            runs,
            streams,
            sure,
            first_sure: first,
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

    /// How many literals and runs there are.
    pub(super) fn handles(&self) -> usize {
        self.owners.reach.len()
    }

    /// The patterns that need a literal: those whose matches start with it, and the others.
    pub(super) fn owners(&self, literal: u32) -> (&[Owner], &[Owner]) {
        let range = self.owners.range(literal);
        self.owners.list[range.clone()].split_at(self.owners.leading[literal as usize] as usize)
    }

    /// The pattern that matches wherever this is found, if one is known to.
    pub(super) fn sure(&self, literal: u32) -> Option<u32> {
        *self.sure.get(literal.checked_sub(self.first_sure)? as usize)?
    }

    /// The numbers of the groups of patterns that start with a literal, if they are very many.
    pub(super) fn crowds(&self, literal: u32) -> Range<usize> {
        self.crowds[literal as usize].clone()
    }

    /// The largest distance from the end of a literal's place to the next one's start at which the
    /// parts of the record that its patterns are confirmed in can touch, if there is one; without
    /// the patterns whose matches start with it.
    pub(super) fn reach(&self, literal: u32) -> Option<u32> {
        self.owners.reach[literal as usize]
    }

    /// Memory in bytes, without the automata.
    pub(super) fn memory(&self) -> usize {
        self.prefilter.as_ref().map_or(0, Prefilter::memory)
            + size_of_val(&self.runs[..])
            + self.streams.as_ref().map_or(0, Streams::memory)
            + self.needs.memory()
            + self.follows.memory()
            + size_of_val(&self.owners.list[..])
            + size_of_val(&self.owners.starts[..])
            + size_of_val(&self.owners.leading[..])
            + size_of_val(&self.owners.reach[..])
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
            *all = literal::union(std::mem::take(all), follow.to_vec());
            self.owners.push((number, owner));
        }
    }
}

/// With more patterns than this that start with the same literal, they are confirmed together.
pub(super) const CROWD: usize = 4;

/// A crowd that needs more different runs than this is not asked for any.
const MAX_NEEDS: usize = 16;

/// Takes the owners that lead with a literal that very many do out of `owners`, into groups; and
/// tells for each literal which groups are its.
fn take_crowds(
    owners: &mut Vec<(u32, Owner)>,
    handles: usize,
    tails: &[Hir],
) -> (Vec<Crowd>, Vec<Range<usize>>) {
    let mut leading: Vec<Vec<Owner>> = vec![Vec::new(); handles];
    for (handle, owner) in owners.iter().filter(|(_, owner)| owner.leads) {
        leading[*handle as usize].push(*owner);
    }
    owners.retain(|(handle, owner)| !owner.leads || leading[*handle as usize].len() <= CROWD);
    let count = leading.iter().filter(|owners| owners.len() > CROWD).count();
    let mut crowds = Vec::new();
    let ranges = leading
        .into_iter()
        .map(|owners| {
            let start = crowds.len();
            if owners.len() > CROWD {
                let patterns = owners.iter().map(|o| (o.pattern, &tails[o.pattern as usize]));
                let groups = shared::crowds(patterns.collect(), count);
                crowds.extend(groups.into_iter().map(|group| Crowd::new(group, &owners)));
            }
            start..crowds.len()
        })
        .collect();
    (crowds, ranges)
}

impl Crowd {
    /// `owners` are those of the literal, ascending by their patterns.
    fn new(group: Group, owners: &[Owner]) -> Crowd {
        let members = group.members.iter().filter_map(|&member| {
            let index = owners.binary_search_by_key(&member, |owner| owner.pattern).ok()?;
            Some(&owners[index])
        });
        let least = members.clone().map(|owner| owner.least).min().unwrap_or(0);
        let mut needs: Vec<Option<u32>> = members.map(|owner| owner.need).collect();
        needs.sort_unstable();
        needs.dedup();
        let needs = match needs.into_iter().collect::<Option<Vec<u32>>>() {
            Some(needs) if needs.len() <= MAX_NEEDS => needs,
            _ => Vec::new(),
        };
        Crowd { group, needs, least }
    }
}

/// Runs of the same class and length are one search. They are numbered from `first` on.
fn merge_runs(
    mut runs: Vec<(u32, Run)>,
    first: u32,
    level: Level,
    owners: &mut Vec<(u32, Owner)>,
) -> Vec<RunSearch> {
    let key = |run: &Run| -> (ByteSet, u32) { (run.class, run.len) };
    runs.sort_by_key(|(pattern, run)| (key(run), *pattern));
    let mut searches = Vec::new();
    for same in runs.chunk_by(|(_, a), (_, b)| key(a) == key(b)) {
        let number = first + searches.len() as u32;
        let (class, len) = key(&same[0].1);
        searches.push(RunSearch::new(class, len, number, level));
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
    patterns: Vec<(u32, Part)>,
    first: u32,
    level: Level,
    trimmed: &[Hir],
    owners: &mut Vec<(u32, Owner)>,
) -> Option<Streams> {
    let numbered = || (first..).zip(&patterns);
    owners.extend(numbered().map(|(number, (pattern, part))| {
        let (before, after) = (part.before, part.after);
        (number, Owner::around(*pattern, part.len, before, after))
    }));
    let parts =
        numbered().map(|(number, (pattern, part))| (number, &trimmed[*pattern as usize], part));
    (!patterns.is_empty()).then(|| Streams::new(parts, level))
}

#[derive(Debug)]
struct Owners {
    starts: Vec<u32>,
    list: Vec<Owner>,
    /// How many of each literal's owners have matches that start with it.
    leading: Vec<u32>,
    reach: Vec<Option<u32>>,
}

impl Owners {
    fn new(mut owners: Vec<(u32, Owner)>, handles: usize) -> Owners {
        owners.sort_by_key(|(literal, owner)| (*literal, !owner.leads, owner.pattern));
        let mut starts = vec![0];
        let mut reach = Vec::with_capacity(handles);
        let mut leading = Vec::with_capacity(handles);
        let mut rest = &owners[..];
        for number in 0..handles as u32 {
            let count = rest.partition_point(|(other, _)| *other == number);
            starts.push(starts[starts.len() - 1] + count as u32);
            let (first, others) =
                rest[..count].split_at(rest[..count].partition_point(|(_, owner)| owner.leads));
            leading.push(first.len() as u32);
            reach.push(others.iter().try_fold(0, |max: u32, (_, owner)| {
                Some(max.max(owner.before?.checked_add(owner.after?)?))
            }));
            rest = &rest[count..];
        }
        let list = owners.into_iter().map(|(_, owner)| owner).collect();
        Owners { starts, list, leading, reach }
    }

    fn range(&self, literal: u32) -> Range<usize> {
        self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize
    }
}
