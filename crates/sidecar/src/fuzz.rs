//! The way in for fuzzing, which a build has only with `--cfg fuzzing`: what is read from another
//! process, given as bytes. All of it panics if something gets through that must not.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::connection::{Ask, Block, Connection};
use super::control::{self, CONTROL, Control, RESULTS, status};
use super::frame::{self, Frame, Hello, Welcome};
use super::launch::Launch;
use super::memory::Mapping;
use super::region::{Layout, Region};
use super::request::{Records, Request};
use super::{Limits, ServeError, Server, patterns, sys};
use dragnet::{Batch, Match, PatternSet, Report, StopFlag};

/// For how long each side waits for what does not come. Short, since inputs leave much out.
const PATIENCE: Duration = Duration::from_millis(5);

/// A server that takes longer to end hangs.
const HANGS: Duration = Duration::from_secs(20);

/// What the servers here take from their clients.
const LIMITS: Limits =
    Limits { patterns: 64, pattern_bytes: 4096, set_size: 5_000, region: 1 << 20 };

/// A message with the head that it should have. The kinds are those of `frame`, by number.
pub fn framed(kind: u32, body: &[u8]) -> Vec<u8> {
    let head = [u32::from_le_bytes(*b"drgn"), frame::VERSION, kind, body.len() as u32];
    [bytemuck::cast_slice(&head), body].concat()
}

/// Reads a message, and its body as that of every kind.
pub fn message(bytes: &[u8]) {
    let Ok(frame) = frame::parse(bytes, Vec::new()) else { return };
    assert_eq!(framed(frame.kind as u32, &frame.body), bytes, "read as something else");
    let readable = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n');
    assert!(readable(&frame.text()), "not fit for a terminal");
    let texts = [
        frame.body::<Hello>(false).map(|(_, text)| text),
        frame.body::<Welcome>(true).map(|(_, text)| text),
        frame.body::<frame::Region>(false).map(|(_, text)| text),
    ];
    assert!(texts.iter().flatten().all(|text| readable(text)), "not fit for a terminal");
}

/// The bytes of a set of patterns.
pub fn encoded(set: &PatternSet) -> Vec<u8> {
    patterns::encode(set)
}

/// Reads a set of patterns.
pub fn decode_patterns(bytes: &[u8], count: usize) {
    if let Ok(set) = patterns::decode(bytes, count, LIMITS.set_size) {
        assert_eq!(set.len(), count);
        assert!(set.size() <= LIMITS.set_size);
        assert_eq!(patterns::encode(&set), bytes, "read as something else");
    }
}

/// Reads a part of a batch: the words of its slot, and the memory that its records are in.
pub fn records(words: [u32; 6], memory: &Memory) {
    let request = request(words);
    let mut offsets = Vec::new();
    let Ok(records) = Records::of(&request, &memory.mapping, &mut offsets) else { return };
    let Ok(batch) = records.batch() else { return };
    assert_eq!(batch.len(), words[4] as usize);
    // Slices of the memory, so that none is out of range.
    let bytes = batch.iter().map(<[u8]>::len).sum::<usize>();
    assert!(bytes <= words[2] as usize, "{bytes} of {words:?}");
}

fn request([region, generation, bytes, offsets, records, terminator]: [u32; 6]) -> Request {
    Request { region, generation, bytes, offsets, records, terminator }
}

/// Shared memory.
pub struct Memory {
    fd: OwnedFd,
    mapping: Mapping,
}

impl Memory {
    /// New memory that begins with these bytes, and is sealed against these changes: to be cut off,
    /// to grow, to be written to.
    pub fn new(bytes: &[u8], len: usize, [shrink, grow, write]: [bool; 3]) -> Memory {
        let len = len.max(bytes.len()).max(1);
        let fd = sys::memory(len).expect("there is memory");
        let mapping = Mapping::new(fd.as_fd(), len, true).expect("there is memory");
        mapping.write(0, bytes);
        let mut seals = SealFlags::empty();
        seals.set(SealFlags::SHRINK, shrink);
        seals.set(SealFlags::GROW, grow);
        // The kind that mappings which are there already do not mind.
        seals.set(SealFlags::FUTURE_WRITE, write);
        sys::seal(fd.as_fd(), seals).expect("it is ours");
        Memory { fd, mapping }
    }

