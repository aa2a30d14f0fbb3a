//! Lines that a test prints for whoever reads its log, whether it passes or not.

use std::io::Write;

/// Prints a line to the standard error stream itself: what the print macros print, the test harness
/// shows only if the test fails.
pub fn say(text: &str) {
    // A closed stream is no reason to fail a test.
    let _ = writeln!(std::io::stderr(), "dragnet tests: {text}");
}

/// Says that `what`, a single word, is not tested on this machine or in this build, and why.
///
/// # Panics
///
/// If `DRAGNET_EXPECT`, a list of words with blanks between them, has `what` in it: where something
/// is expected to be tested, a test that skips it must not pass.
pub fn not_tested(what: &str, why: &str) {
    let expected = std::env::var("DRAGNET_EXPECT").unwrap_or_default();
    let is_expected = expected.split_whitespace().any(|word| word == what);
    assert!(!is_expected, "DRAGNET_EXPECT={expected}, but {what} can't be tested: {why}");
    say(&format!("not tested here: {what}: {why}"));
}
