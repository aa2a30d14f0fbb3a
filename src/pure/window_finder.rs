//! Finds spans in a window of a longer text, of which some bytes before the window are known.
//!
//! A record is all that its assertions see. A window is not: there is text before and after it.
//! Before it, the automata see the bytes that the caller passes along. After it they see nothing, so
//! the caller ends the window where that makes no difference: before a `\n`. There, every assertion
//! holds as it does at the end of a text, with these exceptions:
//!
//! - The assertion that the text ends, `\z`, and `$` without the flag `m`. In windows that are not the last
//!   one, it is replaced by an expression that never matches. Such a pattern has automata of its own for
//!   these windows.
//! - `^` and `$` with the flags `R` and `m`, between `\r` and `\n`. Such a pattern gets a window that ends
//!   before both. There, `$` without the flag `R` is an exception, so that there are no automata of patterns
//!   with both.

use std::ops::{ControlFlow, Range};

use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use crate::PatternSet;

use super::automata::captures::CaptureCache;
use super::automata::pattern::{PatternAutomata, PatternCache, PatternMemory};
use super::automata::positions::PositionScratch;
use super::automata::span_search::SpanRange;
use super::plan::span_prefilter;
use super::reported_group::ReportedGroup;

/// The automata of some patterns of a set, each built on first use and shared by all finders.
#[derive(Debug)]
pub(crate) struct WindowAutomata {
    set: PatternSet,
    patterns: Vec<WindowPattern>,
}

#[derive(Debug)]
struct WindowPattern {
    /// The number of the pattern in its set.
    pattern: u32,
    automata: PatternAutomata,
    /// Whether its windows must not end between `\r` and `\n`.
    crlf: bool,
    /// For windows with text after them, if the pattern can match only at the end of a text.
    inner: Option<(Hir, PatternAutomata)>,
}

/// The working memory of one thread.
#[derive(Debug, Default)]
pub(crate) struct WindowCache {
    /// By position in `WindowAutomata::patterns`.
    caches: Vec<(PatternCache, PatternCache)>,
    scratch: Box<PositionScratch>,
    captures: Box<CaptureCache>,
}

/// A window of a text: where matches may lie, and whether the text ends there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// The window and bytes on either side. Starts with the text, or at least four bytes before any
    /// match that is searched for.
    pub(crate) bytes: &'a [u8],
    /// The end of the window: that of the text, or before a `\n`.
    pub(crate) end: usize,
    /// Whether the text ends with the window.
    pub(crate) is_last: bool,
}

impl WindowAutomata {
    /// The automata of these patterns of `set`, which must be sorted. Leaves out those for which no
    /// window is right.
    pub(crate) fn new(set: &PatternSet, patterns: impl IntoIterator<Item = usize>) -> Self {
        let patterns = patterns
            .into_iter()
            .filter_map(|index| {
                let hir = set.hir(index);
                let looks = hir.properties().look_set();
                let crlf = looks.contains(Look::StartCRLF) || looks.contains(Look::EndCRLF);
                if crlf && looks.contains(Look::EndLF) {
                    return None;
                }
                let ends = looks.contains(Look::End);
                let inner = ends.then(|| (without_end(hir), PatternAutomata::default()));
                let automata = PatternAutomata::default();
                Some(WindowPattern { pattern: index as u32, automata, crlf, inner })
            })
            .collect();
        WindowAutomata { set: set.clone(), patterns }
    }

