//! The known-answer self-test that a library must pass before it is used.
//!
//! Validated cryptographic modules run such tests at start-up, and libhs needs one for a similar
//! reason: a wrong answer looks like any other. Widely packaged builds miss matches, most of them
//! near the end of a record, where a loop over whole vectors ends.
//!
//! So the test scans records of every length around the vector widths, with matches at their ends
//! and with matches that start in one record and end in the next. The patterns are few, but libhs
//! searches for them by different methods: each alone and all together. The expected answers come
//! from a plain Rust predicate for each pattern, never from the library. Records in which released
//! versions were wrong are included as they were reported.
//!
//! The test runs once per process and takes about 50 ms (Hyperscan 5.4.0 on x86-64, one core). It
//! covers the faults that are known, and cannot prove the absence of others.

use std::ffi::CString;

use super::ffi::{BlockScan, ScanFailure, block_buffer};
use super::objects::{Database, Expression, Scratch};
use super::records::PaddedRecords;
use crate::{Batch, BatchBuf, BatchError, Match, StopFlag};

/// The length in bytes of the longest generated record: a few bytes more than two of the widest
/// vectors, which have 64. Every length from 0 on occurs.
const LONGEST: usize = 132;

/// Why a library did not pass the test.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It gave a wrong answer. Describes the case, and what was expected and found.
    Wrong(String),
    /// The test could not finish, so it proves nothing about the library. Holds the reason.
    Unfinished(String),
}

/// A pattern, a predicate with the same meaning, and records to scan.
struct Case {
    /// In libhs's syntax.
    pattern: &'static str,
    /// Whether the pattern matches in a record.
    matches: fn(&[u8]) -> bool,
    /// Texts that match. Generated records end with one of them.
    hits: &'static [&'static [u8]],
    /// Further records, in which released libraries were wrong.
    records: &'static [&'static [u8]],
}

const CASES: &[Case] = &[
    Case { pattern: "b", matches: |r| r.contains(&b'b'), hits: &[b"b"], records: &[] },
    Case { pattern: "cdab", matches: |r| has(r, b"cdab"), hits: &[b"cdab"], records: &[] },
    Case {
        pattern: "(?i:bat|cat|mat|rat|fat|sat|pat|hat|vat)",
        matches: |r| {
            let r = r.to_ascii_lowercase();
            r.windows(3).any(|w| is_in(w[0], b"bcmrfsphv") && w.ends_with(b"at"))
        },
        hits: &[b"bat", b"Vat"],
        // VectorCamp/vectorscan #322.
        records: &[b"VAt hat pat sat fat rat mat ca"],
    },
    Case {
        pattern: "[0-9a-f]{17}",
        matches: |r| r.windows(17).any(|w| w.iter().all(|&b| is_in(b, b"0123456789abcdef"))),
        hits: &[b"00112233445566778"],
        records: &[],
    },
    Case {
        pattern: r"cd[^\x0a]*da",
        matches: |r| {
            r.split(|&b| b == b'\n').any(|l| after(l, b"cd").is_some_and(|l| has(l, b"da")))
        },
        hits: &[b"cdda", b"cd ad- da"],
        records: &[],
    },
    Case {
        pattern: r"(?s:curl.*\|\s*python)",
        matches: |r| {
            let piped = |l: &[u8]| l.trim_ascii_start().starts_with(b"python");
            after(r, b"curl").is_some_and(|l| l.split(|&b| b == b'|').skip(1).any(piped))
        },
        hits: &[b"curl | python"],
        // VectorCamp/vectorscan #382.
        records: &[b"curl http://xxxx:8000/ 2>&1 | python"],
    },
    Case {
        pattern: r"[\x80-\xff]-",
        matches: |r| r.windows(2).any(|w| w[0] >= 0x80 && w[1] == b'-'),
        hits: &[b"\x80-", b"\xff-"],
        records: &[],
    },
    Case {
        pattern: r"\A[^b]+b",
        matches: |r| r.iter().position(|&b| b == b'b').is_some_and(|at| at > 0),
        hits: &[b"b"],
        records: &[],
    },
    Case {
        pattern: r"\bcab\b",
        matches: |r| {
            let whole =
                |at: usize| !is_word_byte(r, at.wrapping_sub(1)) && !is_word_byte(r, at + 3);
            (0..r.len()).any(|at| r[at..].starts_with(b"cab") && whole(at))
        },
        hits: &[b"cab", b" cab", b"-cab-"],
        records: &[],
    },
    Case {
        pattern: r"[bd]\z",
        matches: |r| r.last().is_some_and(|&b| is_in(b, b"bd")),
        hits: &[b"b"],
        records: &[],
    },
    Case {
        pattern: "[ab]b",
        matches: a_or_b_then_b,
        hits: &[b"ab", b"bb"],
        records: &[b" cac-a- acccac-dbb"],
    },
    Case {
        pattern: r"b(?:\x0a\B|[ab])",
        matches: |r| {
            let ends =
                |at: usize| is_in(r[at], b"ab") || r[at] == b'\n' && !is_word_byte(r, at + 1);
            (1..r.len()).any(|at| r[at - 1] == b'b' && ends(at))
        },
        hits: &[b"ba", b"b\n"],
        records: &[b"cbdb--\n  d cddca\nba"],
    },
    Case {
        pattern: r"(?:(?:b){2,}|(?:a\x0a){1,3}[0-9A-Za-z_])",
        matches: |r| {
            has(r, b"bb") || r.windows(3).any(|w| w.starts_with(b"a\n") && is_word_byte(w, 2))
        },
        hits: &[b"bb", b"a\nc"],
        records: &[b"cb- \nbcb\n d c-a-abcccbcbb"],
    },
    Case {
        pattern: r"(?:(?:[^\x0a]|a)\b\b\z|[ab]b)",
        matches: |r| is_word_byte(r, r.len().wrapping_sub(1)) || a_or_b_then_b(r),
        hits: &[b"d", b"bb"],
        records: &[b"a c-bd\nc -adc\n\nb d"],
    },
    Case {
        // libhs's shufti search sorts the bytes of a class into up to eight buckets, one bit of a
        // byte each, and this class needs all eight. On AArch64, Vectorscan 5.4.9 never finds the
        // last of these bytes, as if it compared the bits as a signed number.
        pattern: r"[\x01\x12\x23\x34\x45\x56\x67\x78]",
        matches: |r| r.iter().any(|&b| is_in(b, b"\x01\x12\x23\x34\x45\x56\x67\x78")),
        hits: &[b"\x01", b"\x78"],
        records: &[],
    },
];

