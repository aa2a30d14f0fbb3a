//! Where a match of a program can begin.
//!
//! Backtracking is tried at one offset after the other. Most of them can be skipped without a try: those whose byte
//! no match begins with, those within a line if matches begin at the start of one, and those of a run of a class that
//! is not continued as the pattern requires. In `[^ ]+:[0-9]+`, for example, every match begins with bytes that are
//! not spaces, and then a colon. So the next colon is searched for, and the run before it is read backward: no match
//! begins before that run. The `regex` crate calls a search that begins in the middle of a match *reverse inner*.
//!
//! No byte is read backward twice, because the next search begins after the run.

use std::ops::{Range, RangeInclusive};

use crate::pure::literal::ByteSet;
use crate::pure::mechanism;

use super::looks;
use super::nodes::Repeat;
use super::program::{Choice, List, first_bytes, first_bytes_unless_empty};

/// How frequent the bytes after the first run may be, to be searched for. With more frequent ones, most runs are
/// continued by one, and the search brings nothing. A guess. Higher in tests, so that small patterns reach it.
const MAX_FREQUENCY: f64 = if cfg!(test) { 1.0 } else { 0.03 };

/// The frequency of the bytes that matches begin with from which on they are dense. Spans of grok's patterns take 6%
/// more time with 0.1.
const FREQUENT: f64 = 0.03;

/// Where a match can begin.
#[derive(Debug)]
pub(super) struct Starts {
    place: Place,
    /// The bytes that a match can begin with.
    pub(super) first_bytes: ByteSet,
    /// The first bytes, if they are at most three and rare.
    needle: Option<[u8; 3]>,
    /// Whether [`Starts::next`] looks at each byte and the first bytes are frequent, so that most of the offsets that it
    /// returns begin no match.
    pub(super) are_dense: bool,
    /// Whether a match may be empty.
    may_be_empty: bool,
    leading: Option<Leading>,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Record,
    Line,
    Anywhere,
}

/// A class of which a match can begin with any number of bytes, as in `[a-z]+=` and `[^,]*;`, or up to a number if one
/// of a few bytes that are not in it must come then, as in `[a-z]{1,4}=`. If no match begins at one of them, none begins
/// at those after it.
#[derive(Debug)]
struct Leading {
    class: ByteSet,
    /// The least number of these bytes, at most 1.
    min: usize,
    /// The largest number of these bytes; `usize::MAX` if it is unbounded. If it is bounded, there is a `needle`, of which
    /// no byte is of the class.
    max: usize,
    /// The bytes of which one must come after them, if these are at most three and rare.
    needle: Option<[u8; 3]>,
}

/// The parts of a program that is being built.
pub(super) struct Parts<'a> {
    /// What a match begins with.
    pub(super) start: List,
    pub(super) lists: &'a [List],
    pub(super) choices: &'a [Choice],
    /// By position: the index in `lists` of what can come after it.
    pub(super) after: &'a [u16],
    /// By run: the same.
    pub(super) after_runs: &'a [u16],
    pub(super) runs: &'a [Repeat],
    pub(super) sets: &'a [ByteSet],
}

impl Starts {
    pub(super) fn new(parts: &Parts<'_>) -> Starts {
        let starting = &parts.choices[parts.start.range()];
        let all_look = |look| starting.iter().all(|choice| choice.looks & look != 0);
        let place = match () {
            () if all_look(looks::START) => Place::Record,
            () if all_look(looks::START | looks::START_LF) => Place::Line,
            () => Place::Anywhere,
        };
        let first_bytes = first_bytes(starting.iter(), parts.sets);
        let may_be_empty = starting.iter().any(|choice| choice.position == Choice::END);
        let leading = Leading::new(parts);
        let has_needle = leading.as_ref().is_some_and(|leading| leading.needle.is_some());
        let reads_all = place == Place::Anywhere && !may_be_empty && !has_needle;
        Starts {
            place,
            needle: needle(&first_bytes),
            are_dense: reads_all && first_bytes.frequency() > FREQUENT,
            first_bytes,
            may_be_empty,
            leading,
        }
    }

