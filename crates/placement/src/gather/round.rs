//! A round as those see it who have records in it, and its answer.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::core::Core;
use dragnet::{BatchBuf, Match, Matches, ScanError};
use dragnet_boundary::sync::{Condvar, Mutex, lock, quietly, wait, wait_for};

/// The memory of a round, which the next ones use again.
#[derive(Default)]
pub(super) struct Buffers {
    /// What batches brought in; for the scan, with the segments behind it.
    pub(super) records: BatchBuf,
    /// The first record of each batch.
    pub(super) parts: Vec<u32>,
    /// What single callers brought in, each record on its own.
    segments: Vec<BatchBuf>,
    /// How many of the segments are in use.
    used: usize,
    /// The number of each segment's first record, once they are merged.
    bases: Vec<u32>,
    pub(super) matches: Matches,
    /// Where in the list the matches of each record begin.
    firsts: Vec<u32>,
}

impl Buffers {
    /// The memory of a segment; they are used in order.
    pub(super) fn segment(&mut self, number: usize) -> &mut BatchBuf {
        self.used = number + 1;
        if self.segments.len() < self.used {
            self.segments.resize_with(self.used, BatchBuf::new);
        }
        &mut self.segments[number]
    }

    /// Makes one batch of all that was brought in. Costs one copy, unless it is there in one.
    pub(super) fn merge(&mut self) {
        let alone = self.records.is_empty() && self.used == 1;
        let batch = self.records.len() as u32;
        self.bases.clear();
        for segment in &mut self.segments[..self.used] {
            self.bases.push(self.records.len() as u32);
            if alone {
                std::mem::swap(&mut self.records, segment);
            } else if self.records.append(segment).is_err() {
                // A round has one record, or no more than its limit.
                unreachable!("a round is shorter than a batch");
            }
        }
        self.parts.extend(batch..self.records.len() as u32);
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.parts.clear();
        self.segments[..self.used].iter_mut().for_each(BatchBuf::clear);
        self.used = 0;
        self.matches.clear();
    }

    /// Makes the matches of each record known by its number.
    pub(super) fn index(&mut self) {
        index(&self.matches, self.records.len(), &mut self.firsts);
    }

    fn read(&self, records: Range<u32>, base: u32, out: &mut Matches) {
        let [first, end] = [records.start, records.end].map(|record| self.firsts[record as usize]);
        let found = &self.matches.as_slice()[first as usize..end as usize];
        let record = |m: &Match| m.record() as u32 - records.start + base;
        out.extend(found.iter().map(|m| m.with_record(record(m))));
    }
}

/// Fills `firsts` so that the matches of record `r` are those from `firsts[r]` up to `firsts[r + 1]`,
/// for `records` records. Costs one pass over the matches.
fn index(matches: &Matches, records: usize, firsts: &mut Vec<u32>) {
    firsts.clear();
    // Matches of records that do not exist, from a faulty scanner, are ignored.
    let known = matches.iter().take_while(|m| m.record() < records);
    let mut count = 0;
    for m in known {
        if m.record() >= firsts.len() {
            firsts.resize(m.record() + 1, count);
        }
        count += 1;
    }
    firsts.resize(records + 1, count);
}

/// What became of a round: a list of matches, less those records that have none but an error.
pub(super) struct Answer {
    /// Merged, scanned and indexed.
    pub(super) buffers: Buffers,
    pub(super) failed: Vec<(Range<u32>, ScanError)>,
}

/// Some records that share one answer, which comes once.
pub(super) struct Round {
    pub(super) core: Arc<Core>,
    answer: OnceLock<Result<Answer, ScanError>>,
    waiting: Mutex<Waiting>,
    answered: Condvar,
}

struct Waiting {
    answered: bool,
    wakers: Vec<Waker>,
}

impl Round {
    pub(super) fn new(core: Arc<Core>) -> Round {
        let waiting = Waiting { answered: false, wakers: Vec::new() };
        Round {
            core,
            answer: OnceLock::new(),
            waiting: Mutex::new(waiting),
            answered: Condvar::new(),
        }
    }

