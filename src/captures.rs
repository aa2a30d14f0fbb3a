//! The groups of matches.
//!
//! A scan reports spans, and no groups: most patterns have none, and few callers want them. The groups
//! of a match follow from its pattern, its record and its span, so they are found afterwards, for those
//! matches whose groups are wanted, on the thread of the caller. It makes no difference which scanner
//! found the match, on which thread or in which process.
//!
//! Start with [`CapturesFinder`], or with [`PatternSet::captures_iter`] for a single string. The
//! automata are in `pure::automata::captures`.

use std::borrow::Cow;
use std::fmt;
use std::ops::{ControlFlow, Index, Range};

use crate::pure::{CaptureCache, Slots, SpanFinder};
use crate::{Match, PatternSet};

/// Finds the groups of matches, for one thread. Made by [`PatternSet::captures_finder`].
///
/// The automata of a pattern are built when groups of that pattern are first asked for, once for all
/// finders of the set. The finder itself holds the working memory of one search, which it reuses: it
/// allocates nothing for a match once it has grown.
///
/// There are two ways: [`captures`](CapturesFinder::captures) for a match with a span, and
/// [`for_each`](CapturesFinder::for_each) for all matches of a pattern in a record.
#[derive(Debug)]
pub struct CapturesFinder {
    set: PatternSet,
    cache: CaptureCache,
    /// Finds whole matches of patterns that report a group.
    whole: Option<SpanFinder>,
    /// The whole matches around a reported span. Reused.
    around: Vec<Range<usize>>,
}

impl PatternSet {
    /// Returns a finder of the groups of matches, for one thread.
    ///
    /// The groups are those that the regex crate finds: of several ways to match, those of the preferred
    /// one; of a group that matched several times, the last.
    ///
    /// ```
    /// use dragnet::{Batch, Engine, Matches, PatternSet, Report, Scan};
    ///
    /// let set = PatternSet::new([r"(?<key>\w+)=(?<value>\w+)", "error"])?;
    /// let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
    /// let mut finder = set.captures_finder();
    ///
    /// let (mut offsets, mut matches) = (Vec::new(), Matches::new());
    /// let batch = Batch::lines(b"error\nuser=ada id=7", &mut offsets)?;
    /// scanner.scan(&batch, &mut matches)?;
    ///
    /// let mut found = Vec::new();
    /// for m in matches.iter().filter(|m| m.pattern() == 0) {
    ///     let record = batch.record(m.record()).unwrap();
    ///     let captures = finder.captures(m, record).unwrap();
    ///     found.push((captures["key"].to_vec(), captures.get(2).unwrap().range()));
    /// }
    /// assert_eq!(found, [(b"user".to_vec(), 5..8), (b"id".to_vec(), 12..13)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn captures_finder(&self) -> CapturesFinder {
        CapturesFinder {
            set: self.clone(),
            cache: CaptureCache::default(),
            whole: None,
            around: Vec::new(),
        }
    }

    /// Iterates over the names of the groups of pattern number `pattern`, in the order of their numbers.
    /// There is always group 0, the whole match, which has no name; so the length of the iterator is
    /// the number of groups with it.
    ///
    /// ```
    /// let set = dragnet::PatternSet::new(["(?<key>[a-z]+)=(.*)"])?;
    /// assert!(set.capture_names(0).eq([None, Some("key"), None]));
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the set has no such pattern.
    pub fn capture_names(&self, pattern: usize) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.capture_automata(pattern).names()
    }
}

impl CapturesFinder {
    /// Finds the groups of the match `m`, which a scanner for the finder's set has found in `record`.
    ///
    /// Returns `None` if that is not so: if `m` has no span, or if its pattern does not match there.
    ///
    /// Takes time linear in the span. For a pattern that [reports a
    /// group](crate::Pattern::report_group), group 0 is the whole match; to find it, the record is
    /// searched from its start, which takes time linear in the record.
    ///
    /// # Panics
    ///
    /// If the set has no pattern with the number of `m`.
    pub fn captures<'f, 'r>(&'f mut self, m: &Match, record: &'r [u8]) -> Option<Captures<'f, 'r>> {
        let mut span = m.span()?;
        let pattern = m.pattern();
        if self.set.reported_group(pattern) != 0 {
            span = self.whole_match(pattern, record, span)?;
        }
        self.at(pattern, record, span)
    }

