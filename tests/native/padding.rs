//! libhs never reads outside the buffer of a batch.
//!
//! libhs loads whole vectors, so it may read past the end of a record. The native engine therefore
//! scans the records at the end of a buffer in a copy with padding; without the copy, these scans
//! would fault.

use std::ffi::c_void;
use std::ptr::null_mut;

use dragnet::native::Engine;
use dragnet::{Batch, Matches, Report, Scan};
use dragnet_testkit::set;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use super::{ascii, expected, is_refused};

/// The length of the readable part in bytes: a multiple of the page size of every system.
const LEN: usize = 64 << 10;

/// Readable memory between two guard regions, in which every access faults.
struct Guarded {
    map: *mut u8,
}

impl Guarded {
    fn new() -> Guarded {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses the address of a new mapping, so it replaces no memory in use.
        let map = unsafe { mmap_anonymous(null_mut(), 3 * LEN, access, MapFlags::PRIVATE) };
        let map = map.expect("192 KiB of memory");
        for part in [0, 2] {
            // SAFETY: the part is within the new mapping, and no reference to it exists yet.
            unsafe { mprotect(map.byte_add(part * LEN), LEN, MprotectFlags::empty()) }
                .expect("the part can be made inaccessible");
        }
        Guarded { map: map.cast() }
    }

    fn readable(&mut self) -> &mut [u8] {
        // SAFETY: the middle part is readable, writable and zeroed, stays mapped as long as `self`
        // lives, and is borrowed mutably with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.map.add(LEN), LEN) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: `new` has mapped these three parts, and no borrow of them outlives `self`.
        unsafe { munmap(self.map.cast::<c_void>(), 3 * LEN) }.expect("the mapping exists");
    }
}

#[test]
fn nothing_outside_a_borrowed_buffer_is_read() {
    if is_refused() {
        return;
    }
    let patterns = ascii([
        "ab",
        "b",
        "[ab]c",
        r"[\x80-\xff]a",
        "(?i:abc|bcd|cde)",
        "a.*b",
        "[a-c]{20}",
        r"a\b",
        r"c\z",
        r"\Aa",
        "x*y",
    ]);
    let mut memory = Guarded::new();
    let page = memory.readable();
    let bytes = b"abcd-b c\x80ab";
    page.iter_mut().zip(bytes.iter().cycle()).for_each(|(to, &from)| *to = from);
    let engine = Engine::new(&set(&patterns), Report::Patterns).unwrap();
    let mut scanner = engine.scanner().unwrap();
    let mut matches = Matches::new();
    for len in 0..=200u32 {
        let (last, first) = (&page[page.len() - len as usize..], &page[..len as usize]);
        for buffer in [last, first] {
            for offsets in [&[0, len][..], &[0, len / 2, len], &[0, 0, len / 3, len, len]] {
                let batch = Batch::from_offsets(buffer, offsets).unwrap();
                scanner.scan(&batch, &mut matches).unwrap();
                let expected = expected(&patterns, &batch, Report::Patterns);
                assert_eq!(matches.as_slice(), expected, "{len}");
            }
        }
    }
    // Most of these records are followed by enough readable bytes of the buffer. The last one is not.
    let offsets: Vec<u32> = (0..=page.len() as u32).step_by(1024).collect();
    let batch = Batch::from_offsets(page, &offsets).unwrap();
    scanner.scan(&batch, &mut matches).unwrap();
    assert_eq!(matches.as_slice(), expected(&patterns, &batch, Report::Patterns));
}