    /// The numbers of the patterns, in ascending order.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = usize> + '_ {
        self.patterns.iter().map(|p| p.pattern as usize)
    }

    /// Whether these are the automata of all patterns.
    pub(crate) fn has_all(&self) -> bool {
        self.patterns.len() == self.set.len()
    }

    /// Whether there are no automata.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether there are automata of pattern number `pattern`.
    pub(crate) fn contains(&self, pattern: usize) -> bool {
        self.position(pattern as u32).is_some()
    }

    fn position(&self, pattern: u32) -> Option<usize> {
        self.patterns.binary_search_by_key(&pattern, |p| p.pattern).ok()
    }

    /// Calls `found` with the matches of pattern number `pattern` that start at `from` or later, in order:
    /// the spans of leftmost-first and not overlapping matches, and what is
    /// [reported](crate::Pattern::report_group) of each, unless that is the same as of the one before.
    /// `after_span` says that a match ends at `from`, so that an empty one there does not count. Stops when
    /// `found` returns `Break`. There must be automata of the pattern.
    ///
    /// Takes time linear in the window.
    pub(crate) fn find(
        &self,
        cache: &mut WindowCache,
        pattern: u32,
        window: Window<'_>,
        (from, after_span): (usize, bool),
        mut found: impl FnMut(Range<usize>, Option<Range<usize>>) -> ControlFlow<()>,
    ) {
        let Some(index) = self.position(pattern) else {
            debug_assert!(false, "no automata of pattern {pattern}");
            return;
        };
        let mut bytes = &window.bytes[..window.end];
        if self.patterns[index].crlf && !window.is_last {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        if from > bytes.len() {
            return;
        }
        cache.caches.resize_with(self.patterns.len(), Default::default);
        let (whole, inner) = &mut cache.caches[index];
        let (hir, automata, cache_of) = match &self.patterns[index].inner {
            Some((hir, automata)) if !window.is_last => (hir, automata, inner),
            _ => (self.set.hir(pattern as usize), &self.patterns[index].automata, whole),
        };
        let memory = &mut PatternMemory::without_limit(cache_of, &mut cache.scratch);
        let range = SpanRange { record: bytes, starts: from..=bytes.len(), after_span };
        let prefilter = || span_prefilter(hir);
        // The groups of a match are searched with all that is known of the text after it.
        let mut group = ReportedGroup::new(&self.set, pattern, window.bytes, &mut cache.captures);
        let _ = automata.for_each_span(hir, prefilter, memory, range, &mut 0, |whole| {
            let reported = group.span(whole.clone());
            found(whole, reported)
        });
    }
}

/// Replaces the assertion that the text ends by an expression that never matches.
fn without_end(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(Look::End) => Hir::fail(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_end(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => {
            Hir::capture(Capture { sub: Box::new(without_end(&capture.sub)), ..capture.clone() })
        }
        HirKind::Concat(subs) => Hir::concat(subs.iter().map(without_end).collect()),
        HirKind::Alternation(subs) => Hir::alternation(subs.iter().map(without_end).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [(usize, usize); 0] = [];

    fn spans(regex: &str, bytes: &str, from: usize, is_last: bool) -> Vec<(usize, usize)> {
        let set = PatternSet::new([regex]).unwrap();
        let automata = WindowAutomata::new(&set, [0]);
        let window = Window { bytes: bytes.as_bytes(), end: bytes.len(), is_last };
        let mut found = Vec::new();
        let each = |span: Range<usize>, _| {
            found.push((span.start, span.end));
            ControlFlow::Continue(())
        };
        automata.find(&mut WindowCache::default(), 0, window, (from, false), each);
        found
    }

    #[test]
    fn assertions_see_the_text_around_a_window() {
        let long = "x".repeat(5000);
        // Short windows are searched by backtracking, long ones by lazy DFAs.
        for padding in ["", long.as_str()] {
            let text = format!("ab ab{padding}");
            let at = |regex, from, is_last| spans(regex, &text, from, is_last);
            assert_eq!(at(r"\bab", 1, true), [(3, 5)]);
            assert_eq!(at("^ab", 0, false), [(0, 2)]);
            assert_eq!(at("^ab", 3, false), NONE);
            assert_eq!(at("(?m)^ab", 3, false), NONE);
            assert_eq!(at("b", 4, false), [(4, 5)]);
        }
        for padding in ["", long.as_str()] {
            let text = format!("{padding}ab");
            let end = text.len();
            let at = |regex, is_last| spans(regex, &text, end - 2, is_last);
            assert_eq!(at("ab$|a", true), [(end - 2, end)]);
            assert_eq!(at("ab$|a", false), [(end - 2, end - 1)]);
            assert_eq!(at("(?:ab$)+?", false), NONE);
            assert_eq!(at("(?m)ab$|a", false), [(end - 2, end)]);
            assert_eq!(at(r"ab\b|a", false), [(end - 2, end)]);
            let text = format!("{padding}ab\r");
            let at = |regex, is_last| spans(regex, &text, end - 2, is_last);
            assert_eq!(at("(?m)ab$|a", false), [(end - 2, end - 1)]);
            assert_eq!(at("(?Rm)ab$|a", false), [(end - 2, end)]);
            assert_eq!(at(r"(?Rm)ab\r$|a", true), [(end - 2, end + 1)]);
            assert_eq!(at(r"(?Rm)ab\r$|a", false), [(end - 2, end - 1)]);
        }
    }
}
