//! A server that violates the protocol at random: it sends false or malformed answers, or none.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::super::chunk_records::ChunkRecords;
use super::super::control::{BlockHeader, ChunkRequest, ControlMemory};
use super::super::frame::{self, FrameKind, RegionNotice, Welcome};
use super::super::layout::{BLOCK_MATCHES, CONTROL_LEN, ControlWords, status};
use super::super::memory::SharedMapping;
use super::super::sequence::{SLOTS, Sequence};
use super::super::sys;
use super::malformed::{framed, send_mutated, send_raw, wrong_descriptor};
use super::scrambler::{Range, Scrambler};
use super::{PATTERNS, Rng, find_all};
use dragnet::{Engine, Match, StopFlag};

/// What the fake servers of a session share with the test.
pub(super) struct Shared {
    pub(super) engine: Engine,
    /// Whether all servers follow the protocol from now on.
    pub(super) honest: AtomicBool,
    /// Whether a server sent a false answer that the client can't detect.
    pub(super) believable: AtomicBool,
    /// The number of messages and blocks that the servers sent.
    pub(super) sent: AtomicU64,
    /// The client's stop flag, which a fake server may raise at any moment.
    pub(super) stop: std::sync::Mutex<StopFlag>,
}

/// Whether a server closes the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterAnswer {
    Close,
    Continue,
}

/// A server that lies at random.
pub(super) struct FakeServer {
    socket: OwnedFd,
    shared: Arc<Shared>,
    rng: Rng,
}

impl FakeServer {
    pub(super) fn new(socket: OwnedFd, shared: Arc<Shared>, seed: u64) -> FakeServer {
        FakeServer { socket, shared, rng: Rng(seed) }
    }

    /// Returns true with a probability of one in `chances`, but never once servers must be honest.
    fn lies(&mut self, chances: usize) -> bool {
        self.rng.one_in(chances) && !self.shared.honest.load(Ordering::SeqCst)
    }

