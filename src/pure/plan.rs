//! How each pattern of a set is searched.

use std::collections::HashMap;
use std::ops::Range;

use crate::PatternSet;

use super::literal::{self, Literal, Required};
use super::prefilter::Prefilter;
use super::shared::{self, Group};

/// The arrangement of all patterns of an engine.
#[derive(Debug)]
pub(super) struct Plan {
    /// Searches for the literals of all patterns that have some.
    pub(super) prefilter: Option<Prefilter>,
    /// By literal: the patterns to confirm where it stands.
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

impl Plan {
    /// Plans the patterns of `set` with these numbers; the engine counts them from 0.
    pub(super) fn new(set: &PatternSet, numbers: &[u32]) -> Plan {
        let mut literals = Literals::default();
        let mut always = Vec::new();
        let mut rest = Vec::new();
        for (pattern, &number) in (0..).zip(numbers) {
            let hir = set.hir(number as usize);
            // A pattern that matches nothing anywhere, unconditionally, matches every record.
            if hir.properties().minimum_len() == Some(0) && hir.properties().look_set().is_empty() {
                always.push(pattern);
            } else if let Some(required) = literal::required(hir) {
                literals.add(pattern, required);
            } else {
                rest.push((pattern, set.size_of(number as usize), hir));
            }
        }
        let prefilter = (!literals.list.is_empty()).then(|| Prefilter::new(&literals.list));
        let owners = Owners::new(literals.owners, &literals.list);
        Plan { prefilter, owners, always, groups: shared::groups(rest.into_iter()) }
    }

    /// Whether each record has to be looked at, with candidates or without.
    pub(super) fn every_record(&self) -> bool {
        !self.always.is_empty() || !self.groups.is_empty()
    }

    pub(super) fn literals(&self) -> usize {
        self.owners.reach.len()
    }

    pub(super) fn owners(&self, literal: u32) -> &[Owner] {
        &self.owners.list[self.owners.range(literal)]
    }

    /// The largest distance between two places of a literal at which the parts of the record
    /// that its patterns are confirmed in can touch, if there is one.
    pub(super) fn reach(&self, literal: u32) -> Option<u32> {
        self.owners.reach[literal as usize]
    }

    /// Memory in bytes, without the automata.
    pub(super) fn memory(&self) -> usize {
        self.prefilter.as_ref().map_or(0, Prefilter::memory)
            + size_of_val(&self.owners.list[..])
            + size_of_val(&self.owners.starts[..])
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
    reach: Vec<Option<u32>>,
}

impl Owners {
    fn new(mut owners: Vec<(u32, Owner)>, literals: &[Literal]) -> Owners {
        owners.sort_by_key(|(literal, owner)| (*literal, owner.pattern));
        let mut starts = vec![0];
        let mut reach = Vec::with_capacity(literals.len());
        let mut rest = &owners[..];
        for (number, literal) in (0..).zip(literals) {
            let count = rest.partition_point(|(other, _)| *other == number);
            starts.push(starts[starts.len() - 1] + count as u32);
            reach.push(rest[..count].iter().try_fold(0, |max: u32, (_, owner)| {
                let both = owner.before?.checked_add(owner.after?)?;
                Some(max.max(both.checked_add(literal.len() as u32)?))
            }));
            rest = &rest[count..];
        }
        Owners { starts, list: owners.into_iter().map(|(_, owner)| owner).collect(), reach }
    }

    fn range(&self, literal: u32) -> Range<usize> {
        self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize
    }
}
