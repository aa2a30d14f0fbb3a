//! The operations of both processes on the control memory.
//!
//! A batch is scanned in *chunks*, a few of its records each. The client writes the request of a
//! chunk to a slot and counts `submitted` up; the server answers the slots in turn. An answer is one
//! or more *blocks* of matches. The server writes a block, then counts `answered` up; before it
//! writes the next block, it waits until the client has counted `taken` up. The status of a block
//! says whether it is the last one.
//!
//! ```text
//!  client                                   server
//!    write slot, submitted += 1  ──────────►  read slot, scan
//!    read block                  ◄──────────  write block, answered = 1 (MORE)
//!    taken = 1                   ──────────►
//!    read block                  ◄──────────  write block, answered = 2 (DONE)
//! ```
//!
//! Ownership of a slot and its block follows these counters: a store with `Release` gives it away, a
//! load with `Acquire` takes it over. `ci/loom` checks all interleavings with at most two or three
//! preemptions. `ci/loom-faults` weakens each of these orderings and requires that a model then fails.
//!
//! Neither process trusts the other. A word is loaded once, and the loaded value is validated before
//! it is used.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[cfg(not(all(loom, test)))]
use super::memory::SharedMapping as Memory;
#[cfg(all(loom, test))]
use super::simulated::memory::Memory;

use super::layout::{BLOCK_LEN, BLOCK_MATCHES, CONTROL_LEN, ChunkSlot, ControlWords};
use super::sequence::Sequence;
use dragnet::Match;

/// The request of a chunk as its slot holds it, not validated.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkRequest {
    /// The number of the region that holds the records.
    pub(super) region: u32,
    /// The generation of that region.
    pub(super) generation: u32,
    /// The length of the records, in bytes.
    pub(super) bytes: u32,
    /// The position of the record offsets in the region, in bytes.
    pub(super) offsets: u32,
    /// The number of records.
    pub(super) records: u32,
    /// The length of the terminator after each record, in bytes.
    pub(super) terminator: u32,
}

impl ChunkRequest {
    /// Loads each word of the request once.
    pub(super) fn load(slot: &ChunkSlot) -> ChunkRequest {
        ChunkRequest {
            region: slot.region.load(Ordering::Relaxed),
            generation: slot.generation.load(Ordering::Relaxed),
            bytes: slot.bytes.load(Ordering::Relaxed),
            offsets: slot.offsets.load(Ordering::Relaxed),
            records: slot.records.load(Ordering::Relaxed),
            terminator: slot.terminator.load(Ordering::Relaxed),
        }
    }

    fn store(&self, slot: &ChunkSlot) {
        slot.region.store(self.region, Ordering::Relaxed);
        slot.generation.store(self.generation, Ordering::Relaxed);
        slot.bytes.store(self.bytes, Ordering::Relaxed);
        slot.offsets.store(self.offsets, Ordering::Relaxed);
        slot.records.store(self.records, Ordering::Relaxed);
        slot.terminator.store(self.terminator, Ordering::Relaxed);
    }
}

/// The words that describe a block of an answer, not validated.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHeader {
    /// How many blocks were published, including this one.
    pub(super) count: u32,
    /// One of the values in [`status`](super::layout::status).
    pub(super) status: u32,
    /// The number of matches in the block.
    pub(super) found: u32,
    /// The error code of the C library.
    pub(super) code: u32,
}

/// The control memory as one process has mapped it.
#[derive(Clone, Debug)]
pub(super) struct ControlMemory {
    memory: Arc<Memory>,
}

impl ControlMemory {
    /// Uses writable memory of [`CONTROL_LEN`] bytes.
    ///
    /// # Panics
    ///
    /// If the memory has another length.
    pub(super) fn new(memory: Memory) -> ControlMemory {
        assert!(memory.len() == CONTROL_LEN, "not the length of the control memory");
        ControlMemory { memory: Arc::new(memory) }
    }

    #[cfg(not(all(loom, test)))]
    pub(super) fn words(&self) -> &ControlWords {
        // SAFETY: `new` has checked that the mapping is long enough; it starts at a page and so is
        // aligned to 64 bytes; it lives as long as `self`. All fields of `ControlWords` are atomics,
        // so every bit pattern is valid and other threads and processes may write to them.
        unsafe { &*self.memory.as_ptr().cast::<ControlWords>() }
    }

    #[cfg(all(loom, test))]
    pub(super) fn words(&self) -> &ControlWords {
        self.memory.words()
    }

    /// The slot that a chunk uses.
    pub(super) fn slot(&self, sequence: Sequence) -> &ChunkSlot {
        &self.words().slots[sequence.slot()]
    }

