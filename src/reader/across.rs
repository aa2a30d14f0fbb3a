//! Matches across lines of a stream.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::pure::{Engine, Scanner, Window, WindowAutomata, WindowCache};
use crate::{Batch, Match, Matches, PatternSet, Report, Scan, ScanError};

use super::block::{Block, Copies};

/// Finds matches that cross lines in a stream, in bounded memory.
///
/// The patterns of a set are of two kinds. Those that may match a line feed
/// ([`PatternSet::line_feed_possible`]) are searched in the text as a whole, as far as a sliding window
/// shows it. All others see each line as a record, as everywhere else, and so does a pattern that has `$` for
/// line ends both with the flag [`R`](crate::Pattern::crlf) and without it, or
/// [bounds](crate::Pattern::bounds), which are offsets in a record.
///
/// Made once for a set, and shared by all streams and threads: it has automata of the patterns of the first
/// kind, each built when a window has a match of its pattern.
///
/// # What is found
///
/// Every match of at most `window` bytes is found wherever it lies, with the span that a search of the
/// whole text gives it, provided that all matches of its pattern are that short. Assertions such as `^`,
/// `\b` and `$` see the text around a match, not the window.
///
/// A longer match is found if it happens to fit; otherwise it is missed, or a shorter one with the same
/// start is found instead, if the pattern allows one. To be exact: the text is divided into cells of whole
/// lines, each the shortest of at least `4 * window` bytes. For each pattern and cell, the text is searched
/// from the start of the cell, or from the end of the last match if that is later, for matches that start in
/// the cell. They may extend into the lines after it, up to the end of the first line that ends `window`
/// or more bytes after the cell; the line feed there is out of reach, and for a pattern with assertions
/// about `\r\n` the `\r` before it. A match belongs to the line that it starts in, also if the group that is
/// [reported](crate::Pattern::report_group) of it is in another one. After the line feed that ends a
/// text there is no line, and so no empty match.
///
/// This depends on the text alone, and not on how it arrives. A stream that is found to be short costs no
/// more than its length.
///
/// # Cost
///
/// Memory for about five windows per thread and for what is read at a time, beyond the longest lines. In
/// addition, 16 bytes for each match in a cell, since they are sorted before the first one is reported, and up
/// to 48 while the list of them grows. It is not the window that bounds a cell whose last line is longer, but
/// [`max_record`](super::ReaderScan::max_record): in a line of 1 MiB in which two patterns match every byte, the
/// matches take 32 to 96 MiB. The scanner reads the lines, unless all patterns are of the first kind. For these, there is another engine,
/// which is made with this value and finds out which of them match in a window at all; it reads the text 1.25
/// times. Their spans are then searched for from window to window, on the thread that receives the matches. A
/// match is reported when its window has been read: up to five windows after it, or at the end of the stream.
///
/// ```
/// use dragnet::reader::{AcrossLines, ReaderScan};
/// use dragnet::{Engine, PatternSet, Report};
///
/// let set = PatternSet::new([r"-----BEGIN KEY-----\n(?:\w+\n)*-----END KEY-----"])?;
/// let across = AcrossLines::new(&set, 16 << 10);
/// let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
///
/// let text = "key:\n-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----\n".as_bytes();
/// let mut found = Vec::new();
/// ReaderScan::across_lines(&across).for_each(text, &mut scanner, |m| {
///     found.push((m.line(), m.text().len()));
/// })?;
/// assert_eq!(found, [(2, 47)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AcrossLines {
    automata: Arc<WindowAutomata>,
    /// Finds out which of these patterns match in a window. `None` if there are no patterns.
    engine: Option<Engine>,
    window: usize,
}

/// The largest window, in bytes: with four times as much, a block is still far below the limit of a
/// batch.
const MAX_WINDOW: usize = 256 << 20;

impl AcrossLines {
    /// Prepares a search for the patterns of `set`, with a window of `window` bytes. 0 is taken as 1, and
    /// more than 256 MiB as 256 MiB. Compiles an engine for the patterns that may match a line feed.
    ///
    /// The scanner that is used with it must be one for the same set.
    pub fn new(set: &PatternSet, window: usize) -> AcrossLines {
        let patterns = set.line_feed_possible().filter(|&index| set.bounds(index).is_none());
        let automata = WindowAutomata::new(set, patterns);
        let engine = (!automata.is_empty()).then(|| {
            let numbers = automata.patterns().map(|pattern| pattern as u32);
            Engine::subset(set, numbers, Report::Patterns)
        });
        AcrossLines { automata: Arc::new(automata), engine, window: window.clamp(1, MAX_WINDOW) }
    }

    /// Returns the size of the window in bytes.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Returns the numbers of the patterns that are searched across lines, in ascending order.
    pub fn patterns(&self) -> impl Iterator<Item = usize> + '_ {
        self.automata.patterns()
    }

    /// The shortest length of a cell in bytes. Bytes in the window after a cell are scanned again with
    /// the next one: a quarter more.
    pub(super) fn cell(window: usize) -> usize {
        4 * window
    }
}

/// Scans the lines and the windows of blocks, for one thread.
#[derive(Debug)]
pub(super) struct AcrossScan<'a> {
    automata: &'a WindowAutomata,
    windows: Option<Scanner>,
    matches: Matches,
}

