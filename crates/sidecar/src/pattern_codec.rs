//! Encodes a set of patterns as bytes, for the server to compile.
//!
//! Each pattern is seven little-endian words: the flags, the number of the group to report, three bounds, the
//! length of the text and the length of the name, followed by the text and the name. The patterns are
//! sent as text, not in compiled form: the server may use another backend, and a parser is easier to
//! trust with bytes from another process than a compiled automaton is.

use dragnet::{BuildError, Pattern, PatternSet};

/// The length that stands for a pattern without a name.
const NO_NAME: u32 = u32::MAX;

/// The value that stands for no greatest offset. No record is longer.
const NO_MAX_OFFSET: u32 = u32::MAX;

/// The length of a pattern's seven words, in bytes.
const HEADER_LEN: usize = 28;

/// The flags of a pattern, one bit each, in the order of [`Pattern`]'s setters.
fn flags(pattern: &Pattern) -> u32 {
    let flags = pattern.flags();
    [
        flags.case_insensitive,
        flags.multi_line,
        flags.dot_matches_new_line,
        flags.ignore_whitespace,
        flags.crlf,
        flags.swap_greed,
        flags.unicode,
    ]
    .iter()
    .rev()
    .fold(0, |bits, &on| bits << 1 | u32::from(on))
}

/// Encodes all patterns of a set, in their order.
pub(super) fn encode(set: &PatternSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    for pattern in set {
        // In range: a text of 4 GiB would exceed every limit on the size of a pattern, and a pattern
        // has the group that it is to report.
        let group = pattern.get_report_group() as u32;
        let name = pattern.get_name().map_or(NO_NAME, |name| name.len() as u32);
        let bounds = pattern.bounds();
        // No record is as long as 2^32 bytes, so that a greater bound means the same.
        let word = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let words = [
            flags(pattern),
            group,
            word(bounds.min_offset),
            bounds.max_offset.map_or(NO_MAX_OFFSET, word),
            word(bounds.min_length),
            pattern.as_str().len() as u32,
            name,
        ];
        for number in words {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(pattern.as_str().as_bytes());
        bytes.extend_from_slice(pattern.get_name().unwrap_or("").as_bytes());
    }
    bytes
}

/// Why bytes could not be decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// The bytes were not written by [`encode`].
    #[error("pattern {0} is malformed")]
    Malformed(usize),
    /// The patterns are invalid or too large.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Decodes exactly `count` patterns from bytes that may hold anything.
pub(super) fn decode(
    bytes: &[u8],
    count: usize,
    set_size_limit: u64,
) -> Result<PatternSet, DecodeError> {
    let mut rest = bytes;
    // `count` is not trusted: the capacity is at most the number of patterns that fit in `bytes`.
    let mut patterns = Vec::with_capacity(count.min(bytes.len() / HEADER_LEN));
    for number in 0..count {
        let pattern = take_pattern(&mut rest).ok_or(DecodeError::Malformed(number))?;
        patterns.push(pattern);
    }
    if !rest.is_empty() {
        return Err(DecodeError::Malformed(count));
    }
    // The client has applied its own limit on the size of a pattern. The server applies only the
    // limit on the set, which bounds each pattern too.
    let builder = PatternSet::builder().pattern_size_limit(set_size_limit);
    Ok(builder.set_size_limit(set_size_limit).patterns(patterns).build()?)
}

fn take_pattern(rest: &mut &[u8]) -> Option<Pattern> {
    let flags = take_number(rest)?;
    let group = take_number(rest)?;
    let (min_offset, max_offset) = (take_number(rest)?, take_number(rest)?);
    let min_length = take_number(rest)?;
    let text = take_number(rest)?;
    let name = take_number(rest)?;
    if flags >> 7 != 0 {
        return None;
    }
    let on = |bit: u32| flags >> bit & 1 == 1;
    let mut pattern = Pattern::new(take_text(rest, text)?)
        .report_group(group as usize)
        .min_offset(min_offset as usize)
        .min_length(min_length as usize)
        .case_insensitive(on(0))
        .multi_line(on(1))
        .dot_matches_new_line(on(2))
        .ignore_whitespace(on(3))
        .crlf(on(4))
        .swap_greed(on(5))
        .unicode(on(6));
    if max_offset != NO_MAX_OFFSET {
        pattern = pattern.max_offset(max_offset as usize);
    }
    if name == NO_NAME {
        return Some(pattern);
    }
    Some(pattern.name(take_text(rest, name)?))
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?))
}

fn take_text<'a>(rest: &mut &'a [u8], len: u32) -> Option<&'a str> {
    std::str::from_utf8(rest.split_off(..len as usize)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_round_trip_and_damage_never_panics() {
        let set = PatternSet::new([
            Pattern::new("a+"),
            Pattern::new("é").name("").case_insensitive(true).crlf(true),
            Pattern::new("").name("nämè").multi_line(true).swap_greed(true).unicode(false),
            Pattern::new("x (y)")
                .dot_matches_new_line(true)
                .ignore_whitespace(true)
                .report_group(1)
                .min_offset(1)
                .max_offset(30)
                .min_length(2),
        ])
        .unwrap();
        let bytes = encode(&set);
        let decoded = decode(&bytes, 4, 1000).unwrap();
        assert!(set.iter().eq(decoded.iter()));
        assert!(matches!(decode(&bytes, 4, 1), Err(DecodeError::Build(_))));
        for count in [0, 1, 2, 3, 5, usize::MAX] {
            assert!(matches!(decode(&bytes, count, 1000), Err(DecodeError::Malformed(_))));
        }
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len], 4, 1000).is_err());
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                // Decodes to another set or fails, but does not panic.
                let _ = decode(&bytes, 4, 1000);
            }
        }
    }
}
