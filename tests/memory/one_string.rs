//! Searching one string, and finding groups, allocate nothing but their results.

use std::hint::black_box;
use std::ops::ControlFlow;

use dragnet::PatternSet;

use crate::{BY_THREAD, alone};

/// Asserts that `run` allocates nothing once it has run before.
fn assert_allocates_nothing(what: &str, mut run: impl FnMut()) {
    run();
    let before = BY_THREAD.get();
    run();
    assert_eq!(BY_THREAD.get(), before, "{what}");
}

#[test]
fn searches_of_one_string_allocate_only_their_results() {
    let _turn = alone();
    let set = PatternSet::new([r"key=(\w+)", r"\d{3}", "(a|ab)(c|bcd)*"]).unwrap();
    let texts = ["key=abc 123", "abcdabcd", "nothing here", ""];
    assert_allocates_nothing("is_match", || {
        texts.iter().for_each(|text| _ = black_box(set.is_match(text)));
    });
    assert_allocates_nothing("find_iter", || {
        texts.iter().for_each(|text| _ = black_box(set.find_iter(text).count()));
    });
    assert_allocates_nothing("matches of nothing", || {
        _ = black_box(set.matches("nothing here").matched_any());
    });
    // One allocation for the numbers of all patterns that match.
    let matches = || drop(black_box(set.matches("key=abc 123")));
    matches();
    let before = BY_THREAD.get();
    matches();
    assert_eq!(BY_THREAD.get() - before, 3 * size_of::<u32>());

    let mut finder = set.captures_finder();
    assert_allocates_nothing("groups in a record", || {
        for (pattern, text) in (0..set.len()).flat_map(|p| texts.map(|text| (p, text))) {
            let _ = finder.for_each(pattern, text.as_bytes(), |captures| {
                assert!(captures.len() > 0);
                ControlFlow::Continue(())
            });
        }
    });
    assert_allocates_nothing("captures", || {
        for text in texts {
            for m in set.find_iter(text) {
                assert!(finder.captures(&m, text.as_bytes()).unwrap().len() > 0);
            }
        }
    });
}
