//! Look-around assertions: which of them hold between two bytes.
//!
//! All assertions but the Unicode word boundaries depend on the two bytes next to a boundary alone,
//! and of these only on five kinds of byte. So a table of 25 entries decides every assertion. It decides
//! Unicode word boundaries, too, where both bytes are ASCII; elsewhere the characters are decoded.

use regex_automata::util::look::{Look as AutomataLook, LookMatcher};
use regex_syntax::hir::Look;

use crate::pure::literal::ByteSet;

/// A set of assertions that hold together, or that are required together: the bits of
/// [`Look::as_repr`].
pub(in crate::pure::automata) type Looks = u32;

/// The assertions that the record starts or ends here.
pub(super) const START: Looks = Look::Start.as_repr();
pub(super) const END: Looks = Look::End.as_repr();
/// The assertion that a line starts here, after "\n" or at the start of the record.
pub(super) const START_LF: Looks = Look::StartLF.as_repr();

/// The assertions that depend on whole characters.
const UNICODE: [Look; 6] = [
    Look::WordUnicode,
    Look::WordUnicodeNegate,
    Look::WordStartUnicode,
    Look::WordEndUnicode,
    Look::WordStartHalfUnicode,
    Look::WordEndHalfUnicode,
];
/// All of these.
const ANY_UNICODE: Looks = {
    let (mut all, mut index) = (0, 0);
    while index < UNICODE.len() {
        all |= UNICODE[index].as_repr();
        index += 1;
    }
    all
};

/// What an assertion may distinguish in a byte next to a boundary.
#[derive(Clone, Copy)]
enum Kind {
    /// No byte: the start or the end of the record.
    Edge,
    Word,
    LineFeed,
    CarriageReturn,
    Other,
}

pub(in crate::pure::automata) const KINDS: usize = 5;
/// The kind of no byte: a boundary is at the start or the end of the record.
pub(in crate::pure::automata) const EDGE: usize = Kind::Edge as usize;

/// By byte: its [`Kind`].
static KIND_OF: [u8; 256] = {
    let mut kinds = [Kind::Other as u8; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_' {
            kinds[byte] = Kind::Word as u8;
        }
        byte += 1;
    }
    kinds[b'\n' as usize] = Kind::LineFeed as u8;
    kinds[b'\r' as usize] = Kind::CarriageReturn as u8;
    kinds
};

/// By the kinds of the bytes before and after a boundary: the assertions that hold there. Those about
/// Unicode count only if both bytes are ASCII.
pub(in crate::pure::automata) static HOLDING: [[Looks; KINDS]; KINDS] = {
    use Kind::{CarriageReturn, Edge, LineFeed, Other, Word};
    let kinds = [Edge, Word, LineFeed, CarriageReturn, Other];
    let mut table = [[0; KINDS]; KINDS];
    let mut index = 0;
    while index < KINDS * KINDS {
        let (before, after) = (kinds[index / KINDS], kinds[index % KINDS]);
        table[index / KINDS][index % KINDS] = holding_between(before, after);
        index += 1;
    }
    table
};

const fn holding_between(before: Kind, after: Kind) -> Looks {
    let (start, end) = (matches!(before, Kind::Edge), matches!(after, Kind::Edge));
    let after_line = start || matches!(before, Kind::LineFeed);
    let before_line = end || matches!(after, Kind::LineFeed);
    // A boundary within "\r\n" is neither a start nor an end of a line.
    let crlf = matches!((before, after), (Kind::CarriageReturn, Kind::LineFeed));
    let after_crlf = (after_line || matches!(before, Kind::CarriageReturn)) && !crlf;
    let before_crlf = (before_line || matches!(after, Kind::CarriageReturn)) && !crlf;
    let (word_before, word_after) = (matches!(before, Kind::Word), matches!(after, Kind::Word));
    let all = [
        (Look::Start, start),
        (Look::End, end),
        (Look::StartLF, after_line),
        (Look::EndLF, before_line),
        (Look::StartCRLF, after_crlf),
        (Look::EndCRLF, before_crlf),
        (Look::WordAscii, word_before != word_after),
        (Look::WordAsciiNegate, word_before == word_after),
        (Look::WordStartAscii, !word_before && word_after),
        (Look::WordEndAscii, word_before && !word_after),
        (Look::WordStartHalfAscii, !word_before),
        (Look::WordEndHalfAscii, !word_after),
        (Look::WordUnicode, word_before != word_after),
        (Look::WordUnicodeNegate, word_before == word_after),
        (Look::WordStartUnicode, !word_before && word_after),
        (Look::WordEndUnicode, word_before && !word_after),
        (Look::WordStartHalfUnicode, !word_before),
        (Look::WordEndHalfUnicode, !word_after),
    ];
    let (mut looks, mut index) = (0, 0);
    while index < all.len() {
        if all[index].1 {
            looks |= all[index].0.as_repr();
        }
        index += 1;
    }
    looks
}

