//! What is written in place of a match.

use std::fmt;
use std::sync::Arc;

/// What is written in place of a match. Cheap to clone.
///
/// ```
/// use dragnet::redact::{Redactor, Replacement};
/// use dragnet::{Engine, Pattern, PatternSet, Report};
///
/// let set = PatternSet::new([Pattern::new(r"\d{4,}").name("number"), Pattern::new(r"\w+@\w+")])?;
/// let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
/// let mut redactor = Redactor::new(&set)
///     .replacement(Replacement::keep_last(2))
///     .pattern_replacement(1, Replacement::with(|hidden, out| out.extend(hidden.bytes().iter().map(|_| b'x'))));
/// let redacted = redactor.redact(&mut scanner, b"card 12345678 of me@here")?;
/// assert_eq!(redacted, b"card ****78 of xxxxxxx");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Replacement {
    kind: Kind,
}

type With = dyn Fn(&Hidden<'_>, &mut Vec<u8>) + Send + Sync;

#[derive(Clone)]
enum Kind {
    Text(Arc<[u8]>),
    Name,
    KeepLast(usize),
    #[cfg(feature = "keyed-hash")]
    KeyedHash(Box<hmac::Hmac<sha2::Sha256>>),
    With(Arc<With>),
}

/// The number of bytes of a keyed hash that are written, two digits each.
#[cfg(feature = "keyed-hash")]
const HASH_BYTES: usize = 8;

impl Replacement {
    /// The text, whatever matches.
    pub fn text(text: impl AsRef<[u8]>) -> Replacement {
        Replacement { kind: Kind::Text(text.as_ref().into()) }
    }

    /// `[REDACTED:name]` with the name of the pattern, or `[REDACTED]` if it has none. The default.
    pub fn name() -> Replacement {
        Replacement { kind: Kind::Name }
    }

    /// `****` and the last `count` characters of the match. A match that has no more than that is hidden
    /// as a whole, and so is one that another match overlaps. A byte that is not UTF-8 counts as a character.
    ///
    /// Choose a count that is small beside the shortest match.
    pub fn keep_last(count: usize) -> Replacement {
        Replacement { kind: Kind::KeepLast(count) }
    }

    /// `[REDACTED:name:hash]`, or `[REDACTED:hash]` if the pattern has no name, where the hash is the
    /// HMAC-SHA-256 of the matching bytes, of which the first 64 bits are written as 16 hexadecimal digits.
    ///
    /// Equal matches have equal hashes, whatever their pattern is, so that it remains visible where the same
    /// secret occurs. Among a million different secrets, two share a hash with a probability of 3 in 10^8.
    /// Who has the key can test whether a guess is right: keep it as secret as the matches. It may have any
    /// length; 32 random bytes are enough.
    ///
    /// Available with the feature `keyed-hash`.
    #[cfg(feature = "keyed-hash")]
    pub fn keyed_hash(key: &[u8]) -> Replacement {
        let mac = hmac::KeyInit::new_from_slice(key).expect("HMAC takes keys of any length");
        Replacement { kind: Kind::KeyedHash(Box::new(mac)) }
    }

    /// What the function appends to the list.
    pub fn with(write: impl Fn(&Hidden<'_>, &mut Vec<u8>) + Send + Sync + 'static) -> Replacement {
        Replacement { kind: Kind::With(Arc::new(write)) }
    }

    /// Appends the replacement to `out`.
    pub(super) fn write(&self, hidden: &Hidden<'_>, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Text(text) => out.extend_from_slice(text),
            Kind::Name => label(hidden, None, out),
            Kind::KeepLast(count) => {
                out.extend_from_slice(b"****");
                if !hidden.is_merged {
                    out.extend_from_slice(last_characters(hidden.bytes, *count));
                }
            }
            #[cfg(feature = "keyed-hash")]
            Kind::KeyedHash(mac) => {
                use hmac::Mac;

                let hash = mac.as_ref().clone().chain_update(hidden.bytes).finalize().into_bytes();
                let mut digits = [0; 2 * HASH_BYTES];
                for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
                    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                    pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
                }
                label(hidden, Some(&digits), out);
            }
            Kind::With(write) => write(hidden, out),
        }
    }
}

