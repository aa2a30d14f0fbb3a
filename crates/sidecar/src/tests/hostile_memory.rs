//! Hostile clients that write invalid numbers to shared memory after a valid handshake.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::super::control::ControlMemory;
use super::super::frame::{FrameKind, RegionNotice};
use super::super::layout::{CONTROL_LEN, ChunkSlot, ControlWords, status};
use super::super::memory::SharedMapping;
use super::super::region::RegionLayout;
use super::super::sequence::{SLOTS, Sequence};
use super::malformed::{framed, memory, send_mutated, send_raw, wrong_descriptor};
use super::scrambler::{Range, Scrambler};
use super::sessions::{Outcomes, count};
use super::{Rng, find_all, records};
use dragnet::{BatchBuf, Engine, Match};

/// The length of a hostile client's regions, in bytes.
const REGION_LEN: usize = 64 << 10;

/// A hostile client whose handshake the server has accepted.
pub(super) struct HostileSession<'a> {
    socket: BorrowedFd<'a>,
    engine: &'a Engine,
    control: ControlMemory,
    /// Another mapping of the control memory, for writes that `ControlMemory` does not allow.
    words: Arc<SharedMapping>,
    regions: [Option<SentRegion>; SLOTS],
    generation: u32,
    submitted: Sequence,
    /// The chunks in flight: their regions, and the matches that an engine finds.
    in_flight: VecDeque<(usize, Vec<Match>)>,
    /// Whether everything was valid so far, so that answers must be exact.
    is_valid: bool,
    scrambler: Option<Scrambler>,
    pub(super) sent: u64,
}

struct SentRegion {
    generation: u32,
    mapping: Arc<SharedMapping>,
}

