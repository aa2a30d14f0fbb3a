//! Measures the times of `src/pure/cost.rs` again, by which the pure engine plans a set of patterns.
//!
//! ```sh
//! cargo bench --bench costs                 # all constants
//! cargo bench --bench costs -- WINDOW       # those with this text in their names
//! ```
//!
//! Each row is one constant: the value in `cost.rs`, the measured value in nanoseconds for each event or
//! byte, and how often as large the measured one is. `cases.rs` lists what each is measured with: several
//! points, which are a set of patterns, a text, and how many events a scan of the text has. The points differ
//! in the number of events only, so the slope of the time over that number is the time of an event.
//!
//! Each round scans the texts of all points in turn, each twice, and measures the thread's time of the
//! second scan. The slope is that of the least squares through the medians over the rounds. `error` is the
//! largest distance of a median from the line, as a share of the difference between the highest and the
//! lowest time: where it is large, the events do not all take the same time.
//!
//! The program fails if a plan is not the one that a case is about, if a scan has other matches than expected,
//! or if automata do not run at the events, as far as the steps that they count can show.
//!
//! The tables after it show what limits on numbers and frequencies decide between: the times of both ways, by
//! the number of patterns.
//!
//! `DRAGNET_ROUNDS` sets the number of rounds (101).

mod cases;
mod points;
#[allow(dead_code, reason = "each benchmark uses a part")]
#[path = "../support/mod.rs"]
mod support;

use dragnet::pure::{Engine, Isa, Scanner};
use dragnet::{Matches, Pattern, PatternSet, Report, Scan};

use cases::{Case, Limit};
use points::Point;
use support::corpus::Corpus;
use support::thread_seconds;

/// The values that are compared with the measured ones.
const COSTS: &str = include_str!("../../src/pure/cost.rs");

/// Constants in nanoseconds that are choices, as their documentation says, and not measured times.
const CHOICES: [&str; 2] = ["MAX_SEQUENCE_NS", "RUN_PASS_VS_SEQUENCE_NS"];

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let chosen = |name: &str| names.is_empty() || names.iter().any(|n| name.contains(n.as_str()));
    let rounds = support::number("DRAGNET_ROUNDS", 101).max(1);
    let (cases, limits) = (cases::cases(), cases::limits());
    for name in COSTS.split("const ").skip(1).filter_map(|rest| rest.split(':').next()) {
        let is_measured = cases.iter().any(|case| case.constant == name);
        assert!(
            !name.ends_with("_NS") || is_measured || CHOICES.contains(&name),
            "{name}: no case"
        );
    }

    let mut measured: Vec<(&Case, Vec<Run>)> = (cases.iter())
        .filter(|case| chosen(case.constant))
        .map(|case| {
            let new = |point| Run::new(point, case.plan, case.isa, case.automata);
            (case, case.points.iter().map(new).collect())
        })
        .collect();
    let mut limited: Vec<(&Limit, Vec<Run>)> = (limits.iter())
        .filter(|limit| chosen(limit.constant))
        .map(|limit| {
            let new = |(_, plan, point): &(usize, &str, Point)| {
                Run::new(point, plan, Isa::best(), limit.automata)
            };
            (limit, limit.points.iter().map(new).collect())
        })
        .collect();
    // Before anything is measured: all constants must be there.
    let values: Vec<f64> = measured.iter().map(|(case, _)| value_of(case.constant)).collect();
    for _ in 0..rounds {
        let runs = measured.iter_mut().flat_map(|(_, runs)| runs);
        runs.chain(limited.iter_mut().flat_map(|(_, runs)| runs)).for_each(Run::measure);
    }

    println!(
        "{:<32}{:>10}{:>10}{:>7}{:>7}  time of the",
        "constant", "cost.rs", "measured", "ratio", "error"
    );
    for ((case, runs), value) in measured.iter_mut().zip(values) {
        let (slope, error) = slope(runs);
        println!(
            "{:<32}{value:>10.1e}{slope:>10.1e}{:>7.2}{:>6.0}%  {}",
            format!("{} ({})", case.constant, case.isa),
            slope / value,
            100.0 * error,
            case.event,
        );
    }
    for (limit, runs) in &mut limited {
        println!("\n{}: {}", limit.constant, limit.event);
        for (run, (number, plan, _)) in runs.iter_mut().zip(&limit.points) {
            println!("{number:>6} patterns {:>10.3} ns  {plan}", run.median() / run.events);
        }
    }
}

