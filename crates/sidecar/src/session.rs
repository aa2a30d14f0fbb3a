//! The server's side of a connection after the handshake: answers chunks until the client
//! disconnects.

use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::block_writer::BlockWriter;
use super::chunk_records::ChunkRecords;
use super::client_memory;
use super::control::{ChunkRequest, ControlMemory};
use super::frame::{self, FrameKind, RegionNotice};
use super::hangup_watcher::HangupWatcher;
use super::layout::status;
use super::memory::SharedMapping;
use super::scanner_source::ScannerSource;
use super::sequence::{Generation, RegionIndex, SLOTS, Sequence};
use super::serve_error::{ServeError, protocol, system};
use dragnet::{Scan, ScanError};
use dragnet_boundary::sync::panic_message;

/// The capacity of [`Session::copy`] that is kept from one chunk to the next, in bytes. A larger
/// copy is freed by the next chunk.
const MAX_KEPT_COPY: usize = 1 << 20;

/// The client, as the server sees it.
pub(super) struct Peer {
    pub(super) socket: Arc<OwnedFd>,
    pub(super) watcher: HangupWatcher,
    /// The length of the longest region that the server maps, in bytes.
    pub(super) max_region_len: u64,
    /// How long the server waits for a message that the protocol requires the client to send.
    pub(super) timeout: Duration,
    /// Whether records are searched in the client's memory. Only set by
    /// [`Server::search_in_place`](super::Server::search_in_place), whose caller promises that the
    /// client does not write to the memory of a pending request.
    pub(super) in_place: bool,
}

impl Peer {
    /// Sends an ERROR frame. Sending may fail: the client then notices the error when the
    /// connection ends, or from the status of its chunk, and only the text is lost.
    pub(super) fn send_error(&self, text: &str) {
        let _ = frame::send(&*self.socket, FrameKind::Error, &[], text, &[]);
    }

    /// Sends a REFUSED frame, and returns the error that ends the connection.
    pub(super) fn refuse<T>(&self, reason: String) -> Result<T, ServeError> {
        let _ = frame::send(&*self.socket, FrameKind::Refused, &[], &reason, &[]);
        Err(ServeError::Refused(reason))
    }
}

/// A client whose patterns are compiled.
pub(super) struct Session<'a> {
    peer: &'a Peer,
    control: ControlMemory,
    source: ScannerSource,
    scanner: Box<dyn Scan>,
    regions: [Option<MappedRegion>; SLOTS],
    /// The record offsets of the current chunk, copied out of shared memory.
    offsets: Vec<u32>,
    /// The records of the current chunk, if they are copied.
    copy: Vec<u8>,
}

