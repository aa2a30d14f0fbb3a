//! Entry points for fuzzing, compiled only with `--cfg fuzzing`.
//!
//! They pass bytes to the code that reads from another process, and panic if that code accepts
//! something that it must reject.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::chunk_records::ChunkRecords;
use super::connection::{Connection, ReceivedBlock, SessionRequest};
use super::connector::Connector;
use super::control::{BlockHeader, ChunkRequest, ControlMemory};
use super::frame::{self, Frame, FrameKind, Hello, RegionNotice, Welcome};
use super::layout::{BLOCK_MATCHES, CONTROL_LEN, status};
use super::memory::SharedMapping;
use super::region::{Region, RegionLayout};
use super::sequence::{Generation, RegionIndex, Sequence};
use super::{Limits, ServeError, Server, pattern_codec, sys};
use dragnet::{Batch, Match, PatternSet, Report, StopFlag};

/// How long each side waits for a message. Short, since most inputs lack some of the messages.
const TIMEOUT: Duration = Duration::from_millis(5);

/// The time after which a server counts as hung.
const HANG_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits of the servers.
const LIMITS: Limits =
    Limits { patterns: 64, pattern_bytes: 4096, set_size: 5_000, region_bytes: 1 << 20 };

/// A message with a valid header. `kind` is the number of a `FrameKind`.
pub fn framed(kind: u32, body: &[u8]) -> Vec<u8> {
    let header = [u32::from_le_bytes(*b"drgn"), frame::VERSION, kind, body.len() as u32];
    [bytemuck::cast_slice(&header), body].concat()
}

/// Parses a message, and parses its body in turn as that of each kind of message.
pub fn message(bytes: &[u8]) {
    let Ok(frame) = frame::parse(bytes, Vec::new()) else { return };
    assert_eq!(framed(frame.kind as u32, &frame.body), bytes, "parsed as something else");
    let is_printable = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n');
    assert!(is_printable(&frame.text()), "not fit for a terminal");
    let texts = [
        frame.body::<Hello>(false).map(|(_, text)| text),
        frame.body::<Welcome>(true).map(|(_, text)| text),
        frame.body::<RegionNotice>(false).map(|(_, text)| text),
    ];
    assert!(texts.iter().flatten().all(|text| is_printable(text)), "not fit for a terminal");
}

/// Encodes a set of patterns.
pub fn encoded(set: &PatternSet) -> Vec<u8> {
    pattern_codec::encode(set)
}

/// Decodes a set of patterns.
pub fn decode_patterns(bytes: &[u8], count: usize) {
    if let Ok(set) = pattern_codec::decode(bytes, count, LIMITS.set_size) {
        assert_eq!(set.len(), count);
        assert!(set.size() <= LIMITS.set_size);
        assert_eq!(pattern_codec::encode(&set), bytes, "parsed as something else");
    }
}

/// Validates a chunk: the words of its slot, and the memory of its region.
pub fn records(words: [u32; 6], memory: &Memory) {
    let request = request(words);
    let mut offsets = Vec::new();
    let Ok(records) = ChunkRecords::new(&request, &memory.mapping, &mut offsets) else { return };
    let mut copy = Vec::new();
    memory.mapping.load(0, records.padded_len(), &mut copy);
    let Ok(batch) = records.batch(&copy) else { return };
    assert_eq!(batch.len(), words[4] as usize);
    // Iterating slices every record, which panics if one is out of range.
    let bytes = batch.iter().map(<[u8]>::len).sum::<usize>();
    assert!(bytes <= words[2] as usize, "{bytes} of {words:?}");
}

fn request([region, generation, bytes, offsets, records, terminator]: [u32; 6]) -> ChunkRequest {
    ChunkRequest { region, generation, bytes, offsets, records, terminator }
}

/// Shared memory.
pub struct Memory {
    fd: OwnedFd,
    mapping: SharedMapping,
}

impl Memory {
    /// New memory of at least `len` bytes that begins with `bytes`, with a choice of seals.
    pub fn new(bytes: &[u8], len: usize, [shrink, grow, write]: [bool; 3]) -> Memory {
        let len = len.max(bytes.len()).max(1);
        let fd = sys::memory(len).expect("there is memory");
        let mapping = SharedMapping::new(fd.as_fd(), len, true).expect("there is memory");
        mapping.store(0, bytes);
        let mut seals = SealFlags::empty();
        seals.set(SealFlags::SHRINK, shrink);
        seals.set(SealFlags::GROW, grow);
        // `WRITE` would fail, since the memory is mapped for writing.
        seals.set(SealFlags::FUTURE_WRITE, write);
        sys::seal(fd.as_fd(), seals).expect("new memory can be sealed");
        Memory { fd, mapping }
    }

