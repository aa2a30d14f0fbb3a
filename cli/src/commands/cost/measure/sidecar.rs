//! A crossing to another process through shared memory: a [`Sidecar`] whose server hashes the records
//! instead of searching them.
//!
//! A server answers with matches, which can't carry a number. So the hash is written as one match for
//! each of its bytes: the byte `value` at position `i` is a match of the pattern `i * 256 + value`, in
//! the last record.
//!
//! A sidecar sends a large batch in chunks. The scanner starts a new hash at the first record of a batch,
//! which [`is_first`] recognizes, and continues the hash of the previous chunk otherwise. A call without
//! records is a batch of one empty record, because a sidecar does not send empty batches.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::exit;
use std::time::Duration;

use dragnet::{Backend, Batch, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag};
use dragnet_sidecar::{Limits, Server, Sidecar};

use super::peer::Peer;
use super::work::{Crossing, EMPTY_HASH, MAX_BATCH, Record, hash, is_first};

/// How long the server may take to answer a batch.
const DEADLINE: Duration = Duration::from_secs(10);

/// The length of a hash in bytes, which is also the number of matches that carry it.
const HASH_LEN: usize = size_of::<u64>();

/// Number of values that a byte can have.
const BYTE_VALUES: usize = 1 << u8::BITS;

/// The client's side.
pub(super) struct SidecarCrossing {
    sidecar: Sidecar,
    /// The offsets of the longest batch. The batches of all calls start at the same record.
    offsets: Vec<u32>,
    matches: Matches,
}

impl SidecarCrossing {
    /// Starts the other process, which runs `program`, and checks that it answers.
    pub(super) fn start(program: &Path) -> io::Result<SidecarCrossing> {
        let program = program.to_owned();
        // A match must name an existing pattern, so there is one for each byte value at each position.
        // The server's scanner does not search for them.
        let patterns = PatternSet::new(std::iter::repeat_n("x", HASH_LEN * BYTE_VALUES));
        let sidecar = Sidecar::builder(&patterns.map_err(io::Error::other)?, Report::Patterns)
            .backend(Backend::Pure)
            .deadline(DEADLINE)
            // A restarted server would not have the hash of the previous chunks.
            .max_attempts(1)
            .spawn_with(move || Peer::Sidecar.command(&program))
            .map_err(io::Error::other)?;
        let offsets = (0..=MAX_BATCH).map(|record| (record * size_of::<Record>()) as u32);
        let mut crossing =
            SidecarCrossing { sidecar, offsets: offsets.collect(), matches: Matches::new() };
        crossing.cross(0, &[])?;
        Ok(crossing)
    }
}

impl Crossing for SidecarCrossing {
    fn cross(&mut self, _seed: u64, records: &[Record]) -> io::Result<u64> {
        let offsets = match records.len() {
            0 => &[0, 0],
            count => &self.offsets[..=count],
        };
        let batch =
            Batch::from_offsets(records.as_flattened(), offsets).map_err(io::Error::other)?;
        self.sidecar.scan(&batch, &mut self.matches).map_err(io::Error::other)?;
        read_hash(self.matches.as_slice())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not a hash"))
    }
}

/// Reads the hash of the last chunk.
fn read_hash(matches: &[Match]) -> Option<u64> {
    let mut bytes = [0; HASH_LEN];
    for (i, (byte, m)) in bytes.iter_mut().zip(matches.last_chunk::<HASH_LEN>()?).enumerate() {
        *byte = u8::try_from(m.pattern().checked_sub(i * BYTE_VALUES)?).ok()?;
    }
    Some(u64::from_ne_bytes(bytes))
}

/// The other side: hashes batches until the client closes the socket.
pub(super) fn serve(socket: OwnedFd) -> io::Result<()> {
    // If the client is gone and the scan does not stop, only the end of the process can end it.
    let server = Server::new(socket, Limits::default(), || exit(2)).map_err(io::Error::other)?;
    // As `dragnet serve` does, so that the same transport is measured.
    // SAFETY: the client is the `Sidecar` above, in the process that has started this one. A `Sidecar`
    // does not write to the memory of a request before the request is answered.
    let server = unsafe { server.search_in_place() };
    let run = server.run_with(|_, _, _, _| Ok(Box::new(HashScanner { hash: EMPTY_HASH })));
    run.map_err(io::Error::other)
}

/// Hashes records instead of searching them.
struct HashScanner {
    /// The hash of the batch so far.
    hash: u64,
}

impl Scan for HashScanner {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        let Some(last) = batch.len().checked_sub(1) else { return Ok(()) };
        if batch.record(0).is_some_and(is_first) {
            self.hash = EMPTY_HASH;
        }
        self.hash = batch.iter().fold(self.hash, hash);
        for (i, byte) in self.hash.to_ne_bytes().into_iter().enumerate() {
            let pattern = i * BYTE_VALUES + usize::from(byte);
            out.push(Match::without_span(last as u32, pattern as u32));
        }
        Ok(())
    }

    /// Ignored, because a scan takes about a millisecond at most.
    fn set_stop(&mut self, _stop: StopFlag) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::cost::measure::work::{records, work};

    #[test]
    fn hash_of_chunks_is_the_hash_of_the_batch() {
        let all = records();
        let mut scanner = HashScanner { hash: 7 };
        let mut matches = Matches::new();
        for sizes in [&[1][..], &[3, 2], &[2000, 1, 999]] {
            let mut start = 0;
            for &size in sizes {
                let mut batch = dragnet::BatchBuf::new();
                all[start..][..size].iter().for_each(|record| batch.push(record).unwrap());
                scanner.scan(&batch.as_batch(), &mut matches).unwrap();
                assert!(matches.as_slice().is_sorted());
                assert!(matches.iter().all(|m| m.record() == size - 1));
                start += size;
                assert_eq!(read_hash(matches.as_slice()), Some(work(0, &all[..start])));
            }
        }
        // The empty record that stands for an empty batch.
        let mut batch = dragnet::BatchBuf::new();
        batch.push(b"").unwrap();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        assert_eq!(read_hash(matches.as_slice()), Some(work(0, &[])));
    }

    #[test]
    fn matches_that_are_no_hash_are_refused() {
        assert_eq!(read_hash(&[]), None);
        assert_eq!(read_hash(&[Match::without_span(0, 0); 7]), None);
        // The byte at position 1 starts at the pattern 256.
        assert_eq!(read_hash(&[Match::without_span(0, 0); 8]), None);
    }

    #[test]
    fn process_that_exits_is_an_error() {
        assert!(SidecarCrossing::start(Path::new("true")).is_err());
    }
}
