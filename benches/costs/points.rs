//! Scans with a known number of events: generated texts, and points that differ in that number only.

use super::support::{LOWER, Rng};

/// A scan.
pub(crate) struct Point {
    pub(crate) patterns: Vec<String>,
    pub(crate) text: Vec<u8>,
    /// The number of events in the text.
    pub(crate) events: f64,
    /// The number of matches.
    pub(crate) matches: usize,
}

/// The number of lines of a text.
pub(crate) const LINES: usize = 2000;
/// The number of bytes of a slot, of which a line has [`SLOTS`]: it is about as long as a line of a log.
const SLOT: usize = 36;
const SLOTS: usize = 4;

/// Lines in whose last slots there are `events` events, and lower-case letters in all others.
pub(crate) fn text(events: usize, event: impl Fn(&mut Rng, usize) -> String) -> Vec<u8> {
    let mut random = Rng::new(1);
    let mut text = Vec::with_capacity(LINES * (SLOTS * SLOT + 1));
    for _ in 0..LINES {
        for slot in 0..SLOTS {
            let event =
                if slot >= SLOTS - events { event(&mut random, slot) } else { String::new() };
            let letters = SLOT - 2 - event.len();
            let words = random.string(LOWER, letters / 2)
                + " "
                + &random.string(LOWER, letters.div_ceil(2));
            text.extend_from_slice(format!("{event} {words}").as_bytes());
        }
        text.push(b'\n');
    }
    text
}

/// Lines without events.
pub(crate) fn plain() -> Vec<u8> {
    text(0, |_, _| String::new())
}

/// Points with 0, 1 and 3 events in each line, of which none is a match unless `matches`.
pub(crate) fn by_events(
    patterns: &[String],
    matches: bool,
    event: impl Fn(&mut Rng, usize) -> String,
) -> Vec<Point> {
    let point = |count: usize| Point {
        patterns: patterns.to_vec(),
        text: text(count, &event),
        events: (LINES * count) as f64,
        matches: if matches { LINES * count } else { 0 },
    };
    [0, 1, 3].map(point).into()
}

/// Points with the patterns for each of `numbers`, and as many events for each byte as that number.
pub(crate) fn by_patterns(
    text: &[u8],
    numbers: &[usize],
    patterns: impl Fn(usize) -> Vec<String>,
) -> Vec<Point> {
    let point = |&number: &usize| Point {
        patterns: patterns(number),
        text: text.to_vec(),
        events: (number * text.len()) as f64,
        matches: 0,
    };
    numbers.iter().map(point).collect()
}

/// Points with a third, two thirds and all of a text, and an event for each `stride` bytes.
pub(crate) fn by_bytes(text: &[u8], stride: f64, patterns: &[String]) -> Vec<Point> {
    let point = |len: usize| Point {
        patterns: patterns.to_vec(),
        text: text[..len].to_vec(),
        events: len as f64 / stride,
        matches: 0,
    };
    let lines = |share: usize| {
        let len = text.len() * share / 3;
        len + memchr::memchr(b'\n', &text[len..]).map_or(0, |at| at + 1)
    };
    [lines(1), lines(2), text.len()].map(point).into()
}
