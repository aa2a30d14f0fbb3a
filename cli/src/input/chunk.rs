//! A chunk: lines of one task in one buffer, to be scanned as one batch.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use super::buffer::Buffer;
use super::encoding::Decoded;
use super::{
    BINARY_CHECK, Block, BlockReader, LARGE_FILE, Next, Source, Task, WalkError, is_binary,
};

/// The size, in bytes, from which on a file is read in blocks that was smaller than [`LARGE_FILE`] when it was
/// opened. It has grown since.
const MAX_SMALL_FILE: usize = 4 << 20;

/// The bytes of small files that are searched at once: few enough to be still in the caches of a core when
/// they are split into lines and searched, and many for one call of an engine. With 256 KiB, the search for
/// one literal took 5% more processor time, on a core with 1 MiB of second-level cache.
const SEARCH_SIZE: usize = 64 << 10;

/// The largest buffer of a block that is kept for the next block, in bytes. A longer line is an exception.
const MAX_KEPT: usize = 4 << 20;

/// The largest file that is read whole, in bytes.
const MAX_WHOLE_FILE: usize = 512 << 20;

/// Lines of one or more files in one buffer, to be scanned as one batch.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The lines.
    buffer: Buffer,
    /// In place of the buffer, a block of a file.
    block: Option<Block>,
    /// The buffer of an earlier block, for the next one. A new one would cost more than to search the block for
    /// a literal.
    spare: Buffer,
    parts: Vec<FilePart>,
    counts: FileCounts,
    whole_files: bool,
}

/// The number of files by what was done with them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FileCounts {
    pub(crate) searched: u64,
    /// Skipped because they are binary.
    pub(crate) binary: u64,
}

/// The lines of a chunk that come from one file.
#[derive(Debug)]
pub(crate) struct FilePart {
    pub(crate) source: Arc<Source>,
    /// The offset in the buffer of the part's first line.
    pub(crate) start: usize,
    /// The number of the part's first line in the file, from 1.
    pub(crate) first_line: u64,
    /// Whether the part ends at the end of the file.
    pub(crate) is_last: bool,
    /// Whether the part is all of the file.
    pub(crate) is_whole_file: bool,
}

impl Chunk {
    /// Returns an empty chunk. With `whole_files`, it is loaded with one whole file after the other.
    pub(crate) fn new(whole_files: bool) -> Chunk {
        Chunk { whole_files, ..Chunk::default() }
    }

