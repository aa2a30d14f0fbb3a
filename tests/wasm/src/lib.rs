//! Exports dragnet to JavaScript. All arguments and results are integers, so neither side needs to
//! read the other's memory. `check.mjs` compares the matches with those of JavaScript.

use std::cell::RefCell;

use dragnet::pure::Isa;
use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};

/// The state that the exported functions share.
#[derive(Default)]
struct Session {
    /// The bytes of the pattern or record that is being passed.
    text: Vec<u8>,
    patterns: Vec<String>,
    batch: BatchBuf,
    matches: Matches,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// Appends a byte to the pattern or record that is being passed.
// SAFETY: no other function of this module is exported as `push_byte`.
#[unsafe(no_mangle)]
pub extern "C" fn push_byte(value: u8) {
    SESSION.with_borrow_mut(|session| session.text.push(value));
}

/// Adds the bytes passed since the last call as a pattern. Returns false if they are not UTF-8.
// SAFETY: no other function of this module is exported as `finish_pattern`.
#[unsafe(no_mangle)]
pub extern "C" fn finish_pattern() -> bool {
    SESSION.with_borrow_mut(|session| {
        let text = String::from_utf8(std::mem::take(&mut session.text));
        text.map(|text| session.patterns.push(text)).is_ok()
    })
}

/// Adds the bytes passed since the last call as a record. Returns false if the batch is full.
// SAFETY: no other function of this module is exported as `finish_record`.
#[unsafe(no_mangle)]
pub extern "C" fn finish_record() -> bool {
    SESSION
        .with_borrow_mut(|session| session.batch.push(&std::mem::take(&mut session.text)).is_ok())
}

/// Scans the records for the patterns and removes both. Returns the number of matches, or -1 for an
/// error.
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

/// Returns one field of match `index`: its record (`field` is 0), pattern (1), start (2) or end
/// (3). Returns -1 if there is no such match or field, or no span.
// SAFETY: no other function of this module is exported as `match_field`.
#[unsafe(no_mangle)]
pub extern "C" fn match_field(index: usize, field: u32) -> i32 {
    SESSION.with_borrow(|session| match (session.matches.as_slice().get(index), field) {
        (Some(found), 0) => found.record() as i32,
        (Some(found), 1) => found.pattern() as i32,
        (Some(found), 2) => found.span().map_or(-1, |span| span.start as i32),
        (Some(found), 3) => found.span().map_or(-1, |span| span.end as i32),
        _ => -1,
    })
}

/// Returns the number of instruction sets that can be used here, including the scalar fallback.
// SAFETY: no other function of this module is exported as `simd_levels`.
#[unsafe(no_mangle)]
pub extern "C" fn simd_levels() -> usize {
    Isa::available().len()
}
