//! `dragnet compare`: all backends on the same rules and data.

mod difference;
mod report;

use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use dragnet::{Backend, Batch, Engine, Matches, Report, Scan, Scanner};

use self::difference::{Difference, differences};
use crate::args::{CompareArgs, Format};
use crate::input::{Bundle, Plan, WalkOptions, walk};
use crate::messages;
use crate::rules::Rules;
use crate::status::{Failure, Status};

/// How many differences are shown; one is enough to know, a few help to understand.
const SHOWN: usize = 10;

/// Runs the command.
pub(crate) fn run(args: &CompareArgs) -> Result<Status, Failure> {
    let rules = Rules::load(&args.rules)?;
    rules.check_stdin(&args.paths)?;
    let mut comparison = Comparison::new(&rules)?;
    let mut is_complete = true;
    let mut unreadable = |message: String| {
        is_complete = false;
        messages::error(message);
    };
    for item in Plan::new(walk(&args.paths, WalkOptions::default())) {
        match item {
            Ok(work) => {
                let compare = |bundle: &Bundle| comparison.compare(bundle);
                Bundle::default().load(work, &mut unreadable, compare)?;
            }
            Err(trouble) if trouble.is_error => unreadable(trouble.message),
            Err(trouble) => messages::error(trouble.message),
        }
    }
    let mut out = Vec::new();
    match args.format {
        Format::Text => report::text(&mut out, &comparison),
        Format::Json => {
            report::json(&mut out, &comparison);
            if let Some(reason) = &comparison.no_native {
                messages::warning(format_args!("without the native backend: {reason}"));
            }
            report::differences(&comparison).iter().for_each(messages::error);
        }
    }
    let mut stdout = stdout().lock();
    stdout
        .write_all(&out)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(if comparison.is_equal && is_complete { Status::Found } else { Status::Failed })
}

/// Backends at work on the same data.
struct Comparison<'a> {
    rules: &'a Rules,
    contenders: Vec<Contender>,
    /// Why the native backend is not among them.
    no_native: Option<String>,
    records: u64,
    bytes: u64,
    is_equal: bool,
    /// The first few.
    differences: Vec<Difference>,
    offsets: Vec<u32>,
    /// How many batches there have been.
    rounds: usize,
}

/// A backend, and how it has done so far.
struct Contender {
    backend: Backend,
    scanner: Scanner,
    build: Duration,
    scan: Duration,
    /// How many matches it has found.
    total: u64,
    /// What it found in the last batch.
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
            build: start.elapsed(),
            scan: Duration::ZERO,
            total: 0,
            matches: Matches::new(),
        })
    }

    fn scan(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let start = Instant::now();
        let result = self.scanner.scan(batch, &mut self.matches);
        self.scan += start.elapsed();
        self.total += self.matches.len() as u64;
        result.map_err(|error| Failure::new(format!("{} backend: {error}", self.backend)))
    }
}

impl<'a> Comparison<'a> {
    fn new(rules: &'a Rules) -> Result<Comparison<'a>, Failure> {
        let mut contenders = vec![Contender::new(rules, Backend::Pure).map_err(Failure::new)?];
        let native = Contender::new(rules, Backend::Native);
        let no_native = native.map(|contender| contenders.push(contender)).err();
        Ok(Comparison {
            rules,
            contenders,
            no_native,
            records: 0,
            bytes: 0,
            is_equal: true,
            differences: Vec::new(),
            offsets: Vec::new(),
            rounds: 0,
        })
    }

    /// Has all contenders scan some lines.
    fn compare(&mut self, bundle: &Bundle) -> Result<(), Failure> {
        if bundle.bytes().is_empty() {
            return Ok(());
        }
        let batch = Batch::lines(bundle.bytes(), &mut self.offsets)
            .map_err(|error| Failure::new(error.to_string()))?;
        self.records += batch.len() as u64;
        self.bytes += bundle.bytes().len() as u64;
        // The first to scan brings the lines into the cache, so they take turns at it.
        let count = self.contenders.len();
        for turn in 0..count {
            self.contenders[(self.rounds + turn) % count].scan(&batch)?;
        }
        self.rounds += 1;
        let [first, others @ ..] = self.contenders.as_slice() else { return Ok(()) };
        for other in others.iter().filter(|other| other.matches != first.matches) {
            self.is_equal = false;
            let room = SHOWN - self.differences.len();
            let found = differences(bundle, &batch, [first, other]).take(room);
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
    fn a_backend_with_other_answers_is_found_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, "xa\nb\n\nba").unwrap();

        let rules = rules(["a", "b"]);
        let mut comparison = Comparison::new(&rules).unwrap();
        comparison.contenders.truncate(1);
        // One that misses the second b.
        let wrong = self::rules(["a", "b$"]);
        let mut wrong = Contender::new(&wrong, Backend::Pure).unwrap();
        wrong.backend = Backend::Native;
        comparison.contenders.push(wrong);

        for work in Plan::new(walk(std::slice::from_ref(&path), WalkOptions::default())) {
            let compare = |bundle: &Bundle| comparison.compare(bundle);
            Bundle::default().load(work.unwrap(), |error| panic!("{error}"), compare).unwrap();
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
