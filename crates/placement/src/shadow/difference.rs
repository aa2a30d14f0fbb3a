//! The differences between the answers of two engines.

use std::fmt;

use dragnet::{Batch, Match, PatternSet};

/// Maximum number of bytes of a record that `Display` shows, so that a difference fits on a line.
const SHOWN_BYTES: usize = 120;

/// Maximum number of spans of an answer that `Display` shows.
const SHOWN_SPANS: usize = 8;

/// A pattern and a record for which two engines have different answers.
///
/// Its `Display` output is one line, with the beginning of the record and the first spans of each
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference<'a> {
    /// The number of the batch, from 0, in the order that
    /// [`ShadowStats::seen`](super::ShadowStats::seen) counts.
    pub batch: u64,
    /// The number of the record in its batch.
    pub record: usize,
    /// The whole record; `None` if the second engine reports a record that is not in the batch.
    pub bytes: Option<&'a [u8]>,
    /// The number of the pattern in the set.
    pub pattern: usize,
    /// The pattern's name, if it has one.
    pub name: Option<&'a str>,
    /// The pattern itself; `None` if the second engine reports a pattern that is not in the set.
    pub regex: Option<&'a str>,
    /// The matches of the pattern in the record, as found by the first engine.
    pub first: &'a [Match],
    /// The matches of the pattern in the record, as found by the second engine.
    pub second: &'a [Match],
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {}", self.pattern)?;
        if let Some(name) = self.name {
            write!(f, " ({name})")?;
        }
        match self.regex {
            Some(regex) => write!(f, " {regex:?}")?,
            None => f.write_str(", which is not in the set,")?,
        }
        write!(f, " in record {} of batch {}", self.record, self.batch)?;
        match self.bytes {
            Some(bytes) => {
                let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
                write!(f, " b\"{}\"", shown.escape_ascii())?;
                if shown.len() < bytes.len() {
                    write!(f, " and {} bytes more", bytes.len() - shown.len())?;
                }
            }
            None => f.write_str(", which is not in the batch")?,
        }
        f.write_str(": the first engine found ")?;
        write_spans(f, self.first)?;
        f.write_str(", the second ")?;
        write_spans(f, self.second)
    }
}

fn write_spans(f: &mut fmt::Formatter<'_>, matches: &[Match]) -> fmt::Result {
    if matches.is_empty() {
        return f.write_str("nothing");
    }
    for (index, m) in matches.iter().take(SHOWN_SPANS).enumerate() {
        let separator = if index == 0 { "" } else { " " };
        match m.span() {
            Some(span) => write!(f, "{separator}{span:?}")?,
            None => write!(f, "{separator}a match")?,
        }
    }
    match matches.len().saturating_sub(SHOWN_SPANS) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// Compares the matches of each pattern in each record. Where they differ, yields those of the first
/// answer and those of the second.
///
/// This merges the two answers, in time linear in their length. If a faulty engine's answer is out of
/// order, it may yield the same pattern and record more than once.
pub(super) fn differences<'a>(
    mut first: &'a [Match],
    mut second: &'a [Match],
) -> impl Iterator<Item = (&'a [Match], &'a [Match])> {
    std::iter::from_fn(move || {
        loop {
            let head = match (first.first(), second.first()) {
                (Some(a), Some(b)) => pair(a).min(pair(b)),
                (Some(m), None) | (None, Some(m)) => pair(m),
                (None, None) => return None,
            };
            let (a, b) = (split_off(&mut first, head), split_off(&mut second, head));
            if a != b {
                return Some((a, b));
            }
        }
    })
}

