//! The queue of chunks in flight: sends chunks, receives their answers and removes them.

use std::io;
use std::ops::ControlFlow;

use super::super::connection::ReceivedBlock;
use super::super::connection_error::{ConnectionError, broken};
use super::super::region::{Region, RegionLayout};
use super::super::sequence::RegionIndex;
use super::{MAX_KEPT_MATCHES, OnBlock, PendingChunk, Sidecar};
use dragnet::{Batch, ScanError};

impl Sidecar {
    /// Copies a chunk into shared memory and submits it. If the server is lost meanwhile, or there is
    /// none, the chunk waits for the next server.
    pub(super) fn send(&mut self, records: &Batch<'_>, base: u32, is_last: bool) {
        let is_used = |index: &RegionIndex| self.chunks.iter().any(|chunk| chunk.region == *index);
        let Some(index) = RegionIndex::all().find(|index| !is_used(index)) else {
            return self.fail_newest(ScanError::Unavailable {
                reason: "too many chunks are in flight".to_owned(),
            });
        };
        if let Err(error) = self.fill(index, records) {
            return self.fail_newest(ScanError::Unavailable {
                reason: format!("no memory for records: {error}"),
            });
        }
        self.chunks.push_back(PendingChunk {
            region: index,
            base,
            attempts: 0,
            is_wanted: true,
            is_last,
            delivered: 0,
            taken: 0,
        });
        if let (Some(connection), Some(region)) = (&mut self.connection, &self.regions[index.get()])
            && let Err(error) = connection.submit(index, region)
        {
            self.on_disconnect(error);
        }
    }

    /// Copies records into a region. Replaces the region if it is too short or too long for them.
    fn fill(&mut self, index: RegionIndex, records: &Batch<'_>) -> io::Result<()> {
        let (layout, len) = RegionLayout::of(records);
        let slot = &mut self.regions[index.get()];
        let region = match slot {
            Some(region) if region.suits(len) => region,
            _ => {
                // The old region is freed first, to hold no more memory than necessary.
                *slot = None;
                self.generation = self.generation.next();
                let max_len = self.connection.as_ref().map_or(len, |c| c.max_region_len() as usize);
                slot.insert(Region::new(len, max_len, self.generation)?)
            }
        };
        region.fill(records, layout);
        Ok(())
    }

    /// Receives the answer to the oldest chunk, or an error, and removes the chunk from the queue.
    /// After a lost server the chunk stays in the queue for the next one.
    pub(super) fn receive_oldest(&mut self) {
        // Only a callback can break.
        let _ = self.receive_oldest_with(&mut None);
    }

    /// As [`receive_oldest`](Sidecar::receive_oldest). If the chunk belongs to the newest batch and
    /// there is a callback, the matches are passed to the callback instead of being stored. Returns
    /// `Break` if the callback does; this ends the batch.
    pub(super) fn receive_oldest_with(
        &mut self,
        on_block: &mut Option<OnBlock<'_>>,
    ) -> ControlFlow<()> {
        if self.chunks.is_empty() {
            debug_assert!(
                self.batches.iter().all(|batch| batch.outcome.is_some()),
                "a batch without an outcome has a chunk in flight"
            );
            return ControlFlow::Continue(());
        }
        // Chunks of other batches come before those of the newest one.
        let unfinished = self.batches.iter().filter(|batch| batch.outcome.is_none()).count();
        let on_block = if unfinished <= 1 { on_block } else { &mut None };
        match self.try_receive_oldest(on_block) {
            Ok(ControlFlow::Continue(outcome)) => {
                self.losses = 0;
                self.end_oldest(outcome);
            }
            Ok(ControlFlow::Break(())) => {
                self.end_all(&Ok(()));
                return ControlFlow::Break(());
            }
            Err(ConnectionError::Stopped) => self.end_all(&Err(ScanError::Stopped)),
            Err(error) => self.on_disconnect(error),
        }
        ControlFlow::Continue(())
    }

