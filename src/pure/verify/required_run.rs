//! Checks whether a record contains a run of bytes of one class, before any automaton starts.
//!
//! Each record is searched at most once for each different run; the result is kept until the next
//! record. The plan chooses the runs (`plan::required_run`).

use crate::pure::literal::ByteSet;

/// Identifies a required run of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pure) struct RequiredRunId(u32);

impl RequiredRunId {
    /// Indexes fit in 32 bits: each pattern requires at most one run.
    pub(in crate::pure) fn new(index: usize) -> RequiredRunId {
        debug_assert!(u32::try_from(index).is_ok());
        RequiredRunId(index as u32)
    }

    /// The index of the run in tables of all required runs.
    pub(in crate::pure) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The required runs of all patterns of an engine.
#[derive(Debug)]
pub(in crate::pure) struct RequiredRuns {
    /// By run: the class, and how many successive bytes of it there must be.
    runs: Vec<(ByteSet, u32)>,
}

/// The result of one check, and the record that it is for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunCheck {
    epoch: u64,
    found: bool,
}

impl RequiredRuns {
    /// By run: its class, and its minimum length in bytes, which is not zero.
    pub(in crate::pure) fn new(runs: Vec<(ByteSet, u32)>) -> RequiredRuns {
        RequiredRuns { runs }
    }

    /// Creates the results of one scanner, indexed like the runs.
    pub(super) fn create_cache(&self) -> Vec<RunCheck> {
        vec![RunCheck::default(); self.runs.len()]
    }

    /// Whether `record` contains the run. `epoch` differs from record to record.
    #[inline]
    pub(super) fn is_in(
        &self,
        run: RequiredRunId,
        cache: &mut [RunCheck],
        epoch: u64,
        record: &[u8],
    ) -> bool {
        let check = &mut cache[run.index()];
        if check.epoch != epoch {
            let (class, len) = &self.runs[run.index()];
            *check = RunCheck { epoch, found: has_run(class, *len as usize, record) };
        }
        check.found
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.runs[..])
    }
}

/// Whether `record` has `len` successive bytes of `class`. `len` is not zero.
///
/// As in Boyer and Moore's string search (1977), the last byte of the next `len` is read first: if
/// it is not in the class, no run can include it, and all bytes before it are skipped. No byte is
/// read twice.
fn has_run(class: &ByteSet, len: usize, record: &[u8]) -> bool {
    if len == 1 {
        return record.iter().any(|&byte| class.contains(byte));
    }
    // The run tried next begins at `start`; its bytes before `checked` are in the class.
    let (mut start, mut checked) = (0, 0);
    while let Some(bytes) = record.get(checked..start + len) {
        match bytes.iter().rposition(|&byte| !class.contains(byte)) {
            None => return true,
            Some(index) => {
                let end = start + len;
                start = checked + index + 1;
                checked = end;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_record_is_searched_once() {
        let runs = RequiredRuns::new(vec![(ByteSet::from_iter(b'0'..=b'9'), 12)]);
        let mut cache = runs.create_cache();
        let id = RequiredRunId::new(0);
        assert!(runs.is_in(id, &mut cache, 1, b"id 012345678901"));
        // The cached result answers, not the record.
        assert!(runs.is_in(id, &mut cache, 1, b""));
        assert!(!runs.is_in(id, &mut cache, 2, b"id 01234567890"));
    }

    proptest! {
        #[test]
        fn has_run_agrees_with_naive_search(record in "[01a]{0,60}", len in 1..14usize) {
            let class = ByteSet::from_iter(*b"01");
            let expected = record.as_bytes().windows(len).any(|w| w.iter().all(|b| *b != b'a'));
            prop_assert_eq!(has_run(&class, len, record.as_bytes()), expected);
        }
    }
}