fn has(record: &[u8], text: &[u8]) -> bool {
    after(record, text).is_some()
}

/// Returns the bytes after the first occurrence of `text`.
fn after<'r>(record: &'r [u8], text: &[u8]) -> Option<&'r [u8]> {
    let at = record.windows(text.len()).position(|w| w == text)?;
    Some(&record[at + text.len()..])
}

/// Whether `byte` is one of `set`.
fn is_in(byte: u8, set: &[u8]) -> bool {
    set.contains(&byte)
}

/// Whether the byte at `at` is a letter, a digit or an underscore. False outside of the record.
fn is_word_byte(record: &[u8], at: usize) -> bool {
    record.get(at).is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_')
}

fn a_or_b_then_b(record: &[u8]) -> bool {
    record.windows(2).any(|w| is_in(w[0], b"ab") && w[1] == b'b')
}

impl Case {
    /// Appends the records to scan for this pattern.
    fn fill(&self, batch: &mut BatchBuf) -> Result<(), BatchError> {
        // The bytes before a match. They resemble the starts of matches and differ from record to
        // record, but are the same in every run of the test.
        const NOISE: &[u8] = b" cac-a- acccac-d\ncd d-ca a\nadd cc-dca\nacd";
        let mut record = Vec::with_capacity(LONGEST + 32);
        for (h, hit) in self.hits.iter().enumerate() {
            for len in 0..=LONGEST {
                record.clear();
                record.extend(NOISE.iter().cycle().skip(7 * len + h).take(len));
                batch.push(&record)?;
                record.truncate(len.saturating_sub(hit.len()));
                record.extend_from_slice(hit);
                batch.push(&record)?;
                // The last byte of the match is the first of the next record.
                batch.push(&record[..record.len() - 1])?;
                batch.push(&hit[hit.len() - 1..])?;
            }
        }
        self.records.iter().try_for_each(|record| batch.push(record))
    }
}

