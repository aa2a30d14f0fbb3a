//! The ways in which the same records can lie in a batch.

use std::ops::Range;

use dragnet::{Batch, BatchBuf};

/// A batch with the records that it must be seen to hold.
pub(crate) struct Shape {
    pub name: &'static str,
    pub records: Vec<Vec<u8>>,
    form: Form,
}

enum Form {
    Pushed(BatchBuf),
    Lines(Box<[u8]>),
    Offsets(Box<[u8]>, Vec<u32>),
    Slice(BatchBuf, Range<usize>),
}

impl Shape {
    /// Every way to lay out `records`. A record with line ends in it becomes several where the
    /// batch is one of lines.
    pub(crate) fn all(records: &[Vec<u8>]) -> Vec<Shape> {
        let mut shapes =
            vec![pushed(records), exact(records), with_gaps(records), slice_of_more(records)];
        let lines: Vec<Vec<u8>> =
            records.iter().flat_map(|r| r.split(|&b| b == b'\n')).map(<[u8]>::to_vec).collect();
        let mut text = lines.join(&b'\n');
        // An empty last line is one only with a line end of its own.
        if lines.last().is_some_and(|last| !last.is_empty()) {
            let form = Form::Lines(text.clone().into_boxed_slice());
            shapes.push(Shape {
                name: "lines, the last unterminated",
                records: lines.clone(),
                form,
            });
        }
        if !lines.is_empty() {
            text.push(b'\n');
        }
        let form = Form::Lines(text.into_boxed_slice());
        shapes.push(Shape { name: "lines, the last terminated", records: lines, form });
        shapes
    }

    /// The lines of a text.
    pub(crate) fn lines(text: &[u8]) -> Shape {
        let mut records: Vec<Vec<u8>> = text.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        // What is behind the last line end is a line only if something is.
        records.pop_if(|last| last.is_empty());
        Shape { name: "lines", records, form: Form::Lines(text.into()) }
    }

    pub(crate) fn with_batch<R>(&self, run: impl FnOnce(&Batch<'_>) -> R) -> R {
        match &self.form {
            Form::Pushed(owned) => run(&owned.as_batch()),
            Form::Lines(buffer) => {
                run(&Batch::lines(buffer, &mut Vec::new()).expect("the buffer is short"))
            }
            Form::Offsets(buffer, offsets) => {
                run(&Batch::from_offsets(buffer, offsets).expect("the offsets are sorted"))
            }
            Form::Slice(owned, range) => run(&owned.as_batch().slice(range.clone())),
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

fn pushed(records: &[Vec<u8>]) -> Shape {
    let form = Form::Pushed(push_all(records));
    Shape { name: "pushed", records: records.to_vec(), form }
}

/// Records that abut, in an allocation that ends where the last one does.
fn exact(records: &[Vec<u8>]) -> Shape {
    let form = Form::Offsets(records.concat().into_boxed_slice(), offsets(0, records));
    Shape { name: "offsets, exact", records: records.to_vec(), form }
}

/// Records that abut, in the middle of a buffer whose other bytes would go on with a match that
/// the first or the last record begins.
fn with_gaps(records: &[Vec<u8>]) -> Shape {
    let mut buffer = records.last().cloned().unwrap_or_else(|| b"ab".to_vec());
    let start = buffer.len();
    buffer.extend(records.concat());
    buffer.extend(records.first().cloned().unwrap_or_else(|| b"ab".to_vec()));
    let form = Form::Offsets(buffer.into_boxed_slice(), offsets(start, records));
    Shape { name: "offsets, gaps at both ends", records: records.to_vec(), form }
}

/// The inner records of a batch that has two more before them and one behind.
fn slice_of_more(records: &[Vec<u8>]) -> Shape {
    let other = b"ab".to_vec();
    let first = records.first().unwrap_or(&other);
    let last = records.last().unwrap_or(&other);
    let owned = push_all([first, last].into_iter().chain(records).chain([first]));
    let form = Form::Slice(owned, 2..2 + records.len());
    Shape { name: "slice", records: records.to_vec(), form }
}

fn offsets(start: usize, records: &[Vec<u8>]) -> Vec<u32> {
    let mut offsets = vec![start as u32];
    for record in records {
        offsets.push(offsets[offsets.len() - 1] + record.len() as u32);
    }
    offsets
}
