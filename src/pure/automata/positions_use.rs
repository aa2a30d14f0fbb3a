//! Decides when a lazy DFA takes the place of a position automaton.
//!
//! A position automaton needs no warm-up, which is what most patterns need: they are verified for a few bytes. A
//! few patterns of a set read a large part of all records, because what they are filtered by is everywhere. There
//! a lazy DFA is faster, since the time of a step does not depend on the number of words. It takes longer to
//! start, so short searches stay with the automaton.
//!
//! Measured with the OWASP core rule set, against position automata alone: logs 1.22 times as fast, user agents
//! 1.2 times, source 1.1 times; on the first pass 1.14, 1.04 and 1.0 times, attack payloads 0.97 times.

use crate::pure::mechanism;

/// The words of states that a position automaton computes, in each scanner, before a lazy DFA takes its place: they
/// take about as long as building a small DFA. With a quarter as many, the first pass over attack payloads takes
/// a tenth longer. Lower in tests, so that small inputs reach it.
const WORDS_BEFORE_DFA: u32 = if cfg!(test) { 64 } else { 64 << 10 };
/// The average words of a search from which on that happens. With half or twice as many, nothing changes.
const WORDS_PER_SEARCH: u32 = if cfg!(test) { 2 } else { 128 };

/// The most chunks of text, of [`TEXT_CHUNK`] bytes, that the scanner may read meanwhile. The states of many DFAs, each
/// of which is used now and then, would not stay in the L2 cache: for 236 rules of logcheck over log lines that match one
/// of them each, DFAs for all take 1.3 times as long as position automata. In return, trufflehog's rules take 1.03 to 1.05
/// times as long over source as without this limit. With 8 or 16 chunks, no difference was larger than that between two
/// runs.
const MAX_CHUNKS: u32 = 32;
/// The unit of [`MAX_CHUNKS`], in bytes.
pub(crate) const TEXT_CHUNK: u64 = 64 << 10;

/// How much a position automaton was used in a scanner.
#[derive(Debug, Default)]
pub(super) struct PositionsUse {
    /// The words of states that were computed since `chunk`.
    words: u32,
    /// The searches since then.
    searches: u32,
    /// The number of the chunk of text in which counting began.
    chunk: u32,
    /// Whether a lazy DFA should be used.
    is_dfa_due: bool,
    /// Whether a lazy DFA has given up.
    dfa_failed: bool,
}

impl PositionsUse {
    /// Whether a lazy DFA should be used in place of the automaton.
    pub(super) fn prefers_dfa(&self) -> bool {
        self.is_dfa_due && !self.dfa_failed && mechanism::dfas_instead()
    }

    /// Notes that a lazy DFA has given up. None is used from now on.
    pub(super) fn fail_dfa(&mut self) {
        self.dfa_failed = true;
    }

    /// Begins to count anew.
    pub(super) fn restart(&mut self) {
        (self.words, self.searches, self.is_dfa_due) = (0, 0, false);
    }

    /// Runs a search in this chunk of the text, which adds the words that it computes to its argument. Adds these to
    /// `steps`.
    pub(super) fn count(
        &mut self,
        chunk: u32,
        steps: &mut u64,
        search: impl FnOnce(&mut u64) -> bool,
    ) -> bool {
        let before = *steps;
        let found = search(steps);
        self.add(*steps - before, chunk);
        found
    }

