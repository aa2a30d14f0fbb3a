//! A buffer that files are read into.

use std::io::{self, Read};

/// The most memory that is added for one call of the system, in bytes. Memory is filled with zeros when it is
/// added, so a caller that wants much more than a file has should not get all of it at once.
const MAX_ADDED: usize = 1 << 20;

/// Bytes, and after them memory for more.
///
/// A vector that is extended for a read is filled with zeros first. For a search for one literal this takes a
/// tenth of the time, so here the memory is filled once and used again. The standard library reads to the end
/// of a vector without that, but begins with 32 bytes and 8 KiB each time.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// The bytes, and after them whatever was read before. Only [`Buffer::fill`] makes it shorter.
    memory: Vec<u8>,
    len: usize,
}

impl Buffer {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[..self.len]
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bytes that the memory has room for.
    pub(super) fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Removes the bytes from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Returns memory after the bytes, `count` of them.
    pub(super) fn reserve(&mut self, count: usize) -> &mut [u8] {
        let end = self.len + count;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.len..end]
    }

    /// Adds the first `count` bytes of what [`reserve`](Buffer::reserve) returned.
    pub(super) fn advance(&mut self, count: usize) {
        self.len += count;
        debug_assert!(self.len <= self.memory.len());
    }

    /// Appends the next `count` bytes of `reader`, or fewer if it ends before. Returns their number. Also if
    /// reading fails, the bytes before are appended.
    ///
    /// `left` is the number of bytes that a file should have left, if its size is known. Bytes that end there,
    /// and are fewer than were wanted, are the last ones: this saves the read that would return none.
    pub(super) fn read(
        &mut self,
        reader: &mut impl Read,
        count: usize,
        left: Option<usize>,
    ) -> io::Result<usize> {
        let mut filled = 0;
        while filled < count {
            match reader.read(self.reserve((count - filled).min(MAX_ADDED))) {
                Ok(0) => break,
                Ok(read) => {
                    self.advance(read);
                    filled += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if left == Some(filled) {
                break;
            }
        }
        Ok(filled)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len()).copy_from_slice(bytes);
        self.advance(bytes.len());
    }

    /// Removes `count` bytes at `start`.
    pub(super) fn remove(&mut self, start: usize, count: usize) {
        self.memory.copy_within(start + count..self.len, start);
        self.len -= count;
    }

    /// Replaces the bytes by what `fill` puts into an empty vector, which has the memory.
    pub(super) fn fill<T>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.memory.clear();
        let result = fill(&mut self.memory);
        self.len = self.memory.len();
        result
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(memory: Vec<u8>) -> Buffer {
        Buffer { len: memory.len(), memory }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_a_vector() {
        let mut buffer = Buffer::default();
        buffer.extend(b"abcdef");
        buffer.remove(1, 2);
        assert_eq!(buffer.bytes(), b"adef");
        buffer.truncate(9);
        buffer.truncate(2);
        buffer.reserve(3)[..2].copy_from_slice(b"xy");
        buffer.advance(2);
        assert_eq!((buffer.bytes(), buffer.len(), buffer.is_empty()), (&b"adxy"[..], 4, false));
        buffer.fill(|vector| vector.extend(b"new"));
        assert_eq!(buffer.bytes(), b"new");
        assert_eq!(Buffer::from(vec![1]).bytes(), [1]);
    }

    /// Returns its bytes at most three at a time, and counts the reads.
    struct Slow<'a> {
        bytes: &'a [u8],
        reads: usize,
        end: fn() -> io::Result<usize>,
    }

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.reads += 1;
            match self.reads {
                2 => Err(io::ErrorKind::Interrupted.into()),
                _ if self.bytes.is_empty() => (self.end)(),
                _ => (&mut self.bytes).take(3).read(buffer),
            }
        }
    }

    #[test]
    fn reads_end_where_the_file_should() {
        // The bytes wanted and those that should be left; the bytes read, and the number of reads.
        for (count, left, expected, reads) in [
            (7, None, "abcdefg", 4),
            (8, None, "abcdefgh", 4),
            (9, None, "abcdefgh", 5),
            (9, Some(8), "abcdefgh", 4),
            // The file has grown, or has become shorter.
            (9, Some(0), "abcdefgh", 5),
            (9, Some(9), "abcdefgh", 5),
            (0, Some(8), "", 0),
        ] {
            let mut reader = Slow { bytes: b"abcdefgh", reads: 0, end: || Ok(0) };
            let mut buffer = Buffer::from(b"-".to_vec());
            assert_eq!(buffer.read(&mut reader, count, left).unwrap(), expected.len());
            assert_eq!(buffer.bytes(), format!("-{expected}").as_bytes(), "{count} {left:?}");
            assert_eq!(reader.reads, reads, "{count} {left:?}");
        }
        let end = || Err(io::Error::other("broken"));
        let mut buffer = Buffer::default();
        assert!(buffer.read(&mut Slow { bytes: b"abcd", reads: 0, end }, 9, None).is_err());
        assert_eq!(buffer.bytes(), b"abcd");
    }

    #[test]
    fn memory_is_used_again() {
        let mut buffer = Buffer::from(b"abc".to_vec());
        buffer.truncate(0);
        assert_eq!(buffer.reserve(2), b"ab");
    }
}
