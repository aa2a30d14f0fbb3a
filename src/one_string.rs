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

use std::iter::FusedIterator;
use std::ops::ControlFlow;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;

use memchr::memmem;
use regex_automata::util::pool::{Pool, PoolGuard};

use crate::pure::{self, SpanEngine};
use crate::sink::Sink;
use crate::{Batch, Captures, CapturesFinder, Match, Matches, PatternSet, Report, StopFlag};

type CreateWorker = Box<dyn Fn() -> Worker + Send + Sync + UnwindSafe + RefUnwindSafe>;
type WorkerGuard<'s> = PoolGuard<'s, Worker, CreateWorker>;

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
    /// A string that every match contains. With few patterns and short strings, looking for it first
    /// takes a small part of the time of a scan.
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
    /// Any number of threads may search at a time; the set keeps a scanner for each. A scanner of one's
    /// own, made by an [`Engine`](crate::Engine), has less to do for each string, and much less if many
    /// strings are put into one [`Batch`].
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
        let Some(mut worker) = self.worker(Report::Patterns, text) else { return false };
        run(&mut worker.scanner, text, &mut FirstMatch).is_break()
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
        if self.len() == 1 {
            return SetMatches {
                numbers: if self.is_match(text) { [0].into() } else { [].into() },
            };
        }
        let Some(mut worker) = self.worker(Report::Patterns, text) else {
            return SetMatches::default();
        };
        let Worker { scanner, numbers, .. } = &mut *worker;
        numbers.clear();
        // The sink never ends a scan.
        let _ = run(scanner, text, &mut Numbers(numbers));
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
        let mut worker = self.worker(Report::Spans, text);
        if let Some(Worker { scanner, matches, .. }) = worker.as_deref_mut() {
            matches.clear();
            // The sink never ends a scan.
            let _ = run(scanner, text, matches);
        }
        FindIter { worker, next: 0 }
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
        self.search().whole_spans.get_or_init(|| SpanEngine::new(&self.detached()))
    }

    /// Takes a scanner from the pool, unless a glance at `text` shows that nothing matches.
    fn worker(&self, report: Report, text: &[u8]) -> Option<WorkerGuard<'_>> {
        if text.len() < self.min_len() {
            return None;
        }
        let searcher = match report {
            Report::Patterns => &self.search().patterns,
            Report::Spans => &self.search().spans,
        };
        let searcher = searcher.get_or_init(|| Searcher::new(self.detached(), report));
        match &searcher.literal {
            Some(literal) if literal.find(text).is_none() => None,
            _ => Some(searcher.workers.get()),
        }
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
fn run(scanner: &mut pure::Scanner, text: &[u8], out: &mut impl Sink) -> ControlFlow<()> {
    // If the length does not fit in 32 bits, the buffer is too long for a batch, too.
    let offsets = [0, u32::try_from(text.len()).unwrap_or(u32::MAX)];
    let batch = match Batch::from_offsets(text, &offsets) {
        Ok(batch) => batch,
        Err(error) => panic!("{error}"),
    };
    scanner.run(&batch, out).expect("nobody can raise the flag of this scanner")
}

/// Replaces the matches of patterns that report a group by whole matches.
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
        finder.for_each_whole(pattern, text, |span| {
            // In range, because a text is shorter than 2^32 bytes.
            whole.push(Match::new(0, pattern as u32, span.start as u32..span.end as u32));
            ControlFlow::Continue(())
        });
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

/// Which patterns match in one string. Returned by [`PatternSet::matches`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetMatches {
    /// Ascending.
    numbers: Box<[u32]>,
}

impl SetMatches {
    /// Returns whether pattern number `pattern` matches. Costs a binary search.
    pub fn matched(&self, pattern: usize) -> bool {
        u32::try_from(pattern).is_ok_and(|number| self.numbers.binary_search(&number).is_ok())
    }

    /// Returns whether any pattern matches.
    pub fn matched_any(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Iterates over the numbers of the patterns that match, in ascending order.
    pub fn iter(&self) -> SetMatchesIter<'_> {
        SetMatchesIter { numbers: self.numbers.iter() }
    }
}

impl<'a> IntoIterator for &'a SetMatches {
    type Item = usize;
    type IntoIter = SetMatchesIter<'a>;

    fn into_iter(self) -> SetMatchesIter<'a> {
        self.iter()
    }
}

/// Iterates over the numbers of matching patterns. Returned by [`SetMatches::iter`].
#[derive(Clone, Debug)]
pub struct SetMatchesIter<'a> {
    numbers: std::slice::Iter<'a, u32>,
}

