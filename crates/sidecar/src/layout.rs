//! The layout of the control memory, which both processes map and write to.
//!
//! ```text
//! ControlWords: two events, two counters, SLOTS x ChunkSlot
//! SLOTS blocks of BLOCK_MATCHES matches
//! ```
//!
//! Every word has one writer, named below, and shares its cache line only with words of the same
//! writer, so that a processor that polls a word does not slow down unrelated writes of the other
//! process. (The only exception: the client resets `answered` when it submits a chunk.) All words
//! are atomics, for which every bit pattern is valid.

use super::futex_event::FutexEvent;
use super::sequence::SLOTS;
use super::sync::AtomicU32;
use dragnet::{MAX_BLOCK, Match};

/// Maximum number of matches in the block of a slot.
pub(super) const BLOCK_MATCHES: usize = MAX_BLOCK;

/// The length of a block, in bytes.
pub(super) const BLOCK_LEN: usize = BLOCK_MATCHES * size_of::<Match>();

/// The length of the control memory, in bytes.
pub(super) const CONTROL_LEN: usize = size_of::<ControlWords>() + SLOTS * BLOCK_LEN;

/// The values of [`ChunkSlot::status`].
pub(super) mod status {
    /// Another block follows.
    pub(in super::super) const MORE: u32 = 1;
    /// This is the last block.
    pub(in super::super) const DONE: u32 = 2;
    /// The scan of the chunk was cancelled. The block has no matches.
    pub(in super::super) const STOPPED: u32 = 3;
    /// The scanner failed. The block has no matches; an ERROR frame on the socket gives the reason.
    pub(in super::super) const FAILED: u32 = 4;
    /// The scanner panicked. The block has no matches; an ERROR frame gives the panic's message.
    pub(in super::super) const PANICKED: u32 = 5;
}

/// A word on a cache line of its own.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct CacheLine(pub(super) AtomicU32);

/// The words at the start of the control memory. The blocks of the slots follow them.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(super) struct ControlWords {
    /// Signalled by the client when it has submitted a chunk, taken a block or cancelled.
    pub(super) server_event: FutexEvent,
    /// Signalled by the server when it has published a block.
    pub(super) client_event: FutexEvent,
    /// How many chunks were submitted in this connection, modulo 2^32. Written by the client.
    pub(super) submitted: CacheLine,
    /// How many of these chunks, from the first one of the connection on, are cancelled. Written by the
    /// client.
    pub(super) cancelled: CacheLine,
    pub(super) slots: [ChunkSlot; SLOTS],
}

/// The request and the answer of one chunk in flight. The client writes the first cache line, the
/// server the second one, except that the client resets `answered` before it submits a chunk.
#[derive(Debug)]
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(super) struct ChunkSlot {
    /// The region that holds the records.
    pub(super) region: AtomicU32,
    /// The generation of that region.
    pub(super) generation: AtomicU32,
    /// The length of the records, in bytes from the start of the region.
    pub(super) bytes: AtomicU32,
    /// The position of the record offsets in the region, in bytes. There is one more offset than
    /// records.
    pub(super) offsets: AtomicU32,
    /// The number of records.
    pub(super) records: AtomicU32,
    /// The length of the terminator after each record, in bytes: 0 or 1.
    pub(super) terminator: AtomicU32,
    /// How many blocks of the answer the client has copied out.
    pub(super) taken: AtomicU32,
    unused_client_words: [AtomicU32; 9],
    /// How many blocks of the answer the server has published.
    pub(super) answered: AtomicU32,
    /// One of the values in [`status`].
    pub(super) status: AtomicU32,
    /// The number of matches in the block.
    pub(super) found: AtomicU32,
    /// The error code of the C library, if the scan failed in it.
    pub(super) code: AtomicU32,
    unused_server_words: [AtomicU32; 12],
}
