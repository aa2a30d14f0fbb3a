//! Searching one string, as `regex::RegexSet` does: methods of [`PatternSet`] that need no engine,
//! scanner or batch.
//!
//! The set compiles an engine when it is first searched, and keeps a pool of scanners, from which each
//! call takes one. The pool is that of `regex-automata`: the thread that searches first gets its scanner
//! back with one atomic load, others with a lock that is rarely contended. A call allocates nothing but
//! its result.
//!
//! The engine is the pure one in every build. Its scans can't fail, whereas the C library may run out of
//! memory for a scanner; and the pure engine reads a string where it is, whereas the C library needs
//! readable bytes after it.
//!
//! # No cycle
//!
//! An engine holds its set. If the engine in a set held that same set, neither would ever be freed. So it
//! is compiled from a [detached](PatternSet::detached) copy, which shares the patterns but has no engine.

mod results;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;

use memchr::memmem;
use regex_automata::util::pool::{Pool, PoolGuard};

use crate::pure::{self, SpanEngine};
use crate::sink::Sink;
use crate::{Batch, CapturesFinder, Match, Matches, PatternSet, Report, StopFlag};

pub use results::{CapturesIter, FindIter, SetMatches, SetMatchesIntoIter, SetMatchesIter};

type CreateWorker = Box<dyn Fn() -> Worker + Send + Sync + UnwindSafe + RefUnwindSafe>;
type WorkerGuard<'s> = PoolGuard<'s, Worker, CreateWorker>;
/// The literal of a [`Searcher`], and the first place where it is in a text.
type FirstLiteral<'s> = Option<(&'s memmem::Finder<'static>, usize)>;

/// The engines of a set for single strings, each built on first use. Shared by all clones of the set.
#[derive(Debug, Default)]
pub(crate) struct StringSearch {
    patterns: OnceLock<Searcher>,
    spans: OnceLock<Searcher>,
    whole_spans: OnceLock<SpanEngine>,
}

/// An engine and its scanners.
#[derive(Debug)]
struct Searcher {
    /// A string that every match contains, which then takes the place of the engine's filters.
    literal: Option<memmem::Finder<'static>>,
    workers: Pool<Worker, CreateWorker>,
}

/// What a call takes from the pool: a scanner, and memory for its matches.
#[derive(Debug)]
struct Worker {
    scanner: pure::Scanner,
    matches: Matches,
    numbers: Vec<u32>,
    finder: CapturesFinder,
}

impl PatternSet {
    /// Returns whether any pattern matches in `text`.
    ///
    /// The search ends soon after the first match is found: patterns with literals are searched 64 KiB
    /// at a time at most, and those without read the text to its end.
    ///
    /// The set compiles an engine for this and for [`matches`](PatternSet::matches) in the first call.
    /// Any number of threads may search at a time; the set keeps a scanner for each.
    ///
    /// For a string of 100 bytes, a call takes about as long as a scan of one record with a scanner of
    /// one's own, made by an [`Engine`](crate::Engine), and less if the string is shorter than every match.
    /// `cargo bench --bench one_string` measures both. A [`Batch`] of many strings takes less for each.
    ///
    /// ```
    /// use dragnet::PatternSet;
    ///
    /// let set = PatternSet::new(["error|warning", r"\bid=[0-9a-f]{8}\b"])?;
    /// assert!(set.is_match("id=00c0ffee"));
    /// assert!(!set.is_match(b"all is well\xFF"));
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `text` is longer than [`MAX_BUFFER`](crate::MAX_BUFFER), 4 GiB. There is no other error.
    pub fn is_match(&self, text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        text.len() >= self.min_len() && self.is_match_in(text)
    }

    fn is_match_in(&self, text: &[u8]) -> bool {
        let Some((mut worker, literal)) = self.worker(Report::Patterns, text) else { return false };
        run(&mut worker.scanner, text, literal, &mut FirstMatch).is_break()
    }