/// The assertion that is the same where there are only ASCII characters.
pub(in crate::pure::automata) fn in_ascii(look: Look) -> Look {
    match look {
        Look::WordUnicode => Look::WordAscii,
        Look::WordUnicodeNegate => Look::WordAsciiNegate,
        Look::WordStartUnicode => Look::WordStartAscii,
        Look::WordEndUnicode => Look::WordEndAscii,
        Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
        Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
        other => other,
    }
}

/// The assertions that hold at offset `at` of `record`. Of those about Unicode, only the ones in `asked`
/// are decided.
#[inline]
pub(in crate::pure::automata) fn holding_at(record: &[u8], at: usize, asked: Looks) -> Looks {
    let (before, after) = (at.checked_sub(1).and_then(|before| record.get(before)), record.get(at));
    let kind = |byte: Option<&u8>| byte.map_or(Kind::Edge as usize, |&b| kind_of(b));
    let holding = HOLDING[kind(before)][kind(after)];
    let is_ascii = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii);
    if asked & ANY_UNICODE == 0 || is_ascii(before) && is_ascii(after) {
        return holding;
    }
    holding & !ANY_UNICODE | unicode_at(record, at, asked)
}

/// The assertions about Unicode in `asked` that hold at offset `at` of `record`. Decodes the characters and
/// searches for them in a table.
#[cold]
fn unicode_at(record: &[u8], at: usize, asked: Looks) -> Looks {
    let matcher = LookMatcher::new();
    let holds = |look: &&Look| {
        asked & look.as_repr() != 0
            && AutomataLook::from_repr(look.as_repr())
                .is_some_and(|look| matcher.matches(look, record, at))
    };
    UNICODE.iter().filter(holds).fold(0, |all, look| all | look.as_repr())
}

/// The kind of a byte, below [`KINDS`].
pub(in crate::pure::automata) fn kind_of(byte: u8) -> usize {
    usize::from(KIND_OF[usize::from(byte)])
}

/// In [`any_kind_of`], the kind of bytes that are not ASCII. They are [`Kind::Other`] to all assertions but those
/// about Unicode.
const NOT_ASCII: usize = KINDS;
/// The number of kinds, with that one.
pub(in crate::pure::automata) const ALL_KINDS: usize = NOT_ASCII + 1;

/// The kind of a byte, below [`ALL_KINDS`].
pub(super) fn any_kind_of(byte: u8) -> usize {
    if byte.is_ascii() { kind_of(byte) } else { NOT_ASCII }
}

/// The kinds of the bytes of a set, as bits.
pub(super) fn kinds_of(class: &ByteSet) -> u8 {
    class.iter().fold(0, |kinds, byte| kinds | 1 << any_kind_of(byte))
}

/// What is known of required assertions when only the kinds of the bytes on both sides are known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    Always,
    Never,
    /// These assertions depend on the two bytes, or on their characters.
    Depends(Looks),
}

