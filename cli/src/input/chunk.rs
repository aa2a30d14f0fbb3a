//! A chunk: the lines of one task in one buffer, to be scanned as one batch.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use super::encoding::Decoded;
use super::tasks::binary_from;
use super::{
    BINARY_CHECK, BLOCK_SIZE, Block, BlockReader, Next, Source, Task, WalkError, is_binary,
};

/// The size, in bytes, from which on a file in [`Task::SmallFiles`] is read in blocks after all.
/// The walk found it smaller than [`BLOCK_SIZE`], so it has grown since.
const MAX_SMALL_FILE: usize = 4 * BLOCK_SIZE;

/// The largest file that is read whole, in bytes.
const MAX_WHOLE_FILE: usize = 512 << 20;

/// Lines of one or more files in one buffer, to be scanned as one batch.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
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
        &self.bytes
    }

    /// The parts, in ascending order of their offset.
    pub(crate) fn parts(&self) -> &[FilePart] {
        &self.parts
    }

    /// The number of small files that were skipped because they are binary.
    pub(crate) fn binary_files(&self) -> u64 {
        self.binary_files
    }

    /// Reads the lines of `task` and calls `search` with the chunk that holds them. If a small file
    /// has grown large since the walk found it, `search` is called for each of its blocks. Calls
    /// `report` with a message for each file that can't be read to its end.
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
                }
            }
            Task::Block(source, block) => self.set_block(source, block, false),
            Task::EndOfFile(source) => self.set_block(source, Block::default(), true),
        }
        if self.parts.is_empty() { Ok(()) } else { search(self) }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
    }

    /// Replaces the contents by one block of a file.
    fn set_block(&mut self, source: Arc<Source>, block: Block, is_last: bool) {
        self.clear();
        self.bytes = block.bytes;
        self.parts.push(FilePart {
            source,
            start: 0,
            first_line: block.first_line,
            is_last,
            is_whole_file: false,
        });
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
        let start = self.bytes.len();
        let read = self.read_file(source);
        if !source.is_explicit() && is_binary(&self.bytes[start..]) {
            self.bytes.truncate(start);
            self.binary_files += 1;
        } else if self.bytes.len() - start >= MAX_SMALL_FILE {
            self.bytes.truncate(start);
            if !self.parts.is_empty() {
                search(self)?;
            }
            return self.search_blocks(source, search, report);
        } else if self.bytes.len() > start {
            // Also after a read error: the bytes before it are searched. Without the terminator,
            // the last line would run into the first line of the next file.
            if self.bytes.last() != Some(&b'\n') {
                self.bytes.push(b'\n');
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
        let start = self.bytes.len();
        let (mut file, size) = source.open(path)?;
        // One byte more than the file has shows its end without another read of a whole buffer.
        let size = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1);
        let first = if source.is_explicit() { MAX_SMALL_FILE } else { BINARY_CHECK };
        let is_end = append(&mut file, &mut self.bytes, size.min(first))?;
        let text = &self.bytes[start..];
        let mark = source.encoding.mark_len(text);
        if source.encoding.decodes(text) && mark == 0 {
            self.bytes.truncate(start);
            file.rewind()?;
            let decoded = Decoded::new(file, source.encoding);
            return decoded.take(MAX_SMALL_FILE as u64).read_to_end(&mut self.bytes).map(drop);
        }
        self.bytes.drain(start..start + mark);
        if is_end || !source.is_explicit() && is_binary(&self.bytes[start..]) {
            return Ok(());
        }
        // Usually the rest in one read. A file that has grown is read on in larger parts.
        let mut part = size.saturating_sub(self.bytes.len() - start).max(BINARY_CHECK);
        loop {
            let room = MAX_SMALL_FILE.saturating_sub(self.bytes.len() - start);
            if append(&mut file, &mut self.bytes, part.min(room))? || room <= part {
                return Ok(());
            }
            part *= 2;
        }
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
            self.set_block(source.clone(), Block { bytes, first_line: 1 }, true);
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

/// Appends `count` bytes of a file to `bytes`, or fewer if the file ends before. Returns whether it
/// does. Also if reading fails, `bytes` has what was read before.
fn append(file: &mut File, bytes: &mut Vec<u8>, count: usize) -> io::Result<bool> {
    let mut filled = bytes.len();
    let end = filled + count;
    bytes.resize(end, 0);
    let result = loop {
        if filled == end {
            break Ok(false);
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break Ok(true),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    bytes.truncate(filled);
    result
}