impl<'a> HostileSession<'a> {
    pub(super) fn new(
        socket: BorrowedFd<'a>,
        control: &OwnedFd,
        engine: &'a Engine,
        is_valid: bool,
    ) -> HostileSession<'a> {
        let map =
            || SharedMapping::new(control.as_fd(), CONTROL_LEN, true).expect("there is memory");
        HostileSession {
            socket,
            engine,
            control: ControlMemory::new(map()),
            words: Arc::new(map()),
            regions: [const { None }; SLOTS],
            generation: 0,
            submitted: Sequence::default(),
            in_flight: VecDeque::new(),
            is_valid,
            scrambler: None,
            sent: 0,
        }
    }

    pub(super) fn run(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, outcomes: &Outcomes) {
        for _ in 0..1 + rng.below(20) {
            match rng.below(24) {
                _ if is_over() => return,
                0 => {
                    self.is_valid = false;
                    self.sent += 1;
                    let descriptors = [wrong_descriptor(rng), wrong_descriptor(rng)];
                    let list = descriptors.each_ref().map(AsFd::as_fd);
                    send_mutated(rng, self.socket, FrameKind::Region, &[0; 16], &list);
                }
                1 => {
                    self.is_valid = false;
                    self.control.set_cancelled(Sequence::new(rng.edge()));
                    self.control.words().server_event.signal();
                }
                2 if rng.one_in(2) => {
                    self.is_valid = false;
                    self.scramble(rng);
                }
                _ => self.submit(rng, is_over, outcomes),
            }
        }
        while !self.in_flight.is_empty() && !is_over() {
            self.receive(rng, is_over, outcomes);
        }
    }

    /// Ends the session. Memory is scrambled until the returned value is dropped.
    pub(super) fn finish(self) -> Option<Scrambler> {
        self.scrambler
    }

    /// Submits a chunk, valid or not.
    fn submit(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, outcomes: &Outcomes) {
        let number = rng.below(SLOTS);
        let is_used = |session: &HostileSession<'_>| {
            session.in_flight.len() == SLOTS
                || session.in_flight.iter().any(|&(region, _)| region == number)
        };
        while is_used(self) && !is_over() {
            self.receive(rng, is_over, outcomes);
        }
        if self.regions[number].is_none() || rng.one_in(4) {
            self.send_region(rng, number);
        }
        let records = match rng.one_in(16) {
            // An answer of several blocks.
            true => {
                let mut records = BatchBuf::new();
                records.push(&vec![b'q'; 9000]).expect("it is small");
                records
            }
            false => records(rng, 12),
        };
        let batch = records.as_batch();
        let (layout, _) = RegionLayout::of(&batch);
        let Some(region) = &self.regions[number] else { return };
        let mut offsets = batch.offsets().to_vec();
        let mut words = [
            number as u32,
            region.generation,
            layout.bytes,
            layout.offsets,
            layout.records,
            layout.terminator,
        ];
        if rng.one_in(6) {
            self.is_valid = false;
            match rng.below(3) {
                0 => words[rng.below(6)] = rng.edge(),
                1 => {
                    let at = rng.below(offsets.len());
                    offsets[at] = rng.edge();
                }
                _ => {
                    words[5] = 1;
                    words[rng.below(6)] = rng.next() as u32 % 200;
                }
            }
        }
        region.mapping.store(0, batch.buffer());
        region.mapping.store(layout.offsets as usize, bytemuck::cast_slice(&offsets));
        let slot = self.control.slot(self.submitted);
        let slot_words = [
            &slot.region,
            &slot.generation,
            &slot.bytes,
            &slot.offsets,
            &slot.records,
            &slot.terminator,
        ];
        for (slot_word, word) in slot_words.into_iter().zip(words) {
            slot_word.store(word, Ordering::Relaxed);
        }
        slot.taken.store(0, Ordering::Relaxed);
        slot.answered.store(0, Ordering::Relaxed);
        self.submitted = self.submitted.next();
        let mut count = self.submitted.get();
        if rng.one_in(24) {
            self.is_valid = false;
            count = count.wrapping_add(rng.edge());
        }
        self.control.words().submitted.0.store(count, Ordering::Release);
        self.control.words().server_event.signal();
        self.sent += 1;
        self.in_flight.push_back((number, find_all(self.engine, &batch)));
        if !rng.one_in(3) {
            self.receive(rng, is_over, outcomes);
        }
    }

    /// Replaces a region and announces it, validly or not.
    fn send_region(&mut self, rng: &mut Rng, number: usize) {
        self.generation += 1;
        let memory = memory(REGION_LEN, SealFlags::SHRINK);
        let mapping =
            SharedMapping::new(memory.as_fd(), REGION_LEN, true).expect("there is memory");
        let mut notice = RegionNotice {
            number: number as u32,
            generation: self.generation,
            len: REGION_LEN as u64,
        };
        let mut list = vec![memory.as_fd()];
        let wrong = wrong_descriptor(rng);
        let kind = if rng.one_in(12) { rng.below(8) } else { usize::MAX };
        self.is_valid &= kind == usize::MAX;
        match kind {
            0 => notice.number = rng.edge(),
            1 => notice.generation = rng.edge(),
            2 => notice.len = u64::from(rng.edge()) << (rng.below(2) * 32),
            3 => list = vec![wrong.as_fd()],
            4 => list.extend([wrong.as_fd(); 9]),
            _ => {}
        }
        let body = bytemuck::bytes_of(&notice);
        match kind {
            5 => send_mutated(rng, self.socket, FrameKind::Region, body, &list),
            // Not announced.
            6 => {}
            _ => send_raw(self.socket, &framed(FrameKind::Region as u32, body), &list),
        }
        if kind == 7 {
            send_raw(self.socket, &framed(FrameKind::Region as u32, body), &list);
        }
        self.sent += 1;
        let region = SentRegion { generation: self.generation, mapping: Arc::new(mapping) };
        self.regions[number] = Some(region);
    }

    /// Receives the answer of the oldest chunk. If everything was valid, it must arrive and be exact.
    fn receive(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, outcomes: &Outcomes) {
        let in_flight = self.in_flight.len() as u32;
        let sequence = Sequence::new(self.submitted.get().wrapping_sub(in_flight));
        let Some((_, expected)) = self.in_flight.pop_front() else { return };
        let (words, slot) = (self.control.words(), self.control.slot(sequence));
        let mut matches = Vec::new();
        for taken in 0..8 {
            let timeout = Duration::from_millis(if self.is_valid { 30_000 } else { 4 });
            let answered = || slot.answered.load(Ordering::Acquire) != taken || is_over();
            let end = Instant::now().checked_add(timeout);
            let waited = words.client_event.wait(end, Some(Duration::from_millis(1)), answered);
            let status = slot.status.load(Ordering::Relaxed);
            let count = slot.found.load(Ordering::Relaxed) as usize;
            if self.is_valid {
                assert!(matches!(waited, Ok(true)) && !is_over(), "no answer to a valid client");
                self.control.read_block(sequence, count, &mut matches);
            }
            if status != status::MORE {
                break;
            }
            let reported = match self.scrambler.is_none() && rng.one_in(16) {
                true => {
                    self.is_valid = false;
                    rng.edge()
                }
                false => taken + 1,
            };
            slot.taken.store(reported, Ordering::Release);
            words.server_event.signal();
        }
        if self.is_valid {
            assert_eq!(slot.status.load(Ordering::Relaxed), status::DONE);
            assert_eq!(matches, expected, "a wrong answer to a valid client");
            count(outcomes, "exact answer");
        }
    }

    /// Starts a thread that keeps changing memory: the control words, the records, or both.
    fn scramble(&mut self, rng: &mut Rng) {
        if self.scrambler.is_some() {
            return;
        }
        let mut ranges = Vec::new();
        let target = rng.below(4);
        if target != 0 {
            // All words, or those of the slots only.
            let slots = SLOTS * size_of::<ChunkSlot>();
            let start = if target == 1 { 0 } else { size_of::<ControlWords>() - slots };
            let end = size_of::<ControlWords>();
            ranges.push(Range { mapping: Arc::clone(&self.words), start, end });
        }
        if target != 2 {
            let records = self.regions.iter().flatten();
            // This range has the records and the offsets of most chunks.
            ranges.extend(records.map(|region| Range {
                mapping: Arc::clone(&region.mapping),
                start: 0,
                end: 1024,
            }));
        }
        if !ranges.is_empty() {
            self.scrambler = Some(Scrambler::start(ranges, rng.next()));
        }
    }
}
