//! `dragnet scan`: which patterns match where.

mod format;
mod order;
mod progress;
mod worker;

use std::io::stdout;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use dragnet::Engine;

use self::format::Printer;
use self::order::{InOrder, Piece};
use self::progress::Progress;
use self::worker::Worker;
use crate::args::ScanArgs;
use crate::engine;
use crate::input::{Plan, Trouble, WalkOptions, Work, stdin_is_piped, walk};
use crate::rules::Rules;
use crate::status::{Failure, Status};

/// How many pieces of work for each thread may be begun before the oldest one is printed.
const AHEAD: usize = 4;

/// Runs the command.
pub(crate) fn run(args: &ScanArgs) -> Result<Status, Failure> {
    let rules = Rules::load(&args.rules)?;
    rules.check_stdin(&args.paths)?;
    let engine = engine::build(&rules, args.engine.backend.into())?;
    let paths = match args.paths.as_slice() {
        [] if !rules.reads_stdin() && stdin_is_piped() => vec![PathBuf::from("-")],
        paths => paths.to_vec(),
    };
    let options = WalkOptions { hidden: args.hidden, no_ignore: args.no_ignore };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let search = Search {
        engine: &engine,
        printer: &Printer::new(args, &rules),
        output: InOrder::new(stdout(), Progress::new(), (threads * AHEAD) as u64),
        found: AtomicBool::new(false),
        failed: AtomicBool::new(false),
    };
    search.run(Plan::new(walk(&paths, options)), threads)?;
    Ok(search.end())
}

/// A search in progress, shared by its threads.
struct Search<'a> {
    engine: &'a Engine,
    printer: &'a Printer<'a>,
    output: InOrder,
    found: AtomicBool,
    /// Whether something could not be searched.
    failed: AtomicBool,
}

impl Search<'_> {
    /// Does all the work: this thread cuts it into pieces, the others search them.
    fn run(
        &self,
        plan: impl Iterator<Item = Result<Work, Trouble>>,
        threads: usize,
    ) -> Result<(), Failure> {
        let (sender, receiver) = mpsc::sync_channel::<(u64, Work)>(threads);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| {
            for started in 0..threads {
                let worker = || Worker::new(self).run(&receiver);
                match std::thread::Builder::new().spawn_scoped(scope, worker) {
                    Ok(_) => {}
                    // Fewer threads do as well, only slower.
                    Err(_) if started > 0 => break,
                    Err(error) => {
                        return Err(Failure::new(format!("can't start a thread: {error}")));
                    }
                }
            }
            for item in plan {
                let number = self.output.begin();
                match item {
                    // The workers end when the sender is gone, not before.
                    Ok(work) => drop(sender.send((number, work))),
                    Err(trouble) => {
                        let mut piece = Piece::new(&self.output, number);
                        if trouble.is_error {
                            self.failed.store(true, Ordering::Relaxed);
                        }
                        piece.message(trouble.message);
                        piece.finish(0);
                    }
                }
            }
            drop(sender);
            Ok(())
        })
    }

    fn end(self) -> Status {
        self.output.end();
        match (self.failed.into_inner(), self.found.into_inner()) {
            (true, _) => Status::Failed,
            (false, true) => Status::Found,
            (false, false) => Status::Nothing,
        }
    }
}