/// A region that the client has sent.
struct MappedRegion {
    generation: Generation,
    mapping: SharedMapping,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        peer: &'a Peer,
        control: ControlMemory,
        source: ScannerSource,
        scanner: Box<dyn Scan>,
    ) -> Session<'a> {
        Session {
            peer,
            control,
            source,
            scanner,
            regions: [const { None }; SLOTS],
            offsets: Vec::new(),
            copy: Vec::new(),
        }
    }

    /// Answers chunks in the order of their submission, until the client closes the connection.
    pub(super) fn run(mut self) -> Result<(), ServeError> {
        let mut next = Sequence::default();
        loop {
            let is_gone = || self.peer.watcher.is_gone();
            let submitted = self
                .control
                .wait_for_chunk(next, is_gone)
                .map_err(system("waiting for a chunk"))?;
            if is_gone() {
                return Ok(());
            }
            // A hostile client can reset the counter.
            if submitted == next {
                continue;
            }
            if submitted.since(next) > SLOTS as u32 {
                return protocol(format!(
                    "{} chunks were submitted at once",
                    submitted.since(next)
                ));
            }
            self.answer(next)?;
            next = next.next();
        }
    }

    /// Scans one chunk and sends its matches.
    fn answer(&mut self, sequence: Sequence) -> Result<(), ServeError> {
        let request = ChunkRequest::load(self.control.slot(sequence));
        let is_gone = || self.peer.watcher.is_gone();
        if self.control.is_cancelled(sequence) {
            BlockWriter::new(&self.control, sequence, &is_gone).finish(status::STOPPED, 0);
            return Ok(());
        }
        let index = self.map_region(&request)?;
        let Some(MappedRegion { mapping, .. }) = &self.regions[index.get()] else {
            return protocol("a chunk names no region");
        };
        let records = match ChunkRecords::new(&request, mapping, &mut self.offsets) {
            Ok(records) => records,
            Err(reason) => return protocol(reason),
        };
        let buffer = if self.peer.in_place {
            // SAFETY: `in_place` is set only by the unsafe `Server::search_in_place`, whose caller
            // promises that the client does not write to this memory before the request is
            // answered. `buffer` is used for this request only. The server itself can't write to
            // it, since the region is mapped read-only.
            unsafe { mapping.slice(records.padded_len()) }
        } else {
            self.copy.clear();
            self.copy.shrink_to(MAX_KEPT_COPY);
            mapping.load(0, records.padded_len(), &mut self.copy);
            &self.copy
        };
        let batch = match records.batch(buffer) {
            Ok(batch) => batch,
            Err(reason) => return protocol(reason),
        };
        let mut blocks = BlockWriter::new(&self.control, sequence, &is_gone);
        // A panic ends this chunk only: the scanner, whose state may be inconsistent, is replaced.
        let scanned = catch_unwind(AssertUnwindSafe(|| {
            self.scanner.scan_with(&batch, &mut |block| blocks.push(block))
        }));
        match scanned {
            Ok(Ok(ControlFlow::Continue(()))) => blocks.finish(status::DONE, 0),
            // The chunk was cancelled, or the client has disconnected, which `run` notices.
            Ok(Ok(ControlFlow::Break(())) | Err(ScanError::Stopped)) => {
                blocks.finish(status::STOPPED, 0);
            }
            Ok(Err(error)) => {
                let (text, code) = match &error {
                    ScanError::Native { library, code } => (library.clone(), *code as u32),
                    other => (other.to_string(), 0),
                };
                self.peer.send_error(&text);
                blocks.finish(status::FAILED, code);
            }
            Err(payload) => {
                self.peer.send_error(&panic_message(&*payload));
                match self.source.make_scanner() {
                    Ok(scanner) => self.scanner = scanner,
                    Err(reason) => return self.peer.refuse(reason),
                }
                blocks.finish(status::PANICKED, 0);
            }
        }
        Ok(())
    }

    /// Receives regions until the one that a request names has arrived, and returns its index.
    fn map_region(&mut self, request: &ChunkRequest) -> Result<RegionIndex, ServeError> {
        let generation = Generation::new(request.generation);
        let deadline = Instant::now().checked_add(self.peer.timeout);
        loop {
            if let Some(index) = RegionIndex::new(request.region)
                && let Some(region) = &self.regions[index.get()]
                && region.generation == generation
            {
                return Ok(index);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return protocol(format!(
                    "region {} of generation {} was not sent",
                    request.region, request.generation
                ));
            }
            let frame = frame::receive(&*self.peer.socket, deadline)?;
            if frame.kind != FrameKind::Region {
                return protocol(format!("{:?} instead of a region", frame.kind));
            }
            let (notice, _) = frame.body::<RegionNotice>(false)?;
            let Ok([descriptor]) = <[OwnedFd; 1]>::try_from(frame.descriptors) else {
                return protocol("a region does not have one descriptor");
            };
            let Some(index) = RegionIndex::new(notice.number) else {
                return protocol(format!("there is no region {}", notice.number));
            };
            if notice.len > self.peer.max_region_len {
                return protocol(format!(
                    "a region of {} bytes exceeds the limit of {} bytes",
                    notice.len, self.peer.max_region_len,
                ));
            }
            let region = &mut self.regions[index.get()];
            // Unmap the old region first: both together may exceed the limits.
            *region = None;
            let mapping = client_memory::map(&descriptor, notice.len, SealFlags::SHRINK, false)?;
            *region =
                Some(MappedRegion { generation: Generation::new(notice.generation), mapping });
        }
    }
}
