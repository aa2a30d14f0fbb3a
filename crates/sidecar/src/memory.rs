//! Memory that is shared with another process.
//!
//! The other process may write to the memory at any moment, so no safe function returns a `&[u8]`
//! of it: Rust assumes that bytes do not change while there is a shared reference to them. There
//! are three ways to access a [`SharedMapping`]:
//!
//! - [`load`](SharedMapping::load) and [`store`](SharedMapping::store) copy with relaxed atomic
//!   operations, a machine word at a time. Whatever the other process does, a copy has some value.
//!   This costs up to twice the time of a `memcpy` while the data is in cache.
//! - [`write`](SharedMapping::write) is a `memcpy`, for memory that no other process can write to.
//! - [`slice`](SharedMapping::slice) is a reference without a copy, for memory that no process writes
//!   to meanwhile.
//!
//! The last two are unsafe functions, whose callers name the fact that makes them sound.
//!
//! Volatile accesses would not do in place of atomic ones: in Rust's memory model a volatile read that
//! races with a write is undefined behaviour, too. Relaxed atomic loads up to the size of a pointer
//! are documented to work on memory that is mapped read-only, as the regions of records are in the
//! server.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::sys;
use dragnet_boundary::Flat;

/// The size in bytes of the atomic operations that copy most of the data.
const WORD: usize = size_of::<usize>();

/// A mapping of shared memory, unmapped when it is dropped.
#[derive(Debug)]
pub(super) struct SharedMapping {
    start: NonNull<u8>,
    len: usize,
    writable: bool,
}

// SAFETY: a mapping belongs to the process, not to a thread, and `drop` may unmap it from any thread.
unsafe impl Send for SharedMapping {}
// SAFETY: the safe functions that take `&self` access the memory by atomic operations only. The ones
// that do not are unsafe or take `&mut self`.
unsafe impl Sync for SharedMapping {}

impl SharedMapping {
    /// Maps the first `len` bytes, at least one, of memory that is at least as long and can't
    /// shrink: an access to truncated memory would kill the process with SIGBUS.
    pub(super) fn new(fd: BorrowedFd<'_>, len: usize, writable: bool) -> io::Result<SharedMapping> {
        let start = sys::map(fd, len, writable)?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(SharedMapping { start, len, writable })
    }

