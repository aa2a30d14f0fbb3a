//! Numbers the needles of all patterns and notes which patterns to verify at each.
//!
//! Every literal, class run and class sequence is a needle. Patterns that have the same literal
//! or run share the needle; each class sequence is a needle of its own. Literals are numbered
//! first, then runs, then sequences, so that one table serves all three.

use std::collections::HashMap;

use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;
use crate::pure::literal::NeedleId;
use crate::pure::literal::{self, ByteSet, Literal, Run};
use crate::pure::prefilter::{Level, Part, RunSearch, Streams};
use crate::pure::verify::{ExactNeedles, Posting};

/// The literals of all patterns, each once.
#[derive(Default)]
pub(in crate::pure) struct Literals {
    ids: HashMap<Literal, NeedleId>,
    /// The literals by their number.
    pub(in crate::pure) list: Vec<Literal>,
    /// By literal: the sets of the bytes that follow it in a match.
    pub(in crate::pure) lookahead: Vec<Vec<ByteSet>>,
}

impl Literals {
    /// Adds the literals of one pattern, which `lookahead` follows, to the list and `posting` to
    /// each of them. Returns their numbers.
    pub(in crate::pure) fn add(
        &mut self,
        literals: Vec<Literal>,
        lookahead: &[ByteSet],
        posting: Posting,
        postings: &mut Vec<(NeedleId, Posting)>,
    ) -> Box<[NeedleId]> {
        let ids = literals.into_iter().map(|literal| {
            let id = *self.ids.entry(literal).or_insert_with_key(|literal| {
                self.list.push(literal.clone());
                self.lookahead.push(lookahead.to_vec());
                NeedleId::new(self.list.len() - 1)
            });
            // The literal is also followed by what follows it in the patterns added before.
            let sets = &mut self.lookahead[id.index()];
            *sets = literal::union(std::mem::take(sets), lookahead.to_vec());
            postings.push((id, posting));
            id
        });
        ids.collect()
    }
}

/// Makes one search for all patterns with a run of the same class and length, and numbers the
/// searches from `first` on.
pub(in crate::pure) fn run_searches(
    mut runs: Vec<(PatternIndex, Run)>,
    first: NeedleId,
    level: Level,
    postings: &mut Vec<(NeedleId, Posting)>,
) -> Vec<RunSearch> {
    let key = |run: &Run| -> (ByteSet, u32) { (run.class, run.len) };
    runs.sort_by_key(|(pattern, run)| (key(run), *pattern));
    let mut searches = Vec::new();
    for same in runs.chunk_by(|(_, a), (_, b)| key(a) == key(b)) {
        let id = NeedleId::new(first.index() + searches.len());
        let (class, len) = key(&same[0].1);
        searches.push(RunSearch::new(class, len, id.index() as u32, level));
        // The run that is found may extend beyond the bytes that belong to the match.
        postings.extend(
            same.iter().map(|(pattern, run)| {
                (id, Posting::windowed(*pattern, len, run.before, run.after))
            }),
        );
    }
    searches
}

/// Makes the bit streams of all patterns with a class sequence, and numbers the sequences from
/// `first` on.
pub(in crate::pure) fn streams(
    sequences: &[(PatternIndex, Part)],
    first: NeedleId,
    level: Level,
    trimmed: &[Hir],
    postings: &mut Vec<(NeedleId, Posting)>,
) -> (Option<Streams>, ExactNeedles) {
    let numbered = || {
        (0..)
            .zip(sequences)
            .map(|(n, (pattern, part))| (NeedleId::new(first.index() + n), *pattern, part))
    };
    postings.extend(numbered().map(|(id, pattern, part)| {
        (id, Posting::windowed(pattern, part.len, part.before, part.after))
    }));
    let parts =
        numbered().map(|(id, pattern, part)| (id.index() as u32, &trimmed[pattern.index()], part));
    let streams = (!sequences.is_empty()).then(|| Streams::new(parts, level));
    let exact = sequences.iter().map(|(pattern, part)| part.exact.then_some(*pattern));
    (streams, ExactNeedles::new(first, exact.collect()))
}