impl Iterator for SetMatchesIter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.numbers.next().map(|&number| number as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

impl ExactSizeIterator for SetMatchesIter<'_> {}
impl FusedIterator for SetMatchesIter<'_> {}

/// Iterates over the spans in one string. Returned by [`PatternSet::find_iter`].
///
/// It holds a scanner of the set until it is dropped.
#[derive(Debug)]
pub struct FindIter<'s> {
    /// `None` if nothing matches.
    worker: Option<WorkerGuard<'s>>,
    next: usize,
}

impl Iterator for FindIter<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        let m = *self.worker.as_ref()?.matches.as_slice().get(self.next)?;
        self.next += 1;
        Some(m)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.worker.as_ref().map_or(0, |worker| worker.matches.len()) - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for FindIter<'_> {}
impl FusedIterator for FindIter<'_> {}

/// Iterates over the groups of matches in one string. Returned by [`PatternSet::captures_iter`].
#[derive(Debug)]
pub struct CapturesIter<'s, 't> {
    set: &'s PatternSet,
    text: &'t [u8],
    spans: FindIter<'s>,
}

impl<'s, 't> Iterator for CapturesIter<'s, 't> {
    type Item = Captures<'s, 't>;

    fn next(&mut self) -> Option<Captures<'s, 't>> {
        let m = self.spans.next()?;
        let finder = &mut self.spans.worker.as_mut()?.finder;
        let captures = finder.at(m.pattern(), self.text, m.range()).expect("a match has groups");
        Some(captures.into_owned(self.set))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for CapturesIter<'_, '_> {}
impl FusedIterator for CapturesIter<'_, '_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_can_cross_threads_and_panics() {
        fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
        check::<PatternSet>();
        check::<SetMatches>();
    }

    #[test]
    fn a_set_is_freed_with_its_engines() {
        let set = PatternSet::new(["(a)b", "x|y"]).unwrap();
        assert!(set.is_match("ab") && set.captures_iter("ab").count() == 1);
        let weak = set.weak();
        drop(set);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn threads_and_nested_calls_share_a_set() {
        let set = PatternSet::new([r"\d+", "[a-z]+"]).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let set = &set;
                scope.spawn(move || {
                    for i in 0..50 {
                        let text = format!("{i} thread {thread}");
                        let found = set.find_iter(&text).map(|m| m.pattern());
                        // A call while an iterator holds a scanner.
                        let nested = found.inspect(|_| assert!(set.find_iter(&text).len() == 3));
                        assert!(nested.eq([0, 0, 1]));
                        assert!(set.matches(&text).iter().eq([0, 1]) && set.is_match(&text));
                    }
                });
            }
        });
    }

    #[test]
    fn clones_share_engines() {
        let set = PatternSet::new(["a"]).unwrap();
        let clone = set.clone();
        assert!(clone.is_match("a"));
        assert!(set.search().patterns.get().is_some());
        assert!(set.search().spans.get().is_none());
        assert!(set.detached().search().patterns.get().is_none());
    }

    #[test]
    fn empty_sets_and_texts_are_valid() {
        let none = PatternSet::new([""; 0]).unwrap();
        assert!(!none.is_match("") && !none.matches("a").matched_any());
        assert_eq!(none.find_iter("a").len(), 0);
        let empty = PatternSet::new(["", "a", "^$"]).unwrap();
        assert!(empty.is_match("") && empty.matches("").iter().eq([0, 2]));
        assert!(!empty.matches("").matched(usize::MAX));
        assert!(empty.find_iter("b").map(|m| m.range()).eq([0..0, 1..1]));
    }

    #[test]
    fn captures_of_a_reported_group_are_of_whole_matches() {
        let patterns = ["k=(v+);?|(w)", "k"].map(|p| crate::Pattern::new(p).report_group(0));
        let [first, second] = patterns;
        let set = PatternSet::new([first.report_group(1), second]).unwrap();
        let text = b"k=vv;k=v w";
        let spans: Vec<_> = set.find_iter(text).map(|m| (m.pattern(), m.range())).collect();
        assert_eq!(spans, [(0, 2..4), (0, 7..8), (0, 9..10), (1, 0..1), (1, 5..6)]);
        let whole: Vec<_> =
            set.captures_iter(text).map(|c| c.get(0).map(|group| group.range())).collect();
        assert_eq!(whole, [0..5, 5..8, 9..10, 0..1, 5..6].map(Some));
        let mut finder = set.captures_finder();
        for (m, expected) in set.find_iter(text).zip(whole) {
            let captures = finder.captures(&m, text).unwrap();
            assert_eq!(captures.get(0).map(|group| group.range()), expected);
        }
    }
}
