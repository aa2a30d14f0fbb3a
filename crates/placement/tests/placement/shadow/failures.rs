//! Failures of either engine and of the reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dragnet::{Matches, Scan, ScanError, StopFlag, pure};
use dragnet_boundary::{MakeError, StartError};
use dragnet_placement::{Shadow, ShadowFailure};

use super::{
    RECORDS, batch, counts_add_up, reports, scan_and_check, scanner, send, set,
    with_changed_answers,
};

#[test]
fn second_engines_errors_and_panics_are_reported() {
    let (to, reported) = reports();
    let (made, scans) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&made);
    let make = with_changed_answers(move |_, found| match scans.fetch_add(1, Ordering::SeqCst) {
        0 => Err(ScanError::Native { library: "one".to_owned(), code: -1 }),
        1 => panic!("on purpose"),
        _ => Ok(found.to_vec()),
    });
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .on_failure(move |failure| send(&to, failure.clone()))
        .start(move || match count.fetch_add(1, Ordering::SeqCst) {
            // The first attempt to replace the scanner that panicked.
            1 => Err("no more".to_owned()),
            _ => make(),
        })
        .unwrap();
    for _ in 0..4 {
        scan_and_check(&mut shadow);
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
    assert!(counts_add_up(stats), "{stats:?}");
}

#[test]
fn late_engine_is_stopped_and_stuck_engine_abandoned() {
    let (to, reported) = reports();
    let open = Arc::new(AtomicBool::new(false));
    let (gate, scans) = (Arc::clone(&open), AtomicUsize::new(0));
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .deadline(Duration::from_millis(50))
        .on_failure(move |failure| send(&to, failure.clone()))
        .start(with_changed_answers(move |stop, found| {
            match scans.fetch_add(1, Ordering::SeqCst) {
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
    // On a busy machine a batch may be skipped, because its turn comes too late.
    while shadow.stats().failed < 2 {
        scan_and_check(&mut shadow);
        shadow.flush().unwrap();
    }
    let failed = shadow.stats();
    assert_eq!((failed.compared, failed.pending), (0, 0), "{failed:?}");
    open.store(true, Ordering::SeqCst);
    // A late answer to an abandoned batch is not counted.
    while shadow.stats().compared == 0 {
        scan_and_check(&mut shadow);
        shadow.flush().unwrap();
    }
    let stats = shadow.stats();
    drop(shadow);
    let reported: Vec<ShadowFailure> = reported.iter().take(2).collect();
    let found: Vec<_> = reported.iter().map(|f| (f.error.clone(), f.abandoned)).collect();
    assert_eq!(found, [(ScanError::TimedOut, false), (ScanError::TimedOut, true)]);
    assert_eq!(stats.differing, 0);
    assert!(counts_add_up(stats), "{stats:?}");
}

#[test]
fn first_engines_errors_are_returned_and_not_compared() {
    let mut shadow =
        Shadow::builder(scanner(), &set()).sample(1).start(|| Ok::<_, String>(scanner())).unwrap();
    let stop = StopFlag::new();
    shadow.set_stop(stop.clone());
    stop.raise();
    let mut matches = Matches::new();
    let answer = shadow.scan(&batch(&RECORDS).as_batch(), &mut matches);
    assert_eq!((answer, matches.len()), (Err(ScanError::Stopped), 0));
    stop.clear();
    scan_and_check(&mut shadow);
    shadow.flush().unwrap();
    let stats = shadow.stats();
    assert_eq!((stats.seen, stats.sampled, stats.compared, stats.failed), (2, 1, 1, 0));
}

#[test]
fn panicking_callback_ends_only_its_batchs_reports() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let mut shadow = Shadow::builder(scanner(), &set())
        .sample(1)
        .on_difference(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose");
        })
        .start(with_changed_answers(|_, _| Ok(Vec::new())))
        .unwrap();
    for _ in 0..3 {
        scan_and_check(&mut shadow);
        shadow.flush().unwrap();
    }
    let stats = shadow.stats();
    assert_eq!((stats.compared, stats.differing, stats.failed, stats.pending), (3, 3, 0, 0));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn start_fails_if_the_second_engine_cannot_be_made() {
    let failed = Shadow::builder(scanner(), &set())
        .start(|| Err::<pure::Scanner, _>("no library".to_owned()))
        .unwrap_err();
    assert_eq!(failed.to_string(), "the value could not be made: no library");
    let panicked = Shadow::builder(scanner(), &set())
        .start(|| -> Result<pure::Scanner, String> { panic!("on purpose") })
        .unwrap_err();
    assert!(matches!(panicked, StartError::Make(MakeError::Panicked(m)) if m == "on purpose"));
}
