//! Scanning and redacting a stream takes memory that does not depend on its length.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use dragnet::reader::{AcrossLines, ReaderScan};
use dragnet::redact::Redactor;
use dragnet::{Engine, Pattern, PatternSet, Report};

use crate::{LIVE, PEAK, alone};

/// The length of the stream, in bytes.
const LEN: u64 = 64 << 20;
/// The memory that a scan may take at most, in bytes, with its scanners and all automata.
const LIMIT: usize = 16 << 20;

/// A stream of lines of 256 bytes with a few matches each, and in each 16 MiB a longer one with many matches.
struct Lines {
    long: u64,
    at: u64,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min((LEN - self.at) as usize);
        for byte in &mut buffer[..len] {
            let is_long = self.at % (16 << 20) < self.long;
            *byte = match self.at % 256 {
                0 if !is_long => b'\n',
                at if at < 17 || is_long => b"ab-abbc-key=aabc;"[at as usize % 17],
                _ => b'-',
            };
            self.at += 1;
        }
        Ok(len)
    }
}

#[test]
fn streams_of_any_length_take_bounded_memory() {
    let _turn = alone();
    let set = PatternSet::new([
        // Overlaps all others, which are merged with it.
        Pattern::new(".+"),
        Pattern::new("[ab]"),
        Pattern::new(r"key=(\w+)").report_group(1),
        Pattern::new(r";\s-"),
    ])
    .unwrap();
    let engine = Engine::new(&set, Report::Spans);
    let across = ReaderScan::across_lines(&AcrossLines::new(&set, 4 << 10));
    // All matches in the lines of a block across lines are kept until it is complete.
    for (name, scan, long) in
        [("lines", ReaderScan::lines(), 1 << 20), ("across lines", across, 128 << 10)]
    {
        for threads in [1, 2] {
            let before = LIVE.load(Ordering::Relaxed);
            PEAK.store(before, Ordering::Relaxed);
            let mut scanners: Vec<_> = (0..threads).map(|_| engine.scanner().unwrap()).collect();
            let mut last = 0;
            if threads == 1 {
                let scanner = &mut scanners[0];
                Redactor::new(&set)
                    .redact_reader(&scan, Lines { long, at: 0 }, scanner, io::sink())
                    .unwrap();
            } else {
                let flow = scan.scan_threads(Lines { long, at: 0 }, &mut scanners, |m| {
                    last = last.max(m.stream_range().end);
                    ControlFlow::Continue(())
                });
                assert_eq!((flow.unwrap(), last), (ControlFlow::Continue(()), LEN));
            }
            let peak = PEAK.load(Ordering::Relaxed) - before;
            assert!(peak < LIMIT, "{name} with {threads} threads took {peak} bytes");
        }
    }
}

/// The peak of a scan across lines of a line of `len` bytes between empty ones.
fn peak_across(set: &PatternSet, byte: u8, len: usize) -> (usize, usize) {
    let text = [&b"\n".repeat(100)[..], &vec![byte; len], &b"\n".repeat(100)].concat();
    let scan = ReaderScan::across_lines(&AcrossLines::new(set, 4 << 10));
    let mut scanner = Engine::new(set, Report::Spans).scanner().unwrap();
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut count = 0;
    scan.for_each(&text[..], &mut scanner, |_| count += 1).unwrap();
    (PEAK.load(Ordering::Relaxed) - before, count)
}

#[test]
fn matches_across_lines_take_what_is_documented() {
    let _turn = alone();
    // One that is searched in lines, one across them. Both match each byte.
    let set = PatternSet::new(["[ab]", r"[ab]\n?"]).unwrap();
    for len in [1 << 17, (1 << 17) + 100, 1 << 20] {
        let (none, count) = peak_across(&set, b'-', len);
        assert_eq!(count, 0);
        let (dense, count) = peak_across(&set, b'a', len);
        assert_eq!(count, 2 * len);
        let per_match = (dense - none) / count;
        assert!((16..=48).contains(&per_match), "{per_match} bytes per match, {len} bytes");
    }
}
