//! Tests of how streams end and fail. What is found in them is a property of all scanners, and so in
//! `tests/answers/streams.rs`.

use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use super::*;
use crate::{Batch, Engine, Match, Matches, PatternSet, Report, ScanError, Scanner, StopFlag};

fn engine(patterns: &[&str]) -> Engine {
    Engine::new(&PatternSet::new(patterns.iter().copied()).unwrap(), Report::Spans)
}

fn scanners(engine: &Engine, count: usize) -> Vec<Scanner> {
    (0..count).map(|_| engine.scanner().unwrap()).collect()
}

/// A match: record, and range in the stream.
type Found = (u64, Range<u64>);

/// Scans `reader` with 1 to 4 threads, which must all find the same.
fn scan(
    scan: &ReaderScan,
    patterns: &[&str],
    reader: impl Fn() -> Box<dyn Read + Send>,
) -> (Vec<Found>, Option<String>) {
    let engine = engine(patterns);
    let mut results = (1..5).map(|threads| {
        let mut found = Vec::new();
        let result = scan.scan_threads(reader(), &mut scanners(&engine, threads), |m| {
            found.push((m.record(), m.stream_range()));
            ControlFlow::Continue(())
        });
        (found, result.err().map(|error| error.to_string()))
    });
    let first = results.next().unwrap();
    results.for_each(|result| assert_eq!(result, first));
    first
}

fn bytes(text: impl AsRef<[u8]>) -> impl Fn() -> Box<dyn Read + Send> {
    let text = text.as_ref().to_vec();
    move || Box::new(io::Cursor::new(text.clone()))
}

/// Reads a text in pieces of `piece` bytes, and then fails.
struct Failing {
    text: &'static [u8],
    piece: usize,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.piece.min(buffer.len()).min(self.text.len());
        buffer[..len].copy_from_slice(&self.text[..len]);
        self.text = &self.text[len..];
        if len == 0 { Err(io::Error::other("broken")) } else { Ok(len) }
    }
}

#[test]
fn complete_records_before_a_read_error_are_searched() {
    for piece in 1..8 {
        let (found, error) = scan(&ReaderScan::lines(), &["b"], move || {
            Box::new(Failing { text: b"a\nb\nb", piece })
        });
        assert_eq!(found, [(1, 2..3)]);
        assert_eq!(error.as_deref(), Some("reading failed at byte 5: broken"));
    }
}

#[test]
fn a_record_over_the_limit_is_an_error_that_names_it() {
    let cases: [(ReaderScan, &str, usize, Option<u64>); 9] = [
        (ReaderScan::lines(), "b\nbbb\nbbb", 3, None),
        (ReaderScan::lines(), "b\nbbb\nbbbb", 2, Some(6)),
        (ReaderScan::lines(), "b\nb\nbbbb\nb", 2, Some(4)),
        (ReaderScan::lines().crlf(true), "b\r\nbbb\r\n", 2, None),
        (ReaderScan::lines().crlf(true), "b\r\nbbbb\r\n", 1, Some(3)),
        (ReaderScan::lines().crlf(true), "b\r\nbbb\r", 1, Some(3)),
        (ReaderScan::separated_by("--"), "b--bbb--bbbb", 2, Some(8)),
        (ReaderScan::fixed_length(4), "bbbb", 0, Some(0)),
        (ReaderScan::whole(), "bbbb", 0, Some(0)),
    ];
    for (settings, text, matches, offset) in cases {
        for block in [1, 2, 3, 5, 1 << 20] {
            let settings = settings.clone().max_record(3).block_bytes(block);
            let (found, error) = scan(&settings, &["^b+$"], bytes(text));
            assert_eq!(found.len(), matches, "{text:?} {block}");
            let expected =
                offset.map(|at| format!("the record at byte {at} is longer than 3 bytes"));
            assert_eq!(error, expected, "{text:?} {block}");
        }
    }
}

#[test]
fn a_long_line_ends_a_search_across_lines() {
    let set = PatternSet::new(["b"]).unwrap();
    let settings = ReaderScan::across_lines(&AcrossLines::new(&set, 1)).max_record(3);
    // The first line is a cell, and the long one is needed for its window only in the second text.
    for (text, matches) in [("b---\n", 0), ("bb-\n-\n--bb\n", 2), ("bb-\n--bb\n", 0)] {
        for block in [1, 2, 3, 5, 1 << 20] {
            let settings = settings.clone().block_bytes(block);
            let (found, error) = scan(&settings, &["b"], bytes(text));
            assert_eq!(found.len(), matches, "{text:?} {block}");
            let offset = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
            assert_eq!(
                error,
                Some(format!("the record at byte {offset} is longer than 3 bytes")),
                "{text:?} {block}"
            );
        }
    }
}

#[test]
fn empty_streams_have_no_records_unless_they_are_one() {
    let cases: [(ReaderScan, &[u8], &[Found]); 6] = [
        (ReaderScan::lines(), b"", &[]),
        (ReaderScan::lines(), b"\xEF\xBB\xBF", &[]),
        (ReaderScan::lines(), b"\xEF\xBB\xBF\n", &[(0, 3..3)]),
        (ReaderScan::fixed_length(2), b"\xEF\xBB\xBF", &[(0, 0..0), (1, 2..2)]),
        (ReaderScan::whole(), b"", &[(0, 0..0)]),
        (ReaderScan::whole(), b"\xEF\xBB\xBF", &[(0, 3..3)]),
    ];
    for (settings, text, expected) in cases {
        assert_eq!(scan(&settings, &["^"], bytes(text)), (expected.to_vec(), None), "{text:?}");
    }
}

