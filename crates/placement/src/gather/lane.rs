//! What one handle adds to the open round without the lock that all share.

use std::sync::Arc;

use super::round::Round;
use dragnet::BatchBuf;
use dragnet_boundary::sync::{Mutex, lock};

/// How much a handle may add to the open round without asking. It counts as queued, and as part of
/// the round, until it is used or taken back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Credit {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// A handle's own segment of the open round, and its credit there.
///
/// Its lock may be taken under that of the state, and holds up nobody but the handle. It has
/// credit, or records, only while it is listed with the open round, which takes both back before
/// it is sealed.
#[derive(Default)]
pub(super) struct Lane {
    segment: Mutex<Segment>,
}

#[derive(Default)]
struct Segment {
    records: BatchBuf,
    /// Where it is; `None` while the handle has nothing in the open round.
    part: Option<Arc<Part>>,
    credit: Credit,
}

/// A segment as tickets refer to it: one for each handle and round, so that tickets of several
/// callers do not count on the same memory.
pub(super) struct Part {
    pub(super) round: Arc<Round>,
    /// The number of the segment in the round.
    pub(super) segment: usize,
}

/// A record that was added, and its number in the segment.
pub(super) type Added = (Arc<Part>, u32);

impl Segment {
    fn push(&mut self, record: &[u8]) -> u32 {
        let number = self.records.len() as u32;
        if self.records.push(record).is_err() {
            // Its length was looked at, and the round is empty or below its limit with it.
            unreachable!("a round is shorter than a batch");
        }
        number
    }
}

impl Lane {
    /// Adds a record if there is credit for it.
    pub(super) fn add(&self, record: &[u8]) -> Option<Added> {
        let mut segment = lock(&self.segment);
        let Credit { records, bytes } = segment.credit;
        if records == 0 || bytes < record.len() {
            return None;
        }
        let part = Arc::clone(segment.part.as_ref()?);
        segment.credit = Credit { records: records - 1, bytes: bytes - record.len() };
        let number = segment.push(record);
        Some((part, number))
    }

    /// Adds a record that was let into the open round. Called under the lock of the state, as all
    /// that follows. `list` is called if the lane has nothing in that round yet.
    pub(super) fn enter(&self, record: &[u8], list: impl FnOnce() -> Part) -> Added {
        let mut segment = lock(&self.segment);
        let part = Arc::clone(segment.part.get_or_insert_with(|| Arc::new(list())));
        let number = segment.push(record);
        (part, number)
    }

    pub(super) fn give(&self, credit: Credit) {
        let mut segment = lock(&self.segment);
        segment.credit.records += credit.records;
        segment.credit.bytes += credit.bytes;
    }

    /// Takes back what credit is left.
    pub(super) fn revoke(&self) -> Credit {
        std::mem::take(&mut lock(&self.segment).credit)
    }

    /// Takes out the records, in exchange for empty memory. There is no credit any more.
    pub(super) fn leave(&self, records: &mut BatchBuf) {
        let mut segment = lock(&self.segment);
        debug_assert_eq!(segment.credit.records, 0, "was revoked");
        segment.part = None;
        std::mem::swap(&mut segment.records, records);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.segment).records.len()
    }
}
