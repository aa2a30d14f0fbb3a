//! A set of patterns, parsed once and shared by all engines.

use std::sync::{Arc, OnceLock};

use regex_syntax::hir::Hir;

use super::{BuildError, Pattern, PatternBounds, PatternError, line_feed, plain_string, size};
use crate::one_string::StringSearch;
use crate::pure::CaptureAutomata;

/// The maximum number of patterns in a set. Matches number patterns with 32 bits, and the pattern
/// ids of `regex-automata` have 31.
const MAX_PATTERNS: usize = i32::MAX as usize - 1;

/// The highest value of the limit on one pattern. An automaton numbers its states with 31 bits and
/// takes some tens of bytes for each. The limit is far below 2^31, because the size is an
/// estimate: a class may need several states for one counted position.
const MAX_PATTERN_SIZE: u64 = 50_000_000;

/// Parsed and validated patterns, in the order in which they were given.
///
/// The number of a pattern is its position in the set, from 0; matches identify patterns by it.
/// Cloning is cheap, since clones share the parsed patterns and the engines for single strings.
///
/// ```
/// use dragnet::{Pattern, PatternSet};
///
/// let set = PatternSet::builder()
///     .pattern("error|warning")
///     .pattern(Pattern::new(r"user=\w+").name("user").unicode(false))
///     .build()?;
/// assert_eq!(set.len(), 2);
/// assert_eq!(set.get(1).unwrap().get_name(), Some("user"));
/// # Ok::<(), dragnet::BuildError>(())
/// ```
#[derive(Clone)]
pub struct PatternSet {
    inner: Arc<Inner>,
    search: Arc<StringSearch>,
}

struct Inner {
    patterns: Vec<Pattern>,
    /// The parsed form of each pattern.
    hirs: Vec<Arc<Hir>>,
    /// See [`PatternSet::size`].
    size: u64,
    /// The minimum length of a match, in bytes. `usize::MAX` for a set without patterns.
    min_len: usize,
    /// Whether no pattern has bounds or reports a group.
    reports_all_matches: bool,
    /// By pattern: the automata that find its groups. Empty until they are needed for some pattern.
    captures: OnceLock<Box<[OnceLock<Box<CaptureAutomata>>]>>,
}

impl PatternSet {
    /// Parses `patterns` with the default flags and limits.
    ///
    /// # Errors
    ///
    /// As [`PatternSetBuilder::build`].
    pub fn new<I>(patterns: I) -> Result<PatternSet, BuildError>
    where
        I: IntoIterator,
        I::Item: Into<Pattern>,
    {
        PatternSet::builder().patterns(patterns).build()
    }

    /// Returns a builder, which sets limits and takes patterns one by one.
    pub fn builder() -> PatternSetBuilder {
        PatternSetBuilder::default()
    }

    /// Returns the number of patterns. An empty set is valid, and matches nothing.
    pub fn len(&self) -> usize {
        self.inner.patterns.len()
    }

    /// Returns whether the set has no patterns.
    pub fn is_empty(&self) -> bool {
        self.inner.patterns.is_empty()
    }

    /// Returns pattern number `index`, or `None` past the end.
    pub fn get(&self, index: usize) -> Option<&Pattern> {
        self.inner.patterns.get(index)
    }

