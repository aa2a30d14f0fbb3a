//! Scans a stream block by block, and passes the matches on in the order of the stream.

use std::io::Read;
use std::ops::ControlFlow;

use crate::{Match, Scan};

use super::across::{AcrossScan, AcrossSpans, BlockMatches};
use super::block::{Block, Copies};
use super::block_reader::BlockReader;
use super::{ReadError, ReaderScan, StreamMatch};

/// What is done with the matches of a stream. Called for one block after the other.
pub(crate) trait Consumer {
    /// Takes the next matches of the block, in order: by record, then pattern, then start.
    fn matches(&mut self, block: &Block, matches: &[Match]) -> ControlFlow<()>;

    /// Ends the block, of which there are no more matches.
    fn end_of_block(&mut self, block: &Block) -> ControlFlow<()>;
}

/// Passes each match to a function.
pub(super) struct Each<F>(pub(super) F);

impl<F: FnMut(StreamMatch<'_>) -> ControlFlow<()>> Consumer for Each<F> {
    fn matches(&mut self, block: &Block, matches: &[Match]) -> ControlFlow<()> {
        matches.iter().try_for_each(|&found| (self.0)(StreamMatch::new(block, found)))
    }

    fn end_of_block(&mut self, _: &Block) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Scans a stream on the calling thread.
pub(super) fn run(
    scan: &ReaderScan,
    reader: impl Read,
    scanner: &mut impl Scan,
    consumer: &mut impl Consumer,
) -> Result<ControlFlow<()>, ReadError> {
    let mut reader = BlockReader::new(reader, scan);
    let (mut block, mut copies) = (Block::default(), Copies::default());
    let mut found = BlockMatches::default();
    let mut across =
        scan.across().map(|across| (AcrossScan::new(across), AcrossSpans::new(across)));
    while reader.next(&mut block)? {
        let error = |source| ReadError::Scan { offset: block.offset(block.start), source };
        let flow = match &mut across {
            Some((windows, spans)) => {
                windows.scan(&block, scanner, &mut copies, &mut found).map_err(error)?;
                consumer.matches(&block, spans.add(&block, &mut found))
            }
            None => block
                .batch(&mut copies)
                .map_err(super::too_large)
                .and_then(|batch| {
                    scanner.scan_with(&batch, &mut |matches| consumer.matches(&block, matches))
                })
                .map_err(error)?,
        };
        if flow.is_break() || consumer.end_of_block(&block).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
