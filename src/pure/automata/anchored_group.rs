//! Finds which patterns of a group match at one position.
//!
//! This verifies the patterns that are found by the same literal, where it is or, if they match only
//! there, at the start of the record: instead of one anchored search for each pattern, one search for
//! all of them. The search ends when the DFA reaches its dead state,
//! for ordinary patterns a few bytes after the literal, or when every member has matched.
//!
//! A group whose DFA keeps giving up is abandoned by the scanner after [`MAX_FAILURES`] attempts.
//! Its members are then verified one by one.

use regex_automata::hybrid::{LazyStateID, dfa};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use crate::pure::ids::PatternIndex;

use super::dfa_group::DfaGroup;

/// Failed searches after which a scanner no longer uses the DFA of a group.
const MAX_FAILURES: u32 = 8;

/// The working memory for anchored searches with one group. Each scanner has its own.
#[derive(Debug)]
pub(crate) struct AnchoredGroupCache {
    dfa: Option<dfa::Cache>,
    found: FoundMembers,
    failures: u32,
}

impl AnchoredGroupCache {
    pub(crate) fn new(group: &DfaGroup) -> AnchoredGroupCache {
        let found = FoundMembers::new(group.members.len());
        AnchoredGroupCache { dfa: None, found, failures: 0 }
    }

    /// Whether the DFA has given up too often, so that [`DfaGroup::matching_at`] decides nothing any more.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// Memory of the DFA in bytes.
    pub(crate) fn memory_of_dfa(&self) -> usize {
        self.dfa.as_ref().map_or(0, dfa::Cache::memory_usage)
    }

    /// The remaining memory in bytes.
    pub(crate) fn memory_of_found(&self) -> usize {
        self.found.memory()
    }

    /// Frees the memory of the DFA.
    pub(crate) fn clear(&mut self) {
        self.dfa = None;
    }
}

/// The members that a search has found, in the order in which it found them. Not a bit mask, since
/// a group may have more than 64 members.
#[derive(Debug)]
struct FoundMembers {
    list: Vec<u32>,
    contains: Vec<bool>,
}

impl FoundMembers {
    fn new(members: usize) -> FoundMembers {
        FoundMembers { list: Vec::new(), contains: vec![false; members] }
    }

    fn memory(&self) -> usize {
        self.list.capacity() * size_of::<u32>() + self.contains.capacity()
    }

    fn insert(&mut self, member: usize) {
        if !std::mem::replace(&mut self.contains[member], true) {
            self.list.push(member as u32);
        }
    }

    fn is_full(&self) -> bool {
        self.list.len() == self.contains.len()
    }

    /// Takes time proportional to the members that were found, not to all members.
    fn clear(&mut self) {
        for member in self.list.drain(..) {
            self.contains[member as usize] = false;
        }
    }
}

impl DfaGroup {
    /// Appends to `out` the members that match at `start` of `record`, in no particular order.
    /// `part` returns the part of a member that the group's DFA decides, always the same one.
    /// Returns `false`, with nothing appended, if the DFA cannot decide; then each member has to be
    /// verified alone. Adds the bytes read to `steps`.
    pub(crate) fn matching_at<'a>(
        &self,
        part: &dyn Fn(PatternIndex) -> &'a Hir,
        cache: &mut AnchoredGroupCache,
        record: &[u8],
        start: usize,
        steps: &mut u64,
        out: &mut Vec<PatternIndex>,
    ) -> bool {
        if cache.failures >= MAX_FAILURES {
            return false;
        }
        let Some(dfa) = self.dfa_of(part) else { return false };
        let dfa_cache = cache.dfa.get_or_insert_with(|| dfa.create_cache());
        cache.found.clear();
        let input = Input::new(record).range(start..).anchored(Anchored::Yes);
        if find_members(dfa, dfa_cache, &input, &mut cache.found, steps).is_none() {
            cache.failures += 1;
            return false;
        }
        out.extend(cache.found.list.iter().map(|&member| self.members[member as usize]));
        true
    }
}

/// Collects the members that match in `input`, which must reach to the end of its record. Returns
/// `None` if the DFA cannot decide.
fn find_members(
    dfa: &dfa::DFA,
    cache: &mut dfa::Cache,
    input: &Input<'_>,
    found: &mut FoundMembers,
    steps: &mut u64,
) -> Option<()> {
    let mut state = dfa.start_state_forward(cache, input).ok()?;
    let mut last = None;
    for &byte in &input.haystack()[input.get_range()] {
        *steps += 1;
        let next = dfa.next_state(cache, state, byte).ok()?;
        if next == state && !next.is_tagged() {
            // The state stays the same, so there is nothing to record, and the next step does not
            // depend on this one.
            continue;
        }
        state = next;
        if state.is_tagged() {
            if state.is_match() {
                // The members of a match state need to be collected once, not each time that the
                // state is entered again. The clear count is compared too, because state ids
                // are reused after the cache is cleared.
                let entered = Some((state, cache.clear_count()));
                if last == entered {
                    continue;
                }
                last = entered;
                collect_members(dfa, cache, state, found);
                if found.is_full() {
                    return Some(());
                }
            } else if state.is_dead() {
                return Some(());
            } else if state.is_quit() {
                return None;
            }
        }
    }
    state = dfa.next_eoi_state(cache, state).ok()?;
    if state.is_match() {
        collect_members(dfa, cache, state, found);
    }
    (!state.is_quit()).then_some(())
}

