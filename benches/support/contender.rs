//! The common interface of the contenders, and the race that measures them.

use std::time::Instant;

use dragnet::Batch;

use super::corpus::Corpus;

/// An engine or a library, with one rule set compiled.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) build_seconds: f64,
    /// Bytes of memory that all its scanners share, if the contender can report it.
    pub(crate) memory: Option<usize>,
    /// Returns the bytes of memory that its scanner currently holds.
    pub(crate) working_memory: Option<Box<dyn Fn() -> usize>>,
    /// The number of patterns that it does not support and so does not search for.
    pub(crate) refused: usize,
    /// The number of bytes that it scans of each corpus; less than all for a slow contender.
    pub(crate) sample: usize,
    /// Whether the summary over all races includes it.
    pub(crate) in_summary: bool,
    /// Scans a batch and returns the number of matches.
    pub(crate) scan: Box<dyn FnMut(&Batch<'_>) -> u64>,
}

/// The result of one contender in a race.
pub(crate) struct Row {
    pub(crate) megabytes_per_second: f64,
    pub(crate) matches: u64,
    /// The matches of the first contender in the same part of the corpus.
    pub(crate) expected: u64,
}

/// A [`Contender::sample`] that covers every corpus.
pub(crate) const WHOLE_CORPUS: usize = usize::MAX;

/// Lets all contenders scan the corpus in turn, once per round, and returns the median speed of
/// each one.
pub(crate) fn race(contenders: &mut [Contender], corpus: &Corpus, rounds: usize) -> Vec<Row> {
    let mut times = vec![Vec::new(); contenders.len()];
    let mut rows: Vec<Row> = Vec::new();
    for round in 0..=rounds {
        for (index, contender) in contenders.iter_mut().enumerate() {
            let mut bytes = 0;
            let mut matches = 0;
            let mut seconds = 0.0;
            for number in 0..corpus.batches.len() {
                let batch = prefix(corpus.batch(number), contender.sample.saturating_sub(bytes));
                if batch.is_empty() {
                    break;
                }
                let start = Instant::now();
                matches += (contender.scan)(&batch);
                seconds += start.elapsed().as_secs_f64();
                bytes += bytes_with_line_breaks(&batch);
            }
            if round == 0 {
                // The first round is not measured: it fills caches and lazy automata.
                rows.push(Row { megabytes_per_second: 0.0, matches, expected: 0 });
            } else {
                times[index].push(bytes as f64 / seconds / 1e6);
            }
        }
    }
    let samples: Vec<usize> = contenders.iter().map(|c| c.sample).collect();
    for ((row, times), sample) in rows.iter_mut().zip(&mut times).zip(samples) {
        times.sort_by(f64::total_cmp);
        row.megabytes_per_second = times[times.len() / 2];
        let mut bytes = 0;
        for number in 0..corpus.batches.len() {
            let batch = prefix(corpus.batch(number), sample.saturating_sub(bytes));
            if batch.is_empty() {
                break;
            }
            bytes += bytes_with_line_breaks(&batch);
            row.expected += (contenders[0].scan)(&batch);
        }
    }
    rows
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
