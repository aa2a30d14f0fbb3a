//! Divides the bytes into classes that an automaton does not distinguish, so that its table has a column for each class
//! and not for each byte.

use super::positions::looks::ALL_KINDS;

/// The largest number of parts that [`ByteClasses::divide`] may divide a class into.
const MAX_PARTS: usize = ALL_KINDS;

/// Classes of bytes. At first, all bytes are of one class.
pub(super) struct ByteClasses {
    /// By byte: its class.
    classes: [u8; 256],
    count: usize,
}

impl ByteClasses {
    pub(super) fn new() -> ByteClasses {
        ByteClasses { classes: [0; 256], count: 1 }
    }

    /// Divides each class by the number of the part that a byte belongs to, below [`MAX_PARTS`].
    pub(super) fn divide(&mut self, part: impl Fn(u8) -> usize) {
        let mut numbers = [[None; MAX_PARTS]; 256];
        self.count = 0;
        for (byte, class) in (0..=255).zip(&mut self.classes) {
            let number = &mut numbers[usize::from(*class)][part(byte)];
            *class = *number.get_or_insert_with(|| {
                self.count += 1;
                // There are no more classes than bytes.
                (self.count - 1) as u8
            });
        }
    }

    /// The class of each byte, and a byte of each class.
    pub(super) fn finish(self) -> ([u8; 256], Vec<u8>) {
        let mut samples = vec![0; self.count];
        (0..=255).zip(self.classes).for_each(|(byte, class)| samples[usize::from(class)] = byte);
        (self.classes, samples)
    }
}
