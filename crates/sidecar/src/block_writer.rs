//! Sends the matches of a chunk from the server to the client, block by block.
//!
//! The scanner does not know which of its blocks is the last one, but the client must: the last
//! block's status ends the chunk without another round trip. So the writer holds each block back,
//! written but not published, until the next one arrives or the scan ends.

use std::ops::ControlFlow;

use super::control::{BlockHeader, ControlMemory};
use super::layout::status;
use super::sequence::Sequence;
use dragnet::Match;

/// Writes the blocks of one chunk's answer.
pub(super) struct BlockWriter<'a> {
    control: &'a ControlMemory,
    sequence: Sequence,
    /// Whether the client has closed the connection.
    is_gone: &'a dyn Fn() -> bool,
    /// The number of blocks published so far.
    published: u32,
    /// The number of matches in the block that is written but not published.
    held: u32,
}

impl<'a> BlockWriter<'a> {
    /// Writes the answer of the chunk `sequence` until the client has closed the connection, as
    /// `is_gone` says, or cancelled the chunk.
    pub(super) fn new(
        control: &'a ControlMemory,
        sequence: Sequence,
        is_gone: &'a dyn Fn() -> bool,
    ) -> BlockWriter<'a> {
        BlockWriter { control, sequence, is_gone, published: 0, held: 0 }
    }

    /// Publishes the previous block and waits until the client has taken it, then writes this one.
    /// Breaks if the client has disconnected or cancelled the chunk.
    pub(super) fn push(&mut self, block: &[Match]) -> ControlFlow<()> {
        if self.held > 0 {
            let count = self.published.wrapping_add(1);
            let header = BlockHeader { count, status: status::MORE, found: self.held, code: 0 };
            self.control.publish(self.sequence, &header);
            self.published = count;
            self.held = 0;
            // Also if the chunk is cancelled: a published block must stay until it is taken.
            match self.control.wait_until_taken(self.sequence, count, self.is_gone) {
                Ok(true) if !self.control.is_cancelled(self.sequence) => {}
                Ok(_) | Err(_) => return ControlFlow::Break(()),
            }
        }
        self.control.write_block(self.sequence, block);
        self.held = block.len() as u32;
        ControlFlow::Continue(())
    }

    /// Publishes the last block: with the matches that are held back if `status` is
    /// [`status::DONE`], else without matches. `code` is the error code of the C library.
    pub(super) fn finish(self, status: u32, code: u32) {
        let found = if status == status::DONE { self.held } else { 0 };
        let count = self.published.wrapping_add(1);
        self.control.publish(self.sequence, &BlockHeader { count, status, found, code });
    }
}
