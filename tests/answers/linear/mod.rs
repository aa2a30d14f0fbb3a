//! No input makes a scan quadratic, measured in steps of automata and not in time.
//!
//! Each case attacks one of the limits that keep a scan linear. It is scanned at three sizes, both
//! as one record and split into short records. A step is a byte that an automaton reads;
//! `Scanner::steps` is an upper bound on their number. The search for candidates is not counted: it
//! reads each byte a fixed number of times by construction.

mod cases;

use dragnet::pure::Engine;
use dragnet::{Batch, Matches, Pattern, PatternSet, Report, Scan};

use cases::{Case, FIND_ALL, LITERALS, MANY_LITERALS, NO_LITERAL, SAME_LITERAL};

/// Steps that one pattern may take for each byte of a record: the sum of the engine's own limits on
/// searches from a literal, around one, and for spans.
const STEPS_PER_BYTE: u64 = 32;

/// Steps that one pattern may take for each record, in addition to [`STEPS_PER_BYTE`].
const STEPS_PER_RECORD: u64 = 6 << 10;

/// The factor by which steps may grow when data doubles: 2 for linear growth, with a margin.
const MAX_GROWTH: f64 = 2.2;
/// Steps for each byte and pattern below which growth is not checked: how often a pattern with several
/// literals is searched depends on where they happen to lie.
const UNCHECKED_STEPS: f64 = 4.0;
/// The length of short records, in bytes.
const SHORT_RECORD: usize = 64;

fn engine<P: AsRef<str>>(patterns: &[P], report: Report) -> Engine {
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern.as_ref()).unicode(false));
    Engine::new(&PatternSet::new(patterns).unwrap(), report)
}

/// The number of steps that a scan takes, and the number of matches that it finds.
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

/// Returns a description of each way in which a case fails.
fn problems(case: &Case) -> Vec<String> {
    let patterns = (case.patterns)();
    let engine = engine(&patterns, case.report);
    let mut problems = Vec::new();
    let search = engine.explain(0).unwrap().to_string();
    if !search.starts_with(case.strategy) {
        problems
            .push(format!("{}: its strategy is not {}, but {search}", case.name, case.strategy));
    }
    for short in [false, true] {
        let layout = if short { "short records" } else { "one record" };
        let mut all: Vec<u64> = Vec::new();
        for doubling in 0..3 {
            let data = (case.record)(case.size << doubling);
            let records = if short { data.len() / SHORT_RECORD } else { 1 };
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
            // A case without spans must not match: after a match, its pattern would not be
            // searched.
            if (matches > 0) != (case.report == Report::Spans) {
                problem(format!("{matches} matches"));
            }
            if steps == 0 {
                problem("no automaton ran".to_owned());
            }
            if steps > most {
                problem(format!("{steps} steps, not at most {most}"));
            }
            // A constant cost can hide growth in the first sizes, so the steps that each doubling adds
            // must not more than double, either.
            all.push(steps);
            if let [once, twice, four] = all[..]
                && four as f64 > twice as f64 * MAX_GROWTH
                && four.saturating_sub(twice) as f64
                    > twice.saturating_sub(once) as f64 * MAX_GROWTH
                && per_byte > UNCHECKED_STEPS
            {
                problem(format!("{steps} steps, after {once} and {twice}"));
            }
        }
    }
    problems
}

/// Asserts that the steps of all cases are linear in the data.
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

/// Log lines in which the literals of the patterns below are frequent.
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
fn one_long_record_costs_about_as_much_as_its_lines() {
    // The factor is relative to the steps of the lines, or to one pass per pattern if that is more.
    // From a leading literal, an unbounded pattern reads to the end of its line or of the long record.
    // There the engine searches from each literal until it has read sixteen times the record, and
    // then once for all. Backwards from a literal, it reads at most twice the record.
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

/// A match once took six times as long with 4,000 rules as with 1,000.
#[test]
fn spans_of_rules_with_one_literal_cost_the_same_at_any_number() {
    let data = "hello there\n".repeat(1000);
    let per_match = |rules: usize| {
        let patterns: Vec<String> = (0..rules).map(|n| format!("hello|q{n}")).collect();
        let (steps, matches) = steps(&engine(&patterns, Report::Spans), data.as_bytes(), 1000);
        assert_eq!(matches, rules * 1000);
        steps as f64 / matches as f64
    };
    let (few, many) = (per_match(250), per_match(4000));
    assert!(many <= 1.5 * few, "{few:.1} steps a match with 250 rules, {many:.1} with 4000");
}

/// Such a run was once searched with 0.27 MB/s.
#[test]
fn a_long_repetition_is_as_fast_in_a_run_of_its_first_byte() {
    let engine = engine(&["a.{1000}"], Report::Spans);
    let per_byte = |text: &str| {
        let data = text.repeat((400 << 10) / text.len());
        let (steps, matches) = steps(&engine, data.as_bytes(), 1);
        assert!((400..=data.len() / 1001).contains(&matches), "{matches}");
        steps as f64 / data.len() as f64
    };
    let (usual, run) = (per_byte("a few words and more "), per_byte("a"));
    assert!(run <= 3.0 * usual, "{run:.1} steps a byte, usually {usual:.1}");
}
