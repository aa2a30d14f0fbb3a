//! Look-around assertions: which of them hold between two bytes.
//!
//! All assertions but the Unicode word boundaries depend on the two bytes next to a boundary alone,
//! and of these only on five kinds of byte. So a table of 25 entries decides every assertion.

use regex_syntax::hir::Look;

use crate::pure::literal::ByteSet;

/// A set of assertions that hold together, or that are required together: the bits of
/// [`Look::as_repr`].
pub(in crate::pure::automata) type Looks = u32;

/// The assertions that the record starts or ends here.
pub(super) const START: Looks = Look::Start.as_repr();
pub(super) const END: Looks = Look::End.as_repr();

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

/// By the kinds of the bytes before and after a boundary: the assertions that hold there.
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

/// Whether the table decides this assertion. It does not decide Unicode word boundaries, which
/// depend on whole characters.
pub(super) fn is_decidable(look: Look) -> bool {
    let anywhere = HOLDING.iter().flatten().fold(0, |all, looks| all | looks);
    anywhere & look.as_repr() != 0
}

/// The assertions that hold at offset `at` of `record`.
#[inline]
pub(in crate::pure::automata) fn holding_at(record: &[u8], at: usize) -> Looks {
    let kind = |byte: Option<&u8>| byte.map_or(Kind::Edge as usize, |&b| kind_of(b));
    HOLDING[kind(at.checked_sub(1).and_then(|before| record.get(before)))][kind(record.get(at))]
}

/// The kind of a byte, below [`KINDS`].
pub(in crate::pure::automata) fn kind_of(byte: u8) -> usize {
    usize::from(KIND_OF[usize::from(byte)])
}

/// The kinds of the bytes of a set, as bits.
pub(super) fn kinds_of(class: &ByteSet) -> u8 {
    class.iter().fold(0, |kinds, byte| kinds | 1 << kind_of(byte))
}

/// What is known of required assertions when only the kinds of the bytes on both sides are known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    Always,
    Never,
    /// These assertions depend on the two bytes.
    Depends(Looks),
}

/// Decides `required` as far as possible between a byte of the kinds `before` and one of the kinds
/// `after`.
pub(super) fn outlook(required: Looks, before: u8, after: u8) -> Outlook {
    let (mut everywhere, mut possible) = (required, false);
    for (before_kind, row) in HOLDING.iter().enumerate() {
        for (after_kind, &holding) in row.iter().enumerate() {
            if before >> before_kind & after >> after_kind & 1 != 0 {
                everywhere &= holding;
                possible |= required & !holding == 0;
            }
        }
    }
    match required & !everywhere {
        _ if !possible => Outlook::Never,
        0 => Outlook::Always,
        depends => Outlook::Depends(depends),
    }
}
