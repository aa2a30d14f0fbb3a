//! Reads files and standard input in chunks of whole lines.
//!
//! [`walk()`] finds the files that [`filter`] includes. [`Tasks`] groups them into [`Task`]s. [`Chunk`] reads
//! the first lines of a task into one buffer, to be scanned as one batch, and returns the rest as further
//! tasks. A batch has a size at which an engine is fast: many small files, or one block of a large file.
//! [`Locator`] maps the records of that batch back to files and line numbers.
//!
//! The size of a file is known when it is open, and not before: to look up each file twice, for its size and
//! to open it, would take a tenth of the time of a search for one literal, and more if two threads do it.
//! So files are opened by the thread that searches them, which returns large ones as tasks of their own. Those
//! and pipes are read in order, by one thread at a time, because where a block ends depends on the block
//! before it.

mod block_reader;
mod buffer;
mod chunk;
mod directory;
mod encoding;
mod filter;
mod ignore_file;
mod locate;
mod open;
mod read_ahead;
mod source;
mod stdin;
mod tasks;
mod walk;

pub(crate) use block_reader::{Block, BlockReader, Next};
pub(crate) use chunk::{Chunk, FilePart};
pub(crate) use encoding::{Decoded, Encoding, is_likely_utf16};
pub(crate) use filter::{Hidden, Skipped};
pub(crate) use locate::Locator;
pub(crate) use source::{LineProgress, Source};
pub(crate) use stdin::is_readable as stdin_is_readable;
#[cfg(unix)]
pub(crate) use stdin::metadata;
pub(crate) use tasks::{Interrupt, Task, Tasks};
pub(crate) use walk::{FileWalk, SortOrder, WalkError, WalkOptions, walk};

/// The size, in bytes, from which on a file is read in blocks, which several threads search. Smaller ones are read
/// whole. With 256 KiB, on 300 MB of text in files of 128 KiB to 1 MiB, searches for one rare literal took 4% to 20%
/// more processor time with two threads and as much with one, for one that is in each block 10% to 14% less, and
/// with lines around the matches 30% to 50% more; with the built-in rules there was no difference. The peak of the
/// memory was 9 MB in place of 10 MB.
pub(crate) const LARGE_FILE: usize = 1 << 20;

/// The bytes of a file that are read for a block: few enough to be still in the caches of a core when
/// their lines are counted and searched, and many for one call of an engine. With 1 MiB, searches for one
/// literal in 500 MB of logs took up to 30% more processor time, on a core with 1 MiB of second-level cache;
/// with 64 KiB, they took 1% to 4% more. With hundreds of rules there is no difference, and neither is there in
/// `dragnet redact`, which reads as many bytes at once.
pub(crate) const BLOCK_SIZE: usize = 128 << 10;

/// The number of bytes at the start of a file that are checked for a NUL byte, which makes the file
/// binary.
pub(crate) const BINARY_CHECK: usize = 64 << 10;

/// Whether a file that starts with `bytes` is binary.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_CHECK)]).is_some()
}
