//! Finds where a stream can be cut, because no match across lines is under way.
//!
//! The library's search across lines passes a byte on when the window after it has been read. In a log
//! that is followed while it is written, the last lines would be held back until more have come, or for
//! ever. But usually no pattern can match from before the last line end to beyond it. There the stream
//! can end for the library, and continue as another one, without a difference to what is found.
//!
//! Two steps show this:
//!
//! 1. A scan of the lines finds those at the end of which a match may be under way. Each pattern is changed to
//!    one that matches its beginnings up to a line end, such as `a\s*$` for `a\s*b`.
//! 2. From such a line on, a lazy DFA reads the stream. It has all patterns, unanchored, without their
//!    assertions and without an end: its state consists of the matches that may be under way. When the state
//!    after a line end is that of a new stream after a line end, the matches are over.
//!
//! Patterns that may begin with a line feed would be under way after every line; a stream for such patterns is
//! not cut.
//!
//! The first bytes of a stream are read by the DFA alone, since many streams are shorter than it takes to build
//! the first step's scanner.
//!
//! Where no match is under way at any line end, no match crosses one. So most of a stream can be searched line
//! by line, which takes half of the time.

use std::ops::ControlFlow;

use dragnet::{Backend, Batch, Engine, Pattern, PatternSet, Report, Scan, Scanner};
use memchr::{memchr, memrchr};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, NFA, State};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Capture, Class, Hir, HirKind, Look, Repetition};

/// The largest automaton of the patterns, in bytes. For larger ones the stream is not cut.
const MAX_NFA: usize = 4 << 20;

/// The memory for states of the DFA, in bytes.
const CACHE: usize = 4 << 20;

/// The most bytes that the DFA reads alone. It is slower than the scanner, which takes some milliseconds to
/// build for the built-in rules.
const DFA_ONLY_BYTES: usize = 8 << 10;

/// Finds line ends that no match goes beyond.
#[derive(Debug)]
pub(super) struct LineCuts {
    /// Finds the lines at the end of which a match may be under way. `None` until it is built.
    scanner: Option<Scanner>,
    /// What it searches for.
    beginnings: Vec<String>,
    /// How many more bytes may be read by the DFA alone.
    dfa_only_left: usize,
    offsets: Vec<u32>,
    /// Whether the bytes so far end with a line end that no match goes beyond.
    is_cut: bool,
    /// Whether a match may have gone beyond a line end since the last cut that was returned.
    is_crossed: bool,
    /// Whether the patterns find the same line by line as in the whole text, where no match crosses lines.
    has_lines: bool,
    dfa: DFA,
    cache: Cache,
    /// After the bytes so far, unless `is_cut` is set.
    state: LazyStateID,
    /// After a line end that no match goes beyond, and the number of times that the cache had been
    /// cleared when this was found, which is when it was valid.
    idle: (LazyStateID, usize),
    /// The number of bytes after which the state can be relied upon, because it was lost.
    unknown: usize,
    /// The longest match that is searched for, in bytes.
    window: usize,
}

/// What [`LineCuts::feed`] has found in some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fed {
    /// The end of the last line that no match goes beyond, or 0 if there is none.
    pub(super) cut: usize,
    /// Whether no match goes beyond any line end between the last cut and this one, and line by line the
    /// same is found.
    pub(super) is_plain: bool,
}

impl LineCuts {
    /// Returns `None` if matches may be under way at every line end, or the patterns are too large. No
    /// match is longer than `window`.
    pub(super) fn new(patterns: &[Hir], window: usize) -> Option<LineCuts> {
        LineCuts::with_cache(patterns, window, CACHE)
    }