    /// The lines of all parts. Each part ends with a line terminator, except a block at the end of
    /// a file.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.block {
            Some(block) => block.lines.bytes(),
            None => self.buffer.bytes(),
        }
    }

    /// The parts, in ascending order of their offset.
    pub(crate) fn parts(&self) -> &[FilePart] {
        &self.parts
    }

    /// Returns the number of files whose last lines were read since the last call.
    pub(crate) fn take_counts(&mut self) -> FileCounts {
        std::mem::take(&mut self.counts)
    }

    /// Reads the first lines of `task`, in place of those of the last one: as many small files as are searched at
    /// once, or one block of a file. The chunk has no parts if there is nothing to be searched. Returns the tasks
    /// that are left, in the order of their lines. Calls `report` with a message for each file that can't be
    /// read to its end.
    pub(crate) fn load(&mut self, task: Task, mut report: impl FnMut(WalkError)) -> Vec<Task> {
        self.clear();
        let mut files = match task {
            Task::Files(files) => files,
            Task::Blocks(source, blocks) => {
                return self.load_block(source, blocks, &mut report).into_iter().collect();
            }
        };
        while let Some(source) = files.next() {
            let added = match self.whole_files {
                true => self.load_whole(&source, &mut report).map(|()| None),
                false => self.add_file(&source),
            };
            let blocks = added.unwrap_or_else(|error| {
                report(WalkError::in_source(&source, &error));
                None
            });
            if blocks.is_some() || self.buffer.len() >= SEARCH_SIZE || self.block.is_some() {
                let rest = (files.len() > 0).then_some(Task::Files(files));
                return blocks.into_iter().chain(rest).collect();
            }
        }
        Vec::new()
    }

    fn clear(&mut self) {
        self.buffer.truncate(0);
        self.parts.clear();
        if let Some(block) = self.block.take()
            && (1..=MAX_KEPT).contains(&block.lines.capacity())
        {
            self.spare = block.lines;
        }
    }

    /// Replaces the contents by one block of a file.
    fn set_block(&mut self, source: Arc<Source>, block: Block, is_last: bool) {
        self.parts.push(FilePart {
            source,
            start: 0,
            first_line: block.first_line,
            is_last,
            is_whole_file: false,
        });
        self.block = Some(block);
    }

    /// Appends a file. If it is large, returns the task to search it instead.
    fn add_file(&mut self, source: &Arc<Source>) -> io::Result<Option<Task>> {
        let Some(path) = source.path() else { return Ok(None) };
        let Some((mut file, size)) = source.open(path)? else { return Ok(None) };
        let in_blocks = |file| {
            let blocks = BlockReader::of_file(source, file)?;
            Ok(Some(Task::Blocks(source.clone(), Some(blocks))))
        };
        if size >= LARGE_FILE as u64 {
            return in_blocks(file);
        }
        let start = self.buffer.len();
        let read = self.read_file(source, &mut file, size);
        if !source.is_explicit() && is_binary(&self.bytes()[start..]) {
            self.buffer.truncate(start);
            self.counts.binary += 1;
            return read.map(|()| None);
        }
        if self.buffer.len() - start >= MAX_SMALL_FILE {
            self.buffer.truncate(start);
            file.rewind()?;
            return in_blocks(file);
        }
        self.counts.searched += 1;
        if self.buffer.len() > start {
            // Also after a read error: the bytes before it are searched. Without the terminator,
            // the last line would run into the first line of the next file.
            if self.bytes().last() != Some(&b'\n') {
                self.buffer.extend(b"\n");
            }
            self.parts.push(FilePart {
                source: source.clone(),
                start,
                first_line: 1,
                is_last: true,
                is_whole_file: true,
            });
        }
        read.map(|()| None)
    }

    /// Appends the first bytes of a file of `size` bytes: all of a small one, and of a binary one no more than
    /// are needed to see that it is binary.
    fn read_file(&mut self, source: &Source, file: &mut File, size: u64) -> io::Result<()> {
        let start = self.buffer.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // One byte more than the file has, so that a read of all of it is seen to be short.
        let wanted = size.saturating_add(1);
        let first = if source.is_explicit() { MAX_SMALL_FILE } else { BINARY_CHECK };
        let first = wanted.min(first);
        let is_end = self.buffer.read(file, first, Some(size))? < first;
        let text = &self.bytes()[start..];
        let mark = source.encoding.mark_len(text);
        if source.encoding.decodes(text) && mark == 0 {
            self.buffer.truncate(start);
            file.rewind()?;
            let mut decoded = Vec::new();
            let reader = Decoded::new(&*file, source.encoding);
            let read = reader.take(MAX_SMALL_FILE as u64).read_to_end(&mut decoded);
            self.buffer.extend(&decoded);
            return read.map(drop);
        }
        if mark > 0 {
            self.buffer.remove(start, mark);
        }
        if is_end || !source.is_explicit() && is_binary(&self.bytes()[start..]) {
            return Ok(());
        }
        // Usually the rest in one read. A file that has grown is read on in larger parts.
        let mut part = wanted.saturating_sub(self.buffer.len() - start).max(BINARY_CHECK);
        loop {
            let room = MAX_SMALL_FILE.saturating_sub(self.buffer.len() - start);
            let left = size.saturating_sub(self.buffer.len() - start + mark);
            let count = part.min(room);
            if self.buffer.read(file, count, Some(left))? < count || room <= part {
                return Ok(());
            }
            part *= 2;
        }
    }

    /// Reads a file to its end.
    fn load_whole(
        &mut self,
        source: &Arc<Source>,
        report: &mut impl FnMut(WalkError),
    ) -> io::Result<()> {
        let Some(mut blocks) = BlockReader::open(source)? else { return Ok(()) };
        let (mut bytes, mut block) = (Vec::new(), Block::default());
        let read = loop {
            match blocks.next(&mut block) {
                Ok(Next::End) => break Ok(()),
                Ok(Next::Binary { line: 1 }) => {
                    self.counts.binary += 1;
                    return Ok(());
                }
                Ok(Next::Binary { line }) => {
                    report(binary_from(source, line));
                    break Ok(());
                }
                Ok(Next::Block) if bytes.len() + block.lines.len() > MAX_WHOLE_FILE => {
                    bytes = Vec::new();
                    break Err(io::Error::other(format!(
                        "not searched: it is larger than {} MiB, which is the most that \
                         --multiline reads",
                        MAX_WHOLE_FILE >> 20
                    )));
                }
                Ok(Next::Block) => bytes.extend_from_slice(block.lines.bytes()),
                Err(error) => break Err(error),
            }
        };
        self.counts.searched += 1;
        if !bytes.is_empty() {
            self.set_block(source.clone(), Block { lines: bytes.into(), first_line: 1 }, true);
            self.parts[0].is_whole_file = true;
        }
        read
    }

    /// Reads the next block of a source, or sees its end. Returns the rest of the source.
    fn load_block(
        &mut self,
        source: Arc<Source>,
        blocks: Option<BlockReader>,
        report: &mut impl FnMut(WalkError),
    ) -> Option<Task> {
        if !source.is_ended() {
            let opened =
                blocks.map_or_else(|| BlockReader::open(&source), |blocks| Ok(Some(blocks)));
            let mut blocks = match opened {
                Ok(blocks) => blocks?,
                Err(error) => {
                    report(WalkError::in_source(&source, &error));
                    return None;
                }
            };
            let mut block = Block { lines: std::mem::take(&mut self.spare), first_line: 0 };
            match blocks.next(&mut block) {
                Ok(Next::Block) => {
                    self.set_block(source.clone(), block, false);
                    return Some(Task::Blocks(source, Some(blocks)));
                }
                Ok(Next::End) => {}
                Ok(Next::Binary { line: 1 }) => {
                    self.counts.binary += 1;
                    return None;
                }
                Ok(Next::Binary { line }) => report(binary_from(&source, line)),
                // Matches in earlier blocks still count, and are printed at the end of the file.
                Err(error) => report(WalkError::in_source(&source, &error)),
            }
        }
        self.counts.searched += 1;
        self.set_block(source, Block::default(), true);
        None
    }
}

/// The message about a file that is binary from `line` on.
fn binary_from(source: &Source, line: u64) -> WalkError {
    let path = source.display_path();
    WalkError::note(format!("{path}: not searched from line {line} on: it is binary"))
}

#[cfg(all(test, unix))]
mod tests;