    /// Calls `found` with the groups of every match of pattern number `pattern` in `record`, in order, until
    /// it returns `Break`. Returns the last value that it returned.
    ///
    /// This is for records in which the pattern is known to match, by a scan with
    /// [`Report::Patterns`](crate::Report::Patterns): such a scan finds no spans, which then cost time only in
    /// records whose groups are wanted. For the matches of a scan with spans, use
    /// [`captures`](CapturesFinder::captures). The matches are those that
    /// [`PatternSet::captures_iter`] yields for this pattern, and nothing is allocated for them.
    ///
    /// Takes time linear in the record, about as long as `captures_iter` of the regex crate or less, as
    /// `cargo bench --bench one_string` measures. As there, bytes that belong to no match cost little if all
    /// matches contain a rare byte or literal.
    ///
    /// ```
    /// use dragnet::PatternSet;
    /// use std::ops::ControlFlow;
    ///
    /// let set = PatternSet::new([r"(\w+)=(\w+)", "error"])?;
    /// let mut finder = set.captures_finder();
    /// let record = b"user=ada id=7";
    /// let mut values = Vec::new();
    /// if set.matches(record).matched(0) {
    ///     let _ = finder.for_each(0, record, |captures| {
    ///         values.push(captures[2].to_vec());
    ///         ControlFlow::Continue(())
    ///     });
    /// }
    /// assert_eq!(values, [b"ada".to_vec(), b"7".to_vec()]);
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the set has no pattern with this number.
    pub fn for_each<'r>(
        &mut self,
        pattern: usize,
        record: &'r [u8],
        mut found: impl FnMut(Captures<'_, 'r>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let CapturesFinder { set, cache, whole, .. } = self;
        let (automata, bounds) = (set.capture_automata(pattern), set.bounds(pattern));
        let mut report = |slots: &Slots| {
            let captures = Captures { set, pattern, record, slots: Cow::Borrowed(slots) };
            match &bounds {
                Some(bounds) if !bounds.contain(&captures.reported_span()) => {
                    ControlFlow::Continue(())
                }
                _ => found(captures),
            }
        };
        let finder = || set.whole_spans().finder();
        let end = || whole.get_or_insert_with(finder).end_at_start(pattern as u32, record);
        match automata.find_at_start(cache, pattern as u32, record, end) {
            Some(true) => return report(cache.slots()),
            Some(false) => return ControlFlow::Continue(()),
            None => {}
        }
        let finder = whole.get_or_insert_with(finder);
        let mut from = 0;
        if let Some(mut starts) = finder.starts(pattern as u32, record) {
            let max_len = set.hir(pattern).properties().maximum_len();
            let (starts, report) = (&mut starts, &mut report);
            let result =
                automata.for_each_at_starts(starts, max_len, cache, pattern as u32, record, report);
            finder.limit_memory(pattern as u32);
            match result {
                Ok(flow) => return flow,
                Err(at) => from = at,
            }
        }
        finder.for_each_whole_by_dfas(pattern as u32, record, from, |span| {
            let slots = automata.find(cache, pattern as u32, record, span);
            report(slots.expect("a match has groups"))
        })
    }

    /// Finds the groups of the match of a pattern at the span of the whole match.
    pub(crate) fn at<'f, 'r>(
        &'f mut self,
        pattern: usize,
        record: &'r [u8],
        span: Range<usize>,
    ) -> Option<Captures<'f, 'r>> {
        let CapturesFinder { set, cache, .. } = self;
        let slots = set.capture_automata(pattern).find(cache, pattern as u32, record, span)?;
        Some(Captures { set, pattern, record, slots: Cow::Borrowed(slots) })
    }

    /// The span of the first match of a pattern for which the span `reported` is reported.
    fn whole_match(
        &mut self,
        pattern: usize,
        record: &[u8],
        reported: Range<usize>,
    ) -> Option<Range<usize>> {
        let mut around = std::mem::take(&mut self.around);
        around.clear();
        self.for_each_whole(pattern, record, |whole| {
            if whole.start > reported.start {
                return ControlFlow::Break(());
            }
            if whole.end >= reported.end {
                around.push(whole);
            }
            ControlFlow::Continue(())
        });
        let group = self.set.reported_group(pattern);
        let found = around.iter().find(|whole| {
            self.at(pattern, record, (*whole).clone()).is_some_and(|captures| {
                captures.get(group).map_or((*whole).clone(), |group| group.range()) == reported
            })
        });
        let found = found.cloned();
        self.around = around;
        found
    }