    fn with_cache(patterns: &[Hir], window: usize, cache: usize) -> Option<LineCuts> {
        let plain: Vec<Hir> = patterns.iter().cloned().map(without_assertions).collect();
        let endless = |hir: &Hir| Hir::concat(vec![hir.clone(), Hir::fail()]);
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_NFA));
        let config = config.which_captures(thompson::WhichCaptures::None);
        let endless: Vec<Hir> = plain.iter().map(endless).collect();
        let nfa = thompson::Compiler::new().configure(config).build_many_from_hir(&endless).ok()?;
        if begins_with_line_feed(&nfa) {
            return None;
        }
        let config = Config::new().match_kind(MatchKind::All).cache_capacity(cache);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let mut cache = dfa.create_cache();
        let idle = idle(&dfa, &mut cache)?;
        let clears = cache.clear_count();
        let beginnings = plain
            .iter()
            .filter_map(beginning)
            .map(|hir| Hir::concat(vec![hir, Hir::look(Look::End)]).to_string())
            .collect();
        // `\r` at the end of a line is followed by its line end in the text, and by nothing in the line. A
        // Unicode word boundary takes the line end before a line for its neighbor, past bytes that are not
        // UTF-8.
        let anchors = [Look::Start, Look::End, Look::StartCRLF, Look::EndCRLF];
        let has_anchor = |hir: &Hir| {
            let looks = hir.properties().look_set();
            looks.contains_word_unicode() || anchors.iter().any(|anchor| looks.contains(*anchor))
        };
        Some(LineCuts {
            scanner: None,
            beginnings,
            dfa_only_left: DFA_ONLY_BYTES,
            offsets: Vec::new(),
            is_cut: true,
            is_crossed: false,
            has_lines: !patterns.iter().any(has_anchor),
            dfa,
            cache,
            state: idle,
            idle: (idle, clears),
            unknown: 0,
            window,
        })
    }

    /// Sets the most bytes that the DFA reads alone.
    #[cfg(test)]
    pub(super) fn with_dfa_only_bytes(mut self, bytes: usize) -> LineCuts {
        self.dfa_only_left = bytes;
        self
    }

    /// Reads the next bytes of the stream.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Fed {
        let mut fed = Fed::default();
        let mut is_plain = self.has_lines && !self.is_crossed;
        // The lines that begin in these bytes and end in them.
        let first = match self.is_cut {
            true => 0,
            false => memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1),
        };
        let complete = memrchr(b'\n', &bytes[first..]).map_or(first, |at| first + at + 1);
        let mut open = self.open_lines(&bytes[first..complete]).into_iter().peekable();
        let mut at = 0;
        while at < bytes.len() {
            if self.is_cut {
                while open.next_if(|line| first + line < at).is_some() {}
                let next = open.peek().map_or(complete, |line| first + line).max(at);
                if next > at {
                    fed = Fed { cut: next, is_plain };
                    self.is_crossed = false;
                    at = next;
                }
            }
            let line_end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
            if at == line_end {
                break;
            }
            if self.is_cut {
                self.start();
            }
            self.feed_dfa(&bytes[at..line_end]);
            at = line_end;
            if bytes[at - 1] == b'\n' {
                self.is_cut = self.is_idle();
                self.is_crossed = !self.is_cut;
                is_plain &= self.is_cut;
                if self.is_cut {
                    fed = Fed { cut: at, is_plain };
                }
            }
        }
        fed
    }

    /// Returns where lines start at the end of which a match may be under way.
    fn open_lines(&mut self, lines: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        if lines.len() <= self.dfa_only_left {
            self.dfa_only_left -= lines.len();
        } else if self.scanner.is_none() {
            self.scanner = scanner(&self.beginnings);
            self.dfa_only_left = if self.scanner.is_none() { usize::MAX } else { 0 };
        }
        let scanned = self.scanner.as_mut().is_some_and(|scanner| {
            let Ok(batch) = Batch::lines(lines, &mut self.offsets) else { return false };
            let scanned = scanner.scan_with(&batch, &mut |matches| {
                found.extend(matches.iter().map(|m| batch.range(m.record()).start));
                ControlFlow::Continue(())
            });
            scanned.is_ok()
        });
        if !scanned {
            found = vec![0];
            found.extend(memchr::memchr_iter(b'\n', lines).map(|at| at + 1));
        }
        found.dedup();
        found
    }

    /// Puts the DFA into the state after a line end that no match goes beyond.
    fn start(&mut self) {
        self.is_cut = false;
        self.unknown = 0;
        let clears = self.cache.clear_count();
        if clears == self.idle.1 {
            self.state = self.idle.0;
        } else if let Some(found) = idle(&self.dfa, &mut self.cache) {
            self.idle = (found, self.cache.clear_count());
            self.state = found;
        }
    }

    fn feed_dfa(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.unknown = self.unknown.saturating_sub(1);
            match self.dfa.next_state(&mut self.cache, self.state, byte) {
                Ok(state) => self.state = state,
                Err(_) => self.lose_state(),
            }
        }
    }

    fn is_idle(&mut self) -> bool {
        let clears = self.cache.clear_count();
        if clears != self.idle.1 {
            let found = idle(&self.dfa, &mut self.cache);
            if let Some(found) = found.filter(|_| self.cache.clear_count() == clears) {
                self.idle = (found, clears);
            } else {
                // The cache was cleared once more, and `state` with it.
                self.lose_state();
            }
        }
        self.unknown == 0 && self.state == self.idle.0
    }

    /// Starts again in the middle of the stream. What is under way is over within a window.
    fn lose_state(&mut self) {
        self.unknown = self.window;
        self.cache.reset(&self.dfa);
        if let Some(found) = idle(&self.dfa, &mut self.cache) {
            self.idle = (found, self.cache.clear_count());
            self.state = found;
        }
    }
}