    /// Submits a chunk whose records are in place. Called by the client, once the last chunk that used
    /// the slot is answered.
    pub(super) fn submit(&self, sequence: Sequence, request: &ChunkRequest) {
        let (words, slot) = (self.words(), self.slot(sequence));
        request.store(slot);
        slot.taken.store(0, Ordering::Relaxed);
        slot.answered.store(0, Ordering::Relaxed);
        words.submitted.0.store(sequence.next().get(), Ordering::Release);
        words.server_event.signal();
    }

    /// Gives a block back to the server, now that the client has copied out the first `taken` blocks.
    /// Called by the client.
    pub(super) fn take(&self, sequence: Sequence, taken: u32) {
        self.slot(sequence).taken.store(taken, Ordering::Release);
        self.words().server_event.signal();
    }

    /// Cancels all chunks before this one. Called by the client, which signals the server if it is to
    /// notice at once.
    pub(super) fn set_cancelled(&self, end: Sequence) {
        self.words().cancelled.0.store(end.get(), Ordering::Release);
    }

    /// Waits for the block after the first `taken` blocks. Called by the client. Returns `None` if the
    /// deadline passes, or `is_over` returns true, before there is one.
    pub(super) fn wait_for_block(
        &self,
        sequence: Sequence,
        taken: u32,
        deadline: Option<Instant>,
        max_sleep: Option<Duration>,
        is_over: impl Fn() -> bool,
    ) -> io::Result<Option<BlockHeader>> {
        let slot = self.slot(sequence);
        let is_published = || slot.answered.load(Ordering::Acquire) != taken;
        let event = &self.words().client_event;
        event.wait(deadline, max_sleep, || is_published() || is_over())?;
        let count = slot.answered.load(Ordering::Acquire);
        Ok((count != taken).then(|| BlockHeader {
            count,
            status: slot.status.load(Ordering::Relaxed),
            found: slot.found.load(Ordering::Relaxed),
            code: slot.code.load(Ordering::Relaxed),
        }))
    }

    /// Waits until the client has submitted the chunk `next`, and returns the end of the submitted
    /// chunks. Called by the server. Returns `next` if `is_over` returns true before.
    pub(super) fn wait_for_chunk(
        &self,
        next: Sequence,
        is_over: impl Fn() -> bool,
    ) -> io::Result<Sequence> {
        let words = self.words();
        let submitted = || Sequence::new(words.submitted.0.load(Ordering::Acquire));
        words.server_event.wait(None, None, || submitted() != next || is_over())?;
        // Loaded once more: the caller validates this value, not the one that ended the wait.
        Ok(submitted())
    }

    /// Publishes a block that is in place. Called by the server, once the block before it is taken.
    pub(super) fn publish(&self, sequence: Sequence, header: &BlockHeader) {
        let slot = self.slot(sequence);
        slot.status.store(header.status, Ordering::Relaxed);
        slot.found.store(header.found, Ordering::Relaxed);
        slot.code.store(header.code, Ordering::Relaxed);
        slot.answered.store(header.count, Ordering::Release);
        self.words().client_event.signal();
    }

    /// Waits until the client has taken `count` blocks. Called by the server. Returns false if
    /// `is_over` returns true before.
    pub(super) fn wait_until_taken(
        &self,
        sequence: Sequence,
        count: u32,
        is_over: impl Fn() -> bool,
    ) -> io::Result<bool> {
        let slot = self.slot(sequence);
        let is_taken = || slot.taken.load(Ordering::Acquire) == count;
        self.words().server_event.wait(None, None, || is_taken() || is_over())?;
        Ok(is_taken() && !is_over())
    }

    /// Whether the client has cancelled this chunk.
    pub(super) fn is_cancelled(&self, sequence: Sequence) -> bool {
        sequence.is_before(Sequence::new(self.words().cancelled.0.load(Ordering::Acquire)))
    }

    /// Replaces the matches in the block of a chunk. Called by the server, before it publishes them.
    ///
    /// # Panics
    ///
    /// If there are more than [`BLOCK_MATCHES`].
    pub(super) fn write_block(&self, sequence: Sequence, block: &[Match]) {
        assert!(block.len() <= BLOCK_MATCHES, "more matches than a block holds");
        self.memory.store(block_position(sequence), bytemuck::cast_slice(block));
    }

    /// Appends the first `count` matches in the block of a chunk to `out`. Called by the client, after
    /// it has seen that the block is published.
    ///
    /// # Panics
    ///
    /// If `count` is over [`BLOCK_MATCHES`].
    pub(super) fn read_block(&self, sequence: Sequence, count: usize, out: &mut Vec<Match>) {
        assert!(count <= BLOCK_MATCHES, "more matches than a block holds");
        self.memory.load(block_position(sequence), count, out);
    }
}

/// Where the block of a chunk starts in the control memory, in bytes.
fn block_position(sequence: Sequence) -> usize {
    size_of::<ControlWords>() + sequence.slot() * BLOCK_LEN
}
