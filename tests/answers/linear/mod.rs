//! No input makes a scan quadratic, told by the steps that automata take and not by time.
//!
//! Each case is made to break one of the rules that keep a scan linear: each is scanned at three
//! sizes, once as one record and once cut into short ones. What is counted is an upper bound of
//! the bytes that automata read; the search for candidates reads each byte a fixed number of times
//! by its construction.

mod cases;

use dragnet::pure::Engine;
use dragnet::{Batch, Matches, Pattern, PatternSet, Report, Scan};

use cases::{Case, FIND_ALL, LITERALS, MANY_LITERALS, NO_LITERAL, SAME_LITERAL};

/// What may be read of a record for one pattern, per byte and besides: from the places of literals
/// on, around them, and for the spans of a pattern that matches. The sum of the engine's own
/// limits, and a few bytes for its searches of a whole record.
const STEPS_PER_BYTE: u64 = 32;
const STEPS_PER_RECORD: u64 = 6 << 10;
/// By how much steps may grow when data doubles.
const GROWTH: f64 = 2.2;
/// Fewer steps than this for each byte and pattern may grow as they like: a pattern with several
/// literals is searched once or more often, as they happen to lie.
const FEW: f64 = 4.0;
/// The length of the short records.
const SHORT: usize = 64;

fn engine<P: AsRef<str>>(patterns: &[P], report: Report) -> Engine {
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern.as_ref()).unicode(false));
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
    let search = engine.explain(0).unwrap().to_string();
    if !search.starts_with(case.by) {
        problems.push(format!("{}: not {}, but {search}", case.name, case.by));
    }
    for short in [false, true] {
        let layout = if short { "short records" } else { "one record" };
        let mut all: Vec<u64> = Vec::new();
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
            // The first or last part of the data may be cheaper than all others. So what each
            // doubling adds must not more than double, either.
            all.push(steps);
            if let [once, twice, four] = all[..]
                && four as f64 > twice as f64 * GROWTH
                && four.saturating_sub(twice) as f64 > twice.saturating_sub(once) as f64 * GROWTH
                && per_byte > FEW
            {
                problem(format!("{steps} steps, after {once} and {twice}"));
            }
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
    // record; there it is tried until that has taken sixteen times the record, then all at once. Back
    // from a literal, twice the record.
    let cases: &[(&[&str], u64)] = &[
        (&["key=[a-z]{1,40}[0-9]", "id=[0-9a-f]{16}[^ ]", r"user=u\d{4}"], 2),
        (&["[A-Z]{2}[a-z ]{1,30}secret failed", "[0-9] [A-Z]{1,9} failed after"], 2),
        (&["[A-Z]{2}.*secret failed", "(?m)^Q.* failed after [0-9]+ ms$"], 2),
        (
            &[
                r"\b[0-9a-f]{40}\b",
                "[0-9a-f]{16}[^ 0-9a-f]",
                r"x.{10,60}[0-9a-f]{16}\b{start-half}[^ 0-9a-f]",
            ],
            2,
        ),
        (&[r"key=.*(?:[^ -~\n]|QQ)", r"(?m)user=.*(?:[^ -~\n]|QQ)$"], 2),
        (&[r"(?s)key=.*(?:[^ -~\n]|QQ)", r"user=[^!]*(?:[^ -~\n]|QQ)"], 20),
        (&["(?s)Q.*secret[ -/]", "Q[^!]*user=[u-z]"], 4),
        (&["(?m)[a-z ]{6}[0-9]$", r"\w{12}Q\w"], 2),
    ];
    let data = log(3 << 20);
    let lines = memchr::memchr_iter(b'\n', &data).count();
    let mut offsets = Vec::new();
    let batch = Batch::lines(&data, &mut offsets).unwrap();
    assert_eq!(batch.len(), lines);
    for &(patterns, factor) in cases {
        let engine = engine(patterns, Report::Patterns);
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
