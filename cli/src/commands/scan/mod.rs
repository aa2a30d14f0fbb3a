//! `dragnet scan`: prints every match in files.
//!
//! The main thread walks the files and cuts them into tasks; worker threads, one per CPU, search
//! the tasks. Workers finish in any order, so [`OrderedOutput`] prints their output in the order of
//! the tasks, and every run prints the same.

mod args;
mod ordered_output;
mod printer;
mod progress_bar;
mod worker;

use std::io::stdout;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use dragnet::Engine;

pub(crate) use self::args::ScanArgs;
use self::ordered_output::{OrderedOutput, TaskOutput};
use self::printer::Printer;
use self::progress_bar::ScanProgressBar;
use self::worker::Worker;
use crate::engine;
use crate::input::{Hidden, Task, Tasks, WalkError, WalkOptions, stdin_is_readable, walk};
use crate::messages;
use crate::rules::Rules;
use crate::status::{ExitStatus, Failure};

/// The number of tasks per thread that may be started before the oldest one is printed.
///
/// More than one lets the other workers continue while one task takes long. Each finished task
/// keeps its output in memory until it is printed, so the number also bounds memory.
const TASKS_PER_THREAD: usize = 4;

/// Runs `dragnet scan`.
pub(crate) fn run(args: &ScanArgs) -> Result<ExitStatus, Failure> {
    let rules = Rules::load(&args.rules)?;
    rules.check_stdin(&args.paths)?;
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let paths = match args.paths.as_slice() {
        [] if !rules.reads_stdin() && stdin_is_readable() => vec![PathBuf::from("-")],
        paths => paths.to_vec(),
    };
    let options = WalkOptions {
        hidden: match () {
            () if args.hidden => Hidden::All,
            () if args.no_hidden || !rules.is_builtin() => Hidden::None,
            () => Hidden::ExceptVersionControl,
        },
        no_ignore: args.no_ignore,
        suggests_pattern: rules.is_builtin(),
        ..WalkOptions::default()
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let max_started = (threads * TASKS_PER_THREAD) as u64;
    let search = ParallelSearch {
        engine: &engine,
        printer: &Printer::new(args, &rules),
        output: OrderedOutput::new(stdout(), ScanProgressBar::new(), max_started),
        found: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        binary_files: AtomicU64::new(0),
    };
    let mut tasks = Tasks::new(walk(&paths, &options));
    search.run(&mut tasks, threads)?;
    let mut skipped = tasks.skipped();
    skipped.binary += search.binary_files.load(Ordering::Relaxed);
    let status = search.finish();
    if let Some(counts) = skipped.describe().filter(|_| rules.is_builtin()) {
        messages::note(format_args!("not searched: {counts}"));
    }
    Ok(match (args.exit_code, status) {
        (Some(code), ExitStatus::Success) => ExitStatus::Found(code),
        (Some(_), ExitStatus::NoMatch) => ExitStatus::Success,
        (_, status) => status,
    })
}

/// A search in progress, shared by its threads.
struct ParallelSearch<'a> {
    engine: &'a Engine,
    printer: &'a Printer<'a>,
    output: OrderedOutput,
    /// Whether there was a match.
    found: AtomicBool,
    /// Whether some input could not be searched.
    failed: AtomicBool,
    /// The number of small files that were skipped because they are binary.
    binary_files: AtomicU64,
}

impl ParallelSearch<'_> {
    /// Reads `tasks` on this thread and searches them on up to `threads` workers.
    fn run(
        &self,
        tasks: impl Iterator<Item = Result<Task, WalkError>>,
        threads: usize,
    ) -> Result<(), Failure> {
        let (sender, receiver) = mpsc::sync_channel::<(u64, Task)>(threads);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| {
            for started in 0..threads {
                let worker = || Worker::new(self).run(&receiver);
                match std::thread::Builder::new().spawn_scoped(scope, worker) {
                    Ok(_) => {}
                    // The system limits the number of threads, and one is enough.
                    Err(_) if started > 0 => break,
                    Err(error) => {
                        return Err(Failure::new(format!("can't start a thread: {error}")));
                    }
                }
            }
            for task in tasks {
                let number = self.output.begin_task();
                match task {
                    // Can't fail: workers run until the sender is dropped, and one that panics ends
                    // the process.
                    Ok(task) => drop(sender.send((number, task))),
                    Err(error) => {
                        let mut output = TaskOutput::new(&self.output, number);
                        if error.skips_input {
                            self.failed.store(true, Ordering::Relaxed);
                        }
                        output.push_message(error.message);
                        output.finish(0);
                    }
                }
            }
            drop(sender);
            Ok(())
        })
    }

    /// Removes the progress bar and returns the exit status. All tasks must be finished.
    fn finish(self) -> ExitStatus {
        self.output.finish();
        match (self.failed.into_inner(), self.found.into_inner()) {
            (true, _) => ExitStatus::Failed,
            (false, true) => ExitStatus::Success,
            (false, false) => ExitStatus::NoMatch,
        }
    }
}