    /// Sealed in all ways, so that there is no writing to it for anyone.
    pub fn fixed(bytes: &[u8]) -> Memory {
        let Memory { fd, mapping } = Memory::new(bytes, 0, [false; 3]);
        drop(mapping);
        let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        sys::seal(fd.as_fd(), all).expect("it is ours");
        let mapping = Mapping::new(fd.as_fd(), bytes.len().max(1), false);
        Memory { fd, mapping: mapping.expect("there is memory") }
    }

    /// How long it is, in bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.mapping.len()
    }

    /// Memory for the control words and answers.
    pub fn control() -> Memory {
        Memory::new(&[], CONTROL, [true, true, false])
    }
}

/// A client of a server in this process, which sends whatever it is told to.
pub struct Client {
    socket: OwnedFd,
    server: JoinHandle<Result<(), ServeError>>,
    control: Control,
    submitted: u32,
    answered: u32,
    taken: u32,
}

impl Client {
    /// Starts a server. `control` is memory of the right length, which it may get to see or not.
    pub fn new(control: &Memory) -> Client {
        let (socket, theirs) = sys::socket_pair().expect("a socket");
        let server = std::thread::spawn(move || {
            let mut server = Server::new(theirs, LIMITS, || ())?;
            server.patience = PATIENCE;
            server.run()
        });
        let mapping = Mapping::new(control.fd.as_fd(), CONTROL, true).expect("there is memory");
        let control = Control::new(mapping);
        Client { socket, server, control, submitted: 0, answered: 0, taken: 0 }
    }

    /// Sends a message as it is, with memory.
    pub fn send(&self, bytes: &[u8], memories: &[&Memory]) {
        let descriptors: Vec<_> = memories.iter().map(|memory| memory.fd.as_fd()).collect();
        send(self.socket.as_fd(), bytes, &descriptors);
    }

    /// Waits for the answer to the first message. Whether it is a welcome.
    pub fn is_welcome(&self) -> bool {
        match frame::receive(&self.socket, Instant::now().checked_add(HANGS)) {
            Ok(Frame { kind, .. }) => kind == frame::Kind::Welcome,
            Err(frame::FrameError::Closed) => false,
            Err(error) => panic!("no answer to the first message: {error}"),
        }
    }

    /// Writes the words of the next slot, and says that there are so many parts more.
    pub fn submit(&mut self, words: [u32; 6], parts: u32) {
        let slot = self.control.slot(self.submitted);
        let places = [
            &slot.region,
            &slot.generation,
            &slot.bytes,
            &slot.offsets,
            &slot.records,
            &slot.terminator,
            &slot.taken,
            &slot.answered,
        ];
        for (place, word) in places.into_iter().zip(words.into_iter().chain([0, 0])) {
            place.store(word, Ordering::Relaxed);
        }
        self.submitted = self.submitted.wrapping_add(parts);
        let words = self.control.words();
        words.submitted.0.store(self.submitted, Ordering::Release);
        words.to_server.ring();
    }

    /// Says that the parts before this number are not wanted.
    pub fn cancel(&self, before: u32) {
        self.control.words().cancelled.0.store(before, Ordering::Release);
        self.control.words().to_server.ring();
    }

    /// Takes answers until all parts have theirs, or the server has ended.
    pub fn settle(&mut self) {
        let due = Instant::now() + HANGS;
        while self.answered != self.submitted && !self.server.is_finished() {
            assert!(Instant::now() < due, "the server neither answers nor ends");
            let (words, slot) = (self.control.words(), self.control.slot(self.answered));
            let there = || slot.answered.load(Ordering::Acquire) != self.taken;
            let end = Instant::now().checked_add(Duration::from_millis(1));
            let waited = words.to_client.wait(end, None, || there() || self.server.is_finished());
            waited.expect("a futex");
            if !there() {
                continue;
            }
            let found = slot.found.load(Ordering::Relaxed);
            assert!(found as usize <= RESULTS, "{found} matches in a block");
            if slot.status.load(Ordering::Relaxed) == status::MORE {
                self.taken = self.taken.wrapping_add(1);
                self.control.take(self.answered, self.taken);
            } else {
                (self.answered, self.taken) = (self.answered.wrapping_add(1), 0);
            }
        }
    }