    /// The first offset within `range` at which a match may begin that ends at `limit` at the latest. The end of `range`
    /// is one of its offsets if matches may be empty.
    #[inline]
    pub(super) fn next(&self, record: &[u8], range: Range<usize>, limit: usize) -> Option<usize> {
        if range.start > range.end || self.place == Place::Record && range.start > 0 {
            return None;
        }
        if self.place == Place::Line && range.start > 0 {
            return self.next_line(record, range);
        }
        if self.may_be_empty {
            return Some(range.start);
        }
        if let Some(Leading { class, min, max, needle: Some(needle) }) = &self.leading {
            let at = next_run(record, range.start, limit, (class, *min..=*max), *needle)?;
            return (at < range.end).then_some(at);
        }
        let bytes = &record[range.clone()];
        let first = |&byte: &u8| self.first_bytes.contains(byte);
        let skipped = match self.needle {
            Some(needle) => find(needle, bytes)?,
            None => bytes.iter().position(first)?,
        };
        Some(range.start + skipped)
    }

    /// As [`Starts::next`], of matches at the start of a line.
    fn next_line(&self, record: &[u8], range: Range<usize>) -> Option<usize> {
        let mut at = range.start - 1;
        loop {
            at += memchr::memchr(b'\n', &record[at..range.end])? + 1;
            if self.may_be_empty || self.first_bytes.contains(*record[..range.end].get(at)?) {
                return Some(at);
            }
        }
    }

    /// Where the next match can begin at the earliest if none begins at `start` that ends at `limit` at the latest.
    #[inline]
    pub(super) fn after_failure(&self, record: &[u8], start: usize, limit: usize) -> usize {
        match &self.leading {
            Some(Leading { class, .. }) if start < limit => {
                start + class.count_leading(&record[start..limit]).max(1)
            }
            _ => start + 1,
        }
    }
}

impl Leading {
    /// A match that begins within such a run, with a byte of it or with what comes after it, also begins at the start
    /// of the run.
    fn new(parts: &Parts<'_>) -> Option<Leading> {
        let &Parts { start, lists, choices, after, after_runs, runs, sets } = parts;
        let starting = &choices[start.range()];
        let list_after = |choice: &Choice| lists[usize::from(after[usize::from(choice.position)])];
        let mut max = usize::MAX;
        let (class, min, next, back) = match starting {
            [only] if only.looks == 0 && only.position != Choice::END => {
                match only.position.checked_sub(Choice::RUN) {
                    Some(run) => {
                        let run = usize::from(run);
                        if runs[run].max != u32::MAX {
                            max = runs[run].max as usize;
                        }
                        (only.set, 1, lists[usize::from(after_runs[run])], None)
                    }
                    None => (only.set, 1, list_after(only), Some(only.position)),
                }
            }
            _ => {
                // The repetition may be empty: its class leads back to what a match can begin with.
                let is_back = |choice: &&Choice| {
                    choice.looks == 0
                        && choice.position < Choice::RUN
                        && list_after(choice).range() == start.range()
                };
                let back = starting.iter().find(is_back)?;
                (back.set, 0, start, Some(back.position))
            }
        };
        let next = &choices[next.range()];
        if let Some(back) = back
            && !next.iter().any(|choice| choice.looks == 0 && choice.position == back)
        {
            return None;
        }
        let others = next.iter().filter(|choice| Some(choice.position) != back);
        let needle = first_bytes_unless_empty(others, sets).and_then(|bytes| needle(&bytes));
        let class = sets[usize::from(class)];
        // What begins later in a run that is bounded matches only if the run ends there, and so does what begins first.
        let ends_at = |needle: [u8; 3]| !needle.iter().any(|&byte| class.contains(byte));
        let is_bounded = max != usize::MAX;
        (!is_bounded || needle.is_some_and(ends_at)).then_some(Leading { class, min, max, needle })
    }
}

/// The bytes of a set, if they are at most three and rare. The last one is repeated if there are fewer.
fn needle(set: &ByteSet) -> Option<[u8; 3]> {
    let mut bytes = set.iter();
    let first = bytes.next()?;
    let second = bytes.next().unwrap_or(first);
    let third = bytes.next().unwrap_or(second);
    let rare = mechanism::leading_needles() && set.frequency() <= MAX_FREQUENCY;
    (bytes.next().is_none() && rare).then_some([first, second, third])
}

