//! A chunk: the lines of one task in one buffer, to be scanned as one batch.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use super::encoding::Decoded;
use super::open::check_regular;
use super::tasks::binary_from;
use super::{
    BINARY_CHECK, BLOCK_SIZE, Block, BlockReader, Next, Source, Task, WalkError, is_binary,
};

/// The size, in bytes, from which on a file in [`Task::SmallFiles`] is read in blocks after all.
/// The walk found it smaller than [`BLOCK_SIZE`], so it has grown since.
const MAX_SMALL_FILE: usize = 4 * BLOCK_SIZE;

/// The bytes of small files that are searched at once: few enough to be still in the caches of a core when
/// they are split into lines and searched, and many for one call of an engine. With 256 KiB, the search for
/// one literal took 5% more processor time, on a core with 1 MiB of second-level cache.
const SEARCH_SIZE: usize = 64 << 10;

/// The largest file that is read whole, in bytes.
const MAX_WHOLE_FILE: usize = 512 << 20;

/// Lines of one or more files in one buffer, to be scanned as one batch.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The lines, and after them bytes that are left from longer chunks. It never gets shorter, since a
    /// vector that is extended is filled with zeros first.
    buffer: Vec<u8>,
    /// The length of the lines in the buffer.
    length: usize,
    /// In place of the buffer, a block of a file.
    block: Option<Block>,
    parts: Vec<FilePart>,
    binary_files: u64,
    whole_files: bool,
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
            Some(block) => &block.bytes,
            None => &self.buffer[..self.length],
        }
    }

    /// The parts, in ascending order of their offset.
    pub(crate) fn parts(&self) -> &[FilePart] {
        &self.parts
    }

    /// Returns the number of small files that were skipped since the last call because they are binary.
    pub(crate) fn take_binary_files(&mut self) -> u64 {
        std::mem::take(&mut self.binary_files)
    }

    /// Reads the lines of `task` and calls `search` with the chunk that holds them, as often as it is full.
    /// If a small file has grown large since the walk found it, `search` is called for each of its blocks.
    /// Calls `report` with a message for each file that can't be read to its end.
    ///
    /// # Errors
    ///
    /// The first error of `search`, after which nothing more is read.
    pub(crate) fn load<E>(
        &mut self,
        task: Task,
        mut report: impl FnMut(WalkError),
        mut search: impl FnMut(&Chunk) -> Result<(), E>,
    ) -> Result<(), E> {
        self.clear();
        match task {
            Task::SmallFiles(sources) => {
                for source in sources {
                    let added = match self.whole_files {
                        true => self.search_whole(&source, &mut search, &mut report),
                        false => self.add_file(&source, &mut search, &mut report),
                    };
                    if let Err(error) = added? {
                        let message = format!("{}: {error}", source.display_path());
                        report(WalkError::unsearched(message));
                    }
                    if self.length >= SEARCH_SIZE {
                        search(self)?;
                        self.clear();
                    }
                }
            }
            Task::Block(source, block) => self.set_block(source, block, false),
            Task::EndOfFile(source) => self.set_block(source, Block::default(), true),
        }
        if self.parts.is_empty() { Ok(()) } else { search(self) }
    }

    fn clear(&mut self) {
        self.length = 0;
        self.block = None;
        self.parts.clear();
    }

    /// Replaces the contents by one block of a file.
    fn set_block(&mut self, source: Arc<Source>, block: Block, is_last: bool) {
        self.clear();
        self.parts.push(FilePart {
            source,
            start: 0,
            first_line: block.first_line,
            is_last,
            is_whole_file: false,
        });
        self.block = Some(block);
    }

    /// Appends a small file. If the file has grown large, searches the chunk as it is so far, and
    /// then the file, block by block. The outer error comes from `search`, the inner one from
    /// reading the file.
    fn add_file<E>(
        &mut self,
        source: &Arc<Source>,
        search: &mut impl FnMut(&Chunk) -> Result<(), E>,
        report: &mut impl FnMut(WalkError),
    ) -> Result<io::Result<()>, E> {
        let start = self.length;
        let read = self.read_file(source);
        if !source.is_explicit() && is_binary(&self.bytes()[start..]) {
            self.length = start;
            self.binary_files += 1;
        } else if self.length - start >= MAX_SMALL_FILE {
            self.length = start;
            if !self.parts.is_empty() {
                search(self)?;
            }
            return self.search_blocks(source, search, report);
        } else if self.length > start {
            // Also after a read error: the bytes before it are searched. Without the terminator,
            // the last line would run into the first line of the next file.
            if self.bytes().last() != Some(&b'\n') {
                self.reserve(1)[0] = b'\n';
                self.length += 1;
            }
            let source = source.clone();
            self.parts.push(FilePart {
                source,
                start,
                first_line: 1,
                is_last: true,
                is_whole_file: true,
            });
        }
        Ok(read)
    }

    /// Appends the first bytes of a file: all of a small one, and of a binary one no more than are
    /// needed to see that it is binary.
    fn read_file(&mut self, source: &Source) -> io::Result<()> {
        let Some(path) = source.path() else { return Ok(()) };
        let start = self.length;
        let is_checked = source.size == 0;
        let (mut file, size) = match is_checked {
            true => source.open(path)?,
            false => (source.open_unchecked(path)?, source.size),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        // One byte more than the file has, so that a read of all of it is seen to be short.
        let wanted = size.saturating_add(1);
        let first = if source.is_explicit() { MAX_SMALL_FILE } else { BINARY_CHECK };
        let is_end = self.append(&mut file, wanted.min(first), size);
        let is_as_found = matches!(is_end, Ok(true)) && self.length - start == size;
        if !is_checked && !is_as_found {
            // It is large, or has changed since the walk, or is another one. Nothing of that is searched
            // if it is a device or a FIFO.
            check_regular(&file).inspect_err(|_| self.length = start)?;
        }
        let is_end = is_end?;
        let text = &self.bytes()[start..];
        let mark = source.encoding.mark_len(text);
        if source.encoding.decodes(text) && mark == 0 {
            self.length = start;
            file.rewind()?;
            let mut decoded = Vec::new();
            let reader = Decoded::new(file, source.encoding);
            let read = reader.take(MAX_SMALL_FILE as u64).read_to_end(&mut decoded);
            self.reserve(decoded.len())[..decoded.len()].copy_from_slice(&decoded);
            self.length += decoded.len();
            return read.map(drop);
        }
        if mark > 0 {
            self.buffer.copy_within(start + mark..self.length, start);
            self.length -= mark;
        }
        if is_end || !source.is_explicit() && is_binary(&self.bytes()[start..]) {
            return Ok(());
        }
        // Usually the rest in one read. A file that has grown is read on in larger parts.
        let mut part = wanted.saturating_sub(self.length - start).max(BINARY_CHECK);
        loop {
            let room = MAX_SMALL_FILE.saturating_sub(self.length - start);
            let left = size.saturating_sub(self.length - start + mark);
            if self.append(&mut file, part.min(room), left)? || room <= part {
                return Ok(());
            }
            part *= 2;
        }
    }

    /// Returns the buffer after the lines, which has room for `count` bytes or more.
    fn reserve(&mut self, count: usize) -> &mut [u8] {
        let end = self.length + count;
        if self.buffer.len() < end {
            self.buffer.resize(end.max(2 * SEARCH_SIZE), 0);
        }
        &mut self.buffer[self.length..]
    }

    /// Appends `count` bytes of a file, or fewer if the file ends before. Returns whether it does. `left`
    /// is the number of bytes that it should have left: a read that is short and ends there was the last.
    /// Also if reading fails, the bytes before are appended.
    fn append(&mut self, file: &mut File, count: usize, left: usize) -> io::Result<bool> {
        let mut filled = 0;
        self.reserve(count);
        while filled < count {
            match file.read(&mut self.buffer[self.length..][..count - filled]) {
                Ok(0) => return Ok(true),
                Ok(read) => {
                    self.length += read;
                    filled += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if filled == left && filled < count {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a file to its end and searches it, and leaves the chunk empty.
    fn search_whole<E>(
        &mut self,
        source: &Arc<Source>,
        search: &mut impl FnMut(&Chunk) -> Result<(), E>,
        report: &mut impl FnMut(WalkError),
    ) -> Result<io::Result<()>, E> {
        let mut bytes = Vec::new();
        let read = BlockReader::open(source).and_then(|mut blocks| {
            let mut block = Block::default();
            loop {
                match blocks.next(&mut block)? {
                    Next::End => return Ok(()),
                    Next::Binary { line: 1 } => {
                        self.binary_files += 1;
                        return Ok(());
                    }
                    Next::Binary { line } => {
                        report(WalkError::note(binary_from(source, line)));
                        return Ok(());
                    }
                    Next::Block if bytes.len() + block.bytes.len() > MAX_WHOLE_FILE => {
                        bytes = Vec::new();
                        return Err(io::Error::other(format!(
                            "not searched: it is larger than {} MiB, which is the most that \
                             --multiline reads",
                            MAX_WHOLE_FILE >> 20
                        )));
                    }
                    Next::Block => bytes.extend_from_slice(&block.bytes),
                }
            }
        });
        if !bytes.is_empty() {
            self.set_block(source.clone(), Block { bytes, first_line: 1, pool: None }, true);
            self.parts[0].is_whole_file = true;
            search(self)?;
            self.clear();
        }
        Ok(read)
    }

    /// Searches a file block by block, and leaves the chunk empty.
    fn search_blocks<E>(
        &mut self,
        source: &Arc<Source>,
        search: &mut impl FnMut(&Chunk) -> Result<(), E>,
        report: &mut impl FnMut(WalkError),
    ) -> Result<io::Result<()>, E> {
        let mut blocks = match BlockReader::open(source) {
            Ok(blocks) => blocks,
            Err(error) => return Ok(Err(error)),
        };
        let read = loop {
            let mut block = Block::default();
            match blocks.next(&mut block) {
                Ok(Next::Block) => {
                    self.set_block(source.clone(), block, false);
                    search(self)?;
                }
                Ok(Next::End) => break Ok(()),
                Ok(Next::Binary { line: 1 }) => {
                    self.binary_files += 1;
                    break Ok(());
                }
                Ok(Next::Binary { line }) => {
                    report(WalkError::note(binary_from(source, line)));
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        self.set_block(source.clone(), Block::default(), true);
        search(self)?;
        self.clear();
        Ok(read)
    }
}

#[cfg(all(test, unix))]
mod tests;
