//! Promises beyond the matches themselves: which backends a build has, what errors say, and what a
//! caller may do with sets, scanners and match lists.

use std::thread;

use dragnet::{
    Backend, Batch, BatchBuf, BuildError, Engine, EngineError, Match, Matches, Pattern, PatternSet,
    Report, Scan, ScanError, Scanner, StopFlag,
};

use dragnet_testkit::{Comparison, Native, Oracle, Spec, contenders, native, set};

const SPECS: [(&str, &str); 5] =
    [("secret", "i"), (r"\d+", ""), (r"\bab\b", ""), ("[a-f0-9]{8}", "-u"), ("", "")];

fn specs() -> Vec<Spec> {
    SPECS.iter().map(|(regex, flags)| Spec::new(*regex, flags)).collect()
}

/// `count` different records with several matches each.
fn records(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| format!("ab {i} Secret{i} deadbeef{}", "x".repeat(i % 70)).into()).collect()
}

fn batch_of(records: &[Vec<u8>]) -> BatchBuf {
    let mut batch = BatchBuf::new();
    for record in records {
        batch.push(record).unwrap();
    }
    batch
}

#[test]
fn an_unusable_native_backend_says_why() {
    let set = set(&specs());
    let auto = Engine::new(&set, Report::Patterns);
    assert_eq!(matches!(native(), Native::NotBuilt), !cfg!(feature = "native"));
    match native() {
        Native::Accepted => {
            let engine = Engine::with_backend(&set, Report::Patterns, Backend::Native).unwrap();
            assert_eq!(engine.backend(), Backend::Native);
            assert_eq!((auto.backend(), auto.fallback_reason()), (Backend::Native, None));
        }
        Native::NotBuilt => {
            let error = Engine::with_backend(&set, Report::Patterns, Backend::Native).unwrap_err();
            assert!(error.to_string().contains("--features native"), "{error}");
            // A build without the backend is not a refusal.
            assert_eq!((auto.backend(), auto.fallback_reason()), (Backend::Pure, None));
        }
        Native::Refused(error) => {
            assert_eq!((auto.backend(), auto.fallback_reason()), (Backend::Pure, Some(&error)));
            let (library, detail) = match &error {
                EngineError::SelfTest { library, case } => {
                    // It names the pattern, the record, and the matches expected and found.
                    assert!(case.len() > 10, "{case}");
                    (library, case.as_str())
                }
                EngineError::Library { library, reason } => (library, reason.as_str()),
                EngineError::TooOld { library } | EngineError::Unsupported { library } => {
                    (library, "")
                }
                other => panic!("no reason to refuse a library: {other}"),
            };
            let version: Vec<&str> = library.matches(|c: char| c.is_ascii_digit()).collect();
            assert!(version.len() >= 2 && library.contains('.'), "no version in {library:?}");
            assert!(error.to_string().contains(library), "{error}");
            assert!(error.to_string().contains(detail), "{error}");
        }
    }
    // Where CI expects the library to be usable, a test that falls back must not pass.
    match std::env::var("DRAGNET_EXPECT_NATIVE").as_deref() {
        Ok("accepted") => assert!(matches!(native(), Native::Accepted)),
        Ok("refused") => assert!(matches!(native(), Native::Refused(_))),
        Ok(other) => panic!("DRAGNET_EXPECT_NATIVE is {other:?}, not accepted or refused"),
        Err(_) => {}
    }
}

#[test]
fn the_pure_backend_is_in_every_build() {
    let set = set(&specs());
    let engine = Engine::with_backend(&set, Report::Spans, Backend::Pure).unwrap();
    assert_eq!((engine.backend(), engine.fallback_reason()), (Backend::Pure, None));
    assert!(contenders().iter().any(|contender| contender.name == "pure"));
}

