//! The common interface of the contenders, and the race that measures them.
//!
//! A race has rounds. In each, every contender scans the corpus in turn, so that a machine that
//! speeds up or slows down does so for all of them, and a ratio of two contenders is the median of
//! the ratios in the rounds. The time of each batch is kept: a contender that scans only the first
//! part of the corpus is compared with the other ones' times for the same batches.
//!
//! Times are those that the thread runs, where the system can say so, without those in which other
//! programs have its core. All contenders are single-threaded and wait for nothing, so that on an
//! idle machine there is no difference.

use std::time::Instant;

use dragnet::Batch;

use crate::support::corpus::Corpus;
use crate::support::thread_seconds;

/// An engine or a library, with one rule set compiled.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) build_seconds: f64,
    /// Bytes of memory that all its scanners share, if the contender can report it.
    pub(crate) memory: Option<usize>,
    /// The number of patterns that it does not support and so does not search for.
    pub(crate) refused: usize,
    /// The number of bytes that it scans of each corpus; less than all for a slow contender and for
    /// a first pass.
    pub(crate) sample: usize,
    /// Whether the summary over all races includes it.
    pub(crate) in_summary: bool,
    pub(crate) answers: Answers,
    pub(crate) search: Box<dyn Search>,
}

/// How a contender's matches compare with those of the pure engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// They must be the same: dragnet promises it.
    Promised,
    /// Differences are shown: another library with faults or a syntax of its own.
    Expected,
    /// It answers another question.
    Incomparable,
}

/// The search of a contender.
pub(crate) trait Search {
    /// Forgets what is known of the texts of earlier races. A race calls it once, so that its figures do not
    /// depend on the order of the texts.
    fn begin(&mut self) {}

    /// Replaces everything that a scan fills or builds. A race calls it before each pass, outside of
    /// the measured time.
    fn renew(&mut self) {}

    /// Scans a batch.
    fn scan(&mut self, batch: &Batch<'_>);

    /// Returns the number of pairs of a record and a pattern that match in the last batch.
    fn pairs(&self) -> u64;

    /// Returns the bytes of memory that its scanner holds.
    fn scanner_memory(&self) -> Option<usize> {
        None
    }
}

/// A search by a function that returns the number of pairs.
pub(crate) struct Counting<F> {
    scan: F,
    pairs: u64,
}

impl<F: FnMut(&Batch<'_>) -> u64> Counting<F> {
    pub(crate) fn new(scan: F) -> Counting<F> {
        Counting { scan, pairs: 0 }
    }
}

impl<F: FnMut(&Batch<'_>) -> u64> Search for Counting<F> {
    fn scan(&mut self, batch: &Batch<'_>) {
        self.pairs = (self.scan)(batch);
    }

    fn pairs(&self) -> u64 {
        self.pairs
    }
}

/// A [`Contender::sample`] that covers every corpus.
pub(crate) const WHOLE_CORPUS: usize = usize::MAX;

/// The least time that a contender scans in a round, in seconds. It repeats the pass over a short
/// corpus until then, because one interrupt would distort a shorter measurement.
const MIN_SECONDS: f64 = 0.02;

/// The time after which it starts no further pass in a round, in seconds, even if it has scanned for
/// less than [`MIN_SECONDS`]: a first pass builds an engine each time.
const MAX_SECONDS: f64 = 0.2;

/// The result of one contender in a race.
pub(crate) struct Row {
    /// The bytes of each batch that it scanned.
    bytes: Vec<usize>,
    /// For each round, the seconds of each batch.
    rounds: Vec<Vec<f64>>,
    /// The pairs of a record and a pattern that match.
    pub(crate) pairs: u64,
    /// The pairs that the first contender finds in the same part of the corpus.
    pub(crate) expected: u64,
}

impl Row {
    /// The median speed over everything that the contender scanned, in megabytes per second.
    pub(crate) fn megabytes_per_second(&self) -> f64 {
        let batches = self.bytes.len();
        median((0..self.rounds.len()).map(|round| self.speed(round, batches)).collect()) / 1e6
    }

