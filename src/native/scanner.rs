//! Scans batches: one call into C for each, and what remains in Rust.

use std::ops::Range;
use std::sync::Arc;

use super::crossing::{Flat, Tail, Unfinished, cross};
use super::engine::Inner;
use super::objects::Scratch;
use crate::pure::{self, SpanFinder};
use crate::{Batch, Match, Matches, Scan, ScanError, StopFlag};

/// How many matches there is room for at the start of a scan. Room doubles when it is used up.
const ROOM: usize = 1024;

/// Scans batches with libhs, and with the pure engine what libhs does not take.
#[derive(Debug)]
pub struct Scanner {
    engine: Arc<Inner>,
    scratch: Scratch,
    stop: StopFlag,
    /// Which patterns match where, before spans are looked for.
    pairs: Vec<Match>,
    /// What the pure engine found.
    rest: Matches,
    pure: Option<pure::Scanner>,
    spans: Option<SpanFinder>,
    tail: Tail,
    /// How many matches there is room for when a scan begins.
    room: usize,
}

impl Scanner {
    pub(super) fn new(engine: Arc<Inner>, stop: StopFlag) -> Result<Scanner, ScanError> {
        let scratch = Scratch::new(&engine.databases).map_err(|code| error(&engine, code))?;
        Ok(Scanner {
            scratch,
            pairs: Vec::new(),
            rest: Matches::new(),
            pure: engine.rest.as_ref().map(|rest| rest.scanner_with(stop.clone())),
            spans: engine.spans.as_ref().map(|spans| spans.finder()),
            tail: Tail::default(),
            room: ROOM,
            engine,
            stop,
        })
    }

    fn fill(&mut self, batch: &Batch<'_>, out: &mut Vec<Match>) -> Result<(), ScanError> {
        if self.spans.is_some() {
            let mut pairs = std::mem::take(&mut self.pairs);
            pairs.clear();
            let result =
                self.which(batch, &mut pairs).and_then(|()| self.spans(batch, &pairs, out));
            self.pairs = pairs;
            result?;
        } else {
            self.which(batch, out)?;
        }
        if let Some(pure) = &mut self.pure {
            pure.scan(batch, &mut self.rest)?;
            merge(out, self.rest.as_slice());
        }
        Ok(())
    }

    /// Appends which of libhs's patterns match which records, in order.
    fn which(&mut self, batch: &Batch<'_>, out: &mut Vec<Match>) -> Result<(), ScanError> {
        if self.engine.databases.is_empty() {
            return Ok(());
        }
        let records = Flat::of(batch);
        let safe = records.readable();
        self.cross(records, 0..safe as u32, 0, out)?;
        if safe < batch.len() {
            let mut tail = std::mem::take(&mut self.tail);
            tail.fill(&batch.slice(safe..batch.len()));
            let all = 0..(batch.len() - safe) as u32;
            let result = self.cross(tail.as_flat(), all, safe as u32, out);
            tail.trim();
            self.tail = tail;
            result?;
        }
        order(out);
        Ok(())
    }

    fn cross(
        &mut self,
        flat: Flat<'_>,
        records: Range<u32>,
        base: u32,
        out: &mut Vec<Match>,
    ) -> Result<(), ScanError> {
        let Inner { databases, .. } = &*self.engine;
        cross(databases, &mut self.scratch, flat, records, base, &self.stop, self.room, out)
            .map_err(|unfinished| match unfinished {
                Unfinished::Stopped => ScanError::Stopped,
                Unfinished::Failed(code) => error(&self.engine, code),
            })
    }

    fn spans(
        &mut self,
        batch: &Batch<'_>,
        pairs: &[Match],
        out: &mut Vec<Match>,
    ) -> Result<(), ScanError> {
        let Some(finder) = &mut self.spans else { return Ok(()) };
        for pair in pairs {
            if self.stop.is_raised() {
                return Err(ScanError::Stopped);
            }
            let record = &batch.buffer()[batch.range(pair.record())];
            finder.find(pair.pattern() as u32, pair.record() as u32, record, out);
        }
        Ok(())
    }
}