    fn count_sent(&self) {
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn run(mut self) {
        // Both results are fine: `None` means that the server ended the connection.
        let _ = self.handshake();
    }

    /// Stays silent until the client closes the connection.
    fn keep_silent(&self) {
        while !self.is_closed() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn is_closed(&self) -> bool {
        let hangup = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR;
        sys::poll(self.socket.as_fd(), PollFlags::RDHUP, Some(Duration::ZERO))
            .is_ok_and(|events| events.intersects(hangup))
    }

    /// Answers the first message, and serves the client. Returns `None` when it ends the connection.
    fn handshake(&mut self) -> Option<()> {
        if self.lies(40) {
            return None;
        }
        let deadline = Instant::now().checked_add(Duration::from_secs(30));
        let hello = frame::receive(&self.socket, deadline).ok()?;
        let [control, _] = <[OwnedFd; 2]>::try_from(hello.descriptors).ok()?;
        let map = || SharedMapping::new(control.as_fd(), CONTROL_LEN, true).ok();
        let (control, raw_control) = (ControlMemory::new(map()?), Arc::new(map()?));
        let mut welcome = Welcome { backend: 2, patterns: PATTERNS, max_region_len: 1 << 20 };
        self.count_sent();
        if self.lies(8) {
            let text = self.rng.bytes(40);
            let body = [bytemuck::bytes_of(&welcome), &text].concat();
            let descriptors = [(); 3].map(|()| wrong_descriptor(&mut self.rng));
            let list = descriptors.each_ref().map(AsFd::as_fd);
            match self.rng.below(9) {
                0 => welcome.backend = self.rng.edge(),
                1 => welcome.patterns = self.rng.edge(),
                2 => {
                    welcome.max_region_len = u64::from(self.rng.edge()) << (self.rng.below(2) * 32)
                }
                3 if self.rng.one_in(4) => {
                    self.keep_silent();
                    return None;
                }
                4 => send_raw(self.socket.as_fd(), &framed(FrameKind::Refused as u32, &text), &[]),
                5 => send_raw(self.socket.as_fd(), &framed(FrameKind::Error as u32, &text), &[]),
                6 => return None,
                _ => send_mutated(
                    &mut self.rng,
                    self.socket.as_fd(),
                    FrameKind::Welcome,
                    &body,
                    &list,
                ),
            }
        }
        let text = if self.lies(8) { self.rng.bytes(40) } else { Vec::new() };
        let body = [bytemuck::bytes_of(&welcome), &text].concat();
        send_raw(self.socket.as_fd(), &framed(FrameKind::Welcome as u32, &body), &[]);
        self.serve(&control, &raw_control)
    }

    /// Answers chunks until the client closes the connection.
    fn serve(&mut self, control: &ControlMemory, raw_control: &Arc<SharedMapping>) -> Option<()> {
        let words = control.words();
        let mut regions: [Option<(u32, SharedMapping)>; SLOTS] = [const { None }; SLOTS];
        let mut scrambler = None;
        let mut next = Sequence::default();
        loop {
            let submitted = || words.submitted.0.load(Ordering::Acquire) != next.get();
            let max_sleep = Some(Duration::from_millis(1));
            while !submitted() {
                if self.is_closed() {
                    return None;
                }
                let end = Instant::now().checked_add(Duration::from_millis(1));
                words.server_event.wait(end, max_sleep, submitted).ok()?;
            }
            if self.lies(60) {
                let stop = self.shared.stop.lock().ok()?;
                stop.raise();
            }
            if scrambler.is_some() && self.shared.honest.load(Ordering::SeqCst) {
                // Scrambled memory stays wrong, so an honest server can't use it.
                return None;
            }
            if self.lies(400) && scrambler.is_none() {
                self.shared.believable.store(true, Ordering::SeqCst);
                let start = if self.rng.one_in(2) { 0 } else { size_of::<ControlWords>() };
                let end = size_of::<ControlWords>() + 4096;
                let range = Range { mapping: Arc::clone(raw_control), start, end };
                scrambler = Some(Scrambler::start(vec![range], self.rng.next()));
            }
            let request = ChunkRequest::load(control.slot(next));
            while regions
                .get(request.region as usize)?
                .as_ref()
                .is_none_or(|region| region.0 != request.generation)
            {
                let deadline = Instant::now().checked_add(Duration::from_secs(1));
                let frame = frame::receive(&self.socket, deadline).ok()?;
                let (notice, _) = frame.body::<RegionNotice>(false).ok()?;
                let descriptor = frame.descriptors[0].as_fd();
                let mapping = SharedMapping::new(descriptor, notice.len as usize, false).ok()?;
                *regions.get_mut(notice.number as usize)? = Some((notice.generation, mapping));
            }
            let (_, mapping) = regions[request.region as usize].as_ref()?;
            let mut offsets = Vec::new();
            let records = ChunkRecords::new(&request, mapping, &mut offsets).ok()?;
            let mut copy = Vec::new();
            mapping.load(0, records.padded_len(), &mut copy);
            let batch = records.batch(&copy).ok()?;
            let matches = find_all(&self.shared.engine, &batch);
            if self.answer(control, next, matches)? == AfterAnswer::Close {
                return None;
            }
            next = next.next();
        }
    }

    /// Answers a chunk, honestly or not.
    fn answer(
        &mut self,
        control: &ControlMemory,
        sequence: Sequence,
        matches: Vec<Match>,
    ) -> Option<AfterAnswer> {
        let lie = if self.lies(4) { self.rng.below(20) } else { usize::MAX };
        let mut blocks: Vec<Vec<Match>> =
            matches.chunks(BLOCK_MATCHES).map(<[Match]>::to_vec).collect();
        if blocks.is_empty() {
            blocks.push(Vec::new());
        }
        let last = blocks.len() - 1;
        match lie {
            0 => return Some(AfterAnswer::Close),
            1 if self.rng.one_in(8) => {
                self.keep_silent();
                return Some(AfterAnswer::Close);
            }
            2 => {
                let text = self.rng.bytes(3000);
                send_raw(self.socket.as_fd(), &framed(FrameKind::Error as u32, &text), &[]);
                let status = if self.rng.one_in(2) { status::FAILED } else { status::PANICKED };
                let code = if self.rng.one_in(2) { 0 } else { self.rng.edge() };
                self.publish(control, sequence, 1, status, 0, code);
                return Some(AfterAnswer::Continue);
            }
            3 => {
                send_mutated(&mut self.rng, self.socket.as_fd(), FrameKind::Error, b"text", &[]);
            }
            // A status that may be unknown, with the matches of the last block.
            4 => {
                let (status, count) = (self.rng.edge(), blocks[last].len() as u32);
                // It may be `DONE`, although no block was written.
                self.shared.believable.fetch_or(status == status::DONE, Ordering::SeqCst);
                self.publish(control, sequence, 1, status, count, 0);
                return Some(AfterAnswer::Continue);
            }
            5 => {
                let count = self.rng.edge().max(2);
                self.publish(control, sequence, count, status::DONE, 0, 0);
                return Some(AfterAnswer::Continue);
            }
            6 => {
                let count = (BLOCK_MATCHES as u32).saturating_add(1 + self.rng.edge() / 2);
                self.publish(control, sequence, 1, status::DONE, count, 0);
                return Some(AfterAnswer::Continue);
            }
            7 => {
                // The same block seven times.
                let block = blocks[0].clone();
                control.write_block(sequence, &block);
                for count in 1..8 {
                    self.publish(control, sequence, count, status::MORE, block.len() as u32, 0);
                    self.wait_until_taken(control, sequence, count);
                }
                return Some(AfterAnswer::Close);
            }
            8 => {
                let found = self.rng.next() as u32 % 2;
                self.publish(control, sequence, 1, status::STOPPED, found, 0);
                return Some(AfterAnswer::Continue);
            }
            9..=14 if !matches.is_empty() => self.invalidate(lie, &mut blocks[0]),
            15 => {
                // One match is left out, which the client can't detect.
                blocks[0].pop();
                self.shared.believable.fetch_or(!matches.is_empty(), Ordering::SeqCst);
            }
            _ => {}
        }
        for (number, block) in blocks.iter().enumerate() {
            control.write_block(sequence, block);
            let status = if number == last { status::DONE } else { status::MORE };
            // A block that is empty because its only match was left out must be the last one.
            let status = if block.is_empty() { status::DONE } else { status };
            let count = number as u32 + 1;
            self.publish(control, sequence, count, status, block.len() as u32, 0);
            if status == status::MORE {
                self.wait_until_taken(control, sequence, count);
            }
            if lie == 16 {
                return Some(AfterAnswer::Close);
            }
        }
        Some(AfterAnswer::Continue)
    }

    /// Changes the matches so that the client must reject them.
    fn invalidate(&mut self, lie: usize, block: &mut Vec<Match>) {
        let at = self.rng.below(block.len());
        let m = block[at];
        let (record, pattern) = (m.record() as u32, m.pattern() as u32);
        let (start, end) = m.span().map_or((0, 0), |span| (span.start as u32, span.end as u32));
        let of_pattern = |pattern| match m.span() {
            Some(_) => Match::new(record, pattern, start..end),
            None => Match::without_span(record, pattern),
        };
        match lie {
            9 => block[at] = m.with_record(u32::MAX - self.rng.next() as u32 % 9),
            10 => block[at] = of_pattern(PATTERNS + self.rng.edge() / 2),
            11 => block[at] = Match::new(record, pattern, end + 1..end),
            12 => block[at] = Match::new(record, pattern, start..u32::MAX - 9),
            13 => block.insert(at, m),
            // Overlaps the one before it.
            _ => block.insert(at + 1, Match::new(record, pattern, start..end + 1)),
        }
    }

    fn wait_until_taken(&self, control: &ControlMemory, sequence: Sequence, count: u32) {
        let slot = control.slot(sequence);
        let taken = || slot.taken.load(Ordering::Acquire) == count || self.is_closed();
        let end = Instant::now().checked_add(Duration::from_secs(1));
        let max_sleep = Some(Duration::from_millis(1));
        let _ = control.words().server_event.wait(end, max_sleep, taken);
    }

    fn publish(
        &self,
        control: &ControlMemory,
        sequence: Sequence,
        count: u32,
        status: u32,
        found: u32,
        code: u32,
    ) {
        self.count_sent();
        control.publish(sequence, &BlockHeader { count, status, found, code });
    }
}