    /// New memory with all seals, so that nobody can write to it.
    pub fn fixed(bytes: &[u8]) -> Memory {
        let Memory { fd, mapping } = Memory::new(bytes, 0, [false; 3]);
        drop(mapping);
        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        sys::seal(fd.as_fd(), all).expect("new memory can be sealed");
        let mapping = SharedMapping::new(fd.as_fd(), bytes.len().max(1), false);
        Memory { fd, mapping: mapping.expect("there is memory") }
    }

    /// The length of the memory, in bytes.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Memory of the length of the control memory.
    pub fn control() -> Memory {
        Memory::new(&[], CONTROL_LEN, [true, true, false])
    }
}

/// A client that sends arbitrary messages to a server in this process.
pub struct Client {
    socket: OwnedFd,
    server: JoinHandle<Result<(), ServeError>>,
    control: ControlMemory,
    submitted: u32,
    answered: u32,
    taken: u32,
}

impl Client {
    /// Starts a server. `control` is the control memory, which the client may send or not.
    pub fn new(control: &Memory) -> Client {
        let (socket, theirs) = sys::socket_pair().expect("a socket");
        let server = std::thread::spawn(move || {
            let mut server = Server::new(theirs, LIMITS, || ())?;
            server.set_message_timeout(TIMEOUT);
            server.run()
        });
        let mapping =
            SharedMapping::new(control.fd.as_fd(), CONTROL_LEN, true).expect("there is memory");
        let control = ControlMemory::new(mapping);
        Client { socket, server, control, submitted: 0, answered: 0, taken: 0 }
    }

    /// Sends a message with descriptors of memory.
    pub fn send(&self, bytes: &[u8], memories: &[&Memory]) {
        let descriptors: Vec<_> = memories.iter().map(|memory| memory.fd.as_fd()).collect();
        send(self.socket.as_fd(), bytes, &descriptors);
    }

    /// Waits for the answer to the first message. Returns whether it is a welcome.
    pub fn is_welcome(&self) -> bool {
        match frame::receive(&self.socket, Instant::now().checked_add(HANG_TIMEOUT)) {
            Ok(Frame { kind, .. }) => kind == FrameKind::Welcome,
            Err(frame::FrameError::Closed) => false,
            Err(error) => panic!("no answer to the first message: {error}"),
        }
    }

    /// Writes the words of the next slot, and adds `chunks` to the number of submitted chunks.
    pub fn submit(&mut self, words: [u32; 6], chunks: u32) {
        let slot = self.control.slot(Sequence::new(self.submitted));
        let slot_words = [
            &slot.region,
            &slot.generation,
            &slot.bytes,
            &slot.offsets,
            &slot.records,
            &slot.terminator,
            &slot.taken,
            &slot.answered,
        ];
        for (slot_word, word) in slot_words.into_iter().zip(words.into_iter().chain([0, 0])) {
            slot_word.store(word, Ordering::Relaxed);
        }
        self.submitted = self.submitted.wrapping_add(chunks);
        let words = self.control.words();
        words.submitted.0.store(self.submitted, Ordering::Release);
        words.server_event.signal();
    }

    /// Cancels the chunks before this number.
    pub fn cancel(&self, before: u32) {
        self.control.set_cancelled(Sequence::new(before));
        self.control.words().server_event.signal();
    }

    /// Receives answers until all chunks are answered, or the server has ended.
    pub fn settle(&mut self) {
        let due = Instant::now() + HANG_TIMEOUT;
        while self.answered != self.submitted && !self.server.is_finished() {
            assert!(Instant::now() < due, "the server neither answers nor ends");
            let sequence = Sequence::new(self.answered);
            let (words, slot) = (self.control.words(), self.control.slot(sequence));
            let is_published = || slot.answered.load(Ordering::Acquire) != self.taken;
            let end = Instant::now().checked_add(Duration::from_millis(1));
            let waited =
                words.client_event.wait(end, None, || is_published() || self.server.is_finished());
            waited.expect("a futex");
            if !is_published() {
                continue;
            }
            let found = slot.found.load(Ordering::Relaxed);
            assert!(found as usize <= BLOCK_MATCHES, "{found} matches in a block");
            if slot.status.load(Ordering::Relaxed) == status::MORE {
                self.taken = self.taken.wrapping_add(1);
                self.control.take(sequence, self.taken);
            } else {
                (self.answered, self.taken) = (self.answered.wrapping_add(1), 0);
            }
        }
    }