    /// Counts a search in this chunk of the text that has computed this many words.
    fn add(&mut self, words: u64, chunk: u32) {
        if self.searches == 0 {
            self.chunk = chunk;
        }
        self.words = self.words.saturating_add(u32::try_from(words).unwrap_or(u32::MAX));
        self.searches = self.searches.saturating_add(1);
        if self.words >= WORDS_BEFORE_DFA {
            let is_often = chunk.wrapping_sub(self.chunk) <= MAX_CHUNKS;
            self.is_dfa_due = is_often && self.words / WORDS_PER_SEARCH >= self.searches;
            (self.words, self.searches) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::pattern::{PatternAutomata, PatternCache, PatternMemory};
    use super::super::positions::PositionScratch;
    use super::super::positions::span_tests::pikevm;
    use super::super::positions::tests::{all_ends, parse};
    use super::super::span_search::SpanRange;
    use super::{MAX_CHUNKS, PositionsUse, WORDS_BEFORE_DFA, WORDS_PER_SEARCH};

    /// Patterns whose DFAs have few states, and some that have too many for their cache.
    const PATTERNS: [&str; 9] = [
        "a.b",
        "^a[^c]*c$",
        r"(?:\b|b)a(?:\B|$)",
        "[ab]{3}c|cc?",
        "(?:ab|b[ac])*a",
        "(?s-u)a.{0,40}c.{5,60}b",
        "[ab]*a[ab]{9}",
        "a(?:[bc]{4}|(?:a|b)+c){2,7}",
        "(?:a|aa|bc|cb|ca){20,}",
    ];

    #[test]
    fn dfas_replace_long_and_frequent_searches_only() {
        let used = |searches: u32, words: u32, chunks: u32| {
            let mut used = PositionsUse::default();
            (0..searches).for_each(|n| used.add(words.into(), 7 + n * chunks));
            used
        };
        assert!(used(1, WORDS_BEFORE_DFA, 0).prefers_dfa());
        assert!(!used(1, WORDS_BEFORE_DFA - 1, 0).prefers_dfa());
        let many = WORDS_BEFORE_DFA / WORDS_PER_SEARCH;
        assert!(used(many, WORDS_PER_SEARCH, 0).prefers_dfa());
        assert!(!used(many * 10, WORDS_PER_SEARCH - 1, 0).prefers_dfa());
        assert!(used(2, WORDS_BEFORE_DFA / 2, MAX_CHUNKS).prefers_dfa());
        assert!(!used(10, WORDS_BEFORE_DFA / 2, MAX_CHUNKS + 1).prefers_dfa());
        // What was long before does not count.
        let mut later = used(10, WORDS_BEFORE_DFA / 2, MAX_CHUNKS + 1);
        later.add(WORDS_BEFORE_DFA.into(), 1 << 20);
        assert!(later.prefers_dfa());

        let [mut failed, mut restarted] = [(); 2].map(|()| used(1, WORDS_BEFORE_DFA, 0));
        failed.fail_dfa();
        restarted.restart();
        assert!(!failed.prefers_dfa() && !restarted.prefers_dfa());

        // What was searched before does not count.
        let mut counted = PositionsUse::default();
        let steps = &mut 1000;
        let search = |steps: &mut u64| {
            *steps += u64::from(WORDS_BEFORE_DFA) / 2;
            true
        };
        counted.count(0, steps, search);
        assert!(!counted.prefers_dfa());
        counted.count(0, steps, search);
        assert!(counted.prefers_dfa());
    }

    /// Searches every range of random records in each way, many times with one cache.
    #[test]
    fn dfas_and_positions_find_the_same() {
        let random = &mut Random(7);
        let mut states = [0; 2];
        for pattern in PATTERNS {
            let hir = &parse(pattern);
            let automata = PatternAutomata::default();
            let cache = &mut PatternCache::default();
            for _ in 0..200 {
                let record = random.record();
                let (a, b) = (random.below(10) as usize, record.len() - random.below(10) as usize);
                let scratch = &mut PositionScratch::default();
                let memory = &mut PatternMemory::without_limit(cache, scratch);
                let steps = &mut 0;
                let ends = all_ends(hir, &record);
                let starts_at = |at: usize, end| ends[at].range(..=end).next().is_some();
                let context =
                    || format!("{pattern} {a}..{b} {:?}", record.escape_ascii().to_string());
                let found = automata.is_match(hir, memory, &record, a..b);
                assert_eq!(found, (a..=b).any(|at| starts_at(at, b)), "is_match {}", context());
                let found = automata.is_match_at(hir, memory, &record, a..b, steps);
                assert_eq!(found, starts_at(a, b), "is_match_at {}", context());
                let found = automata.tail_starts_at(hir, memory, &record, a, steps);
                let expected = starts_at(a, record.len());
                assert_eq!(found, Some(expected), "tail_starts_at {}", context());
                let found = automata.head_ends_at(hir, memory, &record, b, steps);
                let expected = ends.iter().any(|ends| ends.contains(&b));
                assert_eq!(found, Some(expected), "head_ends_at {}", context());
            }
            states[usize::from(cache.has_dfas())] += 1;
        }
        // Some patterns are searched by DFAs in the end, and for others these have given up.
        assert!(states.into_iter().all(|patterns| patterns > 1), "{states:?}");
    }

    /// Searches for all spans of random records, with one cache, and for those that start in a part of it.
    #[test]
    fn dfas_and_backtracking_find_the_same_spans() {
        let random = &mut Random(11);
        let mut by_dfas = 0;
        for pattern in PATTERNS {
            let hir = &parse(pattern);
            let oracle = pikevm(hir);
            let automata = PatternAutomata::default();
            let cache = &mut PatternCache::default();
            for _ in 0..150 {
                let record = &random.record();
                let scratch = &mut PositionScratch::default();
                let last = random.below(record.len() as u32 + 1) as usize;
                let memory = &mut PatternMemory::without_limit(cache, scratch);
                let range = SpanRange { record, starts: 0..=last, after_span: false };
                let mut found = Vec::new();
                let flow = automata.for_each_span(
                    hir,
                    || None,
                    memory,
                    range,
                    &mut 0,
                    |span| {
                        found.push(span);
                        ControlFlow::Continue(())
                    },
                );
                assert_eq!(flow, ControlFlow::Continue(()));
                // What starts after `last` may be found, too.
                found.retain(|span| span.start <= last);
                let pikevm_cache = &mut oracle.create_cache();
                let spans = oracle.find_iter(pikevm_cache, record).map(|m| m.range());
                let spans: Vec<_> = spans.filter(|span| span.start <= last).collect();
                assert_eq!(
                    found,
                    spans,
                    "{pattern} ..={last} {:?}",
                    record.escape_ascii().to_string()
                );
            }
            by_dfas += usize::from(cache.has_span_dfa());
        }
        assert!((2..PATTERNS.len()).contains(&by_dfas), "{by_dfas}");
    }

    /// A linear congruential generator.
    struct Random(u32);

    impl Random {
        fn below(&mut self, limit: u32) -> u32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 16) % limit
        }

        fn record(&mut self) -> Vec<u8> {
            let len = 20 + self.below(140);
            (0..len).map(|_| b"aaabbbccc \n"[self.below(11) as usize]).collect()
        }
    }
}
