//! Collects what the filters search for, and which patterns to verify where it is found.
//!
//! Every literal, byte run and class sequence is a needle. Patterns that have the same literal
//! or run share the needle; each class sequence is a needle of its own. Literals are numbered
//! first, then runs, then sequences, so that one table serves all three.

use std::collections::HashMap;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use crate::pure::ids::{NeedleId, PatternIndex};
use crate::pure::literal::{self, ByteRun, ByteSet, Literal, Lookaheads, RequiredLiterals};
use crate::pure::mechanism;
use crate::pure::prefilter::{BitStreams, FilterSet, LiteralSearch, RunSearch};
use crate::pure::verify::Posting;
use crate::simd::Isa;

/// The needles of all patterns.
#[derive(Default)]
pub(super) struct NeedleBuilder {
    literal_ids: HashMap<Literal, NeedleId>,
    /// By needle: the literals, which are numbered first.
    literals: Vec<Literal>,
    /// By literal: the sets of the bytes that follow it in a match.
    lookahead: Vec<Vec<ByteSet>>,
    runs: Vec<(PatternIndex, ByteRun)>,
    sequences: Vec<PatternIndex>,
    postings: Vec<(NeedleId, Posting)>,
}

/// The needles of all patterns, numbered.
pub(super) struct Needles {
    pub(super) filters: FilterSet,
    /// The number of needles.
    pub(super) len: usize,
    pub(super) literals: Vec<Literal>,
    pub(super) lookahead: Lookaheads,
    /// The pattern of each class sequence, which are the last needles.
    pub(super) sequences: Vec<PatternIndex>,
    pub(super) postings: Vec<(NeedleId, Posting)>,
}

impl NeedleBuilder {
    /// With room for this many literals.
    pub(super) fn with_capacity(literals: usize) -> NeedleBuilder {
        let literal_ids = HashMap::with_capacity(literals);
        NeedleBuilder { literal_ids, ..NeedleBuilder::default() }
    }

    /// Adds the literals of the pattern of `posting`. Returns their ids.
    pub(super) fn add_literals(
        &mut self,
        required: RequiredLiterals,
        posting: Posting,
    ) -> Box<[NeedleId]> {
        let lookahead = if mechanism::lookahead() { required.lookahead } else { Vec::new() };
        let ids = required.literals.into_iter().map(|literal| {
            let id = *self.literal_ids.entry(literal).or_insert_with_key(|literal| {
                self.literals.push(literal.clone());
                self.lookahead.push(lookahead.clone());
                NeedleId::new(self.literals.len() - 1)
            });
            // Patterns that share the literal may allow other bytes after it.
            let sets = &mut self.lookahead[id.index()];
            *sets = literal::union_lookaheads(std::mem::take(sets), lookahead.clone());
            self.postings.push((id, posting));
            id
        });
        ids.collect()
    }

    pub(super) fn add_run(&mut self, pattern: PatternIndex, run: ByteRun) {
        self.runs.push((pattern, run));
    }

    pub(super) fn add_sequence(&mut self, pattern: PatternIndex) {
        self.sequences.push(pattern);
    }

    /// Numbers the runs and sequences and builds the filters. `trimmed` are all patterns.
    pub(super) fn build(mut self, trimmed: &[Arc<Hir>], isa: Isa) -> Needles {
        let literals = (!self.literals.is_empty()).then(|| LiteralSearch::new(&self.literals, isa));
        let first_run = self.literals.len();
        let runs = self.run_searches(first_run, isa);
        let first_sequence = first_run + runs.len();
        let streams = self.streams(first_sequence, trimmed, isa);
        let len = first_sequence + streams.as_ref().map_or(0, BitStreams::len);
        // The bytes after runs and sequences are not restricted.
        self.lookahead.resize(len, Vec::new());
        Needles {
            filters: FilterSet::new(literals, runs, streams),
            len,
            literals: self.literals,
            lookahead: Lookaheads::new(&self.lookahead),
            sequences: self.sequences,
            postings: self.postings,
        }
    }

    /// Makes one search for all patterns with a run of the same class and length, and numbers the
    /// searches from `first` on.
    fn run_searches(&mut self, first: usize, isa: Isa) -> Vec<RunSearch> {
        let key = |run: &ByteRun| -> (ByteSet, u32) { (run.class, run.len) };
        self.runs.sort_by_key(|(pattern, run)| (key(run), *pattern));
        let mut searches = Vec::new();
        for same in self.runs.chunk_by(|(_, a), (_, b)| key(a) == key(b)) {
            let id = NeedleId::new(first + searches.len());
            let (class, len) = key(&same[0].1);
            searches.push(RunSearch::new(class, len, id, isa));
            // The run that is found may extend beyond the bytes that belong to the match.
            self.postings
                .extend(same.iter().map(|(pattern, run)| {
                    (id, Posting::windowed(*pattern, run.before, run.after))
                }));
        }
        searches
    }

    /// Makes the bit streams of all patterns with a class sequence, and numbers the sequences from
    /// `first` on.
    fn streams(&self, first: usize, trimmed: &[Arc<Hir>], isa: Isa) -> Option<BitStreams> {
        if self.sequences.is_empty() {
            return None;
        }
        let numbered = (first..).map(NeedleId::new).zip(&self.sequences);
        let patterns = numbered.map(|(id, pattern)| (id, &*trimmed[pattern.index()]));
        Some(BitStreams::new(patterns, isa))
    }
}
