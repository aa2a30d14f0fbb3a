//! Cuts what there is to search into pieces that an engine is fast on.

use std::sync::Arc;

use super::{BLOCK_SIZE, Block, Blocks, Found, Source, Trouble, is_binary};

/// How many small files are searched together at most.
const MAX_FILES: usize = 256;

/// A piece of work.
#[derive(Debug)]
pub(crate) enum Work {
    /// Small files that have not been opened yet.
    Files(Vec<Arc<Source>>),
    /// Lines of a file that is read in blocks.
    Block(Arc<Source>, Block),
    /// The end of a file that is read in blocks.
    End(Arc<Source>),
}

/// The work there is, in order. Reads large files and pipes itself, in blocks; leaves the small
/// files to be read by whoever does the work.
#[derive(Debug)]
pub(crate) struct Plan<W> {
    walk: W,
    small: Vec<Arc<Source>>,
    small_bytes: u64,
    /// A file that is read in blocks once the small ones before it are out.
    large: Option<Arc<Source>>,
    reading: Option<(Arc<Source>, Blocks)>,
    /// A file that could not be read to its end.
    ended: Option<Arc<Source>>,
}

impl<W: Iterator<Item = Result<Found, Trouble>>> Plan<W> {
    /// The work for what `walk` finds.
    pub(crate) fn new(walk: W) -> Plan<W> {
        Plan { walk, small: Vec::new(), small_bytes: 0, large: None, reading: None, ended: None }
    }

    fn take_small(&mut self) -> Work {
        self.small_bytes = 0;
        Work::Files(std::mem::take(&mut self.small))
    }

    /// The first block of a file, or why there is none.
    fn open(&mut self, source: Arc<Source>) -> Option<Result<Work, Trouble>> {
        match Blocks::open(&source) {
            Ok(blocks) => {
                self.reading = Some((source, blocks));
                self.read(true)
            }
            Err(error) => Some(Err(Trouble::error(format!("{}: {error}", source.name())))),
        }
    }

    /// The next block of the file that is being read. None if it is binary and to be skipped.
    fn read(&mut self, first: bool) -> Option<Result<Work, Trouble>> {
        let (source, mut blocks) = self.reading.take()?;
        let mut block = Block::default();
        match blocks.next(&mut block) {
            Ok(true) if first && !source.is_explicit() && is_binary(&block.bytes) => None,
            Ok(true) => {
                self.reading = Some((source.clone(), blocks));
                Some(Ok(Work::Block(source, block)))
            }
            Ok(false) => Some(Ok(Work::End(source))),
            Err(error) => {
                let message = format!("{}: {error}", source.name());
                // What was found before the error still counts.
                self.ended = Some(source);
                Some(Err(Trouble::error(message)))
            }
        }
    }
}

impl<W: Iterator<Item = Result<Found, Trouble>>> Iterator for Plan<W> {
    type Item = Result<Work, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(source) = self.ended.take() {
                return Some(Ok(Work::End(source)));
            }
            if self.reading.is_some() {
                if let Some(work) = self.read(false) {
                    return Some(work);
                }
                continue;
            }
            if let Some(source) = self.large.take() {
                if let Some(work) = self.open(source) {
                    return Some(work);
                }
                continue;
            }
            match self.walk.next() {
                Some(Ok(Found { source, size })) => {
                    let source = Arc::new(source);
                    if source.may_wait() || size >= BLOCK_SIZE as u64 {
                        self.large = Some(source);
                        if !self.small.is_empty() {
                            return Some(Ok(self.take_small()));
                        }
                        continue;
                    }
                    self.small.push(source);
                    self.small_bytes += size;
                    if self.small_bytes >= BLOCK_SIZE as u64 || self.small.len() == MAX_FILES {
                        return Some(Ok(self.take_small()));
                    }
                }
                Some(Err(trouble)) => return Some(Err(trouble)),
                None if self.small.is_empty() => return None,
                None => return Some(Ok(self.take_small())),
            }
        }
    }
}