fn label(hidden: &Hidden<'_>, hash: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[REDACTED");
    for part in [hidden.name.map(str::as_bytes), hash].into_iter().flatten() {
        out.push(b':');
        out.extend_from_slice(part);
    }
    out.push(b']');
}

/// The last `count` characters of `bytes`; nothing if there are no more than that.
fn last_characters(bytes: &[u8], count: usize) -> &[u8] {
    let mut start = bytes.len();
    for _ in 0..count {
        // A character has up to four bytes.
        let lens = 1..=start.min(4);
        let is_character = |&len: &usize| std::str::from_utf8(&bytes[start - len..start]).is_ok();
        start -= lens.into_iter().find(is_character).unwrap_or(1.min(start));
    }
    if start == 0 { &[] } else { &bytes[start..] }
}

impl fmt::Debug for Replacement {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Text(text) => write!(f, "Text(\"{}\")", text.escape_ascii()),
            Kind::Name => f.write_str("Name"),
            Kind::KeepLast(count) => write!(f, "KeepLast({count})"),
            #[cfg(feature = "keyed-hash")]
            Kind::KeyedHash(_) => f.write_str("KeyedHash(..)"),
            Kind::With(_) => f.write_str("With(..)"),
        }
    }
}

/// A match that is being hidden. Passed to the function of [`Replacement::with`].
#[derive(Clone, Copy, Debug)]
pub struct Hidden<'a> {
    pub(super) pattern: usize,
    pub(super) name: Option<&'a str>,
    pub(super) bytes: &'a [u8],
    pub(super) is_merged: bool,
}

impl<'a> Hidden<'a> {
    /// Returns the number of the pattern in its set, from 0.
    pub fn pattern(&self) -> usize {
        self.pattern
    }

    /// Returns the name of the pattern, if it has one.
    pub fn name(&self) -> Option<&'a str> {
        self.name
    }

    /// Returns the matching bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns whether another match overlaps this one, so that both are replaced together. The bytes are
    /// then only those of this match, and some or all of them belong to the other one, too.
    pub fn is_merged(&self) -> bool {
        self.is_merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(replacement: &Replacement, name: Option<&str>, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        let hidden = Hidden { pattern: 0, name, bytes, is_merged: false };
        replacement.write(&hidden, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_last_characters_are_whole() {
        let cases: [(&[u8], usize, &[u8]); 10] = [
            (b"", 0, b""),
            (b"abc", 0, b""),
            (b"abc", 1, b"c"),
            (b"abc", 2, b"bc"),
            (b"abc", 3, b""),
            (b"abc", 9, b""),
            ("aé星\u{10000}".as_bytes(), 3, "é星\u{10000}".as_bytes()),
            (b"a\xC3\xA9\xA9", 1, b"\xA9"),
            (b"a\xC3\xA9\xA9", 2, b"\xC3\xA9\xA9"),
            (b"\xFF\xFF\xFF", 2, b"\xFF\xFF"),
        ];
        for (bytes, count, expected) in cases {
            assert_eq!(last_characters(bytes, count), expected, "{bytes:?} {count}");
        }
    }

    #[test]
    fn labels_have_the_name_if_there_is_one() {
        assert_eq!(replaced(&Replacement::name(), None, b"x"), "[REDACTED]");
        assert_eq!(replaced(&Replacement::name(), Some("key"), b"x"), "[REDACTED:key]");
    }

    /// Test case 2 of RFC 4231.
    #[cfg(feature = "keyed-hash")]
    #[test]
    fn keyed_hashes_are_those_of_the_standard() {
        let hash = Replacement::keyed_hash(b"Jefe");
        let text = b"what do ya want for nothing?";
        assert_eq!(replaced(&hash, Some("key"), text), "[REDACTED:key:5bdcc146bf60754e]");
        assert_eq!(replaced(&hash, None, text), "[REDACTED:5bdcc146bf60754e]");
        assert_eq!(format!("{hash:?}"), "KeyedHash(..)");
    }
}
