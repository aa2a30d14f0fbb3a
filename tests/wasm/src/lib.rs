//! Patterns and records from JavaScript, and what is found in them, all as plain numbers, so that
//! neither side reads the other's memory.

use std::cell::RefCell;

use dragnet::pure::Isa;
use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};

#[derive(Default)]
struct State {
    text: Vec<u8>,
    patterns: Vec<String>,
    batch: BatchBuf,
    matches: Matches,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Appends a byte to the text that the next call takes.
// SAFETY: no other function here has this name.
#[unsafe(no_mangle)]
pub extern "C" fn byte(value: u8) {
    STATE.with_borrow_mut(|state| state.text.push(value));
}

/// Takes the text as one more pattern. False if it is not UTF-8.
// SAFETY: as for `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn pattern() -> bool {
    STATE.with_borrow_mut(|state| {
        let text = String::from_utf8(std::mem::take(&mut state.text));
        text.map(|text| state.patterns.push(text)).is_ok()
    })
}

/// Takes the text as one more record. False if the batch is full.
// SAFETY: as for `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn record() -> bool {
    STATE.with_borrow_mut(|state| state.batch.push(&std::mem::take(&mut state.text)).is_ok())
}

/// Scans the records for the patterns and forgets both. The number of matches, or -1 if there is
/// an error.
// SAFETY: as for `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn scan() -> i32 {
    STATE.with_borrow_mut(|state| {
        let batch = std::mem::take(&mut state.batch);
        let Ok(set) = PatternSet::new(std::mem::take(&mut state.patterns)) else { return -1 };
        let engine = Engine::new(&set, Report::Spans);
        let Ok(mut scanner) = engine.scanner() else { return -1 };
        match scanner.scan(&batch.as_batch(), &mut state.matches) {
            Ok(()) => state.matches.len() as i32,
            Err(_) => -1,
        }
    })
}

/// Record, pattern, start or end (0 to 3) of a match, or -1 if there is none of this number.
// SAFETY: as for `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn part(index: usize, which: u32) -> i32 {
    STATE.with_borrow(|state| match (state.matches.as_slice().get(index), which) {
        (Some(found), 0) => found.record() as i32,
        (Some(found), 1) => found.pattern() as i32,
        (Some(found), 2) => found.range().start as i32,
        (Some(found), 3) => found.range().end as i32,
        _ => -1,
    })
}

/// How many levels of vector instructions there are, the scalar one included.
// SAFETY: as for `byte`.
#[unsafe(no_mangle)]
pub extern "C" fn levels() -> usize {
    Isa::available().len()
}