    /// Closes the connection, after which the server must end.
    pub fn end(self) {
        drop(self.socket);
        let end = self.server.join().expect("a server does not panic");
        assert!(!matches!(end, Err(ServeError::Stranger(_))), "{end:?}");
    }
}

/// A block of an answer: what is in its words, the number of blocks, the status, the number of
/// matches and a code; its matches; and a message on the socket before it, if it is not empty.
pub struct Said {
    /// The words.
    pub words: [u32; 4],
    /// Record, pattern, start and end of each match.
    pub matches: Vec<[u32; 4]>,
    /// The message.
    pub message: Vec<u8>,
}

/// A client of a server that begins with `first` and answers with `blocks`.
pub fn answers(first: &[u8], patterns: u32, report: Report, batch: &Batch<'_>, blocks: &[Said]) {
    let server = Arc::new(Mutex::new(None));
    let (place, greeting) = (Arc::clone(&server), first.to_vec());
    let launch = Launch::With(Box::new(move |socket| {
        send(socket.as_fd(), &greeting, &[]);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
        Ok(())
    }));
    let report_number = control::report_number(report);
    let hello = Hello { patterns, report: report_number, backend: 1, reserved: 0, bytes: 0 };
    let ask = Ask { hello, patterns: Memory::fixed(&[]).fd, deadline: PATIENCE };
    let stop = StopFlag::new();
    let Ok(mut connection) = Connection::new(&launch, &ask, &stop) else { return };
    let server = server.lock().unwrap_or_else(PoisonError::into_inner).take();
    let server = server.expect("it was started");
    let hello = frame::receive(&server, Some(Instant::now())).expect("the client begins");
    let mapping = Mapping::new(hello.descriptors[0].as_fd(), CONTROL, true).expect("memory");
    let theirs = Control::new(mapping);

    let (layout, len) = Layout::of(batch);
    let mut region = Region::new(len, len, 1).expect("there is memory");
    region.fill(batch, layout);
    connection.submit(0, &region).expect("the server is there");
    let (mut found, mut taken) = (Vec::new(), 0);
    for Said { words: [count, status, matches, code], matches: block, message } in blocks {
        if !message.is_empty() {
            send(server.as_fd(), message, &[]);
        }
        let block: Vec<Match> =
            block.iter().take(RESULTS).map(|&[r, p, s, e]| Match::new(r, p, s..e)).collect();
        theirs.write_block(0, &block);
        let answer =
            control::Answer { count: *count, status: *status, found: *matches, code: *code };
        theirs.publish(0, &answer);
        let before = found.len();
        match connection.block(0, taken, &region, Some(&stop), &mut found) {
            Ok(Block::More) => assert!(found.len() > before, "an answer without end"),
            Ok(_) => break,
            Err(fault) => {
                let _ = connection.explain(fault).to_string();
                return;
            }
        }
        taken += 1;
    }
    believed(&found, patterns, report, batch);
}

/// What a client takes for an answer could be one.
fn believed(found: &[Match], patterns: u32, report: Report, batch: &Batch<'_>) {
    let lengths: Vec<usize> = batch.iter().map(<[u8]>::len).collect();
    let mut last: Option<&Match> = None;
    for m in found {
        assert!(m.record() < lengths.len() && m.pattern() < patterns as usize, "{m:?}");
        assert!(m.start() <= m.end() && m.end() <= lengths[m.record()], "{m:?}");
        assert!(report == Report::Spans || m.range() == (0..0), "{m:?}");
        if let Some(last) = last {
            let pair = |m: &Match| (m.record(), m.pattern());
            assert!(last < m, "{m:?} after {last:?}");
            assert!(pair(last) < pair(m) || last.end() <= m.start(), "{m:?} overlaps {last:?}");
        }
        last = Some(m);
    }
}

/// Sends bytes as they are. Some the system does not take, and the other side may be gone.
fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)), "there is room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags);
}
