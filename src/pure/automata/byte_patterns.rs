//! Patterns that are one byte of a set, such as `[\r\n]` or `/`, for which no filter is rare enough.
//!
//! Such a pattern matches if the record contains a byte of its set. So each byte stands for the patterns
//! that it matches, as bits, and a record for the union of these over its bytes: a load and an `or` for
//! each byte, for up to 64 patterns at once, and nothing that has to be built or kept. In a DFA, these
//! patterns would match at nearly every byte, and the states would have to remember which of them
//! have.

use crate::pure::ids::PatternIndex;
use crate::pure::literal::ByteSet;

/// The bytes that are read between checks whether all patterns have matched.
const BLOCK: usize = 32;

/// All patterns of an engine that are searched in this way.
#[derive(Debug, Default)]
pub(crate) struct BytePatterns {
    tables: Vec<Table>,
}

/// Up to 64 patterns.
#[derive(Debug)]
struct Table {
    patterns: Vec<PatternIndex>,
    /// By byte: the patterns that it matches, as bits.
    matches: Box<[u64; 256]>,
}

impl BytePatterns {
    pub(crate) fn new(patterns: &[(PatternIndex, ByteSet)]) -> BytePatterns {
        let tables = patterns.chunks(u64::BITS as usize).map(|chunk| {
            let mut matches = Box::new([0; 256]);
            for (bit, (_, set)) in chunk.iter().enumerate() {
                set.iter().for_each(|byte| matches[usize::from(byte)] |= 1 << bit);
            }
            Table { patterns: chunk.iter().map(|&(pattern, _)| pattern).collect(), matches }
        });
        BytePatterns { tables: tables.collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Appends the patterns that match in `record` to `matched`. Returns an upper bound on the bytes
    /// that were read.
    pub(crate) fn matching(&self, record: &[u8], matched: &mut Vec<PatternIndex>) -> u64 {
        for Table { patterns, matches } in &self.tables {
            let all = u64::MAX >> (u64::BITS as usize - patterns.len());
            let mut found = 0;
            for block in record.chunks(BLOCK) {
                found = block.iter().fold(found, |found, &b| found | matches[usize::from(b)]);
                if found == all {
                    break;
                }
            }
            while found != 0 {
                matched.push(patterns[found.trailing_zeros() as usize]);
                found &= found - 1;
            }
        }
        (self.tables.len() * record.len()) as u64
    }

    /// Heap memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        let table = |table: &Table| size_of::<[u64; 256]>() + size_of_val(&table.patterns[..]);
        size_of_val(&self.tables[..]) + self.tables.iter().map(table).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_where_one_of_their_bytes_is() {
        let parse = |pattern: &str| {
            regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
        };
        for (pattern, expected) in [
            ("/", Some(&b"/"[..])),
            ("[\r\n]", Some(b"\r\n")),
            (r"(?-u)\xFF", Some(b"\xFF")),
            ("ab", None),
            ("a?", None),
            ("[a\u{e9}]", None),
            ("^", None),
        ] {
            let expected = expected.map(|bytes| bytes.iter().copied().collect());
            assert_eq!(ByteSet::of_byte(&parse(pattern)), expected, "{pattern}");
        }

        // More than 64, so that there are two tables.
        let patterns: Vec<(PatternIndex, ByteSet)> = (0..100u8)
            .map(|n| (PatternIndex::new(usize::from(n)), [n, 2 * n].into_iter().collect()))
            .collect();
        let all = BytePatterns::new(&patterns);
        for first in 0..=255 {
            let record = [[first; 40], [200; 40]].concat();
            let mut matched = Vec::new();
            all.matching(&record, &mut matched);
            let expected: Vec<PatternIndex> = patterns
                .iter()
                .filter(|(_, set)| record.iter().any(|&byte| set.contains(byte)))
                .map(|&(pattern, _)| pattern)
                .collect();
            assert_eq!(matched, expected, "{first}");
        }
        let mut matched = Vec::new();
        all.matching(b"", &mut matched);
        assert!(matched.is_empty());
    }
}
