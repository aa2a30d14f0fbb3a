//! No input makes a scan quadratic, told by the steps that automata take and not by time.
//!
//! Each case is made to break one of the rules that keep a scan linear: each is scanned at three
//! sizes, once as one record and once cut into short ones. What is counted is an upper bound of
//! the bytes that automata read; the search for candidates reads each byte a fixed number of times
//! by its construction.

use dragnet::pure::Engine;
use dragnet::{Batch, Matches, Pattern, PatternSet, Report, Scan};

/// What may be read of a record for one pattern, per byte and besides: from the places of literals
/// on, around them, and for the spans of a pattern that matches. The sum of the engine's own
/// limits, and a few bytes for its searches of a whole record.
const STEPS_PER_BYTE: u64 = 32;
const STEPS_PER_RECORD: u64 = 6 << 10;
/// By how much steps may grow when data doubles.
const GROWTH: f64 = 2.2;
/// The length of the short records.
const SHORT: usize = 64;

struct Case {
    name: &'static str,
    patterns: fn() -> Vec<String>,
    /// The start of one endless record.
    record: fn(usize) -> Vec<u8>,
    report: Report,
    /// What the first pattern is searched by, without which the case tries nothing.
    by: &'static str,
    /// The smallest size.
    size: usize,
}

fn cycle(text: &[u8], len: usize) -> Vec<u8> {
    text.iter().copied().cycle().take(len).collect()
}

