//! Which patterns are to be confirmed where a literal or a run stands.

use std::ops::Range;

use regex_syntax::hir::{Hir, Look};

use super::literal::{self, RequiredLiterals};

/// A pattern that one literal is required by, among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// The pattern's position in the engine.
    pub(super) pattern: u32,
    /// Whether every match of the pattern's tail starts with the literal.
    pub(super) leads: bool,
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
    pub(super) fn new(pattern: u32, hir: &Hir, tail: &Hir, required: &RequiredLiterals) -> Owner {
        let properties = hir.properties();
        let start = properties.look_set_prefix().contains(Look::Start);
        let end = properties.look_set_suffix().contains(Look::End);
        let leads = required.anchor_part.is_some();
        Owner {
            pattern,
            leads,
            least: tail.properties().minimum_len().unwrap_or(0) as u32,
            last: required.before.filter(|_| start && leads).unwrap_or(u32::MAX),
            most: literal::max_match_len(tail).filter(|_| end && leads).unwrap_or(u32::MAX),
            need: None,
            before: required.before,
            after: required.after,
        }
    }

    /// The owner of something in the midst of its matches that has `least` bytes.
    pub(super) fn around(
        pattern: u32,
        least: u32,
        before: Option<u32>,
        after: Option<u32>,
    ) -> Owner {
        let (last, most) = (u32::MAX, u32::MAX);
        Owner { pattern, leads: false, least, last, most, need: None, before, after }
    }

    pub(super) fn with_need(self, need: Option<u32>) -> Owner {
        Owner { need, ..self }
    }
}

/// All owners, by literal or run. Those whose matches start with the literal come first.
#[derive(Debug)]
pub(super) struct Owners {
    starts: Vec<u32>,
    list: Vec<Owner>,
    /// How many of each literal's owners have matches that start with it.
    leading: Vec<u32>,
    reach: Vec<Option<u32>>,
}

impl Owners {
    pub(super) fn new(mut owners: Vec<(u32, Owner)>, handles: usize) -> Owners {
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

    /// How many literals and runs there are.
    pub(super) fn handles(&self) -> usize {
        self.reach.len()
    }

    /// Those of a literal: the patterns whose matches start with it, and the others.
    pub(super) fn of(&self, literal: u32) -> (&[Owner], &[Owner]) {
        let range: Range<usize> =
            self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize;
        self.list[range].split_at(self.leading[literal as usize] as usize)
    }

    /// The largest distance from the end of a literal's place to the next one's start at which the
    /// parts of the record that its patterns are confirmed in can touch, if there is one; without
    /// the patterns whose matches start with it.
    pub(super) fn reach(&self, literal: u32) -> Option<u32> {
        self.reach[literal as usize]
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.list[..])
            + size_of_val(&self.starts[..])
            + size_of_val(&self.leading[..])
            + size_of_val(&self.reach[..])
    }
}