    /// Returns which patterns match in `text`.
    ///
    /// ```
    /// use dragnet::PatternSet;
    ///
    /// let set = PatternSet::new(["foo", r"\w+", "bar"])?;
    /// let matches = set.matches("foo!");
    /// assert!(matches.matched(1) && !matches.matched(2));
    /// assert!(matches.iter().eq([0, 1]));
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`PatternSet::is_match`].
    pub fn matches(&self, text: impl AsRef<[u8]>) -> SetMatches {
        let text = text.as_ref();
        if text.len() < self.min_len() { SetMatches::default() } else { self.matches_in(text) }
    }

    fn matches_in(&self, text: &[u8]) -> SetMatches {
        if self.len() == 1 {
            // Ends at the first match.
            return SetMatches {
                numbers: if self.is_match_in(text) { [0].into() } else { [].into() },
            };
        }
        let Some((mut worker, literal)) = self.worker(Report::Patterns, text) else {
            return SetMatches::default();
        };
        let Worker { scanner, numbers, .. } = &mut *worker;
        numbers.clear();
        // The sink never ends a scan.
        let _ = run(scanner, text, literal, &mut Numbers(numbers));
        SetMatches { numbers: numbers.as_slice().into() }
    }

    /// Iterates over the spans of all patterns in `text`, ordered by pattern, then start. The spans of
    /// each pattern are those that `find_iter` of the regex crate yields.
    ///
    /// The text is searched at once, so memory grows with the number of matches. The matches have the
    /// record number 0. The set compiles an engine for this in the first call.
    ///
    /// ```
    /// use dragnet::{Pattern, PatternSet};
    ///
    /// let set = PatternSet::new([Pattern::new(r"\d+").name("number"), Pattern::new("[a-z]+")])?;
    /// let text = "12 ab 3";
    /// let found: Vec<_> = set.find_iter(text).map(|m| (m.name(&set), &text[m.range()])).collect();
    /// assert_eq!(found, [(Some("number"), "12"), (Some("number"), "3"), (None, "ab")]);
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`PatternSet::is_match`].
    pub fn find_iter(&self, text: impl AsRef<[u8]>) -> FindIter<'_> {
        let text = text.as_ref();
        if text.len() < self.min_len() { FindIter::default() } else { self.find_iter_in(text) }
    }

    fn find_iter_in(&self, text: &[u8]) -> FindIter<'_> {
        let Some((mut worker, literal)) = self.worker(Report::Spans, text) else {
            return FindIter::default();
        };
        let Worker { scanner, matches, .. } = &mut *worker;
        matches.clear();
        // The sink never ends a scan.
        let _ = run(scanner, text, literal, matches);
        FindIter { worker: Some(worker), next: 0 }
    }

    /// Iterates over the groups of all matches in `text`, in the order of [`PatternSet::find_iter`].
    ///
    /// Allocates memory for the groups of each match; a [`CapturesFinder`] does not. For a pattern that
    /// [reports a group](crate::Pattern::report_group), group 0 is the whole match all the same.
    ///
    /// ```
    /// use dragnet::PatternSet;
    ///
    /// let set = PatternSet::new([r"(?<key>\w+)=(\w+)"])?;
    /// let found: Vec<_> =
    ///     set.captures_iter("a=1 b=2").map(|c| (c["key"].to_vec(), c[2].to_vec())).collect();
    /// assert_eq!(found, [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`PatternSet::is_match`].
    pub fn captures_iter<'s, 't>(
        &'s self,
        text: &'t (impl AsRef<[u8]> + ?Sized),
    ) -> CapturesIter<'s, 't> {
        let text = text.as_ref();
        let mut spans = self.find_iter(text);
        if let Some(Worker { matches, finder, .. }) = spans.worker.as_deref_mut()
            && matches.iter().any(|m| self.reported_group(m.pattern()) != 0)
        {
            *matches = whole_matches(self, finder, matches, text);
        }
        CapturesIter { set: self, text, spans }
    }

    /// The engine that finds the whole matches of patterns that report a group.
    pub(crate) fn whole_spans(&self) -> &SpanEngine {
        self.search().whole_spans.get_or_init(|| SpanEngine::with_large_caches(&self.detached()))
    }

    /// Takes a scanner from the pool, and finds the literal at which it is to start. Returns `None` if
    /// the literal is not in `text`, so that nothing matches.
    fn worker(&self, report: Report, text: &[u8]) -> Option<(WorkerGuard<'_>, FirstLiteral<'_>)> {
        let searcher = match report {
            Report::Patterns => &self.search().patterns,
            Report::Spans => &self.search().spans,
        };
        let searcher = searcher.get_or_init(|| Searcher::new(self.detached(), report));
        let literal = match &searcher.literal {
            Some(literal) => Some((literal, literal.find(text)?)),
            None => None,
        };
        Some((searcher.workers.get(), literal))
    }
}

