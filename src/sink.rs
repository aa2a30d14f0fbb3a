//! Where an engine's matches go: all into a list, or block by block to a callback.

use std::ops::ControlFlow;

use crate::scan::MAX_BLOCK;
use crate::{Match, Matches};

/// Takes matches, one after the other and in order.
pub(crate) trait Sink {
    /// Takes the next match. When it breaks, no more are wanted, and none may be pushed.
    fn push(&mut self, m: Match) -> ControlFlow<()>;
}

impl Sink for Matches {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        Matches::push(self, m);
        ControlFlow::Continue(())
    }
}

#[cfg(feature = "native")]
impl Sink for Vec<Match> {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        Vec::push(self, m);
        ControlFlow::Continue(())
    }
}

/// Gathers matches and hands them on whenever there are [`MAX_BLOCK`].
///
/// The memory is the caller's, to be used again. A panic of the callback leaves nothing behind but
/// matches in it, which are dropped before it is used.
pub(crate) struct Blocks<'a> {
    block: &'a mut Vec<Match>,
    each: &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(
        block: &'a mut Vec<Match>,
        each: &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Blocks<'a> {
        block.clear();
        block.reserve_exact(MAX_BLOCK);
        Blocks { block, each }
    }

    /// Hands on what is left.
    pub(crate) fn finish(mut self) -> ControlFlow<()> {
        if self.block.is_empty() { ControlFlow::Continue(()) } else { self.flush() }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let flow = (self.each)(self.block);
        self.block.clear();
        flow
    }
}

impl Sink for Blocks<'_> {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        debug_assert!(self.block.last().is_none_or(|last| *last < m), "matches out of order");
        self.block.push(m);
        if self.block.len() < MAX_BLOCK { ControlFlow::Continue(()) } else { self.flush() }
    }
}