    /// Gives the answer to all who wait. One that comes second, since the round was late, is
    /// dropped.
    pub(super) fn finish(&self, answer: Result<Answer, ScanError>) {
        if self.answer.set(answer).is_err() {
            return;
        }
        let mut waiting = lock(&self.waiting);
        waiting.answered = true;
        let wakers = std::mem::take(&mut waiting.wakers);
        drop(waiting);
        self.answered.notify_all();
        for waker in wakers {
            quietly(|| waker.wake());
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answer.get().is_some()
    }

    /// Waits for the answer, until then at most. Returns whether it is there.
    pub(super) fn wait(&self, until: Option<Instant>) -> bool {
        if self.is_answered() {
            return true;
        }
        let mut waiting = lock(&self.waiting);
        while !waiting.answered {
            waiting = match until {
                None => wait(&self.answered, waiting),
                Some(until) => match until.checked_duration_since(Instant::now()) {
                    Some(left) if left > Duration::ZERO => wait_for(&self.answered, waiting, left),
                    _ => return false,
                },
            };
        }
        true
    }

    /// Sees to it that the task is woken when there is an answer, unless there is one: then
    /// returns false. `place` is where the task's waker is kept, if it has one here already.
    pub(super) fn wake_later(&self, place: &mut Option<usize>, context: &Context<'_>) -> bool {
        // Cloned and dropped without the lock, since both are code of an executor.
        let waker = context.waker().clone();
        let mut waiting = lock(&self.waiting);
        if waiting.answered {
            return false;
        }
        let wakers = &mut waiting.wakers;
        let old = match *place {
            Some(place) => Some(std::mem::replace(&mut wakers[place], waker)),
            None => {
                *place = Some(wakers.len());
                wakers.push(waker);
                None
            }
        };
        drop(waiting);
        drop(old);
        true
    }

    /// Appends what was found in these records, the first of which becomes the record `base`.
    pub(super) fn read(
        &self,
        records: Range<u32>,
        base: u32,
        out: &mut Matches,
    ) -> Result<(), ScanError> {
        self.answer()?.read(records, base, out)
    }

    /// Appends what was found in this record of a segment, as record 0.
    pub(super) fn read_one(
        &self,
        segment: usize,
        number: u32,
        out: &mut Matches,
    ) -> Result<(), ScanError> {
        let answer = self.answer()?;
        let record = answer.buffers.bases[segment] + number;
        answer.read(record..record + 1, 0, out)
    }

    fn answer(&self) -> Result<&Answer, ScanError> {
        match self.answer.get() {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ScanError::TimedOut),
        }
    }
}

impl Answer {
    fn read(&self, records: Range<u32>, base: u32, out: &mut Matches) -> Result<(), ScanError> {
        // In order and apart, so this finds the first that could overlap.
        let next = self.failed.partition_point(|(failed, _)| failed.end <= records.start);
        if let Some((_, error)) =
            self.failed.get(next).filter(|(failed, _)| failed.start < records.end)
        {
            return Err(error.clone());
        }
        self.buffers.read(records, base, out);
        Ok(())
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        if let Some(Ok(answer)) = self.answer.take() {
            self.core.recycle(answer.buffers);
        }
    }
}

/// Some records of a round.
pub(super) struct Piece {
    pub(super) round: Arc<Round>,
    pub(super) records: Range<u32>,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn index_finds_the_matches_of_each_record() {
        let mut matches = Matches::new();
        for (record, pattern) in [(0, 1), (2, 0), (2, 5), (7, 0)] {
            matches.push(Match::new(record, pattern, 0..0));
        }
        let mut firsts = vec![7];
        index(&matches, 9, &mut firsts);
        for record in 0..9 {
            let range = firsts[record] as usize..firsts[record + 1] as usize;
            assert_eq!(&matches.as_slice()[range], matches.of_record(record), "{record}");
        }
        assert_eq!(firsts.len(), 10);
    }
}