    /// Waits for the answer to the oldest chunk. Returns `Continue` with the outcome of the scan, or
    /// `Break` if the callback does.
    fn try_receive_oldest(
        &mut self,
        on_block: &mut Option<OnBlock<'_>>,
    ) -> Result<ControlFlow<(), Result<(), ScanError>>, ConnectionError> {
        self.found.clear();
        if self.connection.is_none() {
            self.reconnect()?;
        }
        let (Some(connection), Some(chunk)) = (&self.connection, self.chunks.front_mut()) else {
            return broken("there is no server");
        };
        let Some(region) = &self.regions[chunk.region.get()] else {
            return broken("the region of a chunk is missing");
        };
        let mut received = 0;
        loop {
            let found = &mut self.found;
            let start = found.len();
            let block =
                connection.receive_block(self.oldest, chunk.taken, region, &self.stop, found)?;
            chunk.taken += u32::from(matches!(block, ReceivedBlock::More));
            let last = found.last().copied();
            if let Some(on_block) = on_block
                && chunk.is_wanted
            {
                let new = &mut found[start..];
                new.iter_mut().for_each(|m| *m = m.offset_record(chunk.base));
                // Skip the matches that were delivered to the callback before a server was lost:
                // the new server finds them again.
                let fresh = &new[new.len().min(chunk.delivered.saturating_sub(received))..];
                received += new.len();
                chunk.delivered = chunk.delivered.max(received);
                if !fresh.is_empty() && on_block(fresh).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if on_block.is_some() || !chunk.is_wanted {
                // Keep only the last match, to check that the next block continues after it.
                // Without the check, a hostile server could send matches without end.
                found.clear();
                found.extend(last.filter(|_| matches!(block, ReceivedBlock::More)));
            }
            match block {
                ReceivedBlock::More => {}
                ReceivedBlock::Last => return Ok(ControlFlow::Continue(Ok(()))),
                ReceivedBlock::Failed(error) => return Ok(ControlFlow::Continue(Err(error))),
                ReceivedBlock::Stopped if chunk.is_wanted => {
                    return broken("the server stopped a scan that was not cancelled");
                }
                ReceivedBlock::Stopped => {
                    return Ok(ControlFlow::Continue(Err(ScanError::Stopped)));
                }
            }
        }
    }

    /// Removes the oldest chunk from the queue, and adds its outcome to its batch.
    pub(super) fn end_oldest(&mut self, outcome: Result<(), ScanError>) {
        let Some(chunk) = self.chunks.pop_front() else { return };
        self.oldest = self.oldest.next();
        if let Some(connection) = &mut self.connection {
            connection.mark_ended(self.oldest);
        }
        if !chunk.is_wanted {
            return;
        }
        // Chunks are answered in order, so this one belongs to the oldest batch without an outcome.
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.outcome.is_none()) else {
            return;
        };
        match outcome {
            Ok(()) => {
                batch.matches.extend(self.found.iter().map(|m| m.offset_record(chunk.base)));
                if chunk.is_last {
                    batch.outcome = Some(Ok(()));
                }
            }
            Err(error) => {
                batch.outcome = Some(Err(error));
                // The other chunks of this batch that were sent follow it, up to the last one of the
                // batch.
                if !chunk.is_last {
                    for other in &mut self.chunks {
                        other.is_wanted = false;
                        if other.is_last {
                            break;
                        }
                    }
                }
            }
        }
        self.found.clear();
        self.found.shrink_to(MAX_KEPT_MATCHES);
    }

    /// Ends all batches that have no outcome. Chunks that were sent to a server stay in the queue,
    /// since it may use their regions until it answers them.
    fn end_all(&mut self, outcome: &Result<(), ScanError>) {
        for batch in &mut self.batches {
            batch.outcome.get_or_insert(outcome.clone());
        }
        for chunk in &mut self.chunks {
            chunk.is_wanted = false;
        }
        match &mut self.connection {
            Some(connection) => connection.cancel_all(),
            None => self.chunks.clear(),
        }
    }

    /// Fails the newest batch, because one of its chunks can't be sent.
    fn fail_newest(&mut self, error: ScanError) {
        // Its chunks are at the end of the queue, after the last chunk of the previous batch.
        for chunk in self.chunks.iter_mut().rev().take_while(|chunk| !chunk.is_last) {
            chunk.is_wanted = false;
        }
        if let Some(batch) = self.batches.back_mut() {
            batch.outcome = Some(Err(error));
        }
    }
}
