//! What to look in: files and standard input, in blocks of whole lines.
//!
//! The way of the bytes: [`walk()`] finds files, [`Plan`] cuts them into [`Work`] of a size that an
//! engine is fast on, many small files or one block of a large one, and [`Bundle`] holds the
//! lines of one piece of work in one buffer, with a note of which file they are from.

mod ahead;
mod blocks;
mod bundle;
mod hits;
mod plan;
mod source;
mod stdin;
mod walk;

pub(crate) use blocks::{Block, Blocks};
pub(crate) use bundle::{Bundle, Part};
pub(crate) use hits::{Hit, Places};
pub(crate) use plan::{Plan, Work};
pub(crate) use source::Source;
pub(crate) use stdin::is_piped as stdin_is_piped;
#[cfg(unix)]
pub(crate) use stdin::metadata;
pub(crate) use walk::{Found, Trouble, WalkOptions, walk};

/// How many bytes a block of lines has, and many small files together, if there are so many. The
/// engines are fastest on large batches; the memory for matches grows with them.
pub(crate) const BLOCK_SIZE: usize = 1 << 20;

/// How many bytes at the start of a file are looked at for a NUL, which makes it binary.
pub(crate) const BINARY_CHECK: usize = 64 << 10;

/// Whether a file that starts with `bytes` is binary.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(BINARY_CHECK)]).is_some()
}