    /// Closes the connection, after which the server must end.
    pub fn end(self) {
        drop(self.socket);
        let end = self.server.join().expect("a server does not panic");
        assert!(!matches!(end, Err(ServeError::OtherUser(_))), "{end:?}");
    }
}

/// A block that a server publishes.
pub struct ServerBlock {
    /// The number of blocks, the status, the number of matches and the error code.
    pub words: [u32; 4],
    /// The record, pattern, start and end of each match.
    pub matches: Vec<[u32; 4]>,
    /// A message on the socket before the block, unless it is empty.
    pub message: Vec<u8>,
}

/// Runs a client whose server starts with the message `first` and answers with `blocks`.
pub fn answers(
    first: &[u8],
    patterns: u32,
    report: Report,
    batch: &Batch<'_>,
    blocks: &[ServerBlock],
) {
    let server = Arc::new(Mutex::new(None));
    let (server_slot, first) = (Arc::clone(&server), first.to_vec());
    let connector = Connector::Custom(Box::new(move |socket| {
        send(socket.as_fd(), &first, &[]);
        *server_slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
        Ok(())
    }));
    let report_number = frame::report_code(report);
    let hello = Hello { patterns, report: report_number, backend: 1, reserved: 0, bytes: 0 };
    let request = SessionRequest { hello, patterns: Memory::fixed(&[]).fd, timeout: TIMEOUT };
    let stop = StopFlag::new();
    let Ok(mut connection) = Connection::new(&connector, &request, &stop) else { return };
    let server = server.lock().unwrap_or_else(PoisonError::into_inner).take();
    let server = server.expect("it was started");
    let hello = frame::receive(&server, Some(Instant::now())).expect("the client begins");
    let mapping =
        SharedMapping::new(hello.descriptors[0].as_fd(), CONTROL_LEN, true).expect("memory");
    let control = ControlMemory::new(mapping);

    let (layout, len) = RegionLayout::of(batch);
    let mut region = Region::new(len, len, Generation::new(1)).expect("there is memory");
    region.fill(batch, layout);
    let index = RegionIndex::new(0).expect("there is a region 0");
    connection.submit(index, &region).expect("the server is there");
    let (mut found, mut taken) = (Vec::new(), 0);
    for ServerBlock { words: [count, status, matches, code], matches: block, message } in blocks {
        if !message.is_empty() {
            send(server.as_fd(), message, &[]);
        }
        let block: Vec<Match> =
            block.iter().take(BLOCK_MATCHES).map(|&[r, p, s, e]| Match::new(r, p, s..e)).collect();
        let sequence = Sequence::new(0);
        control.write_block(sequence, &block);
        let header = BlockHeader { count: *count, status: *status, found: *matches, code: *code };
        control.publish(sequence, &header);
        let before = found.len();
        match connection.receive_block(sequence, taken, &region, &stop, &mut found) {
            Ok(ReceivedBlock::More) => assert!(found.len() > before, "an answer without end"),
            Ok(_) => break,
            Err(error) => {
                let _ = connection.explain(error).to_string();
                return;
            }
        }
        taken += 1;
    }
    check_accepted(&found, patterns, report, batch);
}

/// Checks that matches which a client has accepted could be an answer.
fn check_accepted(found: &[Match], patterns: u32, report: Report, batch: &Batch<'_>) {
    let lengths: Vec<usize> = batch.iter().map(<[u8]>::len).collect();
    let mut last: Option<&Match> = None;
    for m in found {
        assert!(m.record() < lengths.len() && m.pattern() < patterns as usize, "{m:?}");
        assert_eq!(m.span().is_some(), report == Report::Spans, "{m:?}");
        if let Some(span) = m.span() {
            assert!(span.start <= span.end && span.end <= lengths[m.record()], "{m:?}");
        }
        if let Some(last) = last {
            let pair = |m: &Match| (m.record(), m.pattern());
            assert!(last < m, "{m:?} after {last:?}");
            assert!(pair(last) < pair(m) || last.end() <= m.start(), "{m:?} overlaps {last:?}");
        }
        last = Some(m);
    }
}

/// Sends bytes as a message. Fails silently: the system rejects some, and the peer may be gone.
fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)), "there is room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags);
}