/// The state after a line end at the start of a stream.
fn idle(dfa: &DFA, cache: &mut Cache) -> Option<LazyStateID> {
    let input = Input::new("").anchored(Anchored::No);
    let start = dfa.start_state_forward(cache, &input).ok()?;
    dfa.next_state(cache, start, b'\n').ok()
}

fn without_assertions(hir: Hir) -> Hir {
    let all = |subs: Vec<Hir>| subs.into_iter().map(without_assertions).collect();
    match hir.into_kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(mut repetition) => {
            let mut sub = without_assertions(*repetition.sub);
            if let HirKind::Repetition(_) = sub.kind() {
                // Printed without a group, `(?:a{2})?` would be `a{2}?`.
                sub = Hir::capture(Capture { index: 1, name: None, sub: Box::new(sub) });
            }
            repetition.sub = Box::new(sub);
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => without_assertions(*capture.sub),
        HirKind::Concat(subs) => Hir::concat(all(subs)),
        HirKind::Alternation(subs) => Hir::alternation(all(subs)),
    }
}

/// Returns an expression for at least all beginnings of matches that a line feed follows in the match.
/// `None` if no match has a line feed.
fn beginning(hir: &Hir) -> Option<Hir> {
    let any = |list: Vec<Hir>| if list.is_empty() { None } else { Some(Hir::alternation(list)) };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => {
            let ends = memchr::memchr_iter(b'\n', &literal.0);
            any(ends.map(|end| Hir::literal(&literal.0[..end])).collect())
        }
        HirKind::Class(class) => {
            let has_line_feed = match class {
                Class::Unicode(class) => {
                    class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&'\n'))
                }
                Class::Bytes(class) => class
                    .ranges()
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(&b'\n')),
            };
            has_line_feed.then(Hir::empty)
        }
        HirKind::Repetition(repetition) => {
            let end = beginning(&repetition.sub)?;
            let before = Repetition { min: 0, ..repetition.clone() };
            Some(Hir::concat(vec![Hir::repetition(before), end]))
        }
        HirKind::Capture(capture) => beginning(&capture.sub),
        HirKind::Concat(subs) => any(subs
            .iter()
            .enumerate()
            .filter_map(|(index, sub)| {
                let end = beginning(sub)?;
                Some(Hir::concat(subs[..index].iter().cloned().chain([end]).collect()))
            })
            .collect()),
        HirKind::Alternation(subs) => any(subs.iter().filter_map(beginning).collect()),
    }
}

/// Returns a scanner, or `None` if the patterns are too large.
fn scanner(patterns: &[String]) -> Option<Scanner> {
    let set = PatternSet::new(patterns.iter().map(Pattern::new)).ok()?;
    Engine::with_backend(&set, Report::Patterns, Backend::Pure).ok()?.scanner().ok()
}

