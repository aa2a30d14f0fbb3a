//! Notices that appear in the test log even if the test passes.

use std::io::Write;

/// Prints a line to standard error. Does not use the print macros, because the test harness
/// captures their output and shows it only if the test fails.
pub fn say(text: &str) {
    // A closed stream is no reason to fail a test.
    let _ = writeln!(std::io::stderr(), "dragnet tests: {text}");
}

/// Says that `what`, a single word, is not tested on this machine or in this build, and why.
///
/// # Panics
///
/// If `DRAGNET_EXPECT`, a list of words separated by spaces, contains `what`: where something is
/// expected to be tested, a test that skips it must not pass.
pub fn not_tested(what: &str, why: &str) {
    let expected = std::env::var("DRAGNET_EXPECT").unwrap_or_default();
    let is_expected = expected.split_whitespace().any(|word| word == what);
    assert!(!is_expected, "DRAGNET_EXPECT={expected}, but {what} can't be tested: {why}");
    say(&format!("not tested here: {what}: {why}"));
}