impl Searcher {
    fn new(set: PatternSet, report: Report) -> Searcher {
        let engine = pure::Engine::new(&set, report);
        Searcher {
            literal: engine
                .only_literal()
                .map(|literal| memmem::Finder::new(&literal).into_owned()),
            workers: Pool::new(Box::new(move || Worker {
                scanner: engine.scanner_with(StopFlag::new()),
                matches: Matches::new(),
                numbers: Vec::new(),
                finder: set.captures_finder(),
            })),
        }
    }
}

/// Pushes the matches in `text` to `out`.
fn run(
    scanner: &mut pure::Scanner,
    text: &[u8],
    literal: FirstLiteral<'_>,
    out: &mut impl Sink,
) -> ControlFlow<()> {
    // If the length does not fit in 32 bits, the buffer is too long for a batch, too.
    let offsets = [0, u32::try_from(text.len()).unwrap_or(u32::MAX)];
    let batch = match Batch::from_offsets(text, &offsets) {
        Ok(batch) => batch,
        Err(error) => panic!("{error}"),
    };
    match literal {
        Some((literal, first)) => scanner.run_at_literal(text, literal, first, out),
        None => scanner.run(&batch, out).expect("nobody can raise the flag of this scanner"),
    }
}

/// Replaces the matches of patterns that report a group by whole matches, as far as that group is within
/// their bounds.
fn whole_matches(
    set: &PatternSet,
    finder: &mut CapturesFinder,
    matches: &Matches,
    text: &[u8],
) -> Matches {
    let mut whole = Matches::new();
    for of_pattern in matches.as_slice().chunk_by(|a, b| a.pattern() == b.pattern()) {
        let pattern = of_pattern[0].pattern();
        if set.reported_group(pattern) == 0 {
            whole.extend_from_slice(of_pattern);
            continue;
        }
        let mut spans = Vec::new();
        finder.for_each_whole(pattern, text, |span| {
            spans.push(span);
            ControlFlow::Continue(())
        });
        if let Some(bounds) = set.bounds(pattern) {
            let group = set.reported_group(pattern);
            spans.retain(|span| {
                let captures = finder.at(pattern, text, span.clone());
                let reported = captures.and_then(|captures| Some(captures.get(group)?.range()));
                bounds.contain(&reported.unwrap_or_else(|| span.clone()))
            });
        }
        // In range, because a text is shorter than 2^32 bytes.
        whole.extend(
            spans
                .into_iter()
                .map(|span| Match::new(0, pattern as u32, span.start as u32..span.end as u32)),
        );
    }
    whole
}

/// Ends a scan at its first match.
struct FirstMatch;

impl Sink for FirstMatch {
    const FIRST_ONLY: bool = true;

    fn push(&mut self, _: Match) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// Collects the numbers of patterns.
struct Numbers<'a>(&'a mut Vec<u32>);

impl Sink for Numbers<'_> {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        // The cast is lossless: a match holds 32 bits.
        self.0.push(m.pattern() as u32);
        ControlFlow::Continue(())
    }
}
