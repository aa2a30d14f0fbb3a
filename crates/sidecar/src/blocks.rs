//! How the server hands over what it finds.

use std::ops::ControlFlow;

use super::control::{Answer, Control, is_cancelled, status};
use dragnet::Match;

/// The matches of a part on their way to the client: the last block is held back until it is known
/// to be the last.
pub(super) struct Blocks<'a> {
    control: &'a Control,
    sequence: u32,
    /// Whether the client is gone.
    is_gone: &'a dyn Fn() -> bool,
    /// How many blocks the client was told of.
    published: u32,
    /// How many matches are in the block that it was not told of.
    held: u32,
}

impl<'a> Blocks<'a> {
    /// Those of the part with this number, until the client is gone or has cancelled it.
    pub(super) fn new(
        control: &'a Control,
        sequence: u32,
        is_gone: &'a dyn Fn() -> bool,
    ) -> Blocks<'a> {
        Blocks { control, sequence, is_gone, published: 0, held: 0 }
    }

    /// Puts a block in place, once the client has taken the one before it.
    pub(super) fn add(&mut self, block: &[Match]) -> ControlFlow<()> {
        if self.held > 0 {
            let count = self.published.wrapping_add(1);
            let answer = Answer { count, status: status::MORE, found: self.held, code: 0 };
            self.control.publish(self.sequence, &answer);
            self.published = count;
            self.held = 0;
            // Also if it is cancelled: a block that was told of stays until it is taken.
            match self.control.wait_until_taken(self.sequence, count, self.is_gone) {
                Ok(true) if !is_cancelled(self.control.words(), self.sequence) => {}
                Ok(_) | Err(_) => return ControlFlow::Break(()),
            }
        }
        self.control.write_block(self.sequence, block);
        self.held = block.len() as u32;
        ControlFlow::Continue(())
    }

    /// How many blocks the client was told of, and how many matches are in the block that it was
    /// not told of.
    pub(super) fn end(self) -> (u32, u32) {
        (self.published, self.held)
    }
}
