//! Turns the files of a walk into tasks that are large enough for an engine to be fast.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::block_reader::BufferPool;
use super::{
    BLOCK_SIZE, Block, BlockReader, FileWalk, FoundFile, Next, Skipped, Source, WalkError,
};

/// The size of the small files of a task, in bytes, from which on no more are added. Workers wait for one
/// another less, and end at the same time, if tasks are short; a thread takes the lock once per task.
const GROUP_SIZE: u64 = 256 << 10;

/// The maximum number of small files in a task. Without it, a directory of thousands of tiny files
/// would be one task, and so searched by one thread.
const MAX_FILES: usize = 64;

/// Input to be searched as one batch.
#[derive(Debug)]
pub(crate) enum Task {
    /// Files that have not been opened yet: small ones, unless [`Tasks::whole_files`] was set.
    SmallFiles(Vec<Arc<Source>>),
    /// A block of a file that is read in blocks.
    Block(Arc<Source>, Block),
    /// The end of a file that is read in blocks, after its last block.
    EndOfFile(Arc<Source>),
}

/// Ends a search before the end of its input, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    is_set: AtomicBool,
    /// The file that is being read in blocks.
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

    fn set_reading(&self, source: &Arc<Source>) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = Some(source.clone());
        if self.is_set() {
            source.end();
        }
    }
}

/// An iterator over the tasks for the files of a walk, in the order of the walk.
///
/// It reads large files and pipes itself, block by block, and leaves small files to be read by the
/// thread that searches them. Files that can't be read are errors in place of a task.
pub(crate) struct Tasks {
    walk: FileWalk,
    /// Small files that have not been returned yet, and their total size in bytes.
    small: Vec<Arc<Source>>,
    small_bytes: u64,
    /// A large file to be opened, once the small files before it have been returned.
    large: Option<Arc<Source>>,
    /// The file that is being read in blocks.
    reading: Option<(Arc<Source>, BlockReader)>,
    /// The file that ended early, with an error or a note as the last item. Its [`Task::EndOfFile`] is
    /// the next one.
    failed: Option<Arc<Source>>,
    /// The number of large files that were skipped because they are binary.
    binary: u64,
    /// The number of files found, binary ones included.
    files: u64,
    whole_files: bool,
    buffers: Arc<BufferPool>,
    interrupt: Arc<Interrupt>,
}

impl Tasks {
    /// The tasks for the files of `walk`.
    pub(crate) fn new(walk: FileWalk) -> Tasks {
        let interrupt: Arc<Interrupt> = Arc::default();
        Tasks {
            walk: walk.until(interrupt.clone()),
            small: Vec::new(),
            small_bytes: 0,
            large: None,
            reading: None,
            failed: None,
            binary: 0,
            files: 0,
            whole_files: false,
            buffers: Arc::default(),
            interrupt,
        }
    }

    /// Leaves all files, large ones and pipes too, to be read as [`Task::SmallFiles`].
    pub(crate) fn whole_files(mut self, yes: bool) -> Tasks {
        self.whole_files = yes;
        self
    }

    /// Returns what ends the tasks early.
    pub(crate) fn interrupt(&self) -> Arc<Interrupt> {
        self.interrupt.clone()
    }

    /// The number of files that were found so far, also if they are binary.
    pub(crate) fn files(&self) -> u64 {
        self.files
    }

    /// The number of files and directories that were skipped so far. [`super::Chunk::binary_files`]
    /// counts the small binary files.
    pub(crate) fn skipped(&self) -> Skipped {
        Skipped { binary: self.binary, ..self.walk.skipped() }
    }

    fn take_small_files(&mut self) -> Task {
        self.small_bytes = 0;
        Task::SmallFiles(std::mem::take(&mut self.small))
    }

    /// Opens a file and returns its first block. Returns `None`, to skip the file, if it is binary.
    fn open(&mut self, source: Arc<Source>) -> Option<Result<Task, WalkError>> {
        self.interrupt.set_reading(&source);
        match BlockReader::open(&source) {
            Ok(blocks) => {
                self.reading = Some((source, blocks));
                self.read_block()
            }
            Err(error) => {
                let message = format!("{}: {error}", source.display_path());
                Some(Err(WalkError::unsearched(message)))
            }
        }
    }

    /// Returns the next block of the file that is being read. Returns `None` if the file is binary
    /// from its start on.
    fn read_block(&mut self) -> Option<Result<Task, WalkError>> {
        let (source, mut blocks) = self.reading.take()?;
        if source.is_ended() {
            return Some(Ok(Task::EndOfFile(source)));
        }
        let mut block = BufferPool::block(&self.buffers);
        match blocks.next(&mut block) {
            Ok(Next::Block) => {
                self.reading = Some((source.clone(), blocks));
                Some(Ok(Task::Block(source, block)))
            }
            Ok(Next::End) => Some(Ok(Task::EndOfFile(source))),
            Ok(Next::Binary { line: 1 }) => {
                self.binary += 1;
                None
            }
            Ok(Next::Binary { line }) => {
                let message = binary_from(&source, line);
                self.failed = Some(source);
                Some(Err(WalkError::note(message)))
            }
            Err(error) => {
                let message = format!("{}: {error}", source.display_path());
                // Matches in earlier blocks still count, and are printed at the end of the file.
                self.failed = Some(source);
                Some(Err(WalkError::unsearched(message)))
            }
        }
    }
}

/// The message about a file that is binary from `line` on.
pub(super) fn binary_from(source: &Source, line: u64) -> String {
    format!("{}: not searched from line {line} on: it is binary", source.display_path())
}

impl Iterator for Tasks {
    type Item = Result<Task, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(source) = self.failed.take() {
                return Some(Ok(Task::EndOfFile(source)));
            }
            if self.reading.is_some() {
                if let Some(task) = self.read_block() {
                    return Some(task);
                }
                continue;
            }
            if let Some(source) = self.large.take() {
                if let Some(task) = self.open(source) {
                    return Some(task);
                }
                continue;
            }
            match self.walk.next() {
                Some(Ok(FoundFile { source, size })) => {
                    self.files += 1;
                    let source = Arc::new(source);
                    let is_large = source.may_block() || size >= BLOCK_SIZE as u64;
                    if is_large && !self.whole_files {
                        self.large = Some(source);
                        if !self.small.is_empty() {
                            return Some(Ok(self.take_small_files()));
                        }
                        continue;
                    }
                    self.small.push(source);
                    self.small_bytes += size;
                    if self.small_bytes >= GROUP_SIZE || self.small.len() == MAX_FILES {
                        return Some(Ok(self.take_small_files()));
                    }
                }
                Some(Err(error)) => return Some(Err(error)),
                None if self.small.is_empty() => return None,
                None => return Some(Ok(self.take_small_files())),
            }
        }
    }
}
