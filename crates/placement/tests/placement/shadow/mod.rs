//! Tests of the shadow. All of them also check that the second engine never disturbs the first.

mod comparisons;
mod failures;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dragnet::{
    Batch, BatchBuf, Match, Matches, Pattern, PatternSet, Report, Scan, ScanError, StopFlag, pure,
};
use dragnet_placement::{Difference, ShadowStats};

/// Maps the answer of an engine to a changed answer or an error.
type Change = Arc<dyn Fn(&StopFlag, &[Match]) -> Result<Vec<Match>, ScanError> + Send + Sync>;

/// The pure engine with a changed answer.
pub(super) struct ChangingScanner {
    scanner: pure::Scanner,
    stop: StopFlag,
    change: Change,
}

impl Scan for ChangingScanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        self.scanner.scan(batch, out)?;
        let changed = (self.change)(&self.stop, out.as_slice());
        out.clear();
        changed?.into_iter().for_each(|m| out.push(m));
        Ok(())
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.stop = stop;
    }
}

pub(super) fn set() -> PatternSet {
    PatternSet::builder().pattern(Pattern::new("a").name("letter")).pattern(r"\d+").build().unwrap()
}

pub(super) fn scanner() -> pure::Scanner {
    pure::Engine::new(&set(), Report::Spans).scanner()
}

/// Returns a function that makes second engines: pure scanners whose answers `change` replaces.
pub(super) fn with_changed_answers(
    change: impl Fn(&StopFlag, &[Match]) -> Result<Vec<Match>, ScanError> + Send + Sync + 'static,
) -> impl Fn() -> Result<ChangingScanner, String> + Send + Sync + 'static {
    let change: Change = Arc::new(change);
    move || {
        Ok(ChangingScanner {
            scanner: scanner(),
            stop: StopFlag::new(),
            change: Arc::clone(&change),
        })
    }
}

pub(super) fn batch(records: &[&str]) -> BatchBuf {
    let mut batch = BatchBuf::new();
    records.iter().for_each(|record| batch.push(record.as_bytes()).unwrap());
    batch
}

pub(super) const RECORDS: [&str; 4] = ["a1a", "", "a 22 333", "none"];

/// The matches in `RECORDS`.
pub(super) fn expected_matches() -> Vec<Match> {
    let spans =
        [(0, 0, 0, 1), (0, 0, 2, 3), (0, 1, 1, 2), (2, 0, 0, 1), (2, 1, 2, 4), (2, 1, 5, 8)];
    spans.map(|(record, pattern, start, end)| Match::new(record, pattern, start..end)).to_vec()
}

/// A [`Difference`] that borrows nothing.
#[derive(Debug, PartialEq)]
pub(super) struct OwnedDifference {
    pub(super) batch: u64,
    pub(super) record: (usize, Option<String>),
    pub(super) pattern: (usize, Option<String>, Option<String>),
    pub(super) first: Vec<Match>,
    pub(super) second: Vec<Match>,
}

impl OwnedDifference {
    pub(super) fn of(difference: &Difference<'_>) -> OwnedDifference {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        OwnedDifference {
            batch: difference.batch,
            record: (difference.record, difference.bytes.map(text)),
            pattern: (
                difference.pattern,
                difference.name.map(str::to_owned),
                difference.regex.map(str::to_owned),
            ),
            first: difference.first.to_vec(),
            second: difference.second.to_vec(),
        }
    }
}

pub(super) fn reports<T: Send + 'static>() -> (Arc<Mutex<Sender<T>>>, Receiver<T>) {
    let (sender, receiver) = channel();
    (Arc::new(Mutex::new(sender)), receiver)
}

pub(super) fn send<T>(to: &Arc<Mutex<Sender<T>>>, report: T) {
    to.lock().unwrap().send(report).unwrap();
}

pub(super) fn counts_add_up(stats: ShadowStats) -> bool {
    stats.sampled == stats.skipped + stats.compared + stats.failed + stats.pending
        && stats.sampled <= stats.seen
        && stats.differing <= stats.compared
        && stats.unreported <= stats.differences
}

/// Scans `RECORDS` and checks that the answer is the first engine's.
pub(super) fn scan_and_check(shadow: &mut impl Scan) {
    let mut matches = Matches::new();
    shadow.scan(&batch(&RECORDS).as_batch(), &mut matches).unwrap();
    assert_eq!(matches.as_slice(), expected_matches());
}
