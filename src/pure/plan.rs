//! How each pattern of a set is searched.

use std::collections::HashMap;
use std::ops::Range;

use regex_syntax::hir::Hir;

use crate::PatternSet;

use super::literal::{self, Literal, Required};
use super::prefilter::Prefilter;
use super::shared::{self, Group};
use super::trim::trim;

/// The arrangement of all patterns of an engine.
#[derive(Debug)]
pub(super) struct Plan {
    /// The patterns, reduced to what decides whether they match.
    pub(super) trimmed: Vec<Hir>,
    /// Searches for the literals of all patterns that have some.
    pub(super) prefilter: Option<Prefilter>,
    /// By literal: the patterns to confirm where it stands. Those whose matches start with the
    /// literal come first.
    owners: Owners,
    /// Patterns that match every record, ascending.
    pub(super) always: Vec<u32>,
    /// Patterns without literals.
    pub(super) groups: Vec<Group>,
}

/// A pattern that one literal is required by, among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// The pattern's position in the engine.
    pub(super) pattern: u32,
    /// How far before the literal a match can start, if there is a bound.
    pub(super) before: Option<u32>,
    /// How far behind the literal's end a match can end, if there is a bound.
    pub(super) after: Option<u32>,
}

impl Owner {
    /// Whether every match with the literal starts with it.
    fn leads(&self) -> bool {
        self.before == Some(0)
    }
}

impl Plan {
    /// Plans the patterns of `set` with these numbers; the engine counts them from 0.
    pub(super) fn new(set: &PatternSet, numbers: &[u32]) -> Plan {
        let mut literals = Literals::default();
        let mut always = Vec::new();
        let mut rest = Vec::new();
        let trimmed: Vec<Hir> =
            numbers.iter().map(|&number| trim(set.hir(number as usize))).collect();
        for (pattern, hir) in (0..).zip(&trimmed) {
            // A pattern that matches nothing anywhere, unconditionally, matches every record.
            if hir.properties().minimum_len() == Some(0) && hir.properties().look_set().is_empty() {
                always.push(pattern);
            } else if let Some(required) = literal::required(hir) {
                literals.add(pattern, required);
            } else {
                rest.push((pattern, hir));
            }
        }
        let prefilter = (!literals.list.is_empty()).then(|| Prefilter::new(&literals.list));
        let owners = Owners::new(literals.owners, &literals.list);
        let groups = shared::groups(rest.into_iter());
        Plan { trimmed, prefilter, owners, always, groups }
    }

    /// Whether each record has to be looked at, with candidates or without.
    pub(super) fn every_record(&self) -> bool {
        !self.always.is_empty() || !self.groups.is_empty()
    }

    pub(super) fn literals(&self) -> usize {
        self.owners.reach.len()
    }

    /// The patterns that need a literal: those whose matches start with it, and the others.
    pub(super) fn owners(&self, literal: u32) -> (&[Owner], &[Owner]) {
        let range = self.owners.range(literal);
        self.owners.list[range.clone()].split_at(self.owners.leading[literal as usize] as usize)
    }

    /// The largest distance between two places of a literal at which the parts of the record
    /// that its patterns are confirmed in can touch, if there is one; without the patterns whose
    /// matches start with it.
    pub(super) fn reach(&self, literal: u32) -> Option<u32> {
        self.owners.reach[literal as usize]
    }

    /// Memory in bytes, without the automata.
    pub(super) fn memory(&self) -> usize {
        self.prefilter.as_ref().map_or(0, Prefilter::memory)
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
    owners: Vec<(u32, Owner)>,
}

impl Literals {
    fn add(&mut self, pattern: u32, required: Required) {
        for literal in required.literals {
            let number = *self.numbers.entry(literal).or_insert_with_key(|literal| {
                self.list.push(literal.clone());
                self.list.len() as u32 - 1
            });
            let owner = Owner { pattern, before: required.before, after: required.after };
            self.owners.push((number, owner));
        }
    }
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
    fn new(mut owners: Vec<(u32, Owner)>, literals: &[Literal]) -> Owners {
        owners.sort_by_key(|(literal, owner)| (*literal, !owner.leads(), owner.pattern));
        let mut starts = vec![0];
        let mut reach = Vec::with_capacity(literals.len());
        let mut leading = Vec::with_capacity(literals.len());
        let mut rest = &owners[..];
        for (number, literal) in (0..).zip(literals) {
            let count = rest.partition_point(|(other, _)| *other == number);
            starts.push(starts[starts.len() - 1] + count as u32);
            let (first, others) =
                rest[..count].split_at(rest[..count].partition_point(|(_, owner)| owner.leads()));
            leading.push(first.len() as u32);
            reach.push(others.iter().try_fold(0, |max: u32, (_, owner)| {
                let both = owner.before?.checked_add(owner.after?)?;
                Some(max.max(both.checked_add(literal.len() as u32)?))
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
