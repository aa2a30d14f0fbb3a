//! Turns the files of a walk into tasks that are large enough for an engine to be fast.

use std::sync::Arc;

use super::{BLOCK_SIZE, Block, BlockReader, FoundFile, Source, WalkError, is_binary};

/// The maximum number of small files in a task. Without it, a directory of thousands of tiny files
/// would be one task, and so searched by one thread.
const MAX_FILES: usize = 256;

/// Input to be searched as one batch.
#[derive(Debug)]
pub(crate) enum Task {
    /// Small files that have not been opened yet.
    SmallFiles(Vec<Arc<Source>>),
    /// A block of a file that is read in blocks.
    Block(Arc<Source>, Block),
    /// The end of a file that is read in blocks, after its last block.
    EndOfFile(Arc<Source>),
}

/// An iterator over the tasks for the files of a walk, in the order of the walk.
///
/// It reads large files and pipes itself, block by block, and leaves small files to be read by the
/// thread that searches them. Files that can't be read are errors in place of a task.
#[derive(Debug)]
pub(crate) struct Tasks<W> {
    walk: W,
    /// Small files that have not been returned yet, and their total size in bytes.
    small: Vec<Arc<Source>>,
    small_bytes: u64,
    /// A large file to be opened, once the small files before it have been returned.
    large: Option<Arc<Source>>,
    /// The file that is being read in blocks.
    reading: Option<(Arc<Source>, BlockReader)>,
    /// The file whose read error was the last item. Its [`Task::EndOfFile`] is the next one.
    failed: Option<Arc<Source>>,
}

impl<W: Iterator<Item = Result<FoundFile, WalkError>>> Tasks<W> {
    /// The tasks for the files of `walk`.
    pub(crate) fn new(walk: W) -> Tasks<W> {
        Tasks { walk, small: Vec::new(), small_bytes: 0, large: None, reading: None, failed: None }
    }

    fn take_small_files(&mut self) -> Task {
        self.small_bytes = 0;
        Task::SmallFiles(std::mem::take(&mut self.small))
    }

    /// Opens a file and returns its first block. Returns `None`, to skip the file, if it is binary
    /// and was not named on the command line.
    fn open(&mut self, source: Arc<Source>) -> Option<Result<Task, WalkError>> {
        match BlockReader::open(&source) {
            Ok(blocks) => {
                self.reading = Some((source, blocks));
                self.read_block(true)
            }
            Err(error) => {
                let message = format!("{}: {error}", source.display_path());
                Some(Err(WalkError::unsearched(message)))
            }
        }
    }

    /// Returns the next block of the file that is being read. Returns `None` if this is the first
    /// block of a binary file, as [`Tasks::open`] does.
    fn read_block(&mut self, is_first: bool) -> Option<Result<Task, WalkError>> {
        let (source, mut blocks) = self.reading.take()?;
        let mut block = Block::default();
        match blocks.next(&mut block) {
            Ok(true) if is_first && !source.is_explicit() && is_binary(&block.bytes) => None,
            Ok(true) => {
                self.reading = Some((source.clone(), blocks));
                Some(Ok(Task::Block(source, block)))
            }
            Ok(false) => Some(Ok(Task::EndOfFile(source))),
            Err(error) => {
                let message = format!("{}: {error}", source.display_path());
                // Matches in earlier blocks still count, and are printed at the end of the file.
                self.failed = Some(source);
                Some(Err(WalkError::unsearched(message)))
            }
        }
    }
}

impl<W: Iterator<Item = Result<FoundFile, WalkError>>> Iterator for Tasks<W> {
    type Item = Result<Task, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(source) = self.failed.take() {
                return Some(Ok(Task::EndOfFile(source)));
            }
            if self.reading.is_some() {
                if let Some(task) = self.read_block(false) {
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
                    let source = Arc::new(source);
                    if source.may_block() || size >= BLOCK_SIZE as u64 {
                        self.large = Some(source);
                        if !self.small.is_empty() {
                            return Some(Ok(self.take_small_files()));
                        }
                        continue;
                    }
                    self.small.push(source);
                    self.small_bytes += size;
                    if self.small_bytes >= BLOCK_SIZE as u64 || self.small.len() == MAX_FILES {
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