    /// The length of the mapping, in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The start of the mapping, which is the start of a page.
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The first `len` bytes, without a copy.
    ///
    /// # Safety
    ///
    /// No process, this one included, writes to these bytes as long as the slice is in use.
    ///
    /// # Panics
    ///
    /// If the mapping is shorter.
    pub(super) unsafe fn slice(&self, len: usize) -> &[u8] {
        assert!(len <= self.len, "beyond the end of the mapping");
        // SAFETY: in range, as just asserted, and mapped as long as `self` lives. The bytes are
        // initialized, since pages of shared memory start as zeros, and the caller promises that
        // they don't change.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }

    /// Copies `bytes` to a position in the mapping, as fast as `memcpy` does.
    ///
    /// # Safety
    ///
    /// No other process can write to the memory.
    ///
    /// # Panics
    ///
    /// If the mapping is not writable, or too short.
    pub(super) unsafe fn write(&mut self, position: usize, bytes: &[u8]) {
        let to = self.check_writable(position, bytes.len());
        // SAFETY: `check_writable` has checked the range. `bytes` is not in the mapping, which is
        // borrowed mutably; for the same reason no thread of this process accesses it, and the
        // caller promises that no other process writes to it.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
    }

    /// Copies `bytes` to a position in the mapping by atomic stores. Others may access the same bytes
    /// meanwhile.
    ///
    /// # Panics
    ///
    /// If the mapping is not writable, or too short.
    pub(super) fn store(&self, position: usize, bytes: &[u8]) {
        let to = self.check_writable(position, bytes.len());
        let (head, words) = split(to, bytes.len());
        let (first, rest) = bytes.split_at(head);
        let (middle, last) = rest.split_at(words * WORD);
        // SAFETY: `check_writable` has checked that `head + words * WORD + last.len()` bytes from `to`
        // on are in the mapping, which is writable and lives as long as `self`. `split` has returned a
        // `head` after which words are aligned. All accesses to this memory that may happen meanwhile
        // are atomic: the functions with other accesses are unsafe, and their callers rule out that
        // somebody else accesses the same memory.
        unsafe {
            let byte = |index: usize| AtomicU8::from_ptr(to.add(index));
            for (index, &value) in first.iter().enumerate() {
                byte(index).store(value, Ordering::Relaxed);
            }
            let start = to.add(head).cast::<usize>();
            for (index, value) in middle.as_chunks::<WORD>().0.iter().enumerate() {
                let word = AtomicUsize::from_ptr(start.add(index));
                word.store(usize::from_ne_bytes(*value), Ordering::Relaxed);
            }
            for (index, &value) in last.iter().enumerate() {
                byte(head + words * WORD + index).store(value, Ordering::Relaxed);
            }
        }
    }

    /// Appends `count` values from a position in the mapping to `out`, by atomic loads. Others may
    /// write to the same bytes meanwhile; each value then is a mixture of old and new bytes.
    ///
    /// # Panics
    ///
    /// If the mapping is too short.
    pub(super) fn load<T: Flat>(&self, position: usize, count: usize, out: &mut Vec<T>) {
        let len = count.checked_mul(size_of::<T>()).expect("fits the address space");
        assert!(position <= self.len && len <= self.len - position, "beyond the mapping");
        out.reserve(count);
        // SAFETY: the assertion above keeps all loads within the mapping, which lives as long as
        // `self`; `split` has returned a `head` after which words are aligned; all accesses to this
        // memory by this process that may happen meanwhile are atomic, and what another process
        // does is outside of this program: the loads return some value. The stores go to spare
        // capacity that was just reserved. Every bit pattern is a valid `T`, so all `count` values
        // are initialized in the end.
        unsafe {
            let from = self.start.as_ptr().add(position);
            let to = out.as_mut_ptr().add(out.len()).cast::<u8>();
            let (head, words) = split(from, len);
            let copy_bytes = |range: std::ops::Range<usize>| {
                for index in range {
                    let byte = AtomicU8::from_ptr(from.add(index));
                    to.add(index).write(byte.load(Ordering::Relaxed));
                }
            };
            copy_bytes(0..head);
            let (start, target) = (from.add(head).cast::<usize>(), to.add(head).cast::<usize>());
            for index in 0..words {
                let word = AtomicUsize::from_ptr(start.add(index));
                target.add(index).write_unaligned(word.load(Ordering::Relaxed));
            }
            copy_bytes(head + words * WORD..len);
            out.set_len(out.len() + count);
        }
    }

    /// The address of a range that may be written to.
    fn check_writable(&self, position: usize, len: usize) -> *mut u8 {
        assert!(self.writable, "mapped for reading only");
        assert!(position <= self.len && len <= self.len - position, "beyond the mapping");
        // SAFETY: the position is in the mapping or at its end, as just asserted.
        unsafe { self.start.as_ptr().add(position) }
    }
}

/// Splits `len` bytes at an address into the bytes before the first aligned word and the number of
/// words after them. What remains is shorter than a word.
fn split(address: *const u8, len: usize) -> (usize, usize) {
    let head = (address.addr().wrapping_neg() % WORD).min(len);
    (head, (len - head) / WORD)
}

impl Drop for SharedMapping {
    fn drop(&mut self) {
        // SAFETY: `map` has returned this range, and whatever borrows from it borrows `self`, which
        // is being dropped.
        unsafe { sys::unmap(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn copies_are_exact_at_every_alignment_and_length() {
        let memory = sys::memory(4096).unwrap();
        let mapping = SharedMapping::new(memory.as_fd(), 4096, true).unwrap();
        let source: Vec<u8> = (1..=100).collect();
        for position in 0..WORD {
            for len in 0..4 * WORD {
                mapping.store(0, &[0; 100]);
                mapping.store(position, &source[..len]);
                let mut copy = vec![99_u8];
                mapping.load(position, len, &mut copy);
                assert_eq!(copy[0], 99);
                assert_eq!(copy[1..], source[..len], "{len} bytes at {position}");
                let mut all = Vec::<u8>::new();
                mapping.load(0, 100, &mut all);
                let outside = all
                    .iter()
                    .enumerate()
                    .filter(|&(at, _)| !(position..position + len).contains(&at));
                assert!(outside.clone().all(|(_, &byte)| byte == 0), "{len} bytes at {position}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "beyond the mapping")]
    fn copies_stay_within_the_mapping() {
        let memory = sys::memory(4096).unwrap();
        let mapping = SharedMapping::new(memory.as_fd(), 4096, false).unwrap();
        mapping.load::<u32>(4096 - 4, 2, &mut Vec::new());
    }
}
