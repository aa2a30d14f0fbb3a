//! The memory layouts in which the same records can be passed as a batch.

use std::ops::Range;

use dragnet::{Batch, BatchBuf};

/// A batch in one layout, and the records that are in it.
pub struct Layout {
    /// A short name of the layout, for messages.
    pub name: &'static str,
    /// The records that a scanner must see.
    pub records: Vec<Vec<u8>>,
    buffer: Buffer,
}

enum Buffer {
    Pushed(BatchBuf),
    Lines(Box<[u8]>),
    Offsets(Box<[u8]>, Vec<u32>),
    Slice(BatchBuf, Range<usize>),
}

impl Layout {
    /// Every layout of `records`. The layouts of lines split a record that contains line ends into
    /// several records.
    pub fn all(records: &[Vec<u8>]) -> Vec<Layout> {
        let mut layouts =
            vec![pushed(records), exact(records), with_gaps(records), slice_of_more(records)];
        let lines: Vec<Vec<u8>> =
            records.iter().flat_map(|r| r.split(|&b| b == b'\n')).map(<[u8]>::to_vec).collect();
        let mut text = lines.join(&b'\n');
        // An empty last line exists only if a line end terminates it.
        if lines.last().is_some_and(|last| !last.is_empty()) {
            let buffer = Buffer::Lines(text.clone().into_boxed_slice());
            layouts.push(Layout {
                name: "lines, the last unterminated",
                records: lines.clone(),
                buffer,
            });
        }
        if !lines.is_empty() {
            text.push(b'\n');
        }
        let buffer = Buffer::Lines(text.into_boxed_slice());
        layouts.push(Layout { name: "lines, the last terminated", records: lines, buffer });
        layouts
    }

    /// The lines of a text.
    pub fn lines(text: &[u8]) -> Layout {
        let mut records: Vec<Vec<u8>> = text.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        // A text that does not end with a line end has an unterminated last line.
        records.pop_if(|last| last.is_empty());
        Layout { name: "lines", records, buffer: Buffer::Lines(text.into()) }
    }

    /// Calls `run` with the batch.
    pub fn with_batch<R>(&self, run: impl FnOnce(&Batch<'_>) -> R) -> R {
        match &self.buffer {
            Buffer::Pushed(owned) => run(&owned.as_batch()),
            Buffer::Lines(buffer) => {
                run(&Batch::lines(buffer, &mut Vec::new()).expect("the buffer is short"))
            }
            Buffer::Offsets(buffer, offsets) => {
                run(&Batch::from_offsets(buffer, offsets).expect("the offsets are sorted"))
            }
            Buffer::Slice(owned, range) => run(&owned.as_batch().slice(range.clone())),
        }
    }
}

fn push_all<'a>(records: impl IntoIterator<Item = &'a Vec<u8>>) -> BatchBuf {
    let mut owned = BatchBuf::new();
    for record in records {
        owned.push(record).expect("the buffer is short");
    }
    owned
}

fn pushed(records: &[Vec<u8>]) -> Layout {
    let buffer = Buffer::Pushed(push_all(records));
    Layout { name: "pushed", records: records.to_vec(), buffer }
}

/// Adjacent records, in an allocation that ends with the last record.
fn exact(records: &[Vec<u8>]) -> Layout {
    let buffer = Buffer::Offsets(records.concat().into_boxed_slice(), offsets(0, records));
    Layout { name: "offsets, exact", records: records.to_vec(), buffer }
}

/// Adjacent records in the middle of a buffer. The bytes before and after them would complete
/// matches across the start of the first and the end of the last record, if a scanner read them.
fn with_gaps(records: &[Vec<u8>]) -> Layout {
    let mut buffer = records.last().cloned().unwrap_or_else(|| b"ab".to_vec());
    let start = buffer.len();
    buffer.extend(records.concat());
    buffer.extend(records.first().cloned().unwrap_or_else(|| b"ab".to_vec()));
    let buffer = Buffer::Offsets(buffer.into_boxed_slice(), offsets(start, records));
    Layout { name: "offsets, gaps at both ends", records: records.to_vec(), buffer }
}

/// A slice of a batch that has two more records before it and one after it.
fn slice_of_more(records: &[Vec<u8>]) -> Layout {
    let other = b"ab".to_vec();
    let first = records.first().unwrap_or(&other);
    let last = records.last().unwrap_or(&other);
    let owned = push_all([first, last].into_iter().chain(records).chain([first]));
    let buffer = Buffer::Slice(owned, 2..2 + records.len());
    Layout { name: "slice", records: records.to_vec(), buffer }
}

fn offsets(start: usize, records: &[Vec<u8>]) -> Vec<u32> {
    let mut offsets = vec![start as u32];
    for record in records {
        offsets.push(offsets[offsets.len() - 1] + record.len() as u32);
    }
    offsets
}
