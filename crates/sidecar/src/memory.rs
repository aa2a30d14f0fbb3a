//! Memory that is shared with another process.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use super::sys;

/// A mapping of shared memory, unmapped when it is dropped.
///
/// The other process may change what is in it at any time. So nothing that is read here is
/// believed before it has been copied out and checked, except for the bytes of records, which may
/// be any.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
    writable: bool,
}

// SAFETY: memory is the same from all threads. What is shared without a lock is read and written
// through atomics, or by those whose turn it is, as `control` says.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `len` bytes, at least one, of memory that is at least as long and can't
    /// shrink: touching what has been cut off would end the process.
    pub(super) fn new(fd: BorrowedFd<'_>, len: usize, writable: bool) -> io::Result<Mapping> {
        let start = sys::map(fd, len, writable)?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { start, len, writable })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The start, which is that of a page.
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The first `len` bytes as they are.
    pub(super) fn bytes(&self, len: usize) -> &[u8] {
        assert!(len <= self.len, "beyond the mapping");
        // SAFETY: the memory is mapped as long as `self` is there, and initialized: pages begin as
        // zeros. That another process may write to it makes the bytes arbitrary from one read to
        // the next, which no reference allows and no system call prevents without a copy. What it
        // comes to is bounded: our own code takes any byte at any place, and the one index that it
        // computes from bytes is a hash that is in range for all; regex-automata decodes a
        // character that it has just validated, where a change in between reads at most three
        // bytes further, within the padding. The server of such a client is a process of its own.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }

    /// Copies `bytes` to a place in the mapping.
    pub(super) fn write(&self, at: usize, bytes: &[u8]) {
        assert!(self.writable && at <= self.len && bytes.len() <= self.len - at);
        // SAFETY: in range, as was just asserted, and mapped for writing. The source is not in the
        // mapping, since nothing gives out a slice of one that is writable here.
        unsafe { self.start.as_ptr().add(at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
    }

    /// Appends `count` numbers from a place in the mapping to `out`. The place is a multiple of
    /// the numbers' size.
    pub(super) fn read<T: dragnet_boundary::Flat>(
        &self,
        at: usize,
        count: usize,
        out: &mut Vec<T>,
    ) {
        let size = count.checked_mul(size_of::<T>()).expect("fits the address space");
        assert!(at.is_multiple_of(align_of::<T>()) && at <= self.len && size <= self.len - at);
        out.reserve(count);
        // SAFETY: in range and aligned, as was just asserted; the room was just reserved and
        // belongs to nobody else; any bytes are a valid `T`.
        unsafe {
            let from = self.start.as_ptr().add(at).cast::<T>();
            from.copy_to_nonoverlapping(out.as_mut_ptr().add(out.len()), count);
            out.set_len(out.len() + count);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: what borrows from the mapping borrows `self`.
        unsafe { sys::unmap(self.start.as_ptr(), self.len) }
    }
}
