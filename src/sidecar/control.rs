//! The memory through which parts of batches and their answers go: both sides map all of it.
//!
//! A part is some records of a batch. The client writes the request of a slot and counts
//! `submitted` up; the server answers the slots in turn. It answers with one block of matches
//! after the other, each announced by counting `answered` up; before it writes the next one, it
//! waits until the client has counted `taken` up. The last block says so.
//!
//! Each word is written by one side, and neither believes the other: a word is read once, and
//! checked before it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::bell::Bell;
use super::memory::Mapping;
use crate::scan::BLOCK;
use crate::{Backend, Match, Report};

/// How many parts can be on their way, and how many regions of records there are.
pub(super) const SLOTS: usize = 8;

/// How many matches there is room for in a slot's block.
pub(super) const RESULTS: usize = BLOCK;

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
#[repr(C, align(64))]
pub(super) struct Line(pub(super) AtomicU32);

/// The words at the start of the control memory; behind them come the blocks of the slots.
#[derive(Debug)]
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

/// The control memory, as one side has it mapped.
#[derive(Clone, Debug)]
pub(super) struct Control {
    mapping: Arc<Mapping>,
}

impl Control {
    /// Takes a mapping of [`CONTROL`] bytes that is writable.
    pub(super) fn new(mapping: Mapping) -> Control {
        assert!(mapping.len() == CONTROL, "not the length of the control memory");
        Control { mapping: Arc::new(mapping) }
    }

    pub(super) fn words(&self) -> &Words {
        // SAFETY: the mapping is as long, as was checked when it was taken, aligned to a page, and
        // lives as long as `self`. All of `Words` are atomics, for which any bytes are a value and
        // which others may write to, other processes included.
        unsafe { &*self.mapping.as_ptr().cast::<Words>() }
    }

    pub(super) fn slot(&self, sequence: u32) -> &Slot {
        &self.words().slots[sequence as usize % SLOTS]
    }

    /// Replaces the block of a slot. The server's, before it has counted `answered` up.
    pub(super) fn write_block(&self, sequence: u32, block: &[Match]) {
        assert!(block.len() <= RESULTS, "more than a block");
        self.mapping.write(block_at(sequence), bytemuck::cast_slice(block));
    }

    /// Appends `count` matches of a slot's block to `out`. The client's, after it has seen
    /// `answered` count up.
    pub(super) fn read_block(&self, sequence: u32, count: usize, out: &mut Vec<Match>) {
        assert!(count <= RESULTS, "more than a block");
        self.mapping.read(block_at(sequence), count, out);
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
        Report::Which => 1,
        Report::Spans => 2,
    }
}

pub(super) fn report_from(number: u32) -> Option<Report> {
    [Report::Which, Report::Spans].into_iter().find(|&report| report_number(report) == number)
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
