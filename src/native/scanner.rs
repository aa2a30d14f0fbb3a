//! Scans batches: one call into C for each, and what remains in Rust.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::callback::calling_back;
use super::contract::BROKEN;
use super::crossing::{Flat, Tail, Unfinished, cross, cross_blocks};
use super::engine::Inner;
use super::objects::Scratch;
use crate::pure::{self, SpanFinder};
use crate::sink::{Blocks, Sink};
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
    /// What the pure engine found; in a scan by blocks, the matches that are not handed on yet.
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
                // Without a callback.
                Unfinished::Broken => error(&self.engine, BROKEN),
                Unfinished::Failed(code) => error(&self.engine, code),
            })
    }

    /// Hands on all matches, in order, until `out` breaks.
    fn hand_on(
        &mut self,
        batch: &Batch<'_>,
        out: &mut Blocks<'_>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let Scanner { engine, scratch, stop, pairs, pure, spans, tail, .. } = self;
        let mut rest = Rest { batch: *batch, stop, pure, spans };
        if engine.databases.is_empty() {
            return rest.hand_on(0..batch.len(), &mut [], out);
        }
        // How a call back ended that ended the scan.
        let mut ended = Ok(ControlFlow::Continue(()));
        let mut on_block = |records: Range<u32>, pairs: &mut [Match]| {
            let records = records.start as usize..records.end as usize;
            ended = rest.hand_on(records, pairs, out);
            match ended {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        };
        // Each is reported once for a record.
        let most = engine.on_libhs();
        let records = Flat::of(batch);
        let safe = records.readable();
        let crossed = calling_back(&mut on_block, |handle| {
            let mut cross = |flat, records, base| {
                let databases = &engine.databases;
                cross_blocks(databases, scratch, flat, records, base, stop, most, pairs, handle)
            };
            cross(records, 0..safe as u32, 0)?;
            if safe < batch.len() {
                tail.fill(&batch.slice(safe..batch.len()));
                let result = cross(tail.as_flat(), 0..(batch.len() - safe) as u32, safe as u32);
                tail.trim();
                result?;
            }
            Ok(())
        });
        match crossed {
            Ok(Ok(())) => Ok(ControlFlow::Continue(())),
            Ok(Err(Unfinished::Stopped)) => Err(ScanError::Stopped),
            Ok(Err(Unfinished::Broken)) => ended,
            Ok(Err(Unfinished::Failed(code))) => Err(error(engine, code)),
            Err(full) => Err(ScanError::Unavailable { reason: full.to_string() }),
        }
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
            // A list never breaks.
            let _ = finder.find(pair.pattern() as u32, pair.record() as u32, record, out);
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

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let mut block = std::mem::take(&mut self.rest);
        let mut blocks = Blocks::new(block.list_mut(), each);
        let result = self.hand_on(batch, &mut blocks).map(|flow| match flow {
            ControlFlow::Continue(()) => blocks.finish(),
            broken => broken,
        });
        self.rest = block;
        result
    }

    fn set_stop(&mut self, stop: StopFlag) {
        if let Some(pure) = &mut self.pure {
            pure.set_stop(stop.clone());
        }
        self.stop = stop;
    }
}

/// What is left to do in Rust for the records of a block.
struct Rest<'a, 'b> {
    batch: Batch<'b>,
    stop: &'a StopFlag,
    pure: &'a mut Option<pure::Scanner>,
    spans: &'a mut Option<SpanFinder>,
}

impl Rest<'_, '_> {
    /// Hands on all matches of `records`, for which libhs has found `pairs`, until `out` breaks.
    fn hand_on(
        &mut self,
        records: Range<usize>,
        pairs: &mut [Match],
        out: &mut Blocks<'_>,
    ) -> Result<ControlFlow<()>, ScanError> {
        for of_record in pairs.chunk_by_mut(|a, b| a.record() == b.record()) {
            of_record.sort_unstable();
        }
        let Rest { batch, stop, pure, spans } = self;
        let mut pairs = Pairs { left: pairs, last: None, batch, stop, spans };
        if let Some(pure) = pure {
            let (slice, base) = (batch.slice(records.clone()), records.start as u32);
            let mut stopped = Ok(());
            let flow = pure.scan_with(&slice, &mut |block| {
                for m in block {
                    let m = m.offset_record(base);
                    match pairs.before(Some(m), out) {
                        Ok(flow) => flow?,
                        Err(error) => {
                            stopped = Err(error);
                            return ControlFlow::Break(());
                        }
                    }
                    out.push(m)?;
                }
                ControlFlow::Continue(())
            })?;
            stopped?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        pairs.before(None, out)
    }
}

/// What libhs has found, in order and not handed on yet.
struct Pairs<'a, 'b> {
    left: &'a [Match],
    last: Option<Match>,
    batch: &'a Batch<'b>,
    stop: &'a StopFlag,
    spans: &'a mut Option<SpanFinder>,
}

impl Pairs<'_, '_> {
    /// Hands on those that come before `end`, or all: they are of other patterns than it is.
    fn before(
        &mut self,
        end: Option<Match>,
        out: &mut Blocks<'_>,
    ) -> Result<ControlFlow<()>, ScanError> {
        while let Some((&pair, left)) = self.left.split_first()
            && end.is_none_or(|end| pair < end)
        {
            self.left = left;
            // A pattern that is reported twice for a record counts once.
            if self.last.replace(pair) == Some(pair) {
                continue;
            }
            let flow = match self.spans {
                None => out.push(pair),
                Some(_) if self.stop.is_raised() => return Err(ScanError::Stopped),
                Some(finder) => {
                    let record = &self.batch.buffer()[self.batch.range(pair.record())];
                    finder.find(pair.pattern() as u32, pair.record() as u32, record, out)
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
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
    use crate::{BatchBuf, EngineError, Pattern, PatternSet, Report};
    use std::io::Write;

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
        for report in [Report::Patterns, Report::Spans] {
            let engine = match Engine::new(&set, report) {
                // Whether that may be, `tests/contract.rs` and `tests/native.rs` decide.
                Err(error @ EngineError::SelfTest { .. }) => {
                    let _ =
                        writeln!(std::io::stderr(), "dragnet tests: NOT TESTED: native: {error}");
                    return;
                }
                engine => engine.unwrap(),
            };
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
