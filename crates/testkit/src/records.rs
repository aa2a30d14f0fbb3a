//! Records that patterns are likely to match, and to match across if an engine lets them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regex_syntax::hir::Hir;

use super::{Rng, sample};

/// A piece of a batch. Pieces join to records, which a cut ends.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The next record starts.
    Cut,
    /// Text that a pattern may match.
    Sample {
        pattern: Index,
        seed: u64,
    },
    /// The same with one byte changed or left out.
    Broken {
        pattern: Index,
        seed: u64,
        at: Index,
        with: Option<u8>,
    },
    /// The same with the next record starting inside of it.
    Split {
        pattern: Index,
        seed: u64,
        at: Index,
    },
    /// Bytes that the patterns speak of.
    Letters(Vec<Index>),
    Noise(Vec<u8>),
    /// One byte over and over, up to the next multiple of a vector's width, or one less or more.
    Fill {
        width: usize,
        off: usize,
        letter: Index,
    },
}

/// The pieces of a batch, of any size from nothing to many short records or few long ones.
pub fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let many_short = vec(prop_oneof![Just(Piece::Cut), letters(3)], 20..120);
    prop_oneof![
        6 => vec(piece(), 0..12),
        2 => vec(piece(), 12..40),
        1 => many_short,
    ]
}

fn piece() -> impl Strategy<Value = Piece> {
    let at = || any::<Index>();
    let noise = select(b"ab\0\n\r\x80\xC3\xA9\xE2\xFF _-.".to_vec());
    prop_oneof![
        4 => Just(Piece::Cut),
        5 => (at(), 0..1000u64).prop_map(|(pattern, seed)| Piece::Sample { pattern, seed }),
        2 => (at(), 0..1000u64, at(), any::<Option<u8>>())
            .prop_map(|(pattern, seed, at, with)| Piece::Broken { pattern, seed, at, with }),
        2 => (at(), 0..1000u64, at())
            .prop_map(|(pattern, seed, at)| Piece::Split { pattern, seed, at }),
        5 => letters(12),
        2 => vec(noise, 1..4).prop_map(Piece::Noise),
        1 => (select(vec![16usize, 32, 64]), 0..3usize, at())
            .prop_map(|(width, off, letter)| Piece::Fill { width, off, letter }),
    ]
}

fn letters(most: usize) -> impl Strategy<Value = Piece> {
    vec(any::<Index>(), 1..=most).prop_map(Piece::Letters)
}

/// The records that `pieces` make for patterns that were parsed to `hirs` and that speak of the
/// bytes in `alphabet`, which must not be empty.
pub fn assemble(hirs: &[Hir], alphabet: &[u8], pieces: &[Piece]) -> Vec<Vec<u8>> {
    if pieces.is_empty() {
        return Vec::new();
    }
    let draw = |pattern: &Index, seed: u64| {
        let mut text = Vec::new();
        sample(pattern.get(hirs), &mut Rng::new(seed), &mut text);
        text
    };
    let mut records = Vec::new();
    let mut record = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Cut => records.push(std::mem::take(&mut record)),
            Piece::Sample { pattern, seed } => record.extend(draw(pattern, *seed)),
            Piece::Broken { pattern, seed, at, with } => {
                let mut text = draw(pattern, *seed);
                if !text.is_empty() {
                    let at = at.index(text.len());
                    text.splice(at..=at, *with);
                }
                record.extend(text);
            }
            Piece::Split { pattern, seed, at } => {
                let text = draw(pattern, *seed);
                let (head, tail) = text.split_at(at.index(text.len() + 1));
                record.extend_from_slice(head);
                records.push(std::mem::replace(&mut record, tail.to_vec()));
            }
            Piece::Letters(indices) => record.extend(indices.iter().map(|i| *i.get(alphabet))),
            Piece::Noise(bytes) => record.extend_from_slice(bytes),
            Piece::Fill { width, off, letter } => {
                let len = (record.len() + 1).next_multiple_of(*width) + off - 1;
                record.resize(len.max(record.len()), *letter.get(alphabet));
            }
        }
    }
    records.push(record);
    records
}
