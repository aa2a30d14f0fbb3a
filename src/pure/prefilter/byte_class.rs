//! Which bytes of a buffer are in a class, as bits.
//!
//! [Nibble masks](super::nibble_masks) answer this exactly: each of the sixteen high nibbles is a
//! set of its own, and the entry of a low nibble has the sets of those high nibbles with which it
//! forms a byte of the class. Classes of ASCII bytes need only the first eight sets, which halves
//! the work. simdjson classifies characters in the same way (Langdale and Lemire, "Parsing
//! Gigabytes of JSON per Second", VLDB Journal 28, 2019).

use std::ops::Range;

use super::nibble_masks::{NibbleMasks, NibbleTables};
use crate::pure::literal::ByteSet;
use crate::simd::{Isa, Kernel, Vector};

/// The number of bytes that are classified together: one bit of a word each.
pub(super) const WORD: usize = 64;

/// A class of bytes as nibble masks.
#[derive(Debug)]
pub(super) struct ByteClass {
    masks: NibbleMasks,
}

impl ByteClass {
    pub(super) fn new(set: &ByteSet) -> ByteClass {
        let mut masks = NibbleMasks::default();
        for high in 0..16u8 {
            let (half, bit) = (usize::from(high / 8), 1 << (high % 8));
            masks.high[half][usize::from(high)] = bit;
            for low in (0..16).filter(|low| set.contains(high << 4 | low)) {
                masks.low[half][usize::from(low)] |= bit;
            }
        }
        ByteClass { masks }
    }

    /// Classifies the bytes of `range`, a word at a time. Calls `word` with the position of the
    /// word's first byte; the word, which has a bit for each byte that is in the class, the first
    /// byte's lowest; and the number of bytes, which is less than [`WORD`] in the last word only.
    pub(super) fn classify(
        &self,
        isa: Isa,
        buffer: &[u8],
        range: Range<usize>,
        word: &mut impl FnMut(usize, u64, usize),
    ) {
        let masks = &self.masks;
        if masks.low[1] == [0; 16] {
            isa.run(Classify::<1, _> { masks, buffer, range, word });
        } else {
            isa.run(Classify::<2, _> { masks, buffer, range, word });
        }
    }
}

/// The arguments of [`ByteClass::classify`], with the number of halves of the sets in use.
struct Classify<'a, const HALVES: usize, F> {
    masks: &'a NibbleMasks,
    buffer: &'a [u8],
    range: Range<usize>,
    word: &'a mut F,
}

impl<const HALVES: usize, F: FnMut(usize, u64, usize)> Kernel for Classify<'_, HALVES, F> {
    #[inline(always)]
    fn run<V: Vector>(self, token: V::Token) {
        let Classify { masks, buffer, range, word } = self;
        let tables = NibbleTables::<V>::new(token, masks);
        let mut base = range.start;
        while base + WORD <= range.end {
            let mut bits = 0;
            let mut part = 0;
            while part < WORD {
                let at = base + part;
                let bytes = V::load(token, &buffer[at..at + V::BYTES]);
                let (first, second) = tables.lookup::<HALVES>(bytes);
                let members = if HALVES == 1 { first } else { first.or(second) };
                bits |= members.nonzero_mask() << part;
                part += V::BYTES;
            }
            word(base, bits, WORD);
            base += WORD;
        }
        Classify::<HALVES, F> { masks, buffer, range: base..range.end, word }.run_scalar();
    }

    fn run_scalar(self) {
        let Classify { masks, buffer, range, word } = self;
        for base in range.clone().step_by(WORD) {
            let bytes = &buffer[base..range.end.min(base + WORD)];
            let mut bits = 0;
            for (index, &byte) in bytes.iter().enumerate() {
                let [first, second] = masks.sets(byte);
                bits |= u64::from(first | second != 0) << index;
            }
            word(base, bits, bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::literal::any_run;
    use super::*;

    #[test]
    fn a_class_has_exactly_its_bytes() {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let pattern = r"[\x00\x0F-\x2A07a-fz\x7F\x80\x9C-\xF0\xFF]{30}";
        let set = any_run(&parser.clone().parse(pattern).unwrap()).unwrap().class;
        let class = ByteClass::new(&set);
        let all: Vec<u8> = (0..=255).collect();
        let expected: Vec<u8> = (0..=255)
            .filter(|b| {
                matches!(b, 0 | 0x0F..=0x2A | b'0' | b'7' | b'a'..=b'f' | b'z' | 0x7F | 0x80
                    | 0x9C..=0xF0 | 0xFF)
            })
            .collect();
        for isa in Isa::available() {
            let mut found = Vec::new();
            let mut word = |base: usize, bits: u64, count: usize| {
                found.extend((0..count).filter(|i| bits >> i & 1 != 0).map(|i| (base + i) as u8));
            };
            class.classify(isa, &all, 0..256, &mut word);
            assert_eq!(found, expected, "{isa}");
        }
    }
}
