//! Random records that patterns are likely to match, also across the boundary of two records if an
//! engine wrongly allows that.

use regex_syntax::hir::Hir;

use super::{Choices, Rng, sample};

/// Bytes that are not valid UTF-8, line ends, and bytes that are frequent in patterns.
const NOISE: &[u8] = b"ab _-.\n\r\0\x80\xC3\xA9\xE2\xFF";

/// The widths of vectors, in bytes.
const VECTORS: &[usize] = &[16, 32, 64];

/// Generates records from random pieces: no records, many short or few long ones. `hirs` are the
/// patterns, and `alphabet` has the bytes that they contain. Neither may be empty.
pub fn records(choices: &mut dyn Choices, hirs: &[Hir], alphabet: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Records::default();
    let pieces = match choices.weighted(&[6, 2, 1]) {
        0 => choices.list(0, 11, |choices| records.piece(choices, hirs, alphabet)),
        1 => choices.list(12, 39, |choices| records.piece(choices, hirs, alphabet)),
        _ => choices.list(20, 119, |choices| match choices.below(2) {
            0 => records.cut(),
            _ => records.letters(choices, alphabet, 3),
        }),
    };
    if !pieces.is_empty() {
        records.cut();
    }
    records.ended
}

#[derive(Default)]
struct Records {
    ended: Vec<Vec<u8>>,
    /// The record that the next piece is appended to.
    last: Vec<u8>,
}

impl Records {
    fn piece(&mut self, choices: &mut dyn Choices, hirs: &[Hir], alphabet: &[u8]) {
        match choices.weighted(&[4, 5, 5, 2, 2, 2, 1]) {
            0 => self.cut(),
            1 => self.letters(choices, alphabet, 12),
            2 => {
                let text = text(choices, hirs);
                self.last.extend(text);
            }
            3 => {
                // One byte changed or left out.
                let mut text = text(choices, hirs);
                let with = choices.flag().then(|| choices.below(256) as u8);
                if !text.is_empty() {
                    let at = choices.below(text.len());
                    text.splice(at..=at, with);
                }
                self.last.extend(text);
            }
            4 => {
                // The next record starts within it.
                let text = text(choices, hirs);
                let (head, tail) = text.split_at(choices.below(text.len() + 1));
                self.last.extend_from_slice(head);
                self.cut();
                self.last.extend_from_slice(tail);
            }
            5 => {
                let noise = choices.list(1, 3, |choices| choices.pick(NOISE));
                self.last.extend(noise);
            }
            _ => self.fill(choices, alphabet),
        }
    }

    /// Ends a record.
    fn cut(&mut self) {
        self.ended.push(std::mem::take(&mut self.last));
    }

    fn letters(&mut self, choices: &mut dyn Choices, alphabet: &[u8], max: usize) {
        let letters = choices.list(1, max, |choices| choices.pick(alphabet));
        self.last.extend(letters);
    }

    /// Appends one byte over and over, up to the next multiple of a vector's width, or to one byte
    /// less or more.
    fn fill(&mut self, choices: &mut dyn Choices, alphabet: &[u8]) {
        let width = choices.pick(VECTORS);
        let end = (self.last.len() + 1).next_multiple_of(width) + choices.below(3) - 1;
        self.last.resize(end.max(self.last.len()), choices.pick(alphabet));
    }
}

/// A text that some pattern may match.
fn text(choices: &mut dyn Choices, hirs: &[Hir]) -> Vec<u8> {
    let hir = &hirs[choices.below(hirs.len())];
    // One choice is the seed of the whole text. With a choice for each byte, shrinking would take
    // too long.
    let seed = choices.below(256) as u64;
    let mut text = Vec::new();
    sample(hir, &mut Rng::new(seed), &mut text);
    text
}