    /// Iterates over the patterns in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Pattern> {
        self.inner.patterns.iter()
    }

    /// Returns the size of all patterns together, in the units of
    /// [`PatternSetBuilder::set_size_limit`].
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// Returns the approximate memory of the patterns, as text and parsed, in bytes. Walks all parsed
    /// patterns. The engines for single strings and the automata that find groups are not included.
    pub fn memory(&self) -> usize {
        let text = |p: &Pattern| p.as_str().len() + p.get_name().map_or(0, str::len);
        size_of_val(&self.inner.patterns[..])
            + self.inner.patterns.iter().map(text).sum::<usize>()
            + self.inner.hirs.iter().map(|hir| size::memory_of(hir)).sum::<usize>()
    }

    /// Returns a set of the same patterns that shares no engines with this one.
    pub(crate) fn detached(&self) -> PatternSet {
        PatternSet { inner: Arc::clone(&self.inner), search: Arc::default() }
    }

    /// Returns the minimum length of a match, in bytes.
    pub(crate) fn min_len(&self) -> usize {
        self.inner.min_len
    }

    /// Returns the engines for single strings.
    pub(crate) fn search(&self) -> &StringSearch {
        &self.search
    }

    /// Returns a reference that does not keep the patterns alive.
    #[cfg(test)]
    pub(crate) fn weak(&self) -> std::sync::Weak<impl Sized + use<>> {
        Arc::downgrade(&self.inner)
    }

    /// Returns the number of the group that pattern number `index` reports, 0 for the whole match.
    ///
    /// # Panics
    ///
    /// If there is no such pattern.
    #[inline]
    pub(crate) fn reported_group(&self, index: usize) -> usize {
        self.inner.patterns[index].get_report_group()
    }

    /// Returns whether no pattern has bounds or reports a group.
    #[inline]
    pub(crate) fn reports_all_matches(&self) -> bool {
        self.inner.reports_all_matches
    }

    /// Returns the bounds of pattern number `index`, or `None` if it has none.
    ///
    /// # Panics
    ///
    /// If there is no such pattern.
    pub(crate) fn bounds(&self, index: usize) -> Option<PatternBounds> {
        let bounds = self.inner.patterns[index].bounds();
        (!bounds.are_none()).then_some(bounds)
    }

    /// Returns the automata that find the groups of pattern number `index`. Builds them on first use.
    ///
    /// # Panics
    ///
    /// If there is no such pattern.
    pub(crate) fn capture_automata(&self, index: usize) -> &CaptureAutomata {
        let list = || std::iter::repeat_with(OnceLock::new).take(self.len()).collect();
        self.inner.captures.get_or_init(list)[index]
            .get_or_init(|| CaptureAutomata::new(self.hir(index)).into())
    }

    /// Returns the numbers of the patterns that can't match without a line feed, in ascending order.
    ///
    /// Where records are lines, such a pattern never matches: warn about it, or search
    /// [across lines](crate::reader::AcrossLines). A pattern that is missing here may still need a line
    /// feed, if only its assertions say so, as in `(?m)a$b`.
    ///
    /// ```
    /// use dragnet::PatternSet;
    ///
    /// let set = PatternSet::new([r"\w+", r"BEGIN\n(?s:.*)END", r"a\s+b"])?;
    /// assert!(set.line_feed_required().eq([1]));
    /// assert!(set.line_feed_possible().eq([1, 2]));
    /// # Ok::<(), dragnet::BuildError>(())
    /// ```
    pub fn line_feed_required(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&index| line_feed::is_required(self.hir(index)))
    }

    /// Returns the numbers of the patterns whose matches can contain a line feed, in ascending order.
    ///
    /// Where records are lines, they find less than in the whole text. A pattern may be listed although
    /// its assertions never let it match a line feed.
    pub fn line_feed_possible(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&index| line_feed::is_possible(self.hir(index)))
    }

    /// Returns the parsed form of pattern number `index`.
    ///
    /// # Panics
    ///
    /// If there is no such pattern.
    pub(crate) fn hir(&self, index: usize) -> &Hir {
        &self.inner.hirs[index]
    }

    /// As [`PatternSet::hir`], for engines that keep it.
    pub(crate) fn shared_hir(&self, index: usize) -> &Arc<Hir> {
        &self.inner.hirs[index]
    }
}

impl std::fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a PatternSet {
    type Item = &'a Pattern;
    type IntoIter = std::slice::Iter<'a, Pattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Collects patterns and limits, and builds a [`PatternSet`].
///
/// Sizes are counted in automaton positions: about one for each byte or byte range of the pattern and
/// two for each group, with counted repeats multiplied out. The count does not depend on the target or
/// the engine, so a set that one of them accepts is accepted by all.
#[derive(Clone, Debug)]
pub struct PatternSetBuilder {
    patterns: Vec<Pattern>,
    pattern_size_limit: u64,
    set_size_limit: u64,
    nest_limit: u32,
}

impl Default for PatternSetBuilder {
    fn default() -> PatternSetBuilder {
        PatternSetBuilder {
            patterns: Vec::new(),
            // Accepts about the same patterns as the default limit of the `regex` crate, 10 MiB.
            pattern_size_limit: 500_000,
            set_size_limit: 100_000_000,
            nest_limit: 250,
        }
    }
}

impl PatternSetBuilder {
    /// Adds one pattern.
    pub fn pattern(mut self, pattern: impl Into<Pattern>) -> PatternSetBuilder {
        self.patterns.push(pattern.into());
        self
    }

