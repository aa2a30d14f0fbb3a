//! Turns the files of a walk into tasks for the threads that search.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use super::{BlockReader, FileWalk, LARGE_FILE, Skipped, Source, WalkError};

/// The maximum number of files in a task. A thread takes the lock of the walk once per task, and hands back what
/// it has no time for. With 16 files, two threads were not faster.
const MAX_FILES: usize = 64;

/// Input to be searched. [`Chunk::load`](super::Chunk::load) reads the first part of it, and returns the rest
/// as tasks that any thread can take.
#[derive(Debug)]
pub(crate) enum Task {
    /// Files that have not been opened yet.
    Files(vec::IntoIter<Arc<Source>>),
    /// The rest of a source that is read in blocks, or all of it if it has not been opened yet.
    Blocks(Arc<Source>, Option<BlockReader>),
}

impl Task {
    /// The source that is read first, if it may block and has not been opened yet. Such a source has a task of
    /// its own.
    pub(crate) fn unopened_pipe(&self) -> Option<&Arc<Source>> {
        let source = match self {
            Task::Files(files) => files.as_slice().first(),
            Task::Blocks(source, None) => Some(source),
            Task::Blocks(_, Some(_)) => None,
        };
        source.filter(|source| source.may_block())
    }
}

/// Ends a search before the end of its input, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    is_set: AtomicBool,
    /// The source that may block and is being read.
    reading: Mutex<Option<Arc<Source>>>,
}

impl Interrupt {
    /// Ends the search. Nobody waits for more input of a pipe.
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        if let Some(source) = &*self.reading.lock().unwrap_or_else(PoisonError::into_inner) {
            source.end();
        }
    }

    /// Whether the search was ended.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Sets the source that [`set`](Interrupt::set) ends, in place of an earlier one.
    pub(crate) fn set_reading(&self, source: &Arc<Source>) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = Some(source.clone());
        if self.is_set() {
            source.end();
        }
    }
}

/// An iterator over the tasks for the files of a walk, in the order of the walk. Paths that can't be searched
/// are errors in place of a task.
///
/// It opens no file, so that a thread that waits for the next task does not wait for that.
pub(crate) struct Tasks {
    walk: FileWalk,
    /// Files that have not been returned yet.
    files: Vec<Arc<Source>>,
    /// A source with a task of its own, once the files before it have been returned.
    single: Option<Arc<Source>>,
    whole_files: bool,
    interrupt: Arc<Interrupt>,
}

impl Tasks {
    /// The tasks for the files of `walk`.
    pub(crate) fn new(walk: FileWalk) -> Tasks {
        let interrupt: Arc<Interrupt> = Arc::default();
        Tasks {
            walk: walk.until(interrupt.clone()),
            files: Vec::new(),
            single: None,
            whole_files: false,
            interrupt,
        }
    }

    /// Makes all sources be read as [`Task::Files`], also large files and pipes.
    pub(crate) fn whole_files(mut self, yes: bool) -> Tasks {
        self.whole_files = yes;
        self
    }

    /// Returns what ends the tasks early.
    pub(crate) fn interrupt(&self) -> Arc<Interrupt> {
        self.interrupt.clone()
    }

    /// The number of files and directories that were skipped so far. [`super::Chunk::take_counts`]
    /// counts the binary files.
    pub(crate) fn skipped(&self) -> Skipped {
        self.walk.skipped()
    }

    fn take_files(&mut self) -> Task {
        Task::Files(std::mem::take(&mut self.files).into_iter())
    }
}

impl Iterator for Tasks {
    type Item = Result<Task, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(source) = self.single.take() {
                return Some(Ok(match self.whole_files {
                    true => Task::Files(vec![source].into_iter()),
                    false => Task::Blocks(source, None),
                }));
            }
            match self.walk.next() {
                Some(Ok(source)) => {
                    let source = Arc::new(source);
                    let is_large = source.size >= LARGE_FILE as u64;
                    if source.may_block() || is_large && !self.whole_files {
                        self.single = Some(source);
                        if !self.files.is_empty() {
                            return Some(Ok(self.take_files()));
                        }
                        continue;
                    }
                    self.files.push(source);
                    if self.files.len() == MAX_FILES {
                        return Some(Ok(self.take_files()));
                    }
                }
                Some(Err(error)) => return Some(Err(error)),
                None if self.files.is_empty() => return None,
                None => return Some(Ok(self.take_files())),
            }
        }
    }
}