#[test]
fn a_stopped_scan_has_no_matches_and_can_be_repeated() {
    let set = set(&specs());
    let records = records(100);
    let batch = batch_of(&records);
    let expected = Oracle::new(&specs()).spans(records.iter().map(Vec::as_slice));
    for contender in contenders() {
        let stop = StopFlag::new();
        let mut scanner = contender.scanner_with(&set, Report::Spans, stop.clone());
        let mut matches = Matches::new();
        for _ in 0..2 {
            scanner.scan(&batch.as_batch(), &mut matches).unwrap();
            assert_eq!(matches.as_slice(), expected, "{}", contender.name);
            stop.raise();
            let answer = scanner.scan(&batch.as_batch(), &mut matches);
            assert_eq!(answer, Err(ScanError::Stopped), "{}", contender.name);
            assert!(matches.is_empty(), "{}", contender.name);
            stop.clear();
        }
    }
}

#[test]
fn a_scan_stopped_while_running_is_all_or_nothing() {
    let set = set(&specs());
    let records = records(3000);
    let batch = batch_of(&records);
    for contender in contenders() {
        let mut matches = Matches::new();
        contender.scanner(&set, Report::Spans).scan(&batch.as_batch(), &mut matches).unwrap();
        let expected = matches.clone();
        for delay in [0, 1, 50, 500] {
            let stop = StopFlag::new();
            let mut scanner = contender.scanner_with(&set, Report::Spans, stop.clone());
            let answer = thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(std::time::Duration::from_micros(delay));
                    stop.raise();
                });
                scanner.scan(&batch.as_batch(), &mut matches)
            });
            match answer {
                Ok(()) => assert_eq!(matches, expected, "{}", contender.name),
                Err(ScanError::Stopped) => assert!(matches.is_empty(), "{}", contender.name),
                Err(error) => panic!("{}: {error}", contender.name),
            }
        }
    }
}

#[test]
fn a_match_list_is_replaced_and_keeps_its_allocation() {
    let set = set(&specs());
    let (many, few) = (records(200), records(3));
    for contender in contenders() {
        let mut matches = Matches::new();
        let mut scanner = contender.scanner(&set, Report::Spans);
        scanner.scan(&batch_of(&many).as_batch(), &mut matches).unwrap();
        let (first, place) = (matches.clone(), matches.as_slice().as_ptr());
        for records in [&few, &Vec::new(), &many] {
            scanner.scan(&batch_of(records).as_batch(), &mut matches).unwrap();
            assert_eq!(matches.is_empty(), records.is_empty(), "{}", contender.name);
            assert_eq!(matches.as_slice().as_ptr(), place, "{} allocates anew", contender.name);
        }
        assert_eq!(matches, first, "{}", contender.name);
    }
}

#[test]
fn scanners_of_one_set_work_side_by_side() {
    let set = set(&specs());
    let records = records(150);
    let expected = Oracle::new(&specs()).spans(records.iter().map(Vec::as_slice));
    for contender in contenders() {
        thread::scope(|scope| {
            for _ in 0..4 {
                let mut scanner = contender.scanner(&set, Report::Spans);
                let (batch, expected) = (batch_of(&records), &expected);
                scope.spawn(move || {
                    let mut matches = Matches::new();
                    for _ in 0..5 {
                        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
                        assert_eq!(matches.as_slice(), expected, "{}", contender.name);
                    }
                });
            }
        });
    }
}

#[test]
fn engines_are_shared_and_scanners_sent_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>() {}
    shared::<PatternSet>();
    shared::<Engine>();
    shared::<StopFlag>();
    shared::<Matches>();
    sent::<Scanner>();
    sent::<Box<dyn Scan>>();
}

#[test]
fn a_scanner_outlives_its_set_and_engine() {
    for contender in contenders() {
        let mut scanner = {
            let set = PatternSet::new(["a+"]).unwrap();
            contender.scanner(&set, Report::Spans)
        };
        let mut matches = Matches::new();
        scanner.scan(&batch_of(&[b"baa".to_vec()]).as_batch(), &mut matches).unwrap();
        assert_eq!(matches.as_slice(), [Match::new(0, 0, 1..3)], "{}", contender.name);
    }
}

