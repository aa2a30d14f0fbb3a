//! The automata that find the groups of one pattern in a match whose span is known.
//!
//! The groups of a match depend on nothing but the pattern, the record and the span: they are those of
//! the preferred match that starts at the start of the span, and it ends where the span ends. So the
//! search is anchored at the start, need not look past the end, and costs nothing for matches whose
//! groups nobody asks for.
//!
//! The first of these that can decide is used:
//!
//! 1. A one-pass DFA, which exists for a pattern that never has two ways to continue with the same
//!    byte, such as `(\w+)=(\d+)`. It reads each byte once.
//! 2. A bounded backtracker, in spans for which one bit for each byte and NFA state takes at most
//!    [`MAX_VISITED`] bytes.
//! 3. The [two-pass search](super::two_pass), which takes linear time in any span. The alternative is
//!    the PikeVM of `regex-automata`, which is as fast but keeps all groups for each NFA state: for a
//!    pattern with thousands of groups, that is gigabytes.
//!
//! A pattern that matches only at the start of a record needs no search for where a match starts. For most
//! patterns whose matches contain a rare byte, candidate starts come from a
//! [search for that byte](super::start_search). A one-pass DFA does not need the end of a match either. A
//! backtracker does, unless the record is short: the end comes from a lazy DFA.
//!
//! The automata are built on first use and shared by all threads; each thread has a cache, which serves
//! all patterns.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use regex_automata::dfa::onepass;
use regex_automata::nfa::thompson::backtrack::{self, BoundedBacktracker};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, PatternID};
use regex_syntax::hir::Hir;

use super::start_search::Starts;
use super::two_pass::{TwoPass, TwoPassCache};

/// The largest memory of a backtracker's visited places, in bytes. Each search clears as much of it as
/// it needs. The value is that of the `regex` crate.
const MAX_VISITED: usize = 256 << 10;

/// The largest one-pass DFA, in bytes. The value is that of the `regex` crate.
const MAX_ONE_PASS: usize = 1 << 20;

/// The most bytes in which a backtracker searches for a match of which the end is not known. It retries each part
/// of the pattern up to the last of these bytes; a lazy DFA reads each byte once, in a tenth of the time, and
/// with the end that it finds the backtracker need not read on.
const MAX_BACKTRACKED: usize = 32;

/// The most visited places of such a search, in bits, since each search clears them: 8 KiB.
const MAX_VISITED_BACKTRACKED: usize = 64 << 10;

/// The start and end of each group, two slots for each, if the group took part in the match.
pub(crate) type Slots = [Option<NonMaxUsize>];

/// The automata that find the groups of one pattern.
#[derive(Debug)]
pub(crate) struct CaptureAutomata {
    nfa: NFA,
    /// `None` if the pattern has no groups, since their search then finds nothing new.
    search: Option<CaptureSearch>,
}

#[derive(Debug)]
struct CaptureSearch {
    one_pass: Option<onepass::DFA>,
    backtracker: BoundedBacktracker,
    two_pass: OnceLock<Box<TwoPass>>,
}

/// The working memory of a search for groups. It serves all patterns of a set.
#[derive(Debug, Default)]
pub(crate) struct CaptureCache {
    /// The number of the pattern that was searched for last, which the caches below are prepared for.
    pattern: Option<u32>,
    one_pass: Option<onepass::Cache>,
    backtracker: Option<backtrack::Cache>,
    two_pass: TwoPassCache,
    slots: Vec<Option<NonMaxUsize>>,
}

impl CaptureAutomata {
    /// Builds the automata of a pattern, which must be within the limits of a
    /// [`PatternSet`](crate::PatternSet).
    pub(crate) fn new(hir: &Hir) -> CaptureAutomata {
        let config = thompson::Config::new().utf8(false).nfa_size_limit(None);
        let nfa = thompson::Compiler::new()
            .configure(config.which_captures(WhichCaptures::All))
            .build_from_hir(hir)
            .expect("patterns within the limits of a set have an NFA");
        let search = (nfa.group_info().explicit_slot_len() > 0).then(|| CaptureSearch {
            one_pass: onepass::Builder::new()
                .configure(onepass::Config::new().size_limit(Some(MAX_ONE_PASS)))
                .build_from_nfa(nfa.clone())
                .ok(),
            backtracker: BoundedBacktracker::builder()
                .configure(backtrack::Config::new().visited_capacity(MAX_VISITED))
                .build_from_nfa(nfa.clone())
                .expect("every NFA can be searched with backtracking"),
            two_pass: OnceLock::new(),
        });
        CaptureAutomata { nfa, search }
    }

