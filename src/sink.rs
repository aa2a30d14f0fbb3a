//! Where an engine writes its matches: into a list, or in blocks to a callback.

use std::ops::ControlFlow;

use crate::scan::MAX_BLOCK;
use crate::{Match, Matches, ScanError};

/// Receives matches one by one, in order.
///
/// An engine is generic over its sink, so that `scan` and `scan_with` are one code path, compiled
/// twice.
pub(crate) trait Sink {
    /// Whether the sink ends the scan at its first match, whichever that is. The engine may then return
    /// `Break` without pushing the match.
    const FIRST_ONLY: bool = false;

    /// Receives the next match. After it returns `Break`, the engine must not push again.
    fn push(&mut self, m: Match) -> ControlFlow<()>;

    /// Receives the next matches. After it returns `Break`, the engine must not push again.
    fn push_all(&mut self, matches: &[Match]) -> ControlFlow<()> {
        matches.iter().try_for_each(|&m| self.push(m))
    }
}

impl Sink for Matches {
    fn push(&mut self, m: Match) -> ControlFlow<()> {
        Matches::push(self, m);
        ControlFlow::Continue(())
    }

    fn push_all(&mut self, matches: &[Match]) -> ControlFlow<()> {
        self.extend_from_slice(matches);
        ControlFlow::Continue(())
    }
}

/// Collects matches and passes them to a callback in blocks of [`MAX_BLOCK`].
///
/// The caller owns the memory of the block, and reuses it. A panic of the callback leaves matches in
/// it, which the next [`Blocks::new`] drops.
pub(crate) struct Blocks<'a> {
    block: &'a mut Vec<Match>,
    each: &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>,
}

/// Runs a scan whose matches are passed to `each` in blocks. `block` is the memory of the blocks, which
/// the caller keeps from one scan to the next.
pub(crate) fn scan_in_blocks(
    block: &mut Vec<Match>,
    each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    scan: impl FnOnce(&mut Blocks<'_>) -> Result<ControlFlow<()>, ScanError>,
) -> Result<ControlFlow<()>, ScanError> {
    let mut blocks = Blocks::new(block, each);
    match scan(&mut blocks)? {
        ControlFlow::Continue(()) => Ok(blocks.finish()),
        ControlFlow::Break(()) => Ok(ControlFlow::Break(())),
    }
}

impl<'a> Blocks<'a> {
    fn new(
        block: &'a mut Vec<Match>,
        each: &'a mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Blocks<'a> {
        block.clear();
        block.reserve_exact(MAX_BLOCK);
        Blocks { block, each }
    }

    /// Passes on the last, incomplete block.
    fn finish(mut self) -> ControlFlow<()> {
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