impl Scan for Scanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        let result = self.fill(batch, out.list_mut());
        if result.is_err() {
            out.clear();
        }
        result
    }

    fn set_stop(&mut self, stop: StopFlag) {
        if let Some(pure) = &mut self.pure {
            pure.set_stop(stop.clone());
        }
        self.stop = stop;
    }
}

fn error(engine: &Inner, code: i32) -> ScanError {
    ScanError::Native { library: engine.library.to_string(), code }
}

/// Orders the matches of each record by pattern; the records are in order already. A pattern
/// that is reported twice for a record counts once.
fn order(matches: &mut Vec<Match>) {
    for of_record in matches.chunk_by_mut(|a, b| a.record() == b.record()) {
        of_record.sort_unstable();
    }
    matches.dedup();
}

/// Merges `more` into `matches`, both in order.
fn merge(matches: &mut Vec<Match>, more: &[Match]) {
    let mut left = matches.len();
    let mut right = more.len();
    matches.extend_from_slice(more);
    // From the back, where there is room.
    while right > 0 {
        let to = left + right - 1;
        if left > 0 && matches[left - 1] > more[right - 1] {
            left -= 1;
            matches[to] = matches[left];
        } else {
            right -= 1;
            matches[to] = more[right];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::Engine;
    use crate::{BatchBuf, Pattern, PatternSet, Report};

    fn m(record: u32, pattern: u32) -> Match {
        Match::new(record, pattern, 0..0)
    }

    #[test]
    fn merging_keeps_the_order() {
        let pairs = |list: &[(u32, u32)]| list.iter().map(|&(r, p)| m(r, p)).collect::<Vec<_>>();
        let cases: [(&[_], &[_]); 6] = [
            (&[], &[]),
            (&[(0, 1)], &[]),
            (&[], &[(0, 1)]),
            (&[(0, 1), (2, 0)], &[(0, 0), (0, 2), (1, 5)]),
            (&[(5, 0)], &[(0, 0), (1, 0), (2, 0)]),
            (&[(0, 0), (1, 0)], &[(2, 0)]),
        ];
        for (left, right) in cases {
            let mut merged = pairs(left);
            merge(&mut merged, &pairs(right));
            let mut expected = pairs(&[left, right].concat());
            expected.sort_unstable();
            assert_eq!(merged, expected);
        }
    }

    #[test]
    fn records_are_ordered_and_count_once() {
        let mut found = vec![m(0, 3), m(0, 1), m(0, 3), m(1, 2), m(4, 1), m(4, 0)];
        order(&mut found);
        assert_eq!(found, [m(0, 1), m(0, 3), m(1, 2), m(4, 0), m(4, 1)]);
    }

    #[test]
    fn a_scan_resumes_when_there_is_no_more_room() {
        let patterns = (0..40).map(|i| Pattern::new(format!("a.*{}", i % 10)).unicode(false));
        let set = PatternSet::new(patterns).unwrap();
        let mut batch = BatchBuf::new();
        for i in 0..200u32 {
            // From no match to forty in a record.
            let digits: String = (0..i % 11).map(|digit| digit.to_string()).collect();
            batch.push(format!("a {digits}").as_bytes()).unwrap();
        }
        let batch = batch.as_batch();
        for report in [Report::Which, Report::Spans] {
            let engine = Engine::new(&set, report).unwrap();
            let mut expected = Matches::new();
            engine.scanner().unwrap().scan(&batch, &mut expected).unwrap();
            assert_eq!(expected.of_record(10).len(), 40);
            for room in [1, 2, 3, 7, 39, 40, 41, 100] {
                let mut scanner = engine.scanner().unwrap();
                scanner.room = room;
                let mut found = Matches::new();
                scanner.scan(&batch, &mut found).unwrap();
                assert_eq!(found, expected, "{room}");
            }
        }
    }
}