    /// How many times as fast this contender was as `other`, over the batches that both scanned:
    /// the median of the rounds.
    pub(crate) fn ratio(&self, other: &Row) -> f64 {
        let batches = self.bytes.len().min(other.bytes.len());
        let ratio = |round| self.speed(round, batches) / other.speed(round, batches);
        median((0..self.rounds.len()).map(ratio).collect())
    }

    /// The speed over the first `batches` batches in one round, in bytes per second.
    fn speed(&self, round: usize, batches: usize) -> f64 {
        let bytes: usize = self.bytes[..batches].iter().sum();
        bytes as f64 / self.rounds[round][..batches].iter().sum::<f64>()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

/// Lets all contenders scan the corpus in turn, once per round.
///
/// A round before the first is not measured: it fills the caches and the lazy automata of the
/// contenders that are measured warm.
pub(crate) fn race(contenders: &mut [Contender], corpus: &Corpus, rounds: usize) -> Vec<Row> {
    let parts: Vec<Vec<Batch<'_>>> = contenders.iter().map(|c| part(corpus, c.sample)).collect();
    let mut rows: Vec<Row> = Vec::new();
    for (contender, part) in contenders.iter_mut().zip(&parts) {
        contender.search.begin();
        let (_, pairs) = pass(contender, part);
        let bytes = part.iter().map(bytes_with_line_breaks).collect();
        rows.push(Row { bytes, rounds: Vec::new(), pairs, expected: 0 });
    }
    for _ in 0..rounds {
        for ((contender, part), row) in contenders.iter_mut().zip(&parts).zip(&mut rows) {
            let mut seconds = vec![0.0; part.len()];
            let mut passes = 0_u32;
            let start = Instant::now();
            loop {
                let (times, pairs) = pass(contender, part);
                seconds.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
                assert_eq!(pairs, row.pairs, "{} found other matches before", contender.name);
                passes += 1;
                if seconds.iter().sum::<f64>() >= MIN_SECONDS
                    || start.elapsed().as_secs_f64() >= MAX_SECONDS
                {
                    break;
                }
            }
            row.rounds.push(seconds.into_iter().map(|sum| sum / f64::from(passes)).collect());
        }
    }
    for (row, part) in rows.iter_mut().zip(&parts) {
        (_, row.expected) = pass(&mut contenders[0], part);
    }
    rows
}

/// Calls a function and measures its time in seconds.
pub(crate) fn timed<T>(function: impl FnOnce() -> T) -> (T, f64) {
    let start = thread_seconds();
    let result = function();
    (result, thread_seconds() - start)
}

/// Scans some batches. Returns the seconds of each one, and the number of pairs that match.
fn pass(contender: &mut Contender, batches: &[Batch<'_>]) -> (Vec<f64>, u64) {
    contender.search.renew();
    let mut pairs = 0;
    let mut seconds = Vec::with_capacity(batches.len());
    for batch in batches {
        let ((), time) = timed(|| contender.search.scan(batch));
        seconds.push(time);
        pairs += contender.search.pairs();
    }
    (seconds, pairs)
}

/// The batches of the first `sample` bytes of the corpus, rounded up to a whole line.
fn part(corpus: &Corpus, sample: usize) -> Vec<Batch<'_>> {
    let mut rest = sample;
    let mut batches = Vec::new();
    for number in 0..corpus.batches.len() {
        let batch = prefix(corpus.batch(number), rest);
        if batch.is_empty() {
            break;
        }
        rest = rest.saturating_sub(bytes_with_line_breaks(&batch));
        batches.push(batch);
    }
    batches
}

/// The number of bytes of all records, with the line break after each one.
fn bytes_with_line_breaks(batch: &Batch<'_>) -> usize {
    match batch.len() {
        0 => 0,
        len => batch.range(len - 1).end - batch.range(0).start + 1,
    }
}

/// The shortest prefix of a batch that has at least `bytes` bytes, or the whole batch.
fn prefix<'a>(batch: Batch<'a>, bytes: usize) -> Batch<'a> {
    if bytes == 0 || batch.is_empty() {
        return batch.slice(0..0);
    }
    let first = batch.range(0).start;
    let (mut low, mut high) = (0, batch.len());
    while low < high {
        let middle = (low + high) / 2;
        if batch.range(middle).end - first < bytes {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    batch.slice(0..batch.len().min(low + 1))
}