/// The start of the first run of bytes of a class that a byte of `needle` comes after, from `at` on and before `limit`.
/// Of a run that is longer than the longest of `lens`, only the last bytes count.
fn next_run(
    record: &[u8],
    at: usize,
    limit: usize,
    (class, lens): (&ByteSet, RangeInclusive<usize>),
    needle: [u8; 3],
) -> Option<usize> {
    let mut from = at + lens.start();
    loop {
        let rest = record.get(from..limit)?;
        let needle = from + find(needle, rest)?;
        let before = record[at..needle].iter().rev().take(*lens.end());
        let before = before.take_while(|&&byte| class.contains(byte));
        let len = before.count();
        if len >= *lens.start() {
            return Some(needle - len);
        }
        from = needle + 1;
    }
}

/// The offset of the first of up to three bytes.
fn find([a, b, c]: [u8; 3], bytes: &[u8]) -> Option<usize> {
    match () {
        () if a == c => memchr::memchr(a, bytes),
        () if b == c => memchr::memchr2(a, b, bytes),
        () => memchr::memchr3(a, b, c, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Program;
    use super::super::tests::parse;

    /// The offsets that are tried in `record`, if each fails.
    fn tried(pattern: &str, record: &str) -> Vec<usize> {
        let program = Program::new(&parse(pattern)).unwrap();
        let (record, len) = (record.as_bytes(), record.len());
        let mut at = 0;
        let next = || {
            let start = program.starts.next(record, at..len, len)?;
            at = program.starts.after_failure(record, start, len);
            Some(start)
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn offsets_where_no_match_begins_are_skipped() {
        for (pattern, record, offsets) in [
            // At the start of a record or a line.
            (r"\Aa", "aaa", &[0][..]),
            ("(?m)^a", "ab\naa\nb\na\n", &[0, 3, 8]),
            (r"(?m)^a|\Ab", "ab\naa\nb\na\n", &[0, 3, 6, 8]),
            ("(?m)(?:^a)*", "ab\na", &[0, 1, 2, 3, 4]),
            ("(?m)^", "a\n\n", &[0, 2, 3]),
            // With one of some bytes.
            ("[ab]c", "abxa", &[0, 1, 3]),
            // At the start of a run.
            ("[ab]+[^:]", "ab abx:a", &[0, 3, 7]),
            ("(?:[ab]+|c)[^:]", "abc", &[0, 1, 2]),
            // At the start of a run that is continued.
            ("[ab]+:", "ab ab: abx:a", &[3]),
            ("[a-z:]+:", "ab ab:a:b: a:", &[3, 11]),
            ("[ab]+(?:;|[!?]c)", "a:ab! a?ab;", &[2, 6, 8]),
            ("[ab]+[1-4]", "a:ab1", &[0, 2]),
            ("[ab]+(?:$|:)", "a ab:", &[0, 2]),
            ("[ab]*:", "a ab: :", &[2, 4, 6]),
            ("(?:a+b)+:", "ab aa b:", &[0]),
            (r"\b[ab]+:", "abx ab:", &[0, 1, 4, 5]),
            (r"\b[ab]{1,4}:", "abx ab:", &[0, 1, 4, 5]),
            // At the last bytes of a run that is continued.
            ("[ab]{1,4}:", "ab ababab: aa:b: :", &[5, 11, 14]),
            ("[ab]{2,4}:", "a: aaaaa:", &[0, 4]),
            ("[ab:]{1,4}:", "ab:a", &[0, 1, 2, 3]),
            ("[ab]{1,4}[a1]", "aa:ab", &[0, 1, 3, 4]),
        ] {
            assert_eq!(tried(pattern, record), offsets, "{pattern} in {record:?}");
        }
    }

    #[test]
    fn only_offsets_within_the_range_are_returned() {
        for (pattern, record) in [("[ab]+:", "x ab:"), ("ab", "x ab:"), ("(?m)^ab", "x\nab:")] {
            let starts = Program::new(&parse(pattern)).unwrap().starts;
            let next = |end| starts.next(record.as_bytes(), 1..end, record.len());
            assert_eq!((next(2), next(3)), (None, Some(2)), "{pattern}");
        }
    }
}
