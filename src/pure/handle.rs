//! What each pattern is looked for by: literals, a run of a class, a sequence of classes, or nothing.

use regex_syntax::hir::Hir;

use super::literal::{self, Required, Run};
use super::prefilter::Part;

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
    /// What costs the least for a pattern that is reduced to `trimmed`.
    pub(super) fn of(trimmed: &Hir) -> Handle {
        let handle = Handle::found(trimmed);
        if let Handle::Literals(literals) = &handle
            && literals.frequency <= FREQUENT
        {
            return handle;
        }
        let part = Part::of(trimmed);
        let exact = part.as_ref().is_some_and(|part| part.exact);
        let cost = match &handle {
            Handle::Literals(literals) => literals.frequency * 80.0,
            Handle::Run(run) => (if exact { 0.3 } else { 0.1 }) + run.frequency * 100.0,
            _ => 0.4,
        };
        match part {
            Some(part) if part.total() < cost => Handle::Classes(part),
            _ => handle,
        }
    }

    /// As [`Handle::of`], without streams.
    pub(super) fn found(trimmed: &Hir) -> Handle {
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

/// Puts runs in the place of streams where there are few: what streams cost is hardly less for few
/// patterns than for many, and a rare run is found by a single pass.
pub(super) fn keep_runs(trimmed: &[Hir], handles: &mut [Handle]) -> bool {
    let streams = (0..).zip(&*handles).filter(|(_, h)| matches!(h, Handle::Classes(_)));
    let streams: Vec<usize> = streams.map(|(index, _)| index).take(FEW + 1).collect();
    if streams.len() > FEW {
        return false;
    }
    let runs = streams.iter().map(|&index| match Handle::found(&trimmed[index]) {
        Handle::Run(run) if run.frequency <= RARE => Some((index, run)),
        _ => None,
    });
    let Some(runs) = runs.collect::<Option<Vec<_>>>() else { return false };
    for (index, run) in runs {
        handles[index] = Handle::Run(run);
    }
    true
}