    /// Adds patterns in the order of the iterator.
    pub fn patterns<I>(mut self, patterns: I) -> PatternSetBuilder
    where
        I: IntoIterator,
        I::Item: Into<Pattern>,
    {
        self.patterns.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Sets the largest size of one pattern. 500,000 by default. A value above 50 million is taken as
    /// 50 million, since larger automata can't be built.
    ///
    /// A scan for a pattern of 50 million positions takes gigabytes of memory.
    pub fn pattern_size_limit(mut self, limit: u64) -> PatternSetBuilder {
        self.pattern_size_limit = limit.min(MAX_PATTERN_SIZE);
        self
    }

    /// Sets the largest size of all patterns together. 100 million by default.
    pub fn set_size_limit(mut self, limit: u64) -> PatternSetBuilder {
        self.set_size_limit = limit;
        self
    }

    /// Sets how deep groups and repeats may nest in a pattern. 250 by default.
    ///
    /// Patterns are walked by recursion, so a much higher limit can exhaust the stack.
    pub fn nest_limit(mut self, limit: u32) -> PatternSetBuilder {
        self.nest_limit = limit;
        self
    }

    /// Parses the patterns. Costs time in proportion to their text; engines build automata later.
    ///
    /// # Errors
    ///
    /// [`BuildError::Patterns`] with every pattern that is invalid, exceeds its limit or is to report a
    /// group that it does not have,
    /// [`BuildError::SetTooLarge`] if all are valid but too large together, and
    /// [`BuildError::TooManyPatterns`] for more than about two billion patterns.
    pub fn build(self) -> Result<PatternSet, BuildError> {
        if self.patterns.len() > MAX_PATTERNS {
            return Err(BuildError::TooManyPatterns {
                count: self.patterns.len(),
                limit: MAX_PATTERNS,
            });
        }
        let mut hirs = Vec::with_capacity(self.patterns.len());
        let mut errors = Vec::new();
        let mut total = 0u64;
        for (index, pattern) in self.patterns.iter().enumerate() {
            match self.parse(index, pattern) {
                Ok((hir, size)) => {
                    total = total.saturating_add(size);
                    hirs.push(Arc::new(hir));
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(BuildError::Patterns(errors));
        }
        if total > self.set_size_limit {
            return Err(BuildError::SetTooLarge { size: total, limit: self.set_size_limit });
        }
        let captures = OnceLock::new();
        // The minimum of a pattern that never matches is not known.
        let min_len = |hir: &Arc<Hir>| hir.properties().minimum_len().unwrap_or(0);
        let min_len = hirs.iter().map(min_len).min().unwrap_or(usize::MAX);
        let is_plain = |p: &Pattern| p.bounds().are_none() && p.get_report_group() == 0;
        Ok(PatternSet {
            inner: Arc::new(Inner {
                reports_all_matches: self.patterns.iter().all(is_plain),
                patterns: self.patterns,
                hirs,
                size: total,
                min_len,
                captures,
            }),
            search: Arc::default(),
        })
    }

    fn parse(&self, index: usize, pattern: &Pattern) -> Result<(Hir, u64), PatternError> {
        // A concatenation counts as one level.
        let plain = match self.nest_limit {
            0 => None,
            _ => plain_string::parse(pattern.as_str(), pattern.flags()),
        };
        let hir = match plain {
            Some(hir) => hir,
            None => self.parse_regex(index, pattern)?,
        };
        let groups = size::last_group(&hir);
        if pattern.get_report_group() > groups as usize {
            let group = pattern.get_report_group();
            let reason = match groups {
                0 => format!("it has no groups, and is to report group {group}"),
                _ => format!("its last group is {groups}, and it is to report group {group}"),
            };
            return Err(PatternError::new(index, pattern, None, reason));
        }
        let size = size::size_of(&hir);
        if size > self.pattern_size_limit {
            let reason = format!(
                "its size of {size} exceeds the limit of {} for one pattern",
                self.pattern_size_limit
            );
            return Err(PatternError::new(index, pattern, None, reason));
        }
        Ok((hir, size))
    }

    fn parse_regex(&self, index: usize, pattern: &Pattern) -> Result<Hir, PatternError> {
        let flags = pattern.flags();
        // Not reused for the next pattern: the translator keeps flags such as those of `(?i)a`.
        let mut parser = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .nest_limit(self.nest_limit)
            .case_insensitive(flags.case_insensitive)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_matches_new_line)
            .ignore_whitespace(flags.ignore_whitespace)
            .crlf(flags.crlf)
            .swap_greed(flags.swap_greed)
            .unicode(flags.unicode)
            .build();
        parser.parse(pattern.as_str()).map_err(|error| {
            let (span, reason) = match &error {
                regex_syntax::Error::Parse(e) => (Some(e.span()), e.kind().to_string()),
                regex_syntax::Error::Translate(e) => (Some(e.span()), e.kind().to_string()),
                // `Error` is non-exhaustive. A later variant still has a description.
                other => (None, other.to_string()),
            };
            let position = span.map(|span| span.start.offset..span.end.offset);
            PatternError::new(index, pattern, position, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_reports_all_bad_patterns() {
        let error = PatternSet::builder()
            .pattern("ok")
            .pattern(Pattern::new("a(b").name("open"))
            .pattern("fine")
            .pattern("[z-a]")
            .pattern("(?:a{1000}){1000}")
            .build()
            .unwrap_err();
        let BuildError::Patterns(errors) = &error else { panic!("{error}") };
        let found: Vec<_> = errors.iter().map(|e| (e.index(), e.name(), e.position())).collect();
        assert_eq!(found, [(1, Some("open"), Some(1..2)), (3, None, Some(1..4)), (4, None, None)]);
        assert_eq!(error.to_string().lines().count(), 3);
        assert!(error.to_string().starts_with("pattern 1 (open): unclosed group at byte 1\n"));
    }

    #[test]
    fn set_size_limit_covers_all_patterns() {
        let error = PatternSet::builder()
            .patterns(["a{100}", "b{100}"])
            .set_size_limit(300)
            .build()
            .unwrap_err();
        assert_eq!(error, BuildError::SetTooLarge { size: 400, limit: 300 });
    }

    #[test]
    fn pattern_size_limit_has_a_maximum() {
        for (pattern, is_valid) in [("(?:a{60000}){1000}", false), ("(?:a{1000}){1000}", true)] {
            let built = PatternSet::builder().pattern(pattern).pattern_size_limit(u64::MAX).build();
            match built {
                Err(BuildError::Patterns(errors)) if !is_valid => {
                    assert!(errors[0].reason().contains("the limit of 50000000"), "{errors:?}");
                }
                built => assert!(is_valid && built.is_ok(), "{pattern}: {built:?}"),
            }
        }
    }

    #[test]
    fn the_group_to_report_must_exist() {
        let error = PatternSet::new([
            Pattern::new("(a)(b)").report_group(2),
            Pattern::new("(a)(b)").name("three").report_group(3),
            Pattern::new("(?:a)").report_group(1),
            Pattern::new("(a){0}(b)").report_group(2),
        ])
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "pattern 1 (three): its last group is 2, and it is to report group 3\n\
             pattern 2: it has no groups, and is to report group 1"
        );
    }

    #[test]
    fn the_nest_limit_holds_for_strings() {
        let is_valid = |pattern, limit| {
            PatternSet::builder().pattern(pattern).nest_limit(limit).build().is_ok()
        };
        for (pattern, valid_without_nesting) in
            [("", true), ("a", true), ("(?i)", true), ("ab", false), ("(?i)a", false)]
        {
            assert_eq!(is_valid(pattern, 0), valid_without_nesting, "{pattern}");
            assert!(is_valid(pattern, 1), "{pattern}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let deep = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(matches!(PatternSet::new([deep]), Err(BuildError::Patterns(_))));
    }
}