fn strings(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

/// Different words of six letters without a vowel, with this between them.
fn words(count: usize, between: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    let word = |mut number: usize| {
        // Neighbours have no long part in common.
        number = number * 7919 % 64_000_000;
        let mut word = String::new();
        for _ in 0..6 {
            word.push(LETTERS[number % LETTERS.len()] as char);
            number /= LETTERS.len();
        }
        word
    };
    (0..count).map(word).collect::<Vec<_>>().join(between)
}

const WHICH: Report = Report::Which;
const SPANS: Report = Report::Spans;

/// Records made of what patterns are searched by.
#[rustfmt::skip]
const LITERALS: &[Case] = &[
    Case {
        name: "records made of a literal, from each of which a match might reach to the end",
        patterns: || strings(&["key=.*[^\\w=]"]),
        record: |len| cycle(b"key=", len),
        report: WHICH, by: "literal key=", size: 16 << 10,
    },
    Case {
        name: "the same, between other things",
        patterns: || strings(&[r"key=[^;]*[^\w= ]"]),
        record: |len| cycle(b"some key=value and ", len),
        report: WHICH, by: "literal key=", size: 16 << 10,
    },
    Case {
        name: "near misses behind a literal",
        patterns: || strings(&["token_[a-z0-9]{40}!"]),
        record: |len| cycle(b"token_0123456789abcdefghij0123456789abcdefghij ", len),
        report: WHICH, by: "literal token_", size: 16 << 10,
    },
    Case {
        name: "long windows behind a literal, overlapping",
        patterns: || strings(&["qzx[a-z]{500}!"]),
        record: |len| cycle(b"qzxabcdefg", len),
        report: WHICH, by: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "long windows before a literal, overlapping",
        patterns: || strings(&["x[a-z]{1,300}secret[0-9A-Z]"]),
        record: |len| cycle(b"abcdefsecret", len),
        report: WHICH, by: "literal secret", size: 16 << 10,
    },
    Case {
        name: "long windows before a literal, almost touching",
        patterns: || strings(&["x[a-z]{1,30}secret[0-9A-Z]"]),
        record: |len| cycle(b"abcdefghij.abcdefghij.abcdefghijsecret", len),
        report: WHICH, by: "literal secret", size: 16 << 10,
    },
    Case {
        name: "windows before a literal without a bound",
        patterns: || strings(&["x.*secret[0-9A-Z]"]),
        record: |len| cycle(b"secret and ", len),
        report: WHICH, by: "literal secret", size: 16 << 10,
    },
    Case {
        name: "two patterns' literals in turns, with all kinds of windows",
        patterns: || strings(&["x[a-z]{1,60}foozy1", "Q.*barqu2", "foozy.*Q.Q", "barqu.{0,100}Q.Q"]),
        record: |len| cycle(b"foozy barqu foozy1 barqu2 ", len),
        report: WHICH, by: "literal foozy1", size: 16 << 10,
    },
    Case {
        name: "one pattern's literals in turns, bounded",
        patterns: || strings(&["x[a-z ]{1,60}(?:foozy|barqu)[^a-z ]"]),
        record: |len| cycle(b"foozy barqu ", len),
        report: WHICH, by: "literal barqu, foozy", size: 16 << 10,
    },
    Case {
        name: "literals that begin with one another",
        patterns: || (4..30).map(|len| format!("{}.*[^z]", "z".repeat(len))).collect(),
        record: |len| cycle(b"z", len),
        report: WHICH, by: "literal zzzz", size: 4 << 10,
    },
];

/// Patterns with very many literals, whose windows overlap.
#[rustfmt::skip]
const MANY_LITERALS: &[Case] = &[
    Case {
        name: "one pattern's many literals in turns, bounded",
        patterns: || vec![format!("x[a-z ]{{1,60}}(?:{})[^a-z ]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: WHICH, by: "literal b", size: 4 << 10,
    },
    Case {
        name: "one pattern's many literals in turns, with long windows",
        patterns: || vec![format!("x[a-z ]{{1,900}}(?:{})[^a-z ]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: WHICH, by: "literal b", size: 4 << 10,
    },
    Case {
        name: "one pattern's many literals in turns, unbounded",
        patterns: || vec![format!("x.*(?:{})[^a-z ]", words(1000, "|"))],
        record: |len| cycle(words(1000, " ").as_bytes(), len),
        report: WHICH, by: "literal b", size: 4 << 10,
    },
];

/// Very many patterns.
#[rustfmt::skip]
const SAME_LITERAL: &[Case] = &[
    Case {
        name: "ten thousand rules with the same literal",
        patterns: || (0..10_000).map(|n| format!("secret=[a-z]{{2,4}}{n};")).collect(),
        record: |len| cycle(b"secret=abcd;", len),
        report: WHICH, by: "literal secret=", size: 1 << 10,
    },
    Case {
        name: "a thousand rules with the same literal and no bound",
        patterns: || (0..1000).map(|n| format!("secret=.*[^a-z=;]{{{}}}", 1 + n % 50)).collect(),
        record: |len| cycle(b"secret=abcd;", len),
        report: WHICH, by: "literal secret=", size: 1 << 10,
    },
    Case {
        name: "a thousand rules with the same literal inside",
        patterns: || (0..1000).map(|n| format!("{n}[a-z]{{1,50}}secret=[A-Z]")).collect(),
        record: |len| cycle(b"abcdesecret=", len),
        report: WHICH, by: "literal secret=", size: 1 << 10,
    },
];

/// Patterns that are searched by a run of a class, or by nothing.
#[rustfmt::skip]
const NO_LITERAL: &[Case] = &[
    Case {
        name: "a long run of a class",
        patterns: || strings(&[r"\b[a-f0-9]{40}\b", "[a-f0-9]{30,50}!"]),
        record: |len| cycle(b"0123456789abcdef", len),
        report: WHICH, by: "run of 40 bytes", size: 16 << 10,
    },
    Case {
        name: "runs of a class that are long enough, with something else around",
        patterns: || strings(&[r"![a-f0-9]{40}\b", "[a-f0-9]{40}!"]),
        record: |len| cycle(b"0123456789abcdef0123456789abcdef0123456789abcdef ", len),
        report: WHICH, by: "run of 41 bytes", size: 16 << 10,
    },
    Case {
        name: "runs with windows before them and no bound",
        patterns: || strings(&["x.*[0-9]{20}[^0-9.]"]),
        record: |len| cycle(b"12345678901234567890.", len),
        report: WHICH, by: "run of 20 bytes", size: 16 << 10,
    },
    Case {
        name: "a pattern with more states than any cache",
        patterns: || strings(&["[a-r]*[ag][a-r]{60}[s-z]"]),
        record: |len| {
            let mut state = 1u32;
            let mut letter = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b'a' + (state >> 24) as u8 % 18
            };
            (0..len).map(|_| letter()).collect()
        },
        report: WHICH, by: "run of 6", size: 2 << 10,
    },
    Case {
        name: "patterns without anything to look for, one of them with too many states",
        patterns: || strings(&["a.*e.*i.*o.*u.*u.*u$", r"\w{12}\d\w{12}\d_", "[ae][^x]{40}[io]$"]),
        record: |len| cycle(b"abcde1fghij klmno2pqrst ", len),
        report: WHICH, by: "an automaton over every record", size: 4 << 10,
    },
];

/// Spans that a find-iterator takes quadratic time for.
#[rustfmt::skip]
const FIND_ALL: &[Case] = &[
    Case {
        name: "spans that each need a look at all that follows",
        patterns: || strings(&[".*[^A-Z]|[A-Z]"]),
        record: |len| cycle(b"A", len),
        report: SPANS, by: "an automaton over every record", size: 16 << 10,
    },
    Case {
        name: "the same with a literal",
        patterns: || strings(&["qzx(?:.*!)?"]),
        record: |len| cycle(b"qzx ", len),
        report: SPANS, by: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "the same between lines and with assertions",
        patterns: || strings(&[r"(?s)\bqzx\b(?:.*\d\b)?", "(?m)qz(?:[^!]*!$)?"]),
        record: |len| cycle(b"qzx\nqzx ", len),
        report: SPANS, by: "literal qzx", size: 16 << 10,
    },
    Case {
        name: "spans with nested repeats",
        patterns: || strings(&["(?:a+a+)+!|a", "a*b|a"]),
        record: |len| cycle(b"a", len),
        report: SPANS, by: "an automaton over every record", size: 16 << 10,
    },
    Case {
        name: "empty spans",
        patterns: || strings(&["(?:.*!)??", r"\b|.*!", "a*?"]),
        record: |len| cycle(b"aa ", len),
        report: SPANS, by: "matches every record", size: 8 << 10,
    },
    Case {
        name: "spans of a pattern with more states than any cache",
        patterns: || strings(&["[ab]*a[ab]{60}c|[ab]"]),
        record: |len| cycle(b"abbabaab", len),
        report: SPANS, by: "an automaton over every record", size: 2 << 10,
    },
];

fn engine(patterns: &[String], report: Report) -> Engine {
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern).unicode(false));
    Engine::new(&PatternSet::new(patterns).unwrap(), report)
}

/// How many steps a scan takes, and how many matches it finds.
fn steps(engine: &Engine, data: &[u8], records: usize) -> (u64, usize) {
    let len = data.len().div_ceil(records);
    let offsets: Vec<u32> =
        (0..=records).map(|record| data.len().min(record * len) as u32).collect();
    let batch = Batch::from_offsets(data, &offsets).unwrap();
    let mut scanner = engine.scanner();
    let mut matches = Matches::new();
    scanner.scan(&batch, &mut matches).unwrap();
    (scanner.steps(), matches.len())
}

/// What is wrong with the growth of a case, if anything is.
fn problems(case: &Case) -> Vec<String> {
    let patterns = (case.patterns)();
    let engine = engine(&patterns, case.report);
    let mut problems = Vec::new();
    let search = engine.search(0).unwrap().to_string();
    if !search.starts_with(case.by) {
        problems.push(format!("{}: not {}, but {search}", case.name, case.by));
    }
    for short in [false, true] {
        let layout = if short { "short records" } else { "one record" };
        let mut last: Option<u64> = None;
        for doubling in 0..3 {
            let data = (case.record)(case.size << doubling);
            let records = if short { data.len() / SHORT } else { 1 };
            let (steps, matches) = steps(&engine, &data, records);
            let most = patterns.len() as u64
                * (STEPS_PER_BYTE * data.len() as u64 + STEPS_PER_RECORD * records as u64);
            let per_byte = steps as f64 / data.len() as f64 / patterns.len() as f64;
            let mut problem = |what: String| {
                problems.push(format!(
                    "{}, {layout} of {} bytes: {what} ({per_byte:.1} per byte and pattern)",
                    case.name,
                    data.len(),
                ));
            };
            // A case that matches is over early, unless the matches are what it is about.
            if (matches > 0) != (case.report == Report::Spans) {
                problem(format!("{matches} matches"));
            }
            if steps == 0 {
                problem("no automaton ran".to_owned());
            }
            if steps > most {
                problem(format!("{steps} steps, not at most {most}"));
            }
            // A pattern with several literals is searched once or more often, as they happen to lie.
            if let Some(last) = last
                && steps as f64 > last as f64 * GROWTH
                && per_byte > 4.0
            {
                problem(format!("{steps} steps, after {last} for half of it"));
            }
            last = Some(steps);
        }
    }
    problems
}

/// Steps grow with the data and no faster.
fn check(cases: &[Case]) {
    let problems: Vec<String> = cases.iter().flat_map(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn records_made_of_literals_are_searched_in_linear_time() {
    check(LITERALS);
}

#[test]
fn patterns_of_many_literals_are_searched_in_linear_time() {
    check(MANY_LITERALS);
}

#[test]
fn many_patterns_with_one_literal_are_searched_in_linear_time() {
    check(SAME_LITERAL);
}

#[test]
fn patterns_without_a_literal_are_searched_in_linear_time() {
    check(NO_LITERAL);
}

#[test]
fn spans_are_found_in_linear_time() {
    check(FIND_ALL);
}

/// Lines as a log has them, in which the literals of the patterns below are frequent.
fn log(len: usize) -> Vec<u8> {
    let mut data = Vec::new();
    for number in 0.. {
        let id = (number as u32).wrapping_mul(0x9E37_79B1);
        let line = format!(
            "2026-01-02 03:04:05 service[{number}]: request id={id:08x}{id:08x} user=u{} key=none \
             secret failed after {} ms\n",
            id % 1000,
            id >> 20,
        );
        data.extend_from_slice(line.as_bytes());
        if data.len() >= len {
            break;
        }
    }
    data
}

#[test]
fn one_long_record_takes_about_the_steps_of_its_lines() {
    // How often the steps of the lines, or those of one pass for each pattern, are allowed. From a
    // leading literal on, a pattern without a bound reads to the end of its line, or of the long
    // record; there it is tried until that has taken sixteen times the record, then all at once.
    let cases: &[(&[&str], u64)] = &[
        (&["key=[a-z]{1,40}[0-9]", "id=[0-9a-f]{16}[^ ]", r"user=u\d{4}"], 2),
        (&["[A-Z]{2}[a-z ]{1,30}secret failed", "[0-9] [A-Z]{1,9} failed after"], 2),
        (&["[A-Z]{2}.*secret failed", "(?m)^Q.* failed after [0-9]+ ms$"], 2),
        (&[r"\b[0-9a-f]{40}\b", "[0-9a-f]{16}[^ 0-9a-f]", "x.{10,60}[0-9a-f]{16}[^ 0-9a-f]"], 2),
        (&[r"key=.*[^ -~\n]", r"(?m)user=.*[^ -~\n]$"], 2),
        (&[r"(?s)key=.*[^ -~\n]", r"user=[^!]*[^ -~\n]"], 20),
        (&["(?s)Q.*secret[^ ]", "Q[^!]*user=[^u]"], 2),
        (&["[aeiou]{5}", r"\w{12}Q\w"], 2),
    ];
    let data = log(3 << 20);
    let lines = memchr::memchr_iter(b'\n', &data).count();
    let mut offsets = Vec::new();
    let batch = Batch::lines(&data, &mut offsets).unwrap();
    assert_eq!(batch.len(), lines);
    for &(patterns, factor) in cases {
        let engine = engine(&strings(patterns), Report::Which);
        let mut scanner = engine.scanner();
        let mut matches = Matches::new();
        scanner.scan(&batch, &mut matches).unwrap();
        assert!(matches.is_empty(), "{patterns:?}");
        let expected = scanner.steps();
        assert!(expected > 0, "{patterns:?}: no automaton ran");
        let (steps, matches) = steps(&engine, &data, 1);
        assert_eq!(matches, 0, "{patterns:?}");
        assert!(
            steps <= factor * expected.max((patterns.len() * data.len()) as u64),
            "{patterns:?}: {steps} steps for one record, {expected} for its {lines} lines",
        );
    }
}
