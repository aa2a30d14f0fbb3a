//! Streams in the order of computation, in few slots of memory.
//!
//! Streams are created after those that they are made from, so the order of creation is an order of
//! computation. A stream's slot is free again after the last operation that reads it. Few slots
//! keep all streams of a piece in the first-level cache.

use super::super::byte_class::ByteClass;
use super::build::Builder;
use super::combine::WordOp;
use super::stream::{Stream, StreamId};

/// The memory that a stream is kept in while it is in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotId(u32);

impl SlotId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation of a program.
#[derive(Debug)]
pub(super) struct Op {
    pub(super) kind: OpKind,
    /// The slot of the result, which is none of the sources.
    pub(super) into: SlotId,
    /// The slots of the sources. Unused ones are slot 0.
    pub(super) sources: [SlotId; 2],
}

#[derive(Debug)]
pub(super) enum OpKind {
    /// Computes the bits of a class.
    Class(Box<ByteClass>),
    /// Sets the bits where segments start.
    SegmentStarts,
    /// Sets the bits where segments end.
    SegmentEnds,
    /// Makes a stream from others.
    Word(WordOp),
    /// Reports the bits of the first source, as those of the output with this index.
    Output(u32),
}

impl OpKind {
    fn of(stream: Stream) -> OpKind {
        OpKind::Word(match stream {
            Stream::Class(set) => return OpKind::Class(Box::new(ByteClass::new(&set))),
            Stream::SegmentStarts => return OpKind::SegmentStarts,
            Stream::SegmentEnds => return OpKind::SegmentEnds,
            Stream::ExceptStarts(_) => WordOp::AndNot,
            Stream::Xor(..) => WordOp::Xor,
            Stream::Xnor(..) => WordOp::Xnor,
            Stream::Advance { by, .. } => WordOp::Advance(by),
            Stream::Extend { by, .. } => WordOp::Extend(by),
            Stream::Or(..) => WordOp::Or,
            Stream::Next(_) => WordOp::Next,
            Stream::Star { .. } => WordOp::Star,
        })
    }
}

/// Orders the streams that `outputs` depend on, and returns the operations and the number of slots.
/// `outputs` is ascending; its indexes are those of [`OpKind::Output`].
pub(super) fn schedule(builder: &Builder, outputs: &[StreamId]) -> (Vec<Op>, usize) {
    let streams = &builder.streams;
    // For each stream, the last one that reads it, itself if only an output does, or `None` if
    // nothing does.
    let mut last_reader = vec![None; streams.len()];
    for output in outputs {
        last_reader[output.index()] = Some(output.index());
    }
    for index in (0..streams.len()).rev() {
        if last_reader[index].is_some() {
            for source in builder.sources(streams[index]) {
                let reader = &mut last_reader[source.index()];
                *reader = (*reader).max(Some(index));
            }
        }
    }
    let (mut ops, mut free, mut slots) = (Vec::new(), Vec::new(), 0u32);
    let mut slot_of = vec![SlotId(0); streams.len()];
    let mut output = 0;
    for (index, &stream) in streams.iter().enumerate() {
        let Some(last) = last_reader[index] else { continue };
        let into = free.pop().unwrap_or_else(|| {
            slots += 1;
            SlotId(slots - 1)
        });
        slot_of[index] = into;
        let sources = builder.sources(stream);
        let source_slots =
            [0, 1].map(|n| sources.get(n).map_or(SlotId(0), |source| slot_of[source.index()]));
        ops.push(Op { kind: OpKind::of(stream), into, sources: source_slots });
        while outputs.get(output).is_some_and(|stream| stream.index() == index) {
            ops.push(Op { kind: OpKind::Output(output as u32), into, sources: [into; 2] });
            output += 1;
        }
        // Freed after the result got its slot, so that no operation reads what it writes.
        let mut done = sources;
        done.dedup();
        free.extend(
            done.iter()
                .filter(|source| last_reader[source.index()] == Some(index))
                .map(|source| slot_of[source.index()]),
        );
        if last == index {
            free.push(into);
        }
    }
    (ops, slots as usize)
}