#[test]
fn every_invalid_pattern_is_reported_with_its_position() {
    let rows: [(&str, Option<std::ops::Range<usize>>, &str); 8] = [
        ("a(b", Some(1..2), "unclosed group"),
        ("[z-a]", Some(1..4), "invalid character class range"),
        ("a**{", Some(3..4), "repetition"),
        (r"é\p{Nope}", Some(2..10), "Unicode property not found"),
        (r"(?-u:\pL)", Some(5..8), "Unicode not allowed"),
        (r"a\1", Some(1..3), "backreferences are not supported"),
        (r"(?=a)", Some(0..3), "look-around"),
        ("a{1000}{1000}", None, "limit"),
    ];
    let good = || Pattern::new("fine");
    let error = PatternSet::builder()
        .pattern(good())
        .patterns(rows.iter().map(|(regex, ..)| Pattern::new(*regex).name(format!("<{regex}>"))))
        .pattern(good())
        .build()
        .unwrap_err();
    let BuildError::Patterns(errors) = &error else { panic!("{error}") };
    assert_eq!(errors.len(), rows.len(), "{error}");
    for (number, (error, (regex, position, reason))) in (1..).zip(errors.iter().zip(&rows)) {
        assert_eq!((error.index(), error.regex()), (number, *regex));
        assert_eq!(error.name(), Some(format!("<{regex}>").as_str()));
        assert!(error.reason().contains(reason), "{regex}: {}", error.reason());
        assert_eq!(error.position(), *position, "{regex}: {error}");
        assert!(
            error.to_string().starts_with(&format!("pattern {number} (<{regex}>): ")),
            "{error}"
        );
    }
    assert_eq!(error.to_string().lines().count(), rows.len(), "{error}");
}

#[test]
fn every_scanner_accepts_patterns_within_the_limits() {
    // Close to the default limit of one pattern: a repetition, nested repetitions, and a literal.
    for regex in [r"(?-u:a{200000})", "(?-u:[ab]{3}){40000}", &"abcdefghij".repeat(40_000)] {
        let specs = [Spec::new(regex, "")];
        assert!(set(&specs).size() > 250_000);
        Comparison::new(&specs).assert_batch(&[b"ab".repeat(50), Vec::new()]);
    }
}

#[test]
fn record_numbers_and_offsets_may_exceed_sixteen_bits() {
    let text: Vec<u8> =
        (0..70_000).flat_map(|i| [&b"ab\n"[..], b"c\n", b"\n"][i % 3]).copied().collect();
    let specs = ["ab", "^[^a]", "b$"].map(|regex| Spec::new(regex, "-u"));
    let matches = Comparison::new(&specs).lines(&text).unwrap();
    assert_eq!(matches.last(), Some(&Match::new(69_999, 2, 1..2)));
}

#[test]
fn a_batch_with_offsets_outside_its_buffer_is_refused() {
    let rows: [(&[u32], bool); 8] = [
        (&[], true),
        (&[3], true),
        (&[0, 3], true),
        (&[1, 1, 1], true),
        (&[0, 4], false),
        (&[2, 1], false),
        (&[0, 3, 2], false),
        (&[u32::MAX, u32::MAX], false),
    ];
    let set = PatternSet::new([""]).unwrap();
    for (offsets, valid) in rows {
        let batch = Batch::from_offsets(b"abc", offsets);
        assert_eq!(batch.is_ok(), valid, "{offsets:?}");
        let Ok(batch) = batch else { continue };
        for contender in contenders() {
            let mut matches = Matches::new();
            contender.scanner(&set, Report::Patterns).scan(&batch, &mut matches).unwrap();
            let records: Vec<_> = matches.iter().map(Match::record).collect();
            let expected: Vec<_> = (0..offsets.len().saturating_sub(1)).collect();
            assert_eq!(records, expected, "{} {offsets:?}", contender.name);
        }
    }
}
