//! The promises about single strings that the properties do not check: threads, sharing, memory.

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::{PatternSet, SetMatches};

#[test]
fn sets_can_cross_threads_and_panics() {
    fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    check::<PatternSet>();
    check::<SetMatches>();
}

#[test]
fn a_set_is_freed_with_its_engines() {
    let set = PatternSet::new(["(a)b", "x|y"]).unwrap();
    assert!(set.is_match("ab") && set.captures_iter("ab").count() == 1);
    let weak = set.weak();
    drop(set);
    assert!(weak.upgrade().is_none());
}

#[test]
fn threads_and_nested_calls_share_a_set() {
    let set = PatternSet::new([r"\d+", "[a-z]+"]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let set = &set;
            scope.spawn(move || {
                for i in 0..50 {
                    let text = format!("{i} thread {thread}");
                    let found = set.find_iter(&text).map(|m| m.pattern());
                    // A call while an iterator holds a scanner.
                    let nested = found.inspect(|_| assert!(set.find_iter(&text).len() == 3));
                    assert!(nested.eq([0, 0, 1]));
                    assert!(set.matches(&text).iter().eq([0, 1]) && set.is_match(&text));
                }
            });
        }
    });
}

#[test]
fn clones_share_engines() {
    let set = PatternSet::new(["a"]).unwrap();
    let clone = set.clone();
    assert!(clone.is_match("a"));
    assert!(set.search().patterns.get().is_some());
    assert!(set.search().spans.get().is_none());
    assert!(set.detached().search().patterns.get().is_none());
}

#[test]
fn empty_sets_and_texts_are_valid() {
    let none = PatternSet::new([""; 0]).unwrap();
    assert!(!none.is_match("") && !none.matches("a").matched_any());
    assert_eq!(none.find_iter("a").len(), 0);
    let empty = PatternSet::new(["", "a", "^$"]).unwrap();
    assert!(empty.is_match("") && empty.matches("").into_iter().eq([0, 2]));
    assert!(!empty.matches("").matched(usize::MAX));
    assert!(empty.find_iter("b").map(|m| m.range()).eq([0..0, 1..1]));
}

#[test]
fn captures_of_a_reported_group_are_of_whole_matches() {
    let patterns = ["k=(v+);?|(w)", "k"].map(|p| crate::Pattern::new(p).report_group(0));
    let [first, second] = patterns;
    let set = PatternSet::new([first.report_group(1), second]).unwrap();
    let text = b"k=vv;k=v w";
    let spans: Vec<_> = set.find_iter(text).map(|m| (m.pattern(), m.range())).collect();
    assert_eq!(spans, [(0, 2..4), (0, 7..8), (0, 9..10), (1, 0..1), (1, 5..6)]);
    let whole: Vec<_> =
        set.captures_iter(text).map(|c| c.get(0).map(|group| group.range())).collect();
    assert_eq!(whole, [0..5, 5..8, 9..10, 0..1, 5..6].map(Some));
    let mut finder = set.captures_finder();
    for (m, expected) in set.find_iter(text).zip(whole) {
        let captures = finder.captures(&m, text).unwrap();
        assert_eq!(captures.get(0).map(|group| group.range()), expected);
    }
}

#[test]
fn a_literal_may_overlap_itself() {
    let set = PatternSet::new([r"abab\d"]).unwrap();
    let literal = crate::pure::Engine::new(&set, crate::Report::Spans).only_literal();
    assert_eq!(literal.as_deref(), Some(&b"abab"[..]));
    for (text, expected) in [("ababab1", Some(2..7)), ("abababa", None), ("abab", None)] {
        assert_eq!(set.is_match(text), expected.is_some(), "{text}");
        assert_eq!(set.find_iter(text).next().map(|m| m.range()), expected, "{text}");
    }
}

#[test]
fn bounds_hold_where_a_literal_is_searched() {
    let set = PatternSet::new([crate::Pattern::new(r"key\d").min_offset(2)]).unwrap();
    let literal = crate::pure::Engine::new(&set, crate::Report::Spans).only_literal();
    assert_eq!(literal.as_deref(), Some(&b"key"[..]));
    for (text, expected) in [("key1", false), ("a key1", true), ("key1 key2", true), ("key", false)]
    {
        assert_eq!(set.is_match(text), expected, "{text}");
        assert_eq!(set.matches(text).matched_any(), expected, "{text}");
        assert_eq!(set.find_iter(text).len(), usize::from(expected), "{text}");
    }
}
