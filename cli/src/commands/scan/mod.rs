//! `dragnet scan`: prints every match in files.
//!
//! [`Tasks`] walks the files and cuts them into tasks. Workers, one per CPU, take turns to get the next task
//! from it and search their tasks in parallel. A worker hands back what is left of a task after a while, and
//! large files block by block, so that no other worker is idle meanwhile. Workers finish in any order, so
//! [`OrderedOutput`] prints their output in the order of the files, and every run prints the same.
//!
//! A thread of its own for the walk would wake a worker for each task, and make the system look up each file
//! on one CPU and open it on another. With such a thread, a search for one literal in small files took 10% more
//! processor time.

mod args;
mod chunk_printer;
mod ordered_output;
mod printer;
mod progress_bar;
mod statistics;
mod whole_search;
mod worker;

use std::io::{IsTerminal, stderr, stdout};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dragnet::reader::AcrossLines;
use dragnet::{Backend, Engine, PatternSet};
use ignore::types::TypesBuilder;

pub(crate) use self::args::ScanArgs;
use self::ordered_output::OrderedOutput;
use self::printer::Printer;
use self::progress_bar::ScanProgressBar;
use self::statistics::Statistics;
use self::worker::Worker;
use crate::args::Format;
use crate::engine;
use crate::input::{Interrupt, Task, Tasks, WalkError, stdin_is_readable, walk};
use crate::messages;
use crate::output;
use crate::rules::{Multiline, Rules};
use crate::status::{ExitStatus, Failure};

/// The number of tasks per thread that may be started before the oldest one is printed.
///
/// More than one lets the other workers continue while one task takes long. Each finished task
/// keeps its output in memory until it is printed, so the number also bounds memory.
const TASKS_PER_THREAD: usize = 4;

/// The most threads that search. More than one for each CPU are of no use.
const MAX_THREADS: usize = 1024;

/// Runs `dragnet scan`.
pub(crate) fn run(args: &ScanArgs) -> Result<ExitStatus, Failure> {
    let started = Instant::now();
    args.output.color.apply();
    if args.files.type_list {
        return print_types();
    }
    let multiline = if args.multiline { Multiline::All } else { Multiline::None };
    let rules = Rules::load(&args.rules, multiline)?;
    rules.check_stdin(&args.paths)?;
    if args.output.format == Format::Json && args.output.has_lines() {
        return Err(Failure::new(
            "--format json has no lines, so it can't be used with -A, -B or -C",
        ));
    }
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let paths = match args.paths.as_slice() {
        [] if !rules.reads_stdin() && stdin_is_readable() => vec![PathBuf::from("-")],
        paths => paths.to_vec(),
    };
    let options = args.files.walk_options(args.encoding.encoding, rules.is_builtin())?;
    let threads = match args.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads,
    }
    .min(MAX_THREADS);
    let max_started = threads * TASKS_PER_THREAD;
    let mut tasks = Tasks::new(walk(&paths, &options)).whole_files(rules.across_lines().is_some());
    let search = ParallelSearch {
        engine: &engine,
        one_pattern: rules
            .only_hir()
            .is_some_and(|hir| whole_search::is_possible(&hir))
            .then(|| rules.patterns())
            .filter(|_| engine.backend() == Backend::Pure),
        across: rules.across_lines(),
        printer: &Printer::new(args, &rules),
        output: OrderedOutput::new(Box::new(stdout()), ScanProgressBar::new(), max_started),
        failed: AtomicBool::new(false),
        interrupt: tasks.interrupt(),
        statistics: Mutex::default(),
    };
    if args.output.max_count == Some(0) {
        // As in ripgrep, nothing is searched then.
        search.interrupt.set();
    }
    search.run(&mut tasks, threads);
    let (statistics, has_failed) = search.finish();
    let mut skipped = tasks.skipped();
    skipped.binary += statistics.binary_files;
    if args.output.stats {
        statistics.lines(skipped, started.elapsed()).iter().for_each(messages::note);
    } else if !args.output.quiet {
        if stdout().is_terminal() && stderr().is_terminal() {
            messages::note(statistics.summary(started.elapsed()));
        }
        let reports_skipped = rules.is_builtin() || rules.has_rule_files();
        if let Some(counts) = skipped.describe().filter(|_| reports_skipped) {
            messages::note(format_args!("not searched: {counts}"));
        }
    }
    Ok(match (has_failed, statistics.matches > 0, args.output.exit_code) {
        (true, has_match, _) if !(args.output.quiet && has_match) => ExitStatus::Failed,
        (_, true, Some(code)) => ExitStatus::Found(code),
        (_, true, None) => ExitStatus::Success,
        (_, false, Some(_)) => ExitStatus::Success,
        (_, false, None) => ExitStatus::NoMatch,
    })
}

/// Prints all file types with their globs.
fn print_types() -> Result<ExitStatus, Failure> {
    let types = TypesBuilder::new().add_defaults().definitions();
    let lines = types.iter().map(|one| format!("{}: {}\n", one.name(), one.globs().join(", ")));
    output::print(lines.collect::<String>().as_bytes())?;
    Ok(ExitStatus::Success)
}

/// A search in progress, shared by its threads.
struct ParallelSearch<'a> {
    engine: &'a Engine,
    /// The rule, if it is the only one and chunks can be searched whole for it.
    one_pattern: Option<&'a PatternSet>,
    /// Set if whole files are searched for matches across lines.
    across: Option<&'a AcrossLines>,
    printer: &'a Printer<'a>,
    output: OrderedOutput<Task>,
    /// Whether some input could not be searched.
    failed: AtomicBool,
    /// Ends the search before the end of its input.
    interrupt: Arc<Interrupt>,
    statistics: Mutex<Statistics>,
}

impl ParallelSearch<'_> {
    /// Searches `tasks` on this thread and up to `threads - 1` others.
    fn run<I>(&self, tasks: &mut I, threads: usize)
    where
        I: Iterator<Item = Result<Task, WalkError>> + Send,
    {
        let tasks = Mutex::new(tasks);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                let worker = || Worker::new(self).run(&tasks);
                // The system limits the number of threads, and this one is enough.
                if std::thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                    break;
                }
            }
            Worker::new(self).run(&tasks);
        });
    }

    fn add(&self, statistics: Statistics) {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).add(statistics);
    }

    /// Removes the progress bar. Returns what was found, and whether some input could not be
    /// searched. All tasks must be finished.
    fn finish(self) -> (Statistics, bool) {
        self.output.finish();
        let statistics = self.statistics.into_inner().unwrap_or_else(PoisonError::into_inner);
        (statistics, self.failed.into_inner())
    }
}
