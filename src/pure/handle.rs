//! What each pattern is looked for by: literals, a run of a class, a sequence of classes, or nothing.

use std::collections::HashSet;

use regex_syntax::hir::Hir;

use super::literal::{self, ByteRun, RequiredLiterals};
use super::prefilter::ClassSequence;
use super::shared;

/// What a pattern is looked for by.
pub(super) enum Handle {
    Literals(RequiredLiterals),
    Run(ByteRun),
    Classes(ClassSequence),
    Nothing,
}

/// A set of literals that is found more often than this is given up for a rarer run.
const FREQUENT: f64 = 1e-3;

impl Handle {
    /// What costs the least for a pattern that is reduced to `trimmed`.
    pub(super) fn of(trimmed: &Hir) -> Handle {
        let handle = Handle::found(trimmed);
        if let Handle::Literals(literals) = &handle
            && literals.frequency <= FREQUENT
        {
            return handle;
        }
        let part = ClassSequence::cheapest(trimmed);
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
            Some(part) if part.total_cost() < cost => Handle::Classes(part),
            _ => handle,
        }
    }

    /// As [`Handle::of`], without streams.
    pub(super) fn found(trimmed: &Hir) -> Handle {
        let literals = literal::required_literals(trimmed);
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
pub(super) fn without_streams(trimmed: &[Hir], handles: &mut [Handle]) -> HashSet<u32> {
    let mut streams = Vec::new();
    let mut unfiltered = 0;
    for (index, (hir, handle)) in trimmed.iter().zip(&*handles).enumerate() {
        match handle {
            Handle::Classes(part) => {
                let found = Handle::found(hir);
                unfiltered += usize::from(matches!(found, Handle::Nothing));
                streams.push((index, found, part.total_cost()));
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
