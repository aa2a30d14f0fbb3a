//! Where in a record to look for spans: at the literals, and not between them.

use regex_syntax::hir::Hir;

use super::handle::Handle;
use super::literal::Bound;
use super::prefilter::{Candidate, Level, Prefilter};
use super::trim::{Trimmed, trim};

/// Finds the places of a record where the trimmed form of a pattern may match, for a pattern
/// whose trimmed form starts with a literal.
///
/// Each match of the pattern holds a match of the trimmed form, at most `head` bytes behind its
/// start, and each match of the trimmed form is one of the pattern. So the leftmost match from
/// some place on starts at most `head` bytes before the first place where the trimmed form
/// matches, and not behind it.
#[derive(Debug)]
pub(super) struct Spotter {
    prefilter: Prefilter,
    pub(super) trimmed: Hir,
    pub(super) head: Bound,
}

impl Spotter {
    /// `None` if the trimmed form of `hir` does not start with a literal.
    pub(super) fn new(hir: &Hir) -> Option<Spotter> {
        let Trimmed { hir: trimmed, head } = trim(hir);
        match Handle::of(&trimmed) {
            Handle::Literals(required) if required.split == Some(0) => {
                let prefilter = Prefilter::new(&required.literals, Level::best());
                Some(Spotter { prefilter, trimmed, head })
            }
            _ => None,
        }
    }

    /// Puts the places where a literal starts into `places`, ascending.
    pub(super) fn places(&self, record: &[u8], found: &mut Vec<Candidate>, places: &mut Vec<u32>) {
        found.clear();
        places.clear();
        self.prefilter.find(record, 0..record.len(), found);
        places.extend(found.iter().map(|candidate| candidate.start));
        places.sort_unstable();
        places.dedup();
    }
}