    /// The names of all groups, in the order of their numbers.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.nfa.group_info().pattern_names(PatternID::ZERO)
    }

    /// The number of the group with this name.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.nfa.group_info().to_index(PatternID::ZERO, name)
    }

    /// Finds the groups of the match at `span` of `record`. Returns `None` if that is not a match.
    /// `pattern` is the number of the pattern in its set.
    ///
    /// Takes time linear in the span.
    pub(crate) fn find<'c>(
        &self,
        cache: &'c mut CaptureCache,
        pattern: u32,
        record: &[u8],
        span: Range<usize>,
    ) -> Option<&'c Slots> {
        if span.start > span.end || span.end > record.len() {
            return None;
        }
        cache.slots.clear();
        let whole = [NonMaxUsize::new(span.start), NonMaxUsize::new(span.end)];
        match &self.search {
            Some(search) => {
                cache.slots.resize(self.nfa.group_info().slot_len(), None);
                search.find(&self.nfa, cache, pattern, record, span);
            }
            None => cache.slots.extend(whole),
        }
        (cache.slots[..2] == whole).then_some(&cache.slots)
    }

    /// Finds the groups of the only match that there can be of a pattern that matches at the start of a
    /// record only. Returns whether there is one, whose groups [`CaptureCache::slots`] then has. Returns `None`
    /// if the pattern is of another kind, or if no automaton can decide.
    ///
    /// `end_of_match` finds the end of that match, if there is one, or returns `None` if it can't decide. It is not
    /// called if the groups are found as fast without it.
    pub(crate) fn find_at_start(
        &self,
        cache: &mut CaptureCache,
        pattern: u32,
        record: &[u8],
        end_of_match: impl FnOnce() -> Option<Option<usize>>,
    ) -> Option<bool> {
        let search = self.search.as_ref().filter(|_| self.nfa.is_always_start_anchored())?;
        if !search.is_fast(&self.nfa, record.len())
            && let Some(end) = end_of_match()
        {
            return Some(
                end.is_some_and(|end| self.find(cache, pattern, record, 0..end).is_some()),
            );
        }
        cache.slots.clear();
        cache.slots.resize(self.nfa.group_info().slot_len(), None);
        search.find_anchored(cache, pattern, record, 0..record.len())
    }

    /// Calls `found` with the groups of each match in `record`. Each starts at one of `starts`, and has at most
    /// `max_len` bytes, if there is a bound.
    ///
    /// Returns where to continue in another way as the error.
    pub(crate) fn for_each_at_starts(
        &self,
        starts: &mut Starts<'_>,
        max_len: Option<usize>,
        cache: &mut CaptureCache,
        pattern: u32,
        record: &[u8],
        found: &mut impl FnMut(&Slots) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, usize> {
        while let Some(start) = starts.next().map_err(|_| starts.at())? {
            let end = max_len.map_or(record.len(), |len| record.len().min(start + len));
            let end = match self.find_in(starts, cache, pattern, record, start..end) {
                Some(found) => found.then(|| cache.slots[1].map_or(end, NonMaxUsize::get)),
                None => {
                    let end = starts.end_of_match(start).map_err(|_| starts.at())?;
                    if let Some(end) = end {
                        self.find(cache, pattern, record, start..end).expect("a match has groups");
                    }
                    end
                }
            };
            match end {
                None => starts.reject(),
                Some(end) => {
                    starts.accept(end);
                    if found(&cache.slots).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Finds the groups of the match that starts at `range.start` and lies in `range`, and returns whether
    /// there is one. Returns `None` if that would take long.
    fn find_in(
        &self,
        starts: &mut Starts<'_>,
        cache: &mut CaptureCache,
        pattern: u32,
        record: &[u8],
        range: Range<usize>,
    ) -> Option<bool> {
        let search = self.search.as_ref()?;
        // It may read as far whether there is a match or not.
        if !search.is_fast(&self.nfa, range.len()) || !starts.may_read(range.len() + 1) {
            return None;
        }
        cache.slots.clear();
        cache.slots.resize(self.nfa.group_info().slot_len(), None);
        search.find_anchored(cache, pattern, record, range)
    }
}

impl CaptureSearch {
    /// Whether groups are found as fast without the end of the match, which lies in `bytes` bytes.
    fn is_fast(&self, nfa: &NFA, bytes: usize) -> bool {
        let visited = (bytes + 1) * nfa.states().len();
        self.one_pass.is_some() || bytes <= MAX_BACKTRACKED && visited <= MAX_VISITED_BACKTRACKED
    }

    /// Writes the groups of the match at `span` into the slots of `cache`. If there is none, the first
    /// two slots are not those of the span.
    fn find(
        &self,
        nfa: &NFA,
        cache: &mut CaptureCache,
        pattern: u32,
        record: &[u8],
        span: Range<usize>,
    ) {
        if self.find_anchored(cache, pattern, record, span.clone()).is_none() {
            let slots = &mut cache.slots[..];
            slots.fill(None);
            let two_pass = self.two_pass.get_or_init(|| TwoPass::new(nfa.clone()).into());
            two_pass.groups(&mut cache.two_pass, record, span, slots);
        }
    }

    /// Writes the groups of the match that starts at `range.start` and lies in `range` into the slots of
    /// `cache`. Returns whether there is one; the slots mean nothing otherwise. Returns `None` if no automaton
    /// can decide.
    fn find_anchored(
        &self,
        cache: &mut CaptureCache,
        pattern: u32,
        record: &[u8],
        range: Range<usize>,
    ) -> Option<bool> {
        let is_prepared = cache.pattern.replace(pattern) == Some(pattern);
        let input = Input::new(record).span(range).anchored(Anchored::Yes);
        let slots = &mut cache.slots[..];
        if let Some(dfa) = &self.one_pass {
            let memory = cache.one_pass.get_or_insert_with(|| dfa.create_cache());
            if !is_prepared {
                memory.reset(dfa);
            }
            if let Ok(found) = dfa.try_search_slots(memory, &input, slots) {
                return Some(found.is_some());
            }
        }
        let memory = cache.backtracker.get_or_insert_with(|| self.backtracker.create_cache());
        if !is_prepared {
            memory.reset(&self.backtracker);
        }
        self.backtracker.try_search_slots(memory, &input, slots).ok().map(|found| found.is_some())
    }
}

impl CaptureCache {
    /// The groups that were found last.
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.one_pass.as_ref().map_or(0, onepass::Cache::memory_usage)
            + self.backtracker.as_ref().map_or(0, backtrack::Cache::memory_usage)
            + self.two_pass.memory()
            + self.slots.capacity() * size_of::<Option<NonMaxUsize>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups that each of the three searches finds, where it can decide.
    fn all_ways(regex: &str, record: &[u8], span: Range<usize>) -> Vec<Vec<Option<usize>>> {
        let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(regex).unwrap();
        let automata = CaptureAutomata::new(&hir);
        let with = |one_pass, backtracker: usize| {
            let search = automata.search.as_ref().unwrap();
            let config = backtrack::Config::new().visited_capacity(backtracker);
            let builder = &mut BoundedBacktracker::builder();
            let search = CaptureSearch {
                one_pass,
                backtracker: builder
                    .configure(config)
                    .build_from_nfa(search.backtracker.get_nfa().clone())
                    .unwrap(),
                two_pass: OnceLock::new(),
            };
            let automata = CaptureAutomata { nfa: automata.nfa.clone(), search: Some(search) };
            let mut cache = CaptureCache::default();
            let slots = automata.find(&mut cache, 0, record, span.clone()).expect("it matches");
            slots.iter().map(|slot| slot.map(NonMaxUsize::get)).collect()
        };
        let one_pass = automata.search.as_ref().unwrap().one_pass.clone();
        let mut found = vec![with(None, MAX_VISITED), with(None, 0)];
        found.extend(one_pass.map(|dfa| with(Some(dfa), 0)));
        found
    }

    #[test]
    fn all_searches_find_the_same_groups() {
        type Case = (&'static str, &'static str, Range<usize>, &'static [Option<usize>], usize);
        let cases: [Case; 7] = [
            (
                r"(\d+)-(\d+)",
                "x12-3",
                1..5,
                &[Some(1), Some(5), Some(1), Some(3), Some(4), Some(5)],
                3,
            ),
            ("(a)|(b)", "b", 0..1, &[Some(0), Some(1), None, None, Some(0), Some(1)], 3),
            ("(?:(a)|b)*", "ab", 0..2, &[Some(0), Some(2), Some(0), Some(1)], 3),
            ("(a*)(a*)", "aa", 0..2, &[Some(0), Some(2), Some(0), Some(2), Some(2), Some(2)], 2),
            ("(a*?)(a*)", "aa", 0..2, &[Some(0), Some(2), Some(0), Some(0), Some(0), Some(2)], 2),
            // The end of the span is not the end of the record.
            (r"(a+)(\z)?", "aab", 0..2, &[Some(0), Some(2), Some(0), Some(2), None, None], 2),
            // Group 1 never exists.
            ("(a){0}(b)", "b", 0..1, &[Some(0), Some(1), None, None, Some(0), Some(1)], 3),
        ];
        for (regex, record, span, expected, ways) in cases {
            let found = all_ways(regex, record.as_bytes(), span);
            assert_eq!(found, vec![expected; ways], "{regex}");
        }
    }

    #[test]
    fn anchored_patterns_need_no_span() {
        let mut cache = CaptureCache::default();
        for (regex, record, expected) in [
            ("^(a)", "", Some(None)),
            ("^(a)", "ab", Some(Some(1))),
            ("^(a)", "ba", Some(None)),
            // Not one-pass.
            ("^(a*)(a*)", "aab", Some(Some(2))),
            ("^a", "a", None),
            ("(?m)^(a)", "a", None),
        ] {
            let automata = CaptureAutomata::new(&regex_syntax::parse(regex).unwrap());
            let found = automata.find_at_start(&mut cache, 0, record.as_bytes(), || unreachable!());
            let end = |found: bool| found.then(|| cache.slots()[1].unwrap().get());
            assert_eq!(found.map(end), expected, "{regex} in {record:?}");
            cache = CaptureCache::default();
        }
    }

    #[test]
    fn long_records_are_searched_for_the_end_first() {
        let automata = CaptureAutomata::new(&regex_syntax::parse("^(a*)(a*)b").unwrap());
        let record = format!("aab{}", "x".repeat(MAX_BACKTRACKED)).into_bytes();
        // The last one can't decide.
        for (end, expected) in [(Some(Some(3)), true), (Some(None), false), (None, true)] {
            let mut cache = CaptureCache::default();
            let mut calls = 0;
            let end_of_match = || {
                calls += 1;
                end
            };
            let found = automata.find_at_start(&mut cache, 0, &record, end_of_match);
            assert_eq!((found, calls), (Some(expected), 1), "{end:?}");
            if expected {
                assert_eq!(cache.slots()[3], NonMaxUsize::new(2));
            }
        }
    }

    #[test]
    fn what_is_not_a_match_has_no_groups() {
        let automata = CaptureAutomata::new(&regex_syntax::parse("(a)b*").unwrap());
        let mut cache = CaptureCache::default();
        for (span, is_match) in
            [(0..1, false), (1..4, true), (3..4, false), (1..1, false), (2..9, false)]
        {
            let found = automata.find(&mut cache, 0, b"xabb", span.clone());
            assert_eq!(found.is_some(), is_match, "{span:?}");
        }
    }
}