#[test]
fn a_break_ends_the_scan() {
    let engine = engine(&["b"]);
    for threads in 1..5 {
        let mut count = 0;
        let flow = ReaderScan::lines().block_bytes(2).scan_threads(
            io::repeat(b'b').chain(io::empty()).take(1000).chain(&b"\nb\nb"[..]),
            &mut scanners(&engine, threads),
            |_| {
                count += 1;
                if count == 700 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!((flow.unwrap(), count), (ControlFlow::Break(()), 700));
    }
}

/// Finds `b` at the start of records, and fails or panics on others.
struct Picky;

impl Scan for Picky {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        for (number, record) in (0..).zip(batch.iter()) {
            match record {
                b"b" => out.push(Match::new(number, 0, 0..1)),
                b"stop" => return Err(ScanError::Stopped),
                b"panic" => panic!("picky"),
                _ => {}
            }
        }
        Ok(())
    }

    fn set_stop(&mut self, _: StopFlag) {}
}

#[test]
fn an_error_of_a_scanner_ends_the_scan_in_its_place() {
    for threads in 1..5 {
        let text = "b\n".repeat(100) + "stop\n" + &"b\n".repeat(100);
        let mut scanners: Vec<Picky> = (0..threads).map(|_| Picky).collect();
        let mut count = 0;
        let settings = ReaderScan::lines().block_bytes(2);
        let error = settings
            .scan_threads(text.as_bytes(), &mut scanners, |_| {
                count += 1;
                ControlFlow::Continue(())
            })
            .unwrap_err();
        assert_eq!(count, 100);
        assert!(
            matches!(error, ReadError::Scan { offset: 200, source: ScanError::Stopped }),
            "{error}"
        );
    }
}

#[test]
fn a_scanner_can_be_stopped_in_a_search_across_lines() {
    for patterns in [&[r"a\sb"][..], &[r"a\sb", "c"]] {
        let set = PatternSet::new(patterns.iter().copied()).unwrap();
        let scan = ReaderScan::across_lines(&AcrossLines::new(&set, 1));
        let stop = StopFlag::new();
        let mut scanner = Engine::new(&set, Report::Spans).scanner_with(stop.clone()).unwrap();
        let error = scan.scan("a\nb\nc\n".repeat(100).as_bytes(), &mut scanner, |_| {
            stop.raise();
            ControlFlow::Continue(())
        });
        assert!(matches!(error, Err(ReadError::Scan { source: ScanError::Stopped, .. })));
    }
}

#[test]
fn a_panic_on_a_thread_continues_on_the_calling_one() {
    for threads in 1..5 {
        let text = "b\n".repeat(100) + "panic\n" + &"b\n".repeat(100);
        let mut scanners: Vec<Picky> = (0..threads).map(|_| Picky).collect();
        let scan = std::panic::AssertUnwindSafe(|| {
            let settings = ReaderScan::lines().block_bytes(2);
            let _ = settings
                .scan_threads(text.as_bytes(), &mut scanners, |_| ControlFlow::Continue(()));
        });
        let panic = std::panic::catch_unwind(scan).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"picky"));
    }
}

#[test]
fn a_panic_of_the_reader_or_the_callback_ends_all_threads() {
    struct Panicking;
    impl Read for Panicking {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("reader");
        }
    }
    let engine = engine(&["b"]);
    for threads in 1..5 {
        let mut scanners = scanners(&engine, threads);
        let mut scan = |reader: Box<dyn Read + Send>| {
            let scan = std::panic::AssertUnwindSafe(|| {
                let _ = ReaderScan::lines().scan_threads(reader, &mut scanners, |_| {
                    panic!("callback");
                });
            });
            std::panic::catch_unwind(scan).unwrap_err().downcast_ref::<&str>().copied()
        };
        assert_eq!(scan(Box::new(Panicking)), Some("reader"));
        assert_eq!(scan(Box::new(io::repeat(b'b').take(9))), Some("callback"));
    }
}

#[test]
fn a_record_is_searched_as_soon_as_it_is_complete() {
    let (mut pipe, mut writer) = io::pipe().unwrap();
    let mut scanner = engine(&["b"]).scanner().unwrap();
    let mut found = 0;
    io::Write::write_all(&mut writer, b"ab\na").unwrap();
    // The writer is not closed, so that reading on after the match would block forever.
    let flow = ReaderScan::lines().scan(&mut pipe, &mut scanner, |_| {
        found += 1;
        ControlFlow::Break(())
    });
    assert_eq!((flow.unwrap(), found), (ControlFlow::Break(()), 1));
}

#[cfg(feature = "encoding")]
#[test]
fn streams_in_utf16_are_decoded_if_asked_for() {
    let text = "é星b\r\n\u{10000}bb";
    let decoded = "é星b\r\n\u{10000}bb".as_bytes();
    let utf16 = |encode: fn(u16) -> [u8; 2]| -> Vec<u8> {
        // An unpaired surrogate comes last.
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16()).chain([0xD800]);
        units.flat_map(encode).collect()
    };
    let settings = ReaderScan::lines().crlf(true);
    for encoded in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        for block in [1, 3, 1 << 20] {
            let settings = settings.clone().decode_utf16(true).block_bytes(block);
            let (found, error) = scan(&settings, &["b+$", "\u{FFFD}$"], bytes(&encoded));
            let end = decoded.len() as u64;
            assert_eq!((found, error), (vec![(0, 5..6), (1, end..end + 3)], None), "{block}");
        }
        let (found, _) = scan(&settings, &["星"], bytes(&encoded));
        assert_eq!(found, []);
    }
}
