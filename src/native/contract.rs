//! What both sides of the boundary agree on: the values of `csrc/contract.h`, read while this is
//! compiled, and the assertions that the Rust types have them. The C side asserts the same.

use std::ffi::{c_int, c_uint};

use crate::Match;
use crate::batch::PADDING;

const HEADER: &[u8] = include_bytes!("../../csrc/contract.h");

pub(super) const DONE: c_int = defined("DRAGNET_DONE") as c_int;
pub(super) const FULL: c_int = defined("DRAGNET_FULL") as c_int;
pub(super) const STOPPED: c_int = defined("DRAGNET_STOPPED") as c_int;
pub(super) const BROKEN: c_int = defined("DRAGNET_BROKEN") as c_int;
pub(super) const GO_ON: i32 = defined("DRAGNET_GO_ON") as i32;
pub(super) const HS_FLAG_SINGLEMATCH: c_uint = defined("DRAGNET_HS_FLAG_SINGLEMATCH") as c_uint;
pub(super) const HS_MODE_BLOCK: c_uint = defined("DRAGNET_HS_MODE_BLOCK") as c_uint;

const _: () = {
    assert!(size_of::<Match>() == defined("DRAGNET_MATCH_SIZE"));
    assert!(align_of::<Match>() == defined("DRAGNET_MATCH_ALIGN"));
    let [record, pattern, start, end] = Match::OFFSETS;
    assert!(record == defined("DRAGNET_MATCH_RECORD"));
    assert!(pattern == defined("DRAGNET_MATCH_PATTERN"));
    assert!(start == defined("DRAGNET_MATCH_START"));
    assert!(end == defined("DRAGNET_MATCH_END"));
    assert!(PADDING == defined("DRAGNET_PADDING"));
};

/// The number that the header defines this name as. Fails the build if it doesn't.
const fn defined(name: &str) -> usize {
    let mut line = 0;
    while line < HEADER.len() {
        if let Some(at) = after(line, b"#define ")
            && let Some(at) = after(at, name.as_bytes())
            && let Some(at) = after(at, b" ")
        {
            return number(at);
        }
        while line < HEADER.len() && HEADER[line] != b'\n' {
            line += 1;
        }
        line += 1;
    }
    panic!("not defined in contract.h")
}

/// The position behind `text` if the header has it at `at`.
const fn after(at: usize, text: &[u8]) -> Option<usize> {
    let mut i = 0;
    while i < text.len() {
        if at + i >= HEADER.len() || HEADER[at + i] != text[i] {
            return None;
        }
        i += 1;
    }
    Some(at + text.len())
}

const fn number(mut at: usize) -> usize {
    let mut value = 0;
    assert!(HEADER[at].is_ascii_digit(), "not a plain decimal number");
    while at < HEADER.len() && HEADER[at].is_ascii_digit() {
        value = 10 * value + (HEADER[at] - b'0') as usize;
        at += 1;
    }
    assert!(at < HEADER.len() && HEADER[at].is_ascii_whitespace(), "not a plain decimal number");
    value
}
