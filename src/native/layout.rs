//! The layouts and constants that C and Rust share, read from `csrc/layout.h`.
//!
//! The header is the only place that defines them. A `const fn` parses it at compile time, and
//! assertions compare the Rust types with it; `csrc/scan.c` asserts the same of the C types. If the
//! two sides disagree, the crate does not compile. The alternative is bindgen, which needs libclang
//! at build time, for a dozen numbers.

use std::ffi::{c_int, c_uint};

use crate::Match;
use crate::batch::PADDING;
use crate::matches::NO_SPAN;

const HEADER: &[u8] = include_bytes!("../../csrc/layout.h");

// Return values of `dragnet_hs_scan`, documented there. Others are error codes of libhs.
pub(super) const DONE: c_int = define("DRAGNET_DONE") as c_int;
pub(super) const FULL: c_int = define("DRAGNET_FULL") as c_int;
pub(super) const STOPPED: c_int = define("DRAGNET_STOPPED") as c_int;

// Constants of libhs.
pub(super) const HS_FLAG_SINGLEMATCH: c_uint = define("DRAGNET_HS_FLAG_SINGLEMATCH") as c_uint;
pub(super) const HS_MODE_BLOCK: c_uint = define("DRAGNET_HS_MODE_BLOCK") as c_uint;

const _: () = {
    assert!(size_of::<Match>() == define("DRAGNET_MATCH_SIZE"));
    assert!(align_of::<Match>() == define("DRAGNET_MATCH_ALIGN"));
    let [record, pattern, start, end] = Match::OFFSETS;
    assert!(record == define("DRAGNET_MATCH_RECORD"));
    assert!(pattern == define("DRAGNET_MATCH_PATTERN"));
    assert!(start == define("DRAGNET_MATCH_START"));
    assert!(end == define("DRAGNET_MATCH_END"));
    // As `u64`, because the number does not fit in a signed word of 32 bits.
    assert!(NO_SPAN as u64 == define("DRAGNET_NO_SPAN") as u64);
    assert!(PADDING == define("DRAGNET_PADDING"));
};

/// Returns the value of `#define name`. Fails the compilation if the header has no such line.
const fn define(name: &str) -> usize {
    let mut line = 0;
    while line < HEADER.len() {
        if let Some(at) = skip(line, b"#define ")
            && let Some(at) = skip(at, name.as_bytes())
            && let Some(at) = skip(at, b" ")
        {
            return parse_decimal(at);
        }
        while line < HEADER.len() && HEADER[line] != b'\n' {
            line += 1;
        }
        line += 1;
    }
    panic!("csrc/layout.h does not define this name")
}

/// Returns the position after `text` if the header contains `text` at position `at`.
const fn skip(at: usize, text: &[u8]) -> Option<usize> {
    let mut i = 0;
    while i < text.len() {
        if at + i >= HEADER.len() || HEADER[at + i] != text[i] {
            return None;
        }
        i += 1;
    }
    Some(at + text.len())
}

/// Parses the decimal number at position `at`, which must end with white space.
const fn parse_decimal(mut at: usize) -> usize {
    let mut value = 0;
    assert!(HEADER[at].is_ascii_digit(), "not a plain decimal number");
    while at < HEADER.len() && HEADER[at].is_ascii_digit() {
        value = 10 * value + (HEADER[at] - b'0') as usize;
        at += 1;
    }
    assert!(at < HEADER.len() && HEADER[at].is_ascii_whitespace(), "not a plain decimal number");
    value
}
