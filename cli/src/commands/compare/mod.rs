//! `dragnet compare`: runs all backends on the same rules and data.
//!
//! The backends scan each chunk of the input one after the other, on one thread, so that load on
//! the machine and the state of its caches affect them alike. If they find different matches, one
//! of them has a bug; the first differences are printed.

mod args;
mod difference;
mod report;

use std::time::{Duration, Instant};

use dragnet::{Backend, Batch, Engine, Matches, Report, Scan, Scanner};

pub(crate) use self::args::CompareArgs;
use self::difference::{Difference, differences};
use crate::args::Format;
use crate::input::{Chunk, Tasks, WalkError, WalkOptions, walk};
use crate::messages;
use crate::output;
use crate::rules::Rules;
use crate::status::{ExitStatus, Failure};

/// The number of differences that are printed. One proves a bug; a few more help to find it.
const MAX_DIFFERENCES: usize = 10;

/// Runs `dragnet compare`.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitStatus, Failure> {
    let rules = Rules::load(&args.rules)?;
    rules.check_stdin(&args.paths)?;
    let mut comparison = Comparison::new(&rules)?;
    let mut is_complete = true;
    let mut report = |error: WalkError| {
        is_complete &= !error.skips_input;
        messages::error(error.message);
    };
    for task in Tasks::new(walk(&args.paths, &WalkOptions::default())) {
        match task {
            Ok(task) => {
                let compare = |chunk: &Chunk| comparison.compare(chunk);
                Chunk::default().load(task, &mut report, compare)?;
            }
            Err(error) => report(error),
        }
    }
    let mut out = Vec::new();
    match args.output.format {
        Format::Text => report::text(&mut out, &comparison),
        Format::Json => {
            report::json(&mut out, &comparison);
            if let Some(reason) = &comparison.native_error {
                messages::warning(format_args!("the native backend did not run: {reason}"));
            }
            report::differences(&comparison).iter().for_each(messages::error);
        }
    }
    output::print(&out)?;
    let is_success = comparison.is_equal && is_complete;
    Ok(if is_success { ExitStatus::Success } else { ExitStatus::Failed })
}

/// The backends, with the totals of all batches so far.
struct Comparison<'a> {
    rules: &'a Rules,
    /// The pure backend, and the native one if it is available.
    contenders: Vec<Contender>,
    /// Why the native backend did not start.
    native_error: Option<String>,
    records: u64,
    bytes: u64,
    is_equal: bool,
    /// The first [`MAX_DIFFERENCES`] differences.
    differences: Vec<Difference>,
    offsets: Vec<u32>,
    /// The number of batches scanned so far.
    batches: usize,
}

/// A backend, with its times and matches so far.
struct Contender {
    backend: Backend,
    scanner: Scanner,
    build_time: Duration,
    scan_time: Duration,
    /// The number of matches in all batches.
    total_matches: u64,
    /// The matches in the last batch.
    matches: Matches,
}

impl Contender {
    fn new(rules: &Rules, backend: Backend) -> Result<Contender, String> {
        let start = Instant::now();
        let engine = Engine::with_backend(rules.patterns(), Report::Spans, backend);
        let engine = engine.map_err(|error| error.to_string())?;
        let scanner = engine.scanner().map_err(|error| error.to_string())?;
        Ok(Contender {
            backend,
            scanner,
            build_time: start.elapsed(),
            scan_time: Duration::ZERO,
            total_matches: 0,
            matches: Matches::new(),
        })
    }

    fn scan(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let start = Instant::now();
        let result = self.scanner.scan(batch, &mut self.matches);
        self.scan_time += start.elapsed();
        self.total_matches += self.matches.len() as u64;
        result.map_err(|error| Failure::new(format!("{} backend: {error}", self.backend)))
    }
}

impl<'a> Comparison<'a> {
    fn new(rules: &'a Rules) -> Result<Comparison<'a>, Failure> {
        let mut contenders = vec![Contender::new(rules, Backend::Pure).map_err(Failure::new)?];
        let native = Contender::new(rules, Backend::Native);
        let native_error = native.map(|contender| contenders.push(contender)).err();
        Ok(Comparison {
            rules,
            contenders,
            native_error,
            records: 0,
            bytes: 0,
            is_equal: true,
            differences: Vec::new(),
            offsets: Vec::new(),
            batches: 0,
        })
    }

    /// Scans a chunk with every backend and compares the matches.
    fn compare(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        if chunk.bytes().is_empty() {
            return Ok(());
        }
        let batch = Batch::lines(chunk.bytes(), &mut self.offsets)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.records += batch.len() as u64;
        self.bytes += chunk.bytes().len() as u64;
        // Whichever backend scans a batch first pays for the cache misses, so they take turns to be
        // first.
        let count = self.contenders.len();
        for turn in 0..count {
            self.contenders[(self.batches + turn) % count].scan(&batch)?;
        }
        self.batches += 1;
        let [first, others @ ..] = self.contenders.as_slice() else { return Ok(()) };
        for other in others.iter().filter(|other| other.matches != first.matches) {
            self.is_equal = false;
            let room = MAX_DIFFERENCES - self.differences.len();
            let found = differences(chunk, &batch, [first, other]).take(room);
            self.differences.extend(found);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    fn rules(patterns: [&str; 2]) -> Rules {
        let args = ["dragnet", "rules", "-e", patterns[0], "-e", patterns[1]];
        let Command::Rules(args) = Args::parse_from(args).command else { unreachable!() };
        Rules::load(&args.rules).unwrap()
    }

    #[test]
    fn differing_backends_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, "xa\nb\n\nba").unwrap();

        let rules = rules(["a", "b"]);
        let mut comparison = Comparison::new(&rules).unwrap();
        comparison.contenders.truncate(1);
        // A pure backend in the native one's place, with a pattern that misses the second `b`.
        let wrong = self::rules(["a", "b$"]);
        let mut wrong = Contender::new(&wrong, Backend::Pure).unwrap();
        wrong.backend = Backend::Native;
        comparison.contenders.push(wrong);

        for task in Tasks::new(walk(std::slice::from_ref(&path), &WalkOptions::default())) {
            let compare = |chunk: &Chunk| comparison.compare(chunk);
            Chunk::default().load(task.unwrap(), |error| panic!("{error:?}"), compare).unwrap();
        }
        assert!(!comparison.is_equal);
        let path = path.display();
        assert_eq!(
            report::differences(&comparison),
            [
                "the answers differ:".to_owned(),
                format!("{path}:4:1: 2: bytes 0..1 found by pure only")
            ]
        );
        let mut out = Vec::new();
        report::text(&mut out, &comparison);
        assert!(String::from_utf8(out).unwrap().contains("please report this"));
    }
}
