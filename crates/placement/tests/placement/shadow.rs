//! A second engine beside the first: what is reported, and that nothing disturbs the first.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dragnet::{
    Batch, BatchBuf, Match, Matches, Pattern, PatternSet, Report, Scan, ScanError, StopFlag, pure,
};
use dragnet_boundary::{CallError, MakeError, StartError};
use dragnet_placement::{Difference, Shadow, ShadowFailure, ShadowStats};

/// Changes an answer, or fails in whatever way.
type Change = Arc<dyn Fn(&StopFlag, &[Match]) -> Result<Vec<Match>, ScanError> + Send + Sync>;

/// The pure engine with a changed answer.
struct Liar {
    scanner: pure::Scanner,
    stop: StopFlag,
    change: Change,
}

impl Scan for Liar {
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

fn set() -> PatternSet {
    PatternSet::builder().pattern(Pattern::new("a").name("letter")).pattern(r"\d+").build().unwrap()
}

fn scanner() -> pure::Scanner {
    pure::Engine::new(&set(), Report::Spans).scanner()
}

fn liar(
    change: impl Fn(&StopFlag, &[Match]) -> Result<Vec<Match>, ScanError> + Send + Sync + 'static,
) -> impl Fn() -> Result<Liar, String> + Send + Sync + 'static {
    let change: Change = Arc::new(change);
    move || Ok(Liar { scanner: scanner(), stop: StopFlag::new(), change: Arc::clone(&change) })
}

fn batch(records: &[&str]) -> BatchBuf {
    let mut batch = BatchBuf::new();
    records.iter().for_each(|record| batch.push(record.as_bytes()).unwrap());
    batch
}

const RECORDS: [&str; 4] = ["a1a", "", "a 22 333", "none"];

/// What the engines find in `RECORDS`, as record, pattern, start and end.
fn right() -> Vec<Match> {
    let spans =
        [(0, 0, 0, 1), (0, 0, 2, 3), (0, 1, 1, 2), (2, 0, 0, 1), (2, 1, 2, 4), (2, 1, 5, 8)];
    spans.map(|(record, pattern, start, end)| Match::new(record, pattern, start..end)).to_vec()
}

/// A difference with nothing borrowed.
#[derive(Debug, PartialEq)]
struct Owned {
    batch: u64,
    record: (usize, Option<String>),
    pattern: (usize, Option<String>, Option<String>),
    first: Vec<Match>,
    second: Vec<Match>,
}