/// Decides `required` as far as possible between a byte of the kinds `before` and one of the kinds
/// `after`.
pub(super) fn outlook(required: Looks, before: u8, after: u8) -> Outlook {
    let (mut everywhere, mut possible) = (required, false);
    let row_of = |kind: usize| if kind == NOT_ASCII { Kind::Other as usize } else { kind };
    for before_kind in (0..=NOT_ASCII).filter(|kind| before >> kind & 1 != 0) {
        for after_kind in (0..=NOT_ASCII).filter(|kind| after >> kind & 1 != 0) {
            let holding = HOLDING[row_of(before_kind)][row_of(after_kind)];
            let depends = if before_kind.max(after_kind) == NOT_ASCII { ANY_UNICODE } else { 0 };
            everywhere &= holding & !depends;
            possible |= required & !(holding | depends) == 0;
        }
    }
    match required & !everywhere {
        _ if !possible => Outlook::Never,
        0 => Outlook::Always,
        depends => Outlook::Depends(depends),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::records;
    use super::*;

    fn all() -> impl Iterator<Item = Look> {
        (0..32).filter_map(|bit| Look::from_repr(1 << bit))
    }

    fn holds(look: Look, record: &[u8], at: usize) -> bool {
        LookMatcher::new().matches(AutomataLook::from_repr(look.as_repr()).unwrap(), record, at)
    }

    /// In records of whole and of broken characters.
    #[test]
    fn assertions_hold_where_the_matcher_says() {
        for record in records("a \n\ré".as_bytes(), 4) {
            for at in 0..=record.len() {
                for asked in UNICODE.map(Look::as_repr).into_iter().chain([0, ANY_UNICODE]) {
                    let holding = holding_at(&record, at, asked);
                    let decided = |look: &Look| look.as_repr() & (asked | !ANY_UNICODE) != 0;
                    for look in all().filter(decided) {
                        let found = holding & look.as_repr() != 0;
                        let text = record.escape_ascii();
                        assert_eq!(found, holds(look, &record, at), "{look:?} at {at} of {text}");
                    }
                }
            }
        }
    }

    /// All sets of kinds on both sides, and all pairs of assertions.
    #[test]
    fn outlooks_are_what_all_pairs_of_bytes_have_in_common() {
        const BYTES: &[u8] = b"a \n\r\xC3";
        // By pair of bytes: the assertions that hold between them, and those that more bytes decide.
        let between = |before: u8, after: u8| {
            let is_unicode = |look: &Look| look.as_repr() & ANY_UNICODE != 0;
            let depends =
                |look: &Look| is_unicode(look) && !(before.is_ascii() && after.is_ascii());
            let bits = |looks: &dyn Fn(&Look) -> bool| {
                all().filter(looks).fold(0, |bits, look| bits | look.as_repr())
            };
            let held = bits(&|look| !depends(look) && holds(*look, &[before, after], 1));
            (held, bits(&depends))
        };
        let pairs = BYTES.iter().map(|&a| BYTES.iter().map(|&b| between(a, b)).collect());
        let pairs: Vec<Vec<(Looks, Looks)>> = pairs.collect();
        let members = |set: usize| (0..BYTES.len()).filter(move |index| set >> index & 1 != 0);
        let kinds = |set: usize| kinds_of(&members(set).map(|index| BYTES[index]).collect());
        for (before, after) in
            (1..1 << BYTES.len()).flat_map(|a| (1..1 << BYTES.len()).map(move |b| (a, b)))
        {
            let of_pairs = || members(before).flat_map(|a| members(after).map(move |b| (a, b)));
            for required in all().flat_map(|a| all().map(move |b| a.as_repr() | b.as_repr())) {
                let always = of_pairs().fold(required, |all, (a, b)| all & pairs[a][b].0);
                let possible =
                    of_pairs().any(|(a, b)| required & !(pairs[a][b].0 | pairs[a][b].1) == 0);
                let expected = match required & !always {
                    _ if !possible => Outlook::Never,
                    0 => Outlook::Always,
                    depends => Outlook::Depends(depends),
                };
                assert_eq!(outlook(required, kinds(before), kinds(after)), expected);
            }
        }
    }
}
