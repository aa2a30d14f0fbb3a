//! Which batches are compared, and which differences are reported.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dragnet::{Batch, Match, Matches, Report, Scan, ScanError, pure};
use dragnet_boundary::CallError;
use dragnet_placement::{Shadow, ShadowFailure};

use super::{
    OwnedDifference, RECORDS, batch, counts_add_up, expected_matches, reports, scan_and_check,
    scanner, send, set, with_changed_answers,
};

#[test]
fn every_difference_is_reported_with_both_answers() {
    let one = Match::new;
    let letter = || (0, Some("letter".to_owned()), Some("a".to_owned()));
    let digits = || (1, None, Some(r"\d+".to_owned()));
    type ChangeMatches = fn(&mut Vec<Match>);
    type Named = (usize, Option<String>, Option<String>);
    type Case = (ChangeMatches, (usize, Option<&'static str>), Named, Vec<Match>);
    // The change of the answer; then the difference to expect: the record's number and text, the
    // pattern, and its matches in the second answer.
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
    for (change, (record, text), pattern, second) in cases {
        let (to, reported) = reports();
        let mut shadow = Shadow::builder(scanner(), &set())
            .sample(1)
            .on_difference(move |difference| send(&to, OwnedDifference::of(difference)))
            .start(with_changed_answers(move |_, found| {
                let mut found = found.to_vec();
                change(&mut found);
                Ok(found)
            }))
            .unwrap();
        scan_and_check(&mut shadow);
        shadow.flush().unwrap();
        let stats = shadow.stats();
        drop(shadow);
        let first = expected_matches()
            .into_iter()
            .filter(|m| (m.record(), m.pattern()) == (record, pattern.0))
            .collect();
        let record = (record, text.map(str::to_owned));
        let expected = [OwnedDifference { batch: 0, record, pattern, first, second }];
        assert_eq!(reported.iter().collect::<Vec<_>>(), expected);
        assert_eq!((stats.compared, stats.differing, stats.differences), (1, 1, 1));
        assert!(counts_add_up(stats), "{stats:?}");
    }
}

#[test]
fn batches_of_every_layout_are_compared() {
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
fn first_and_every_nth_batch_are_sampled() {
    for (every, expected) in
        [(1, vec![0, 1, 2, 3, 4, 5, 6]), (3, vec![0, 3, 6]), (7, vec![0]), (0, vec![])]
    {
        let (to, reported) = reports();
        let mut shadow = Shadow::builder(scanner(), &set())
            .sample(every)
            .queue(16, 1 << 20)
            .on_failure(move |failure: &ShadowFailure| send(&to, failure.batch))
            .start(with_changed_answers(|_, _| Err(ScanError::Stopped)))
            .unwrap();
        (0..7).for_each(|_| scan_and_check(&mut shadow));
        shadow.flush().unwrap();
        let stats = shadow.stats();
        drop(shadow);
        assert_eq!(reported.iter().collect::<Vec<_>>(), expected);
        assert_eq!((stats.seen, stats.failed), (7, expected.len() as u64), "{stats:?}");
        assert!(counts_add_up(stats), "{stats:?}");
    }
}

#[test]
fn scans_skip_the_comparison_instead_of_waiting_for_room() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .queue(2, 1000)
        .deadline(Duration::MAX)
        .start(with_changed_answers(move |_, found| {
            while !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(found.to_vec())
        }))
        .unwrap();
    // Two batches are pending, since the second engine does not answer yet.
    (0..10).for_each(|_| scan_and_check(&mut shadow));
    let stats = shadow.stats();
    assert_eq!((stats.sampled, stats.skipped, stats.pending), (10, 8, 2), "{stats:?}");
    assert!(matches!(shadow.flush_within(Duration::from_millis(5)), Err(CallError::TimedOut)));
    open.store(true, Ordering::SeqCst);
    shadow.flush().unwrap();
    // With its padding, this batch exceeds the limit of 1,000 bytes.
    let mut matches = Matches::new();
    shadow.scan(&batch(&["x".repeat(1000).as_str()]).as_batch(), &mut matches).unwrap();
    shadow.flush().unwrap();
    let stats = shadow.stats();
    assert_eq!((stats.compared, stats.skipped, stats.pending), (2, 9, 0), "{stats:?}");
    assert!(counts_add_up(stats), "{stats:?}");
}

#[test]
fn answers_in_blocks_are_compared_if_complete() {
    let (to, reported) = reports();
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .queue(4, 4000)
        .on_difference(move |difference| send(&to, OwnedDifference::of(difference)))
        .start(with_changed_answers(|_, found| Ok(found[1..].to_vec())))
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
    assert_eq!(
        collect(&mut shadow, &RECORDS, usize::MAX),
        (expected_matches(), ControlFlow::Continue(()))
    );
    assert_eq!(shadow.stats().differing, 1);
    assert_eq!(collect(&mut shadow, &RECORDS, 1).1, ControlFlow::Break(()));
    assert_eq!(shadow.stats().skipped, 1);
    // A thousand matches of 16 bytes exceed the limit of 4,000 bytes, and the caller gets all of them.
    let (all, _) = collect(&mut shadow, &["a".repeat(1000).as_str()], usize::MAX);
    let stats = shadow.stats();
    assert_eq!((all.len(), stats.skipped, stats.compared), (1000, 2, 1), "{stats:?}");
    assert!(counts_add_up(stats), "{stats:?}");
    drop(shadow);
    assert_eq!(reported.iter().count(), 1);
}

#[test]
fn differences_over_the_limit_are_only_counted() {
    let (to, reported) = reports();
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .differences(3)
        .on_difference(move |difference| send(&to, difference.record))
        .start(with_changed_answers(|_, _| Ok(Vec::new())))
        .unwrap();
    shadow.scan(&batch(&["a"; 10]).as_batch(), &mut Matches::new()).unwrap();
    shadow.flush().unwrap();
    let stats = shadow.stats();
    drop(shadow);
    assert_eq!(reported.iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((stats.differences, stats.unreported, stats.differing), (10, 7, 1));
}
