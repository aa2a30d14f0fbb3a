//! The memory through which parts of batches and their answers go: both sides map all of it.
//!
//! A part is some records of a batch. The client writes the request of a slot and counts
//! `submitted` up; the server answers the slots in turn. It answers with one block of matches
//! after the other, each announced by counting `answered` up; before it writes the next one, it
//! waits until the client has counted `taken` up. The last block says so.
//!
//! Each word is written by one side, and neither believes the other: a word is read once, and
//! checked before it is used.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bell::Bell;
use super::sync::{AtomicU32, Memory};
use dragnet::MAX_BLOCK;
use dragnet::{Backend, Match, Report};

/// How many parts can be on their way, and how many regions of records there are. In a model, as
/// few as can be told apart.
pub(super) const SLOTS: usize = if cfg!(all(loom, test)) { 2 } else { 8 };

/// How many matches there is room for in a slot's block.
pub(super) const RESULTS: usize = MAX_BLOCK;

/// The length of the control memory, in bytes.
pub(super) const CONTROL: usize = size_of::<Words>() + SLOTS * RESULTS * size_of::<Match>();

/// What the status of an answer says.
pub(super) mod status {
    /// Another block follows.
    pub(in super::super) const MORE: u32 = 1;
    /// This is the last block.
    pub(in super::super) const DONE: u32 = 2;
    /// The part was cancelled. There are no matches.
    pub(in super::super) const STOPPED: u32 = 3;
    /// The engine failed; a message on the socket tells more.
    pub(in super::super) const FAILED: u32 = 4;
    /// The engine panicked; a message on the socket tells with what.
    pub(in super::super) const PANICKED: u32 = 5;
}

#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) AtomicU32);

/// The words at the start of the control memory; behind them come the blocks of the slots.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(super) struct Words {
    pub(super) to_server: Bell,
    pub(super) to_client: Bell,
    /// How many parts were submitted in this connection, modulo 2^32. Written by the client.
    pub(super) submitted: Line,
    /// How many of these, from the first on, are not wanted any more. Written by the client.
    pub(super) cancelled: Line,
    pub(super) slots: [Slot; SLOTS],
}

/// A place for one part at a time. The words from `answered` on are the server's.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct Slot {
    /// Which region the records are in, and which of those that had that number.
    pub(super) region: AtomicU32,
    pub(super) generation: AtomicU32,
    /// The records' bytes, from the region's start on.
    pub(super) bytes: AtomicU32,
    /// Where in the region the offsets are, of which there is one more than records.
    pub(super) offsets: AtomicU32,
    pub(super) records: AtomicU32,
    pub(super) terminator: AtomicU32,
    /// How many blocks of the answer the client has taken.
    pub(super) taken: AtomicU32,
    unused: [AtomicU32; 9],
    /// How many blocks of the answer there are.
    pub(super) answered: AtomicU32,
    /// One of [`status`].
    pub(super) status: AtomicU32,
    /// How many matches the block has.
    pub(super) found: AtomicU32,
    /// What the C library failed with.
    pub(super) code: AtomicU32,
    unused_either: [AtomicU32; 12],
}

/// A part as its slot tells it; nothing is believed of it yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) region: u32,
    pub(super) generation: u32,
    pub(super) bytes: u32,
    pub(super) offsets: u32,
    pub(super) records: u32,
    pub(super) terminator: u32,
}

impl Request {
    /// Reads each word once.
    pub(super) fn read(slot: &Slot) -> Request {
        Request {
            region: slot.region.load(Ordering::Relaxed),
            generation: slot.generation.load(Ordering::Relaxed),
            bytes: slot.bytes.load(Ordering::Relaxed),
            offsets: slot.offsets.load(Ordering::Relaxed),
            records: slot.records.load(Ordering::Relaxed),
            terminator: slot.terminator.load(Ordering::Relaxed),
        }
    }

    fn write(&self, slot: &Slot) {
        slot.region.store(self.region, Ordering::Relaxed);
        slot.generation.store(self.generation, Ordering::Relaxed);
        slot.bytes.store(self.bytes, Ordering::Relaxed);
        slot.offsets.store(self.offsets, Ordering::Relaxed);
        slot.records.store(self.records, Ordering::Relaxed);
        slot.terminator.store(self.terminator, Ordering::Relaxed);
    }
}

/// A block of an answer as its slot tells it; nothing is believed of it yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// How many blocks there are, this one among them.
    pub(super) count: u32,
    /// One of [`status`].
    pub(super) status: u32,
    /// How many matches the block has.
    pub(super) found: u32,
    /// What the C library failed with.
    pub(super) code: u32,
}

/// The control memory, as one side has it mapped.
#[derive(Clone, Debug)]
pub(super) struct Control {
    memory: Arc<Memory>,
}

impl Control {
    /// Takes memory of [`CONTROL`] bytes that is writable.
    pub(super) fn new(memory: Memory) -> Control {
        assert!(memory.len() == CONTROL, "not the length of the control memory");
        Control { memory: Arc::new(memory) }
    }

    #[cfg(not(all(loom, test)))]
    pub(super) fn words(&self) -> &Words {
        // SAFETY: the mapping is as long, as was checked when it was taken, aligned to a page, and
        // lives as long as `self`. All of `Words` are atomics, for which any bytes are a value and
        // which others may write to, other processes included.
        unsafe { &*self.memory.as_ptr().cast::<Words>() }
    }

