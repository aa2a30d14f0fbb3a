//! No scanner reads outside the buffer of a batch: the buffer ends or begins at a page that can't be
//! read.
//!
//! SIMD code that reads whole vectors faults there, as Vectorscan did (VectorCamp/vectorscan#381).

use std::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use dragnet::{Batch, Matches, Report};

use dragnet_testkit::{Oracle, Spec, contenders, set};

/// A readable page between two pages that fault.
struct Guarded {
    map: *mut u8,
    page: usize,
}

impl Guarded {
    fn new() -> Guarded {
        let page = rustix::param::page_size();
        // SAFETY: the system chooses the address of a new mapping, so it replaces no memory in use.
        let map = unsafe {
            mmap_anonymous(ptr::null_mut(), 3 * page, ProtFlags::empty(), MapFlags::PRIVATE)
        };
        let map = map.expect("three pages of memory").cast::<u8>();
        // SAFETY: the middle page is within the new mapping, and nothing refers to it yet.
        let access = unsafe {
            mprotect(map.add(page).cast(), page, MprotectFlags::READ | MprotectFlags::WRITE)
        };
        access.expect("the page can be made accessible");
        Guarded { map, page }
    }

    /// The whole readable page.
    fn page(&mut self) -> &mut [u8] {
        // SAFETY: the middle page is readable, writable and zeroed, stays mapped as long as `self`
        // lives, and is borrowed mutably with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.map.add(self.page), self.page) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: `new` has mapped these three pages, and no borrow of them outlives `self`.
        unsafe {
            munmap(self.map.cast(), 3 * self.page).expect("the mapping exists");
        }
    }
}

/// Patterns of every strategy: short and long literals, runs of a class, and neither.
fn specs() -> Vec<Spec> {
    let patterns = [
        ("needle", "-u"),
        ("NEEDLE", "i"),
        ("ab", "-u"),
        ("[a-f0-9]{32}", "-u"),
        ("[^a]", "-u"),
        ("a$", ""),
        ("^.*b", "s-u"),
        (r"\bé", ""),
        (r"\w+\s", ""),
        ("[ab]b|xyz", "i-u"),
    ];
    let fixed = patterns.map(|(regex, flags)| Spec::new(regex, flags)).into_iter();
    let many = (10..70).map(|number| Spec::new(format!("key{number}=[a-z]"), "-u"));
    fixed.chain(many).collect()
}

#[test]
fn no_scanner_reads_outside_the_buffer() {
    let specs = specs();
    let set = set(&specs);
    let mut oracle = Oracle::new(&specs);
    let mut memory = Guarded::new();
    let text: Vec<u8> = "needle key12=x ab deadbeef".bytes().cycle().take(300).collect();
    let lens = (0..=140).chain([255, 256, 257]);
    for contender in contenders() {
        let mut scanners = [Report::Patterns, Report::Spans]
            .map(|report| (report, contender.scanner(&set, report)));
        let mut matches = Matches::new();
        for len in lens.clone() {
            for at_end in [true, false] {
                let page = memory.page();
                let start = if at_end { page.len() - len } else { 0 };
                let buffer = &mut page[start..start + len];
                buffer.copy_from_slice(&text[text.len() - len..]);
                let cut = len as u32 / 2;
                for offsets in [vec![0, len as u32], vec![0, 0, cut, len as u32, len as u32]] {
                    let batch = Batch::from_offsets(buffer, &offsets).unwrap();
                    let spans = oracle.spans(batch.iter());
                    for (report, scanner) in &mut scanners {
                        scanner.scan(&batch, &mut matches).unwrap();
                        let expected = match report {
                            Report::Patterns => Oracle::patterns(&spans),
                            Report::Spans => spans.clone(),
                        };
                        let place = if at_end { "last" } else { "first" };
                        let name = &contender.name;
                        assert_eq!(matches.as_slice(), expected, "{name}, {place} {len} bytes");
                    }
                }
                // Lines, of which the last has no line end after it.
                let mut offsets = Vec::new();
                let batch = Batch::lines(buffer, &mut offsets).unwrap();
                scanners[0].1.scan(&batch, &mut matches).unwrap();
                assert_eq!(matches.as_slice(), Oracle::patterns(&oracle.spans(batch.iter())));
            }
        }
    }
}