/// Whether some match may begin with a line feed.
fn begins_with_line_feed(nfa: &NFA) -> bool {
    let mut seen = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        match nfa.state(id) {
            State::ByteRange { trans } if trans.matches_byte(b'\n') => return true,
            State::Sparse(sparse) if sparse.matches_byte(b'\n').is_some() => return true,
            State::Dense(dense) if dense.matches_byte(b'\n').is_some() => return true,
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => {}
            State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            State::Fail | State::Match { .. } => {}
        }
    }
    false
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All by the scanner, the first line by the DFA alone, and all by that.
    const DFA_ONLY_SIZES: [usize; 3] = [0, 3, DFA_ONLY_BYTES];

    pub(in crate::commands::redact) fn cuts(patterns: &[&str]) -> Option<LineCuts> {
        with_cache(patterns, CACHE)
    }

    fn with_cache(patterns: &[&str], cache: usize) -> Option<LineCuts> {
        let parse = |regex: &&str| {
            let mut builder = regex_syntax::ParserBuilder::new();
            builder.utf8(false).unicode(false).multi_line(true).build().parse(regex).unwrap()
        };
        LineCuts::with_cache(&patterns.iter().map(parse).collect::<Vec<Hir>>(), 100, cache)
    }

    #[test]
    fn a_stream_is_cut_where_no_match_is_under_way() {
        /// Patterns, and lines, each with whether the stream can be cut after it.
        type Case<'a> = (&'a [&'a str], &'a [(&'a str, bool)]);
        let cases: [Case<'_>; 7] = [
            (&["b\nc"], &[("a\n", true), ("b\n", false), ("b\n", false), ("c\n", true)]),
            (
                &["ab*\n(?:x\n)*z"],
                &[("ab\n", false), ("x\n", false), ("x\n", false), ("y\n", true)],
            ),
            // A match that ends with a line is over, one that ends with its line end may not be.
            (&["b$", "x\ny"], &[("ab\n", true), ("\n", true)]),
            (&["b\n"], &[("ab\n", false), ("a\n", true)]),
            (&["(?:c{2})?b\n"], &[("ab\n", false), ("a\n", true)]),
            (&["b\n\\z"], &[("ab\n", false), ("a\n", true)]),
            (&["\\ba\\b[\\s]*b"], &[("b\n", true), ("a\n", false), ("\n", false), (" b\n", true)]),
        ];
        for (patterns, lines) in cases {
            for dfa_only in DFA_ONLY_SIZES {
                let mut cuts = cuts(patterns).unwrap().with_dfa_only_bytes(dfa_only);
                for (line, expected) in lines {
                    let cut = cuts.feed(line.as_bytes()).cut;
                    assert_eq!(cut == line.len(), *expected, "{patterns:?} {line:?} {dfa_only}");
                }
            }
        }
        for pattern in ["\\s*a", "[^b]", "\\b(?:x|\n)"] {
            assert!(cuts(&[pattern]).is_none(), "{pattern}");
        }
        assert!(cuts(&["(?:[a-z]{1000}\n){1000}"]).is_none());
    }

    #[test]
    fn lines_are_searched_by_themselves_where_no_match_crosses_them() {
        // Lines, the end of the last one that no match goes beyond, and whether no match crosses lines.
        for (text, cut, is_plain) in [
            ("", 0, false),
            ("a", 0, false),
            ("a\nc\nab", 4, true),
            ("a\nb\nc\na", 6, false),
            ("a\nb\nc\nb\na\n", 10, false),
            ("a\nab\n", 2, true),
            ("b\n", 0, false),
            ("b\nb\n", 0, false),
        ] {
            for dfa_only in DFA_ONLY_SIZES {
                let fed =
                    cuts(&["b\nc"]).unwrap().with_dfa_only_bytes(dfa_only).feed(text.as_bytes());
                assert_eq!(fed, Fed { cut, is_plain }, "{text:?} {dfa_only}");
            }
        }
        for anchored in ["\\A\\w\n", "x\n\\z", "(?R)\\r^|x\n", "(?u:\\b)x\n"] {
            assert!(!cuts(&["b\nc", anchored]).unwrap().feed(b"a\n").is_plain);
        }
        // The line is known to end with the next bytes.
        for dfa_only in DFA_ONLY_SIZES {
            let mut cuts = cuts(&["b\nc"]).unwrap().with_dfa_only_bytes(dfa_only);
            for (text, cut, is_plain) in [
                ("xx", 0, false),
                ("b", 0, false),
                ("\nx\ny", 3, false),
                ("\n", 1, true),
                ("x\nb\n", 2, true),
                ("c", 0, false),
                ("\nx", 1, false),
                ("\n", 1, true),
            ] {
                assert_eq!(cuts.feed(text.as_bytes()), Fed { cut, is_plain }, "{text:?}");
            }
        }
    }

    #[test]
    fn a_full_cache_delays_cuts_only() {
        let mut cuts = with_cache(&["q[ab]*a[ab]{12}\nx"], 50_000).unwrap();
        let mut seed = 1u32;
        for _ in 0..40_000 {
            let mut line = b"q".to_vec();
            for _ in 0..20 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                line.push(if seed >> 31 == 0 { b'a' } else { b'b' });
            }
            line.push(b'\n');
            let is_open = line[8] == b'a';
            assert!(!is_open || cuts.feed(&line).cut == 0);
        }
        assert!(cuts.cache.clear_count() > 0);
        let filler = "-".repeat(100) + "\n-\n";
        assert_eq!(cuts.feed(filler.as_bytes()).cut, filler.len());
    }
}