impl AcrossScan<'_> {
    pub(super) fn new(across: &AcrossLines) -> AcrossScan<'_> {
        let windows = across.engine.as_ref().map(Engine::scanner);
        AcrossScan { automata: &across.automata, windows, matches: Matches::new() }
    }

    /// Scans the lines of a block with `scanner`, and its window. Replaces `found.lines` by the matches in
    /// lines, and `found.patterns` by the patterns that match in the window.
    pub(super) fn scan(
        &mut self,
        block: &Block,
        scanner: &mut impl Scan,
        copies: &mut Copies,
        found: &mut BlockMatches,
    ) -> Result<(), ScanError> {
        let BlockMatches { lines, patterns } = found;
        lines.clear();
        patterns.clear();
        // Only to learn whether the scanner is stopped or can't scan any more.
        let nothing = Batch::from_offsets(b"", &[0, 0]);
        let batch = if self.automata.has_all() { nothing } else { block.batch(copies) };
        let in_lines = |m: &Match| !self.automata.contains(m.pattern());
        let _ = scanner.scan_with(&batch.map_err(super::too_large)?, &mut |matches| {
            lines.extend(matches.iter().copied().filter(in_lines));
            ControlFlow::Continue(())
        })?;
        if let Some(windows) = &mut self.windows {
            let text = &block.bytes()[block.text..block.window];
            let offsets = [0, text.len() as u32];
            let batch = Batch::from_offsets(text, &offsets).map_err(super::too_large)?;
            windows.scan(&batch, &mut self.matches)?;
            patterns.extend(self.matches.iter().map(|m| m.pattern() as u32));
        }
        Ok(())
    }
}

/// What a thread has found in a block.
#[derive(Debug, Default)]
pub(super) struct BlockMatches {
    /// Matches in lines, ordered.
    lines: Vec<Match>,
    /// The patterns that match in the window, in ascending order.
    patterns: Vec<u32>,
}

/// Finds the spans across lines of one block after the other.
#[derive(Debug)]
pub(super) struct AcrossSpans<'a> {
    across: &'a AcrossLines,
    cache: WindowCache,
    /// The last matches of patterns whose matches have reached the end of their block. Sorted.
    last: Vec<LastMatch>,
}

/// The last match of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LastMatch {
    pattern: u32,
    /// The offset in the stream where it ends.
    end: u64,
    /// The start and end of what was reported of it.
    reported: (u64, u64),
}

impl AcrossSpans<'_> {
    pub(super) fn new(across: &AcrossLines) -> AcrossSpans<'_> {
        AcrossSpans { across, cache: WindowCache::default(), last: Vec::new() }
    }

    /// Adds the spans of `found.patterns` to `found.lines`. The records of the matches are the lines that
    /// they start in, and their ends may be after the ends of these lines.
    pub(super) fn add<'m>(&mut self, block: &Block, found: &'m mut BlockMatches) -> &'m [Match] {
        let BlockMatches { lines, patterns } = found;
        let window = Window {
            bytes: &block.bytes()[block.text..],
            end: block.window - block.text,
            is_last: block.is_last,
        };
        let block_start = block.offset(block.first);
        let block_end = block.offset(block.end);
        // At the end of a text that no line feed ends, there may be an empty match.
        let is_open = block.is_last
            && block.end == block.window
            && block.bytes()[block.first..block.end].last().is_some_and(|&byte| byte != b'\n');
        let matches_in_lines = lines.len();
        let before = std::mem::take(&mut self.last);
        for &pattern in patterns.iter() {
            let last = before.binary_search_by_key(&pattern, |last| last.pattern).ok();
            let mut last = last.map(|index| before[index].clone());
            let from = last.as_ref().map_or(block_start, |last| last.end);
            if from > block_end {
                self.last.extend(last);
                continue;
            }
            let start = ((from - block.base) as usize - block.text, last.is_some());
            self.across.automata.find(
                &mut self.cache,
                pattern,
                window,
                start,
                |whole, reported| {
                    let (start, end) = (block.text + whole.start, block.text + whole.end);
                    if start >= block.end && !(is_open && start == block.end) {
                        return ControlFlow::Break(());
                    }
                    let end = block.offset(end);
                    let Some(span) = reported else {
                        // The same as of the match before, which is in this block.
                        if let Some(last) = &mut last {
                            last.end = end;
                        }
                        return ControlFlow::Continue(());
                    };
                    let span = block.text + span.start..block.text + span.end;
                    let reported = (block.offset(span.start), block.offset(span.end));
                    if last.as_ref().is_none_or(|last| last.reported != reported) {
                        let line = block.record_at(start);
                        let line_start = block.record(line).start;
                        let range =
                            (span.start - line_start) as u32..(span.end - line_start) as u32;
                        lines.push(Match::new(line as u32, pattern, range));
                    }
                    last = Some(LastMatch { pattern, end, reported });
                    ControlFlow::Continue(())
                },
            );
            self.last.extend(last.filter(|last| last.end >= block_end));
        }
        // A pattern that the window has no match of still has to skip what its last match covers.
        self.last.extend(before.into_iter().filter(|last| {
            last.end >= block_end && patterns.binary_search(&last.pattern).is_err()
        }));
        self.last.sort_unstable();
        if lines.len() > matches_in_lines {
            lines.sort_unstable();
        }
        lines
    }
}