impl Owned {
    fn of(difference: &Difference<'_>) -> Owned {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Owned {
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

fn reports<T: Send + 'static>() -> (Arc<Mutex<Sender<T>>>, Receiver<T>) {
    let (sender, receiver) = channel();
    (Arc::new(Mutex::new(sender)), receiver)
}

fn send<T>(to: &Arc<Mutex<Sender<T>>>, report: T) {
    to.lock().unwrap().send(report).unwrap();
}

fn add_up(stats: ShadowStats) -> bool {
    stats.sampled == stats.skipped + stats.compared + stats.failed + stats.pending
        && stats.sampled <= stats.seen
        && stats.differing <= stats.compared
        && stats.unreported <= stats.differences
}

fn assert_answers_right(shadow: &mut impl Scan) {
    let mut matches = Matches::new();
    shadow.scan(&batch(&RECORDS).as_batch(), &mut matches).unwrap();
    assert_eq!(matches.as_slice(), right());
}

#[test]
fn every_lie_is_reported_with_pattern_record_and_both_answers() {
    let one = Match::new;
    let letter = || (0, Some("letter".to_owned()), Some("a".to_owned()));
    let digits = || (1, None, Some(r"\d+".to_owned()));
    type Lie = fn(&mut Vec<Match>);
    type Named = (usize, Option<String>, Option<String>);
    type Case = (Lie, (usize, Option<&'static str>), Named, Vec<Match>);
    // What is changed, and the record, its text, the pattern and the second answer.
    let cases: [Case; 7] = [
        (
            |m| m.retain(|m| (m.record(), m.start()) != (0, 2)),
            (0, Some("a1a")),
            letter(),
            vec![one(0, 0, 0..1)],
        ),
        (|m| m.retain(|m| (m.record(), m.pattern()) != (0, 1)), (0, Some("a1a")), digits(), vec![]),
        (|m| m.truncate(5), (2, Some("a 22 333")), digits(), vec![one(2, 1, 2..4)]),
        (
            |m| m[4] = Match::new(2, 1, 2..3),
            (2, Some("a 22 333")),
            digits(),
            vec![one(2, 1, 2..3), one(2, 1, 5..8)],
        ),
        (|m| m.insert(3, Match::new(1, 0, 0..0)), (1, Some("")), letter(), vec![one(1, 0, 0..0)]),
        (
            |m| m.push(Match::new(2, 7, 0..1)),
            (2, Some("a 22 333")),
            (7, None, None),
            vec![one(2, 7, 0..1)],
        ),
        (|m| m.push(Match::new(9, 0, 0..1)), (9, None), letter(), vec![one(9, 0, 0..1)]),
    ];
    for (lie, (record, text), pattern, second) in cases {
        let (to, reported) = reports();
        let mut shadow = Shadow::builder(scanner(), &set())
            .sample(1)
            .on_difference(move |difference| send(&to, Owned::of(difference)))
            .start(liar(move |_, found| {
                let mut found = found.to_vec();
                lie(&mut found);
                Ok(found)
            }))
            .unwrap();
        assert_answers_right(&mut shadow);
        shadow.flush().unwrap();
        let stats = shadow.stats();
        drop(shadow);
        let first = right()
            .into_iter()
            .filter(|m| (m.record(), m.pattern()) == (record, pattern.0))
            .collect();
        let record = (record, text.map(str::to_owned));
        let expected = [Owned { batch: 0, record, pattern, first, second }];
        assert_eq!(reported.iter().collect::<Vec<_>>(), expected);
        assert_eq!((stats.compared, stats.differing, stats.differences), (1, 1, 1));
        assert!(add_up(stats), "{stats:?}");
    }
}

#[test]
fn batches_are_compared_as_they_are_however_they_are_laid_out() {
    let (to, reported) = reports();
    let seconds = pure::Engine::new(&set(), Report::Spans);
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .queue(64, 1 << 20)
        .on_difference(move |difference| send(&to, difference.to_string()))
        .start(move || Ok::<_, String>(seconds.scanner()))
        .unwrap();
    let mut matches = Matches::new();
    let (text, mut offsets) = (b"x1\na22\n\n3a\na\n4", Vec::new());
    let lines = Batch::lines(text, &mut offsets).unwrap();
    let mut count = 0;
    for start in 0..=lines.len() {
        for end in start..=lines.len() {
            shadow.scan(&lines.slice(start..end), &mut matches).unwrap();
            count += 1;
        }
    }
    let within = Batch::from_offsets(text, &[4, 4, 9]).unwrap();
    shadow.scan(&within, &mut matches).unwrap();
    shadow.scan(&Batch::from_offsets(b"", &[]).unwrap(), &mut matches).unwrap();
    shadow.flush().unwrap();
    let stats = shadow.stats();
    drop(shadow);
    assert_eq!((stats.compared, stats.differing), (count + 2, 0), "{stats:?}");
    assert_eq!(reported.iter().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_first_batch_and_every_nth_after_it_are_sampled() {
    for (every, expected) in
        [(1, vec![0, 1, 2, 3, 4, 5, 6]), (3, vec![0, 3, 6]), (7, vec![0]), (0, vec![])]
    {
        let (to, reported) = reports();
        let mut shadow = Shadow::builder(scanner(), &set())
            .sample(every)
            .queue(16, 1 << 20)
            .on_failure(move |failure: &ShadowFailure| send(&to, failure.batch))
            .start(liar(|_, _| Err(ScanError::Stopped)))
            .unwrap();
        (0..7).for_each(|_| assert_answers_right(&mut shadow));
        shadow.flush().unwrap();
        let stats = shadow.stats();
        drop(shadow);
        assert_eq!(reported.iter().collect::<Vec<_>>(), expected);
        assert_eq!((stats.seen, stats.failed), (7, expected.len() as u64), "{stats:?}");
        assert!(add_up(stats), "{stats:?}");
    }
}

#[test]
fn what_there_is_no_room_for_is_skipped_and_not_waited_for() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .queue(2, 1000)
        .deadline(Duration::MAX)
        .start(liar(move |_, found| {
            while !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(found.to_vec())
        }))
        .unwrap();
    // Two wait or are at work, whatever the second does; it does nothing yet.
    (0..10).for_each(|_| assert_answers_right(&mut shadow));
    let stats = shadow.stats();
    assert_eq!((stats.sampled, stats.skipped, stats.pending), (10, 8, 2), "{stats:?}");
    assert!(matches!(shadow.flush_within(Duration::from_millis(5)), Err(CallError::TimedOut)));
    open.store(true, Ordering::SeqCst);
    shadow.flush().unwrap();
    // Too long for the bytes that there may be.
    let mut matches = Matches::new();
    shadow.scan(&batch(&["x".repeat(1000).as_str()]).as_batch(), &mut matches).unwrap();
    shadow.flush().unwrap();
    let stats = shadow.stats();
    assert_eq!((stats.compared, stats.skipped, stats.pending), (2, 9, 0), "{stats:?}");
    assert!(add_up(stats), "{stats:?}");
}

#[test]
fn errors_and_panics_of_the_second_are_reported_and_disturb_nothing() {
    let (to, reported) = reports();
    let (made, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&made);
    let make = liar(move |_, found| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Err(ScanError::Native { library: "one".to_owned(), code: -1 }),
        1 => panic!("on purpose"),
        _ => Ok(found.to_vec()),
    });
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .on_failure(move |failure| send(&to, failure.clone()))
        .start(move || match count.fetch_add(1, Ordering::SeqCst) {
            // The first try after the panic.
            1 => Err("no more".to_owned()),
            _ => make(),
        })
        .unwrap();
    for _ in 0..4 {
        assert_answers_right(&mut shadow);
        shadow.flush().unwrap();
    }
    let stats = shadow.stats();
    drop(shadow);
    let reported: Vec<_> = reported.iter().map(|f: ShadowFailure| (f.batch, f.error)).collect();
    assert_eq!(reported.len(), 3, "{reported:?}");
    assert_eq!(reported[0], (0, ScanError::Native { library: "one".to_owned(), code: -1 }));
    assert_eq!(reported[1], (1, ScanError::Panicked { message: "on purpose".to_owned() }));
    assert!(
        matches!(&reported[2], (2, ScanError::Unavailable { reason }) if reason.contains("no more"))
    );
    assert_eq!((stats.compared, stats.failed, made.load(Ordering::SeqCst)), (1, 3, 3));
    assert!(add_up(stats), "{stats:?}");
}

#[test]
fn a_second_that_is_late_is_told_to_stop_and_one_that_is_stuck_is_given_up() {
    let (to, reported) = reports();
    let open = Arc::new(AtomicBool::new(false));
    let (gate, asked) = (Arc::clone(&open), AtomicUsize::new(0));
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .deadline(Duration::from_millis(50))
        .on_failure(move |failure| send(&to, failure.clone()))
        .start(liar(move |stop, found| {
            match asked.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    while !stop.is_raised() {
                        thread::sleep(Duration::from_millis(1));
                    }
                    return Err(ScanError::Stopped);
                }
                1 => {
                    while !gate.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
                _ => {}
            }
            Ok(found.to_vec())
        }))
        .unwrap();
    // On a busy machine one may have no turn in time, and is skipped.
    while shadow.stats().failed < 2 {
        assert_answers_right(&mut shadow);
        shadow.flush().unwrap();
    }
    let failed = shadow.stats();
    assert_eq!((failed.compared, failed.pending), (0, 0), "{failed:?}");
    open.store(true, Ordering::SeqCst);
    // A late answer to a batch that was given up counts no more.
    while shadow.stats().compared == 0 {
        assert_answers_right(&mut shadow);
        shadow.flush().unwrap();
    }
    let stats = shadow.stats();
    drop(shadow);
    let reported: Vec<ShadowFailure> = reported.iter().take(2).collect();
    let found: Vec<_> = reported.iter().map(|f| (f.error.clone(), f.abandoned)).collect();
    assert_eq!(found, [(ScanError::TimedOut, false), (ScanError::TimedOut, true)]);
    assert_eq!(stats.differing, 0);
    assert!(add_up(stats), "{stats:?}");
}

#[test]
fn what_is_handed_out_in_blocks_is_compared_unless_it_is_too_much_or_broken_off() {
    let (to, reported) = reports();
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .queue(4, 4000)
        .on_difference(move |difference| send(&to, Owned::of(difference)))
        .start(liar(|_, found| Ok(found[1..].to_vec())))
        .unwrap();
    let collect = |shadow: &mut Shadow<_>, records: &[&str], take: usize| {
        let mut all = Vec::new();
        let flow = shadow
            .scan_with(&batch(records).as_batch(), &mut |block| {
                all.extend_from_slice(block);
                if all.len() < take { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .unwrap();
        shadow.flush().unwrap();
        (all, flow)
    };
    assert_eq!(collect(&mut shadow, &RECORDS, usize::MAX), (right(), ControlFlow::Continue(())));
    assert_eq!(shadow.stats().differing, 1);
    assert_eq!(collect(&mut shadow, &RECORDS, 1).1, ControlFlow::Break(()));
    assert_eq!(shadow.stats().skipped, 1);
    // A thousand matches of 16 bytes are over the limit, and all handed out.
    let (all, _) = collect(&mut shadow, &["a".repeat(1000).as_str()], usize::MAX);
    let stats = shadow.stats();
    assert_eq!((all.len(), stats.skipped, stats.compared), (1000, 2, 1), "{stats:?}");
    assert!(add_up(stats), "{stats:?}");
    drop(shadow);
    assert_eq!(reported.iter().count(), 1);
}

#[test]
fn differences_over_the_limit_are_counted() {
    let (to, reported) = reports();
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .differences(3)
        .on_difference(move |difference| send(&to, difference.record))
        .start(liar(|_, _| Ok(Vec::new())))
        .unwrap();
    shadow.scan(&batch(&["a"; 10]).as_batch(), &mut Matches::new()).unwrap();
    shadow.flush().unwrap();
    let stats = shadow.stats();
    drop(shadow);
    assert_eq!(reported.iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((stats.differences, stats.unreported, stats.differing), (10, 7, 1));
}

#[test]
fn errors_of_the_first_are_passed_on_and_not_compared() {
    let mut shadow =
        Shadow::builder(scanner(), &set()).sample(1).start(|| Ok::<_, String>(scanner())).unwrap();
    let stop = StopFlag::new();
    shadow.set_stop(stop.clone());
    stop.raise();
    let mut matches = Matches::new();
    let answer = shadow.scan(&batch(&RECORDS).as_batch(), &mut matches);
    assert_eq!((answer, matches.len()), (Err(ScanError::Stopped), 0));
    stop.clear();
    assert_answers_right(&mut shadow);
    shadow.flush().unwrap();
    let stats = shadow.stats();
    assert_eq!((stats.seen, stats.sampled, stats.compared, stats.failed), (2, 1, 1, 0));
}

#[test]
fn a_report_that_panics_ends_nothing_but_the_reports_of_its_batch() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .on_difference(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose");
        })
        .start(liar(|_, _| Ok(Vec::new())))
        .unwrap();
    for _ in 0..3 {
        assert_answers_right(&mut shadow);
        shadow.flush().unwrap();
    }
    let stats = shadow.stats();
    assert_eq!((stats.compared, stats.differing, stats.failed, stats.pending), (3, 3, 0, 0));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn a_second_that_can_not_be_made_is_an_error_of_the_start() {
    let failed = Shadow::builder(scanner(), &set())
        .start(|| Err::<pure::Scanner, _>("no library".to_owned()))
        .unwrap_err();
    assert_eq!(failed.to_string(), "the value could not be made: no library");
    let panicked = Shadow::builder(scanner(), &set())
        .start(|| -> Result<pure::Scanner, String> { panic!("on purpose") })
        .unwrap_err();
    assert!(matches!(panicked, StartError::Make(MakeError::Panicked(m)) if m == "on purpose"));
}
