//! The threads that search: each one gets tasks and prints their matches.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use dragnet::reader::{AcrossLines, ReadError, ReaderScan};
use dragnet::{Batch, Match, Scan, Scanner};

use super::ParallelSearch;
use super::chunk_printer::ChunkPrinter;
use super::ordered_output::{TaskOutput, Turn};
use super::printer::Output;
use super::statistics::Statistics;
use super::whole_search::WholeSearch;
use crate::input::{Chunk, Task, WalkError, is_likely_utf16};
use crate::status::ExitStatus;

/// The bytes of small files that a worker searches before it hands back the rest of a task. Workers wait for one
/// another less, and end at the same time, if tasks are short.
const TASK_SIZE: u64 = 256 << 10;

/// A thread's scanner and buffers, which are reused from task to task.
pub(super) struct Worker<'a> {
    search: &'a ParallelSearch<'a>,
    /// Created for the first task, so that a worker that gets no task costs nothing.
    scanner: Option<Scanner>,
    whole: WholeSearch,
    chunk: Chunk,
    offsets: Vec<u32>,
    statistics: Statistics,
}

impl<'a> Worker<'a> {
    pub(super) fn new(search: &'a ParallelSearch<'a>) -> Worker<'a> {
        let chunk = Chunk::new(search.across.is_some());
        let whole = WholeSearch::default();
        Worker {
            search,
            scanner: None,
            whole,
            chunk,
            offsets: Vec::new(),
            statistics: Statistics::default(),
        }
    }

    /// Searches tasks until there are no more.
    pub(super) fn run<I>(mut self, tasks: &Mutex<&mut I>)
    where
        I: Iterator<Item = Result<Task, WalkError>>,
    {
        while let Some((mut output, task)) = self.next(tasks) {
            let searched = match task {
                Ok(mut task) => {
                    if let Some(source) = task.unopened_pipe().cloned() {
                        // Only one at a time is read, so that an interrupt has to end only one.
                        let Some(first) = output.at_turn(task) else { continue };
                        (output, task) = first;
                        self.search.interrupt.set_reading(&source);
                    }
                    self.search(task, &mut output)
                }
                Err(error) => {
                    self.report(error, &mut output);
                    0
                }
            };
            output.finish(searched);
        }
        self.search.add(std::mem::take(&mut self.statistics));
    }

    /// Returns the next task: a part of another one, if there is any, or the next one of `tasks`. Other workers
    /// wait meanwhile for new tasks.
    fn next<I>(
        &self,
        tasks: &Mutex<&mut I>,
    ) -> Option<(TaskOutput<'a, Task>, Result<Task, WalkError>)>
    where
        I: Iterator<Item = Result<Task, WalkError>>,
    {
        loop {
            if let Some((output, task)) = self.search.output.take() {
                return Some((output, Ok(task)));
            }
            let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            match self.search.output.begin() {
                Turn::HandedBack(output, task) => return Some((output, Ok(task))),
                Turn::New(output) => {
                    match tasks.next().filter(|_| !self.search.interrupt.is_set()) {
                        Some(task) => return Some((output, task)),
                        None => {
                            // Tasks that run can still hand back a part.
                            self.search.output.complete();
                            output.finish(0);
                        }
                    }
                }
                Turn::End => return None,
            }
        }
    }

    /// Searches a task, or the first part of it, and hands back the rest. Returns the number of bytes searched.
    fn search(&mut self, task: Task, output: &mut TaskOutput<'_, Task>) -> u64 {
        let mut searched = 0;
        let mut errors = Vec::new();
        let mut chunk = std::mem::take(&mut self.chunk);
        let mut next = Some(task);
        while let Some(task) = next.take().filter(|_| !self.search.interrupt.is_set()) {
            let mut rest = chunk.load(task, |error| errors.push(error));
            searched += chunk.bytes().len() as u64;
            if searched < TASK_SIZE && matches!(*rest, [Task::Files(_)]) {
                next = rest.pop();
            }
            output.hand_back(rest);
            if chunk.parts().is_empty() {
                continue;
            }
            if let Err(error) = self.search_chunk(&chunk, output) {
                // One message for each file is enough, so no more of it is searched.
                for part in chunk.parts().iter().filter(|part| part.source.end()) {
                    errors.push(WalkError::in_source(&part.source, &error));
                }
            }
        }
        let counts = chunk.take_counts();
        self.statistics.files += counts.searched;
        self.statistics.binary_files += counts.binary;
        self.statistics.bytes += searched;
        self.chunk = chunk;
        errors.into_iter().for_each(|error| self.report(error, output));
        searched
    }

    /// Prints an error after the output of the task.
    fn report(&self, error: WalkError, output: &mut TaskOutput<'_, Task>) {
        if error.skips_input {
            self.search.failed.store(true, Ordering::Relaxed);
        }
        output.push_message(error.message);
    }

    fn search_chunk(
        &mut self,
        chunk: &Chunk,
        output: &mut TaskOutput<'_, Task>,
    ) -> Result<(), Box<dyn Error>> {
        let scanner = match &mut self.scanner {
            Some(scanner) => scanner,
            none => none.insert(self.search.engine.scanner()?),
        };
        let printer = self.search.printer;
        if self.whole.rules_out(self.search.one_pattern, chunk, printer.needs_order()) {
            return Ok(());
        }
        let batch = Batch::lines(chunk.bytes(), &mut self.offsets)?;
        if printer.needs_order() && chunk.parts().iter().any(|part| !part.is_whole_file) {
            output.wait_for_turn();
        }
        let mut printing = ChunkPrinter::new(printer, chunk, batch, output);
        for part in chunk.parts().iter().filter(|part| part.first_line == 1) {
            if part.source.is_explicit()
                && !part.source.is_raw()
                && is_likely_utf16(&chunk.bytes()[part.start..])
            {
                printing.push_message(format!(
                    "{}: searched as bytes, but it looks like UTF-16: see --encoding",
                    part.source.display_path()
                ));
            }
        }
        if let [part] = chunk.parts()
            && part.source.is_ended()
        {
            self.statistics.add(printing.finish());
            return Ok(());
        }
        let interrupt = &self.search.interrupt;
        // Matches are printed as the scanner delivers them, because all matches of a long line may
        // not fit in memory.
        let mut print = |matches: &[Match]| {
            for in_record in matches.chunk_by(|a, b| a.record() == b.record()) {
                printing.print(in_record);
            }
            if printer.output == Output::Nothing && printing.statistics.matches > 0 {
                interrupt.set();
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let _ = match self.search.across {
            None => scanner.scan_with(&batch, &mut print)?,
            Some(across) => scan_across(across, scanner, &batch, &mut print)?,
        };
        self.statistics.add(printing.finish());
        Ok(())
    }
}

/// Scans the lines of one file, and passes on its matches in the order of the lines that they are
/// reported in. A match may end after its line.
fn scan_across(
    across: &AcrossLines,
    scanner: &mut Scanner,
    batch: &Batch<'_>,
    print: &mut impl FnMut(&[Match]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    // Matches of lines that may have more. They are found in the order of the lines in which they start,
    // and the group that is reported can be in a later one.
    let mut pending: Vec<Match> = Vec::new();
    let mut line = 0;
    let scan = ReaderScan::across_lines(across).max_record(usize::MAX);
    let flow = scan.scan(batch.buffer(), scanner, |found| {
        if found.record() > line {
            line = found.record();
            pending.sort_unstable();
            let complete = pending.partition_point(|m| (m.record() as u64) < line);
            print(&pending[..complete])?;
            pending.drain(..complete);
        }
        // Batches have less than 4 GiB, so offsets and numbers are in range.
        let span = found.stream_range();
        let (mut record, start) = (found.record() as usize, span.start as usize);
        while record + 1 < batch.len() && batch.range(record + 1).start <= start {
            record += 1;
        }
        let line_start = batch.range(record).start as u64;
        let range = (span.start - line_start) as u32..(span.end - line_start) as u32;
        pending.push(Match::new(record as u32, found.pattern() as u32, range));
        ControlFlow::Continue(())
    })?;
    pending.sort_unstable();
    Ok(if flow.is_break() { flow } else { print(&pending) })
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The panic has been printed. All other threads would wait forever for the output of
            // the task that panicked.
            std::process::exit(ExitStatus::Failed.code().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use clap::Parser;
    use dragnet::{Engine, Report, StopFlag};
    use dragnet_testkit::{Division, Oracle, Rng, Stream, case, patterns, set};

    use super::super::ordered_output::OrderedOutput;
    use super::super::printer::Printer;
    use super::super::progress_bar::ScanProgressBar;
    use super::*;
    use crate::args::{Args, Command};
    use crate::input::{Tasks, WalkOptions, walk};
    use crate::rules::{Multiline, Rules};

    #[test]
    fn files_that_an_error_leaves_unsearched_are_named() {
        let tree = tempfile::tempdir().unwrap();
        for (name, size) in [("a", 1), ("b", 100_000), ("c", 3 << 20), ("d", 1)] {
            std::fs::write(tree.path().join(name), vec![b'\n'; size]).unwrap();
        }
        let args = Args::parse_from(["dragnet", "scan", "-e", "a"]);
        let Command::Scan(args) = args.command else { unreachable!() };
        let rules = Rules::load(&args.rules, Multiline::None).unwrap();
        let engine = Engine::new(rules.patterns(), Report::Spans);
        let mut tasks = Tasks::new(walk(&[tree.path().to_owned()], &WalkOptions::default()));
        let search = ParallelSearch {
            engine: &engine,
            one_pattern: None,
            across: None,
            printer: &Printer::new(&args, &rules),
            output: OrderedOutput::new(Box::new(std::io::sink()), ScanProgressBar::new(), 4),
            failed: AtomicBool::new(false),
            interrupt: tasks.interrupt(),
            statistics: Mutex::default(),
        };
        let mut worker = Worker::new(&search);
        let stop = StopFlag::new();
        stop.raise();
        worker.scanner.insert(engine.scanner().unwrap()).set_stop(stop);
        let tasks = Mutex::new(&mut tasks);
        let mut messages = Vec::new();
        while let Some((mut output, task)) = worker.next(&tasks) {
            let searched = task.map_or(0, |task| worker.search(task, &mut output));
            messages.append(output.messages());
            output.finish(searched);
        }
        let path = |name: &str| tree.path().join(name).display().to_string();
        let expected =
            ["a", "b", "c", "d"].map(|name| format!("{}: the scan was stopped", path(name)));
        assert_eq!(messages, expected);
        assert!(search.failed.load(Ordering::Relaxed));
    }

    #[test]
    fn matches_across_lines_are_those_of_the_oracle() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let mut case = case(&mut rng, patterns, 1);
            for spec in &mut case.specs {
                spec.flags.m = true;
                spec.bounds = Default::default();
            }
            let mut stream = Stream::of(&mut rng, &case.batches[0]);
            // With a short window there are many cells, so that matches are passed on in many parts.
            let window = *rng.pick(&[2, 10, 4000]);
            stream.division = Division::AcrossLines(window);
            stream.has_mark = false;
            let set = set(&case.specs);
            let across = AcrossLines::new(&set, window);
            let records = stream.records();
            let line = |at: u64| {
                let line = memchr::memchr_iter(b'\n', &stream.text[..at as usize]).count();
                // There is no line after the last line end.
                line.min(records.len().saturating_sub(1))
            };
            let mut expected: Vec<_> = stream
                .expected(&mut Oracle::new(&case.specs), &set)
                .into_iter()
                .map(|(record, pattern, range)| {
                    (line(range.start).max(record as usize), pattern, range)
                })
                .collect();
            expected
                .sort_by_key(|(line, pattern, range)| (*line, *pattern, range.start, range.end));

            let mut scanner = Engine::new(&set, Report::Spans).scanner().unwrap();
            let mut offsets = Vec::new();
            let batch = Batch::lines(&stream.text, &mut offsets).unwrap();
            let mut found = Vec::new();
            let flow = scan_across(&across, &mut scanner, &batch, &mut |matches| {
                found.extend(matches.iter().map(|m| {
                    let start = batch.range(m.record()).start as u64;
                    let range = start + m.start() as u64..start + m.end() as u64;
                    (m.record(), m.pattern(), range)
                }));
                ControlFlow::Continue(())
            });
            assert!(flow.unwrap().is_continue());
            assert_eq!(found, expected, "{seed}: {case:?}\n{stream:?}");
        }
    }
}