/// Runs the test on `scan`, which reports which of the given patterns match which records.
pub(super) fn run<S>(mut scan: S) -> Result<(), Failure>
where
    S: FnMut(&[&str], &Batch<'_>) -> Result<Vec<Match>, String>,
{
    let mut records = BatchBuf::new();
    let mut ranges = Vec::with_capacity(CASES.len());
    for case in CASES {
        let start = records.len();
        case.fill(&mut records).map_err(|error| Failure::Unfinished(error.to_string()))?;
        ranges.push(start..records.len());
    }
    let batch = records.as_batch();
    let patterns: Vec<&str> = CASES.iter().map(|case| case.pattern).collect();
    // libhs may use one method for a pattern that is alone in a database, and another for the same
    // pattern among others. So each pattern is scanned for in both ways.
    let together = scan(&patterns, &batch).map_err(Failure::Unfinished)?;
    for (pattern, (case, range)) in CASES.iter().zip(ranges).enumerate() {
        let batch = batch.slice(range.clone());
        let expected: Vec<bool> = batch.iter().map(|record| (case.matches)(record)).collect();
        let alone = scan(&[case.pattern], &batch).map_err(Failure::Unfinished)?;
        case.compare(&batch, &expected, alone.iter().map(Match::record))?;
        let together = together
            .iter()
            .filter(|m| m.pattern() == pattern && range.contains(&m.record()))
            .map(|m| m.record() - range.start);
        case.compare(&batch, &expected, together)?;
    }
    Ok(())
}

impl Case {
    /// Compares the records in which the pattern was found with those in which it matches.
    fn compare(
        &self,
        batch: &Batch<'_>,
        expected: &[bool],
        found: impl Iterator<Item = usize>,
    ) -> Result<(), Failure> {
        let mut found = found.peekable();
        for (index, (record, &expected)) in batch.iter().zip(expected).enumerate() {
            let found = found.next_if_eq(&index).is_some();
            if found != expected {
                let (want, got) = if expected { ("a", "no") } else { ("no", "a") };
                return Err(Failure::Wrong(format!(
                    "expected {want} match of `{}` in \"{}\", found {got} match",
                    self.pattern,
                    record.escape_ascii()
                )));
            }
        }
        match found.next() {
            None => Ok(()),
            Some(index) => Err(Failure::Wrong(format!(
                "record {index} is reported for `{}` twice or out of order",
                self.pattern
            ))),
        }
    }
}

/// Scans with the libhs that this process has loaded.
pub(super) fn libhs(patterns: &[&str], batch: &Batch<'_>) -> Result<Vec<Match>, String> {
    let expressions = patterns
        .iter()
        .zip(0..)
        .map(|(&text, pattern)| {
            let text = CString::new(text).map_err(|error| error.to_string())?;
            Ok(Expression { pattern, text })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let database = Database::compile(&expressions).map_err(|error| {
        format!("compiling the self-test's patterns failed: {}", error.message())
    })?;
    let databases = [database];
    let mut scratch = Scratch::new(&databases)
        .map_err(|code| format!("allocating scratch space failed with error {code}"))?;
    let records = PaddedRecords::prefix_of(batch);
    assert_eq!(records.len(), batch.len(), "owned batches are padded");
    let stop = StopFlag::new();
    let mut scan = BlockScan {
        databases: &databases,
        expression_count: patterns.len(),
        scratch: &mut scratch,
        stop: &stop,
        buffer: &mut block_buffer(patterns.len()),
        records,
        next: 0,
    };
    let mut found = Vec::new();
    while let Some(block) = scan.next_block().map_err(|failure| match failure {
        ScanFailure::Stopped => "the self-test was stopped".to_owned(),
        ScanFailure::Libhs(code) => format!("the self-test failed with error {code}"),
    })? {
        found.extend_from_slice(block.pairs);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers of a correct library.
    fn correct(patterns: &[&str], batch: &Batch<'_>) -> Result<Vec<Match>, String> {
        let mut found = Vec::new();
        for (r, record) in batch.iter().enumerate() {
            for (p, pattern) in patterns.iter().enumerate() {
                let case = CASES.iter().find(|case| case.pattern == *pattern).unwrap();
                if (case.matches)(record) {
                    found.push(Match::without_span(r as u32, p as u32));
                }
            }
        }
        Ok(found)
    }

    #[test]
    fn predicates_agree_with_an_nfa_simulation() {
        use regex_automata::nfa::thompson::pikevm::PikeVM;
        let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false);
        for case in CASES {
            let mut batch = BatchBuf::new();
            case.fill(&mut batch).unwrap();
            let vm = PikeVM::builder()
                .syntax(syntax)
                .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
                .build(case.pattern)
                .unwrap();
            let mut cache = vm.create_cache();
            for record in batch.as_batch().iter() {
                assert_eq!(
                    (case.matches)(record),
                    vm.is_match(&mut cache, record),
                    "{} on {:?}",
                    case.pattern,
                    record.escape_ascii().to_string()
                );
            }
        }
    }

    #[test]
    fn a_correct_library_passes() {
        assert_eq!(run(correct), Ok(()));
    }

    #[test]
    fn a_wrong_library_fails_with_the_case() {
        // Each loses or invents one match of one pattern, in a record of a certain length.
        let lengths = [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];
        for (case, len) in CASES.iter().zip(lengths.iter().cycle()) {
            let failure = run(|patterns: &[&str], batch: &Batch<'_>| {
                let mut found = correct(patterns, batch)?;
                let Some(p) = patterns.iter().position(|p| *p == case.pattern) else {
                    return Ok(found);
                };
                let r = batch.iter().position(|record| record.len() == *len).unwrap();
                let m = Match::without_span(r as u32, p as u32);
                match found.binary_search(&m) {
                    Ok(at) => drop(found.remove(at)),
                    Err(at) => found.insert(at, m),
                }
                Ok(found)
            });
            let Err(Failure::Wrong(text)) = failure else { panic!("{len}: {failure:?}") };
            assert!(text.contains(case.pattern), "{text}");
        }
    }

    #[test]
    fn a_library_error_is_not_a_wrong_answer() {
        let failure = run(|_: &[&str], _: &Batch<'_>| Err("no memory".to_owned()));
        assert_eq!(failure, Err(Failure::Unfinished("no memory".to_owned())));
    }

    #[test]
    fn a_match_reported_twice_is_wrong() {
        let failure = run(|patterns: &[&str], batch: &Batch<'_>| {
            let mut found = correct(patterns, batch)?;
            found.extend(found.last().copied());
            Ok(found)
        });
        assert!(matches!(failure, Err(Failure::Wrong(_))), "{failure:?}");
    }
}
