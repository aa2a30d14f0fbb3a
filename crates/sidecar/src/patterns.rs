//! A set of patterns as bytes, on its way to another process.

use dragnet::{BuildError, Pattern, PatternSet};

/// What stands for the length of a name that is not there.
const NO_NAME: u32 = u32::MAX;

/// Flags that are on, one bit each, in the order of [`Pattern`]'s setters.
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

/// Writes all patterns, each as its flags, the lengths of its text and name, and these.
pub(super) fn encode(set: &PatternSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    for pattern in set {
        // In range: a parsed text of 4 GiB would be over the limit on a pattern's size.
        let name = pattern.get_name().map_or(NO_NAME, |name| name.len() as u32);
        for number in [flags(pattern), pattern.as_str().len() as u32, name] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(pattern.as_str().as_bytes());
        bytes.extend_from_slice(pattern.get_name().unwrap_or("").as_bytes());
    }
    bytes
}

/// Why bytes are not a set of patterns.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    /// They are not what [`encode`] writes.
    #[error("pattern {0} is malformed")]
    Malformed(usize),
    /// Its patterns are not valid, or too large.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Reads what [`encode`] wrote: exactly `count` patterns. The bytes may be any.
pub(super) fn decode(
    bytes: &[u8],
    count: usize,
    set_size_limit: u64,
) -> Result<PatternSet, DecodeError> {
    let mut rest = bytes;
    // Not trusted with the room: each pattern has 12 bytes at least.
    let mut patterns = Vec::with_capacity(count.min(bytes.len() / 12));
    for number in 0..count {
        let pattern = take_pattern(&mut rest).ok_or(DecodeError::Malformed(number))?;
        patterns.push(pattern);
    }
    if !rest.is_empty() {
        return Err(DecodeError::Malformed(count));
    }
    // The client's own limits were kept when it parsed them; what one pattern may be is the most
    // that any client may allow.
    let builder = PatternSet::builder().pattern_size_limit(set_size_limit);
    Ok(builder.set_size_limit(set_size_limit).patterns(patterns).build()?)
}

fn take_pattern(rest: &mut &[u8]) -> Option<Pattern> {
    let flags = take_number(rest)?;
    let text = take_number(rest)?;
    let name = take_number(rest)?;
    if flags >> 7 != 0 {
        return None;
    }
    let on = |bit: u32| flags >> bit & 1 == 1;
    let pattern = Pattern::new(take_text(rest, text)?)
        .case_insensitive(on(0))
        .multi_line(on(1))
        .dot_matches_new_line(on(2))
        .ignore_whitespace(on(3))
        .crlf(on(4))
        .swap_greed(on(5))
        .unicode(on(6));
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
    fn a_set_survives_the_way_and_nothing_else_is_one() {
        let set = PatternSet::new([
            Pattern::new("a+"),
            Pattern::new("é").name("").case_insensitive(true).crlf(true),
            Pattern::new("").name("nämè").multi_line(true).swap_greed(true).unicode(false),
            Pattern::new("x y").dot_matches_new_line(true).ignore_whitespace(true),
        ])
        .unwrap();
        let bytes = encode(&set);
        let back = decode(&bytes, 4, 1000).unwrap();
        assert!(set.iter().eq(back.iter()));
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
                // Another set or none, and no panic.
                let _ = decode(&bytes, 4, 1000);
            }
        }
    }
}