fn collect_members(
    dfa: &dfa::DFA,
    cache: &dfa::Cache,
    state: LazyStateID,
    found: &mut FoundMembers,
) {
    for index in 0..dfa.match_len(cache, state) {
        found.insert(dfa.match_pattern(cache, state, index).as_usize());
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::nfa::thompson::pikevm::PikeVM;

    use super::super::dfa_group::GroupKind;
    use super::super::lazy_dfa;
    use super::super::positions::tests::{parse, records};
    use super::*;

    struct Group {
        hirs: Vec<Hir>,
        group: DfaGroup,
        cache: AnchoredGroupCache,
    }

    impl Group {
        fn new(patterns: &[&str]) -> Group {
            let hirs: Vec<Hir> = patterns.iter().map(|pattern| parse(pattern)).collect();
            let members = (0..hirs.len()).map(PatternIndex::new).collect();
            let group = DfaGroup::new(members, GroupKind::of(&hirs[0]), 0, 256 << 10);
            let cache = AnchoredGroupCache::new(&group);
            Group { hirs, group, cache }
        }

        /// The members that match at `start` and the bytes read, or `None` if the DFA gives up.
        fn matching_at(&mut self, record: &[u8], start: usize) -> Option<(Vec<usize>, u64)> {
            let (mut steps, mut out) = (0, Vec::new());
            let part = |member: PatternIndex| &self.hirs[member.index()];
            let cache = &mut self.cache;
            let decided = self.group.matching_at(&part, cache, record, start, &mut steps, &mut out);
            assert!(decided || out.is_empty());
            let mut found: Vec<usize> = out.iter().map(|member| member.index()).collect();
            found.sort();
            decided.then_some((found, steps))
        }
    }

    #[test]
    fn a_group_finds_what_each_member_would() {
        let patterns = ["ab", "ab+c", "a[^c]*", "b$", "(?:ab|bc)+a", "^c"];
        let mut group = Group::new(&patterns);
        let oracles: Vec<PikeVM> = (group.hirs.iter())
            .map(|hir| PikeVM::new_from_nfa(lazy_dfa::compile(&[hir])).unwrap())
            .collect();
        for record in records(b"abc", 5) {
            for start in 0..=record.len() {
                let input = Input::new(&record).range(start..).anchored(Anchored::Yes);
                let matches =
                    |oracle: &PikeVM| oracle.is_match(&mut oracle.create_cache(), input.clone());
                let expected: Vec<usize> =
                    (0..oracles.len()).filter(|&member| matches(&oracles[member])).collect();
                let (found, _) = group.matching_at(&record, start).unwrap();
                assert_eq!(found, expected, "{} from {start}", record.escape_ascii());
            }
        }
    }

    #[test]
    fn a_search_ends_when_all_is_known() {
        let record = [&b"ab"[..], &[b'z'; 100]].concat();
        for (patterns, expected) in [
            // No member can match longer.
            (["ab", "abc"], (vec![0], 4)),
            // All have matched. A match is seen one byte late.
            (["a.*", "ab"], (vec![0, 1], 3)),
            // One may still match.
            (["ab", "a.*c"], (vec![0], 102)),
        ] {
            let found = Group::new(&patterns).matching_at(&record, 0);
            assert_eq!(found, Some(expected), "{patterns:?}");
        }
    }

    #[test]
    fn a_dfa_that_keeps_giving_up_is_abandoned() {
        // The DFA cannot decide a Unicode word boundary next to a byte outside ASCII.
        let mut group = Group::new(&[r"(?u)ab\b", "(?u)ab*"]);
        assert_eq!(group.matching_at(b"ab c", 0).unwrap().0, [0, 1]);
        for _ in 0..MAX_FAILURES {
            assert!(!group.cache.is_abandoned());
            assert!(group.matching_at(b"ab c", 0).is_some());
            assert!(group.matching_at("abé".as_bytes(), 0).is_none());
        }
        assert!(group.cache.is_abandoned());
        assert!(group.matching_at(b"ab c", 0).is_none());
    }

    #[test]
    fn memory_counts_the_dfa_and_the_members() {
        let mut group = Group::new(&["ab", "abc"]);
        let of_found = group.cache.memory_of_found();
        assert!(of_found >= 2);
        assert_eq!(group.cache.memory_of_dfa(), 0);
        let found = group.matching_at(b"abc", 0);
        assert!(group.cache.memory_of_dfa() > 0);
        assert!(group.cache.memory_of_found() >= of_found + 2 * size_of::<u32>());
        group.cache.clear();
        assert_eq!(group.cache.memory_of_dfa(), 0);
        assert_eq!(group.matching_at(b"abc", 0), found);
    }
}
