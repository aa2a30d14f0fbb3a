//! The lines of one piece of work in one buffer.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::{BLOCK_SIZE, Block, Blocks, Source, Work, is_binary};

/// How much larger a file may be than it was when it was found, and still be read at once.
const SMALL: u64 = 4 * BLOCK_SIZE as u64;

/// Lines of one or more files in one buffer, to be searched together.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

/// Which file a part of a bundle is from.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) source: Arc<Source>,
    /// Where the part starts in the buffer.
    pub(crate) start: usize,
    /// The number, from 1, of its first line in the file.
    pub(crate) first_line: u64,
    /// Whether the file ends with this part.
    pub(crate) last: bool,
    /// Whether it is the file's only part.
    pub(crate) whole: bool,
}

impl Bundle {
    /// The lines of all parts, each with its end.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The parts, in the order in which they lie in the buffer.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Reads what is to be searched for `work` and hands it to `search`, in one bundle if it can
    /// be. Files that can't be read are handed to `unreadable` as messages.
    ///
    /// # Errors
    ///
    /// Those of `search`, after which nothing more is read.
    pub(crate) fn load<E>(
        &mut self,
        work: Work,
        mut unreadable: impl FnMut(String),
        mut search: impl FnMut(&Bundle) -> Result<(), E>,
    ) -> Result<(), E> {
        self.clear();
        match work {
            Work::Files(sources) => {
                for source in sources {
                    if let Err(error) = self.add_file(&source, &mut search)? {
                        unreadable(format!("{}: {error}", source.name()));
                    }
                }
            }
            Work::Block(source, block) => self.add_block(source, block, false),
            Work::End(source) => self.add_block(source, Block::default(), true),
        }
        if self.parts.is_empty() { Ok(()) } else { search(self) }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
    }

    fn add_block(&mut self, source: Arc<Source>, block: Block, last: bool) {
        self.clear();
        self.bytes = block.bytes;
        self.parts.push(Part {
            source,
            start: 0,
            first_line: block.first_line,
            last,
            whole: false,
        });
    }

    /// Adds a whole file; searches it at once, in blocks, if it has grown large since it was
    /// found. The inner result tells whether it could be read.
    fn add_file<E>(
        &mut self,
        source: &Arc<Source>,
        search: &mut impl FnMut(&Bundle) -> Result<(), E>,
    ) -> Result<io::Result<()>, E> {
        let start = self.bytes.len();
        let read = match source.path() {
            Some(path) => {
                File::open(path).and_then(|file| file.take(SMALL).read_to_end(&mut self.bytes))
            }
            None => Ok(0),
        };
        if !source.is_explicit() && is_binary(&self.bytes[start..]) {
            self.bytes.truncate(start);
        } else if read.as_ref().is_ok_and(|&count| count as u64 == SMALL) {
            self.bytes.truncate(start);
            if !self.parts.is_empty() {
                search(self)?;
            }
            return self.search_blocks(source, search);
        } else if self.bytes.len() > start {
            // What was read before an error still counts.
            if self.bytes.last() != Some(&b'\n') {
                self.bytes.push(b'\n');
            }
            let source = source.clone();
            self.parts.push(Part { source, start, first_line: 1, last: true, whole: true });
        }
        Ok(read.map(drop))
    }

    fn search_blocks<E>(
        &mut self,
        source: &Arc<Source>,
        search: &mut impl FnMut(&Bundle) -> Result<(), E>,
    ) -> Result<io::Result<()>, E> {
        let mut blocks = match Blocks::open(source) {
            Ok(blocks) => blocks,
            Err(error) => return Ok(Err(error)),
        };
        let read = loop {
            let mut block = Block::default();
            match blocks.next(&mut block) {
                Ok(true) => {
                    self.add_block(source.clone(), block, false);
                    search(self)?;
                }
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.add_block(source.clone(), Block::default(), true);
        search(self)?;
        self.clear();
        Ok(read)
    }
}