/// The value of a constant in `cost.rs`. `NAME.field` is a field of a constant.
fn value_of(constant: &str) -> f64 {
    let (name, field) = constant.split_once('.').unwrap_or((constant, "f64 ="));
    let after = |text: &'static str, word: &str| text.split_once(word).map(|(_, after)| after);
    let value = after(COSTS, &format!("const {name}: ")).and_then(|text| after(text, field));
    let number = |text: &str| {
        let end = text.find([',', ';', ' ', '}']).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    value
        .and_then(|text| number(text.trim_start_matches([':', ' '])))
        .unwrap_or_else(|| panic!("cost.rs has no number for {constant}"))
}

/// A point, ready to be scanned.
struct Run {
    scanner: Scanner,
    text: Corpus,
    events: f64,
    times: Vec<f64>,
}

impl Run {
    /// Builds the engine of a point, and checks that its scan is the one that the case is about.
    fn new(point: &Point, plan: &str, isa: Isa, automata: bool) -> Run {
        let patterns = point.patterns.iter().map(|pattern| Pattern::new(pattern).unicode(false));
        let set = PatternSet::new(patterns).expect("the patterns are valid");
        let engine = Engine::with_isa(&set, Report::Patterns, isa);
        for (number, pattern) in point.patterns.iter().enumerate() {
            let strategy = engine.explain(number).expect("the engine has all patterns").to_string();
            let explanation = format!("{strategy}; {}", engine.describe_literal_search());
            assert!(explanation.contains(plan), "{pattern}: {explanation}, not {plan}");
        }
        let text = Corpus::new("", &point.text);
        let mut run =
            Run { scanner: engine.scanner(), text, events: point.events, times: Vec::new() };
        // The first scans fill caches and lazy automata.
        assert_eq!(
            (run.scan().1, run.scan().1),
            (point.matches, point.matches),
            "{}",
            point.patterns[0]
        );
        let before = run.scanner.steps();
        run.scan();
        let ran = (run.scanner.steps() - before) as f64
            >= point.events.clamp(1.0, point.text.len() as f64);
        assert!(
            ran == automata || point.events == 0.0,
            "{}: automata ran: {ran}",
            point.patterns[0]
        );
        run
    }

    /// Scans the text, and returns the seconds and the number of matches.
    fn scan(&mut self) -> (f64, usize) {
        let (mut matches, mut count) = (Matches::new(), 0);
        let start = thread_seconds();
        for number in 0..self.text.batches.len() {
            self.scanner.scan(&self.text.batch(number), &mut matches).expect("nobody stops it");
            count += matches.len();
        }
        (thread_seconds() - start, count)
    }

    /// Measures one scan. The scan before it brings text and tables into the caches.
    fn measure(&mut self) {
        self.scan();
        let (seconds, _) = self.scan();
        self.times.push(seconds);
    }

    /// The median time of a scan, in nanoseconds.
    fn median(&mut self) -> f64 {
        self.times.sort_by(f64::total_cmp);
        self.times[self.times.len() / 2] * 1e9
    }
}

/// The nanoseconds for each event, and the error.
fn slope(runs: &mut [Run]) -> (f64, f64) {
    let points: Vec<(f64, f64)> = runs.iter_mut().map(|run| (run.events, run.median())).collect();
    let mean =
        |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    let slope = mean(&|p| (p.0 - x) * (p.1 - y)) / mean(&|p| (p.0 - x).powi(2));
    let distance = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).abs()).fold(0.0, f64::max);
    let times = || points.iter().map(|p| p.1);
    let range = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min);
    (slope, distance / range)
}