    /// Calls `found` with the spans of the whole matches of a pattern, whichever group it reports.
    pub(crate) fn for_each_whole(
        &mut self,
        pattern: usize,
        record: &[u8],
        found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) {
        let set = &self.set;
        let finder = self.whole.get_or_insert_with(|| set.whole_spans().finder());
        // Whether `found` ended the search makes no difference.
        let _ = finder.for_each_whole(pattern as u32, record, found);
    }
}

/// The groups of one match.
///
/// Group 0 is the whole match. Group `i` is that of the `i`-th opening parenthesis of the pattern that
/// captures; it may have a name. A group that took no part in the match is `None`.
///
/// Indexing with a number or a name returns the bytes of a group, and panics where [`get`](Captures::get)
/// or [`name`](Captures::name) returns `None`.
pub struct Captures<'f, 'r> {
    set: &'f PatternSet,
    pattern: usize,
    record: &'r [u8],
    slots: Cow<'f, Slots>,
}

impl<'r> Captures<'_, 'r> {
    /// Returns the number of the pattern in its set.
    pub fn pattern(&self) -> usize {
        self.pattern
    }

    /// Returns group number `group`, or `None` if it took no part in the match or there is no such group.
    pub fn get(&self, group: usize) -> Option<Group<'r>> {
        let first = group.checked_mul(2)?;
        let (start, end) = ((*self.slots.get(first)?)?, (*self.slots.get(first + 1)?)?);
        Some(Group { record: self.record, start: start.get(), end: end.get() })
    }

    /// Returns the group with this name, or `None` if it took no part in the match or there is no such
    /// group. Costs a look-up in a hash table.
    pub fn name(&self, name: &str) -> Option<Group<'r>> {
        self.get(self.set.capture_automata(self.pattern).index_of(name)?)
    }

    /// Returns the number of groups of the pattern, including group 0 and those that took no part in the
    /// match.
    #[allow(clippy::len_without_is_empty, reason = "there is always group 0")]
    pub fn len(&self) -> usize {
        self.slots.len() / 2
    }

    /// Iterates over all groups in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<Group<'r>>> {
        (0..self.len()).map(|group| self.get(group))
    }
}

impl<'f, 'r> Captures<'f, 'r> {
    /// The span that is reported of this match: of the group that the pattern reports, or of the whole match.
    fn reported_span(&self) -> Range<usize> {
        let group = self.get(self.set.reported_group(self.pattern)).or_else(|| self.get(0));
        group.map_or(0..0, |group| group.range())
    }

    /// The same groups, independent of the finder.
    pub(crate) fn into_owned<'s>(self, set: &'s PatternSet) -> Captures<'s, 'r> {
        let slots = Cow::Owned(self.slots.into_owned());
        Captures { set, pattern: self.pattern, record: self.record, slots }
    }
}

impl fmt::Debug for Captures<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captures")
            .field("pattern", &self.pattern)
            .field("groups", &self.iter().collect::<Vec<_>>())
            .finish()
    }
}

impl Index<usize> for Captures<'_, '_> {
    type Output = [u8];

    fn index(&self, group: usize) -> &[u8] {
        self.get(group).unwrap_or_else(|| panic!("no group {group} in the match")).as_bytes()
    }
}

impl Index<&str> for Captures<'_, '_> {
    type Output = [u8];

    fn index(&self, name: &str) -> &[u8] {
        self.name(name).unwrap_or_else(|| panic!("no group {name:?} in the match")).as_bytes()
    }
}

/// A group that took part in a match: a range of bytes in the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Group<'r> {
    record: &'r [u8],
    start: usize,
    end: usize,
}

impl<'r> Group<'r> {
    /// Returns the start of the group, in bytes from the start of the record.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Returns the end of the group, in bytes from the start of the record.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Returns the range of the group in the record.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns the bytes of the group.
    pub fn as_bytes(&self) -> &'r [u8] {
        &self.record[self.range()]
    }
}

impl fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} b\"{}\"", self.range(), self.as_bytes().escape_ascii())
    }
}