    #[cfg(all(loom, test))]
    pub(super) fn words(&self) -> &Words {
        self.memory.words()
    }

    pub(super) fn slot(&self, sequence: u32) -> &Slot {
        &self.words().slots[sequence as usize % SLOTS]
    }

    /// Submits the part with this number, whose records are in place. The client's, once the slot
    /// is free: the part that was in it is answered.
    pub(super) fn submit(&self, sequence: u32, request: &Request) {
        let (words, slot) = (self.words(), self.slot(sequence));
        request.write(slot);
        slot.taken.store(0, Ordering::Relaxed);
        slot.answered.store(0, Ordering::Relaxed);
        words.submitted.0.store(sequence.wrapping_add(1), Ordering::Release);
        words.to_server.ring();
    }

    /// Says that a block is taken, so that there are `taken` now. The client's.
    pub(super) fn take(&self, sequence: u32, taken: u32) {
        self.slot(sequence).taken.store(taken, Ordering::Release);
        self.words().to_server.ring();
    }

    /// Waits for the block behind the first `taken` ones. The client's. `None` if it is not there
    /// when the time is over, or `is_over` says so.
    pub(super) fn wait_for_block(
        &self,
        sequence: u32,
        taken: u32,
        deadline: Option<Instant>,
        nap: Option<Duration>,
        is_over: impl Fn() -> bool,
    ) -> io::Result<Option<Answer>> {
        let slot = self.slot(sequence);
        let is_there = || slot.answered.load(Ordering::Acquire) != taken;
        self.words().to_client.wait(deadline, nap, || is_there() || is_over())?;
        let count = slot.answered.load(Ordering::Acquire);
        Ok((count != taken).then(|| Answer {
            count,
            status: slot.status.load(Ordering::Relaxed),
            found: slot.found.load(Ordering::Relaxed),
            code: slot.code.load(Ordering::Relaxed),
        }))
    }

    /// Waits until the client has submitted more than the first `next` parts, and returns how many.
    /// The server's. It is `next` if `is_over` says so before.
    pub(super) fn wait_for_part(&self, next: u32, is_over: impl Fn() -> bool) -> io::Result<u32> {
        let words = self.words();
        let submitted = || words.submitted.0.load(Ordering::Acquire);
        words.to_server.wait(None, None, || submitted() != next || is_over())?;
        // Read once more, since the word may change at any time.
        Ok(submitted())
    }

    /// Announces a block, which is in place. The server's, once the one before it is taken.
    pub(super) fn publish(&self, sequence: u32, answer: &Answer) {
        let slot = self.slot(sequence);
        slot.status.store(answer.status, Ordering::Relaxed);
        slot.found.store(answer.found, Ordering::Relaxed);
        slot.code.store(answer.code, Ordering::Relaxed);
        slot.answered.store(answer.count, Ordering::Release);
        self.words().to_client.ring();
    }

    /// Waits until the client has taken `count` blocks. The server's. False if `is_over` says so
    /// before.
    pub(super) fn wait_until_taken(
        &self,
        sequence: u32,
        count: u32,
        is_over: impl Fn() -> bool,
    ) -> io::Result<bool> {
        let slot = self.slot(sequence);
        let is_taken = || slot.taken.load(Ordering::Acquire) == count;
        self.words().to_server.wait(None, None, || is_taken() || is_over())?;
        Ok(is_taken() && !is_over())
    }

    /// Replaces the block of a slot. The server's, before it has counted `answered` up.
    pub(super) fn write_block(&self, sequence: u32, block: &[Match]) {
        assert!(block.len() <= RESULTS, "more than a block");
        self.memory.write(block_at(sequence), bytemuck::cast_slice(block));
    }

    /// Appends `count` matches of a slot's block to `out`. The client's, after it has seen
    /// `answered` count up.
    pub(super) fn read_block(&self, sequence: u32, count: usize, out: &mut Vec<Match>) {
        assert!(count <= RESULTS, "more than a block");
        self.memory.read(block_at(sequence), count, out);
    }
}

fn block_at(sequence: u32) -> usize {
    size_of::<Words>() + sequence as usize % SLOTS * RESULTS * size_of::<Match>()
}

/// Whether the part with this number is among the first `count`, both modulo 2^32.
pub(super) fn is_before(sequence: u32, count: u32) -> bool {
    (count.wrapping_sub(sequence) as i32) > 0
}

pub(super) fn is_cancelled(words: &Words, sequence: u32) -> bool {
    is_before(sequence, words.cancelled.0.load(Ordering::Acquire))
}

pub(super) fn report_number(report: Report) -> u32 {
    match report {
        Report::Patterns => 1,
        Report::Spans => 2,
    }
}

pub(super) fn report_from(number: u32) -> Option<Report> {
    [Report::Patterns, Report::Spans].into_iter().find(|&report| report_number(report) == number)
}

pub(super) fn backend_number(backend: Backend) -> u32 {
    match backend {
        Backend::Auto => 1,
        Backend::Pure => 2,
        Backend::Native => 3,
    }
}

pub(super) fn backend_from(number: u32) -> Option<Backend> {
    [Backend::Auto, Backend::Pure, Backend::Native]
        .into_iter()
        .find(|&backend| backend_number(backend) == number)
}