/// Makes a [`Difference`] of the matches that [`differences`] yields: looks up their record and their
/// pattern. Returns `None` if there are no matches.
pub(super) fn describe<'a>(
    batch: u64,
    records: &Batch<'a>,
    set: &'a PatternSet,
    (first, second): (&'a [Match], &'a [Match]),
) -> Option<Difference<'a>> {
    let (record, pattern) = pair(first.first().or(second.first())?);
    let known = set.get(pattern);
    Some(Difference {
        batch,
        record,
        bytes: records.record(record),
        pattern,
        name: known.and_then(|pattern| pattern.get_name()),
        regex: known.map(|pattern| pattern.as_str()),
        first,
        second,
    })
}

fn pair(m: &Match) -> (usize, usize) {
    (m.record(), m.pattern())
}

/// Splits the matches of one record and pattern off the front.
fn split_off<'a>(matches: &mut &'a [Match], of: (usize, usize)) -> &'a [Match] {
    let len = matches.iter().take_while(|m| pair(m) == of).count();
    let (taken, rest) = matches.split_at(len);
    *matches = rest;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(matches: &[(u32, u32, u32)]) -> Vec<Match> {
        matches.iter().map(|&(record, pattern, at)| Match::new(record, pattern, at..at)).collect()
    }

    #[test]
    fn pairs_with_unequal_matches_are_returned() {
        type Answer<'a> = &'a [(u32, u32, u32)];
        type Pairs<'a> = &'a [(usize, usize)];
        let cases: [(Answer, Answer, Pairs); 9] = [
            (&[], &[], &[]),
            (&[(0, 0, 0)], &[(0, 0, 0)], &[]),
            (&[(0, 0, 0)], &[], &[(1, 0)]),
            (&[], &[(0, 0, 0), (0, 1, 0), (1, 0, 0)], &[(0, 1), (0, 1), (0, 1)]),
            (&[(0, 0, 0), (0, 0, 1)], &[(0, 0, 0), (0, 0, 2)], &[(2, 2)]),
            (&[(0, 0, 0), (0, 0, 1)], &[(0, 0, 0)], &[(2, 1)]),
            (&[(0, 0, 0), (2, 0, 0)], &[(1, 0, 0), (2, 0, 0)], &[(1, 0), (0, 1)]),
            (&[(0, 1, 0), (1, 0, 0)], &[(0, 1, 0), (1, 1, 0)], &[(1, 0), (0, 1)]),
            // Answers out of order do not loop forever.
            (&[(0, 0, 0), (1, 0, 0)], &[(1, 0, 0), (0, 0, 0)], &[(1, 0), (0, 1)]),
        ];
        for (first, second, expected) in cases {
            let (first, second) = (list(first), list(second));
            let found: Vec<_> =
                differences(&first, &second).map(|(a, b)| (a.len(), b.len())).collect();
            assert_eq!(found, expected, "{first:?} {second:?}");
        }
    }

    #[test]
    fn display_is_one_short_line() {
        let set = PatternSet::new([dragnet::Pattern::new("a+").name("as")]).unwrap();
        let text = [b'\n'; 500];
        let batch = Batch::from_offsets(&text, &[0, 500]).unwrap();
        let many: Vec<_> = (0..100).map(|at| Match::new(0, 0, at..at + 1)).collect();
        let line = describe(7, &batch, &set, (&many, &[])).unwrap().to_string();
        assert!(
            line.starts_with("pattern 0 (as) \"a+\" in record 0 of batch 7 b\"\\n\\n"),
            "{line}"
        );
        assert!(line.contains("380 bytes more"), "{line}");
        assert!(
            line.ends_with(
                "0..1 1..2 2..3 3..4 4..5 5..6 6..7 7..8 and 92 more, the second \
                                nothing"
            ),
            "{line}"
        );
        assert!(line.len() < 600 && !line.contains('\n'), "{line}");

        let foreign = [Match::new(3, 9, 0..0)];
        let line = describe(0, &batch, &set, (&[], &foreign)).unwrap().to_string();
        assert_eq!(
            line,
            "pattern 9, which is not in the set, in record 3 of batch 0, which is not in the \
             batch: the first engine found nothing, the second 0..0"
        );
    }
}
