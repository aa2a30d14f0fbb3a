//! `dragnet compare`: runs all backends on the same rules and data.
//!
//! The backends scan each chunk of the input one after the other, on one thread, so that load on
//! the machine and the state of its caches affect them alike. If they find different matches, one
//! of them has a bug; the first differences are printed.
//!
//! The first scan of a chunk is slower than later ones, because engines build automata as they need
//! them. Its time is reported by itself. The first chunks are kept as a sample, which is then scanned
//! in rounds, until the difference between the backends is larger than its noise or the time is up.

mod args;
mod contender;
mod difference;
mod ratio;
mod report;
mod verdict;

use std::time::{Duration, Instant};

use dragnet::{Backend, Batch, Matches};

pub(crate) use self::args::CompareArgs;
use self::contender::Contender;
use self::difference::{Difference, differences};
use self::ratio::{MIN_ROUNDS, Ratio};
use self::verdict::Measured;
use crate::args::Format;
use crate::input::{Chunk, Task, Tasks, WalkError, WalkOptions, walk};
use crate::messages;
use crate::output;
use crate::rules::{Multiline, Rules};
use crate::status::{ExitStatus, Failure};

/// The number of differences that are printed. One proves a bug; a few more help to find it.
const MAX_DIFFERENCES: usize = 10;

/// The size of the sample that is scanned again, in bytes. It is kept in memory.
const MAX_SAMPLE: usize = 64 << 20;

/// The time for all rounds. A few rounds are made in any case.
const MAX_ROUNDS_TIME: Duration = Duration::from_secs(5);

/// The time of the first scans of a sample, with all backends. Slow rules have a smaller sample.
const MAX_SAMPLE_TIME: Duration = Duration::from_secs(1);

/// The most rounds. A sample of a few bytes would have millions.
const MAX_ROUNDS: usize = 100;

/// The number of bytes that are scanned at a time to find a difference.
const DIFFERENCE_BYTES: usize = 64 << 10;

/// Runs `dragnet compare`.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitStatus, Failure> {
    let rules = Rules::load(&args.rules, Multiline::None)?;
    rules.check_stdin(&args.paths)?;
    let mut comparison = Comparison::new(&rules)?;
    let mut is_complete = true;
    let mut report = |error: WalkError| {
        is_complete &= !error.skips_input;
        messages::error(error.message);
    };
    for task in Tasks::new(walk(&args.paths, &WalkOptions::default())) {
        match task {
            Ok(task) => comparison.compare_task(task, &mut report)?,
            Err(error) => report(error),
        }
    }
    comparison.run_rounds()?;
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
    /// The lines of the first chunks.
    sample: Vec<Vec<u8>>,
    sample_bytes: usize,
    /// The time of the first scans of the sample.
    sample_time: Duration,
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
            sample: Vec::new(),
            sample_bytes: 0,
            sample_time: Duration::ZERO,
        })
    }

    /// Reads all lines of a task, and scans them.
    fn compare_task(
        &mut self,
        task: Task,
        report: &mut impl FnMut(WalkError),
    ) -> Result<(), Failure> {
        let mut chunk = Chunk::default();
        let mut tasks = vec![task];
        while let Some(task) = tasks.pop() {
            tasks.extend(chunk.load(task, &mut *report).into_iter().rev());
            self.compare(&chunk)?;
        }
        Ok(())
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
        let mut digests = [None; 2];
        let start = Instant::now();
        for turn in 0..count {
            let index = (self.batches + turn) % count;
            digests[index] = Some(self.contenders[index].scan_first(&batch)?);
        }
        self.batches += 1;
        let bytes = chunk.bytes();
        if self.sample_bytes + bytes.len() <= MAX_SAMPLE && self.sample_time < MAX_SAMPLE_TIME {
            self.sample.push(bytes.to_vec());
            self.sample_bytes += bytes.len();
            self.sample_time += start.elapsed();
        }
        if let [Some(first), Some(second)] = digests
            && first != second
        {
            self.is_equal = false;
            find_differences(chunk, &batch, &mut self.contenders, &mut self.differences)?;
        }
        Ok(())
    }

    /// Scans the sample in rounds. A round scans every chunk with every backend, in turns.
    fn run_rounds(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        let count = self.contenders.len();
        for round in 0..MAX_ROUNDS {
            let is_certain = self.ratio().is_some_and(|ratio| ratio.is_certain());
            let is_enough = round >= MIN_ROUNDS && (is_certain || count < 2);
            if is_enough || (round >= MIN_ROUNDS && start.elapsed() >= MAX_ROUNDS_TIME) {
                break;
            }
            let mut times = vec![Duration::ZERO; count];
            for (number, lines) in self.sample.iter().enumerate() {
                let batch = Batch::lines(lines, &mut self.offsets)
                    .map_err(|error| Failure::new(error.to_string()))?;
                for turn in 0..count {
                    let index = (round + number + turn) % count;
                    times[index] += self.contenders[index].scan(&batch)?.1;
                }
            }
            for (contender, time) in self.contenders.iter_mut().zip(times) {
                contender.rounds.push(time);
            }
        }
        Ok(())
    }

    /// The ratio of the native backend's time to that of the pure one.
    fn ratio(&self) -> Option<Ratio> {
        let [pure, native] = self.contenders.as_slice() else { return None };
        Ratio::of(&pure.rounds, &native.rounds)
    }

    /// What is known about the two backends. Returns `None` if only one ran.
    fn measured(&self) -> Option<Measured> {
        let [pure, native] = self.contenders.as_slice() else { return None };
        let ratio = self.ratio();
        Some(Measured {
            sample_bytes: self.sample_bytes as u64,
            build: [pure, native].map(|contender| contender.build_time.as_secs_f64()),
            warm: [pure, native].map(Contender::warm_seconds),
            ratio,
        })
    }
}

/// Appends the first differences of the two contenders in a batch, a part of it at a time.
fn find_differences(
    chunk: &Chunk,
    batch: &Batch<'_>,
    contenders: &mut [Contender],
    found: &mut Vec<Difference>,
) -> Result<(), Failure> {
    let mut matches = [Matches::new(), Matches::new()];
    for records in batch.split_by_bytes(DIFFERENCE_BYTES) {
        if found.len() >= MAX_DIFFERENCES {
            break;
        }
        let part = batch.slice(records.clone());
        for (contender, matches) in contenders.iter_mut().zip(&mut matches) {
            contender.matches(&part, matches)?;
        }
        let backends = [contenders[0].backend, contenders[1].backend];
        let room = MAX_DIFFERENCES - found.len();
        found.extend(differences(chunk, batch, records.start, backends, &matches).take(room));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    fn rules(patterns: [&str; 2]) -> Rules {
        let args = ["dragnet", "rules", "-e", patterns[0], "-e", patterns[1]];
        let Command::Rules(args) = Args::parse_from(args).command else { unreachable!() };
        Rules::load(&args.rules, Multiline::None).unwrap()
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
            comparison.compare_task(task.unwrap(), &mut |error| panic!("{error:?}")).unwrap();
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
