//! An interface to dragnet for JavaScript, in plain numbers only, so that neither side reads the
//! other's memory. `check.mjs` compares its matches with those of JavaScript.

use std::cell::RefCell;

use dragnet::pure::Isa;
use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};

/// What the calls so far have set up.
#[derive(Default)]
struct Session {
    /// The bytes since the last pattern or record.
    text: Vec<u8>,
    patterns: Vec<String>,
    batch: BatchBuf,
    matches: Matches,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// Appends a byte to the text of the next pattern or record.
// SAFETY: no other function of this module is exported as `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn byte(value: u8) {
    SESSION.with_borrow_mut(|session| session.text.push(value));
}

/// Makes the text a pattern. False if it is not UTF-8.
// SAFETY: no other function of this module is exported as `pattern`.
#[unsafe(no_mangle)]
pub extern "C" fn pattern() -> bool {
    SESSION.with_borrow_mut(|session| {
        let text = String::from_utf8(std::mem::take(&mut session.text));
        text.map(|text| session.patterns.push(text)).is_ok()
    })
}

/// Makes the text a record. False if the batch is full.
// SAFETY: no other function of this module is exported as `record`.
#[unsafe(no_mangle)]
pub extern "C" fn record() -> bool {
    SESSION
        .with_borrow_mut(|session| session.batch.push(&std::mem::take(&mut session.text)).is_ok())
}

/// Scans the records for the patterns, and removes both. The number of matches, or -1 for an error.
// SAFETY: no other function of this module is exported as `scan`.
#[unsafe(no_mangle)]
pub extern "C" fn scan() -> i32 {
    SESSION.with_borrow_mut(|session| {
        let batch = std::mem::take(&mut session.batch);
        let Ok(set) = PatternSet::new(std::mem::take(&mut session.patterns)) else { return -1 };
        let engine = Engine::new(&set, Report::Spans);
        let Ok(mut scanner) = engine.scanner() else { return -1 };
        match scanner.scan(&batch.as_batch(), &mut session.matches) {
            Ok(()) => session.matches.len() as i32,
            Err(_) => -1,
        }
    })
}

/// The record (`which` is 0), pattern (1), start (2) or end (3) of match `index`, or -1 if there is no
/// such match.
// SAFETY: no other function of this module is exported as `part`.
#[unsafe(no_mangle)]
pub extern "C" fn part(index: usize, which: u32) -> i32 {
    SESSION.with_borrow(|session| match (session.matches.as_slice().get(index), which) {
        (Some(found), 0) => found.record() as i32,
        (Some(found), 1) => found.pattern() as i32,
        (Some(found), 2) => found.range().start as i32,
        (Some(found), 3) => found.range().end as i32,
        _ => -1,
    })
}

/// The number of SIMD levels, including the scalar one.
// SAFETY: no other function of this module is exported as `levels`.
#[unsafe(no_mangle)]
pub extern "C" fn levels() -> usize {
    Isa::available().len()
}
