//! What hostile clients put into shared memory.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::super::control::{CONTROL, Control, SLOTS, Words, status};
use super::super::frame::{self, Kind};
use super::super::memory::Mapping;
use super::super::region::Layout;
use super::hostile_clients::{Ends, count, framed, memory, mutated, odd, raw};
use super::{Rng, found, named, records};
use dragnet::{BatchBuf, Engine, Match};

/// How long a region of a hostile client is.
const REGION: usize = 64 << 10;

/// The client's side of a connection that was accepted.
pub(super) struct Session<'a> {
    socket: BorrowedFd<'a>,
    engine: &'a Engine,
    control: Control,
    /// The same memory once more, for writing anything.
    words: Arc<Mapping>,
    regions: [Option<Region>; SLOTS],
    generation: u32,
    submitted: u32,
    /// What was submitted and not answered: the region and what the engine finds.
    waiting: VecDeque<(usize, Vec<Match>)>,
    /// Whether nothing was wrong so far, so that answers must be right.
    fine: bool,
    flipper: Option<Flipper>,
    pub(super) sent: u64,
}

struct Region {
    generation: u32,
    mapping: Arc<Mapping>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        socket: BorrowedFd<'a>,
        control: &OwnedFd,
        engine: &'a Engine,
        fine: bool,
    ) -> Session<'a> {
        let map = || Mapping::new(control.as_fd(), CONTROL, true).expect("there is memory");
        Session {
            socket,
            engine,
            control: Control::new(map()),
            words: Arc::new(map()),
            regions: [const { None }; SLOTS],
            generation: 0,
            submitted: 0,
            waiting: VecDeque::new(),
            fine,
            flipper: None,
            sent: 0,
        }
    }

    pub(super) fn run(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, ends: &Ends) {
        for _ in 0..1 + rng.below(20) {
            match rng.below(24) {
                _ if is_over() => return,
                0 => {
                    self.fine = false;
                    self.sent += 1;
                    let descriptors = [odd(rng), odd(rng)];
                    let list = descriptors.each_ref().map(AsFd::as_fd);
                    mutated(rng, self.socket, Kind::Region, &[0; 16], &list);
                }
                1 => {
                    self.fine = false;
                    self.control.words().cancelled.0.store(rng.edge(), Ordering::Release);
                    self.control.words().to_server.ring();
                }
                2 if rng.one_in(2) => {
                    self.fine = false;
                    self.flip(rng);
                }
                _ => self.part(rng, is_over, ends),
            }
        }
        while !self.waiting.is_empty() && !is_over() {
            self.take_answer(rng, is_over, ends);
        }
    }

    /// Ends it; memory goes on changing until what is returned is dropped.
    pub(super) fn finish(self) -> Option<Flipper> {
        self.flipper
    }

    /// Submits a part, well or not.
    fn part(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, ends: &Ends) {
        let number = rng.below(SLOTS);
        let is_taken = |session: &Session<'_>| {
            session.waiting.len() == SLOTS
                || session.waiting.iter().any(|&(region, _)| region == number)
        };
        while is_taken(self) && !is_over() {
            self.take_answer(rng, is_over, ends);
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
        let (layout, _) = Layout::of(&batch);
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
            self.fine = false;
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
        region.mapping.write(0, batch.buffer());
        region.mapping.write(layout.offsets as usize, bytemuck::cast_slice(&offsets));
        let slot = self.control.slot(self.submitted);
        let places = [
            &slot.region,
            &slot.generation,
            &slot.bytes,
            &slot.offsets,
            &slot.records,
            &slot.terminator,
        ];
        for (place, word) in places.into_iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        slot.taken.store(0, Ordering::Relaxed);
        slot.answered.store(0, Ordering::Relaxed);
        self.submitted = self.submitted.wrapping_add(1);
        let mut count = self.submitted;
        if rng.one_in(24) {
            self.fine = false;
            count = count.wrapping_add(rng.edge());
        }
        self.control.words().submitted.0.store(count, Ordering::Release);
        self.control.words().to_server.ring();
        self.sent += 1;
        self.waiting.push_back((number, found(self.engine, &batch)));
        if !rng.one_in(3) {
            self.take_answer(rng, is_over, ends);
        }
    }

    /// Replaces a region, and tells of it, well or not.
    fn send_region(&mut self, rng: &mut Rng, number: usize) {
        self.generation += 1;
        let memory = memory(REGION, SealFlags::SHRINK);
        let mapping = Mapping::new(memory.as_fd(), REGION, true).expect("there is memory");
        let mut tell = frame::Region {
            number: number as u32,
            generation: self.generation,
            len: REGION as u64,
        };
        let mut list = vec![memory.as_fd()];
        let odd = odd(rng);
        let kind = if rng.one_in(12) { rng.below(8) } else { usize::MAX };
        self.fine &= kind == usize::MAX;
        match kind {
            0 => tell.number = rng.edge(),
            1 => tell.generation = rng.edge(),
            2 => tell.len = u64::from(rng.edge()) << (rng.below(2) * 32),
            3 => list = vec![odd.as_fd()],
            4 => list.extend([odd.as_fd(); 9]),
            _ => {}
        }
        let body = bytemuck::bytes_of(&tell);
        match kind {
            5 => mutated(rng, self.socket, Kind::Region, body, &list),
            // Never said.
            6 => {}
            _ => raw(self.socket, &framed(Kind::Region as u32, body), &list),
        }
        if kind == 7 {
            raw(self.socket, &framed(Kind::Region as u32, body), &list);
        }
        self.sent += 1;
        let region = Region { generation: self.generation, mapping: Arc::new(mapping) };
        self.regions[number] = Some(region);
    }

    /// Takes the oldest answer. If nothing was wrong before, it must come and be right.
    fn take_answer(&mut self, rng: &mut Rng, is_over: &dyn Fn() -> bool, ends: &Ends) {
        let sequence = self.submitted.wrapping_sub(self.waiting.len() as u32);
        let Some((_, expected)) = self.waiting.pop_front() else { return };
        let (words, slot) = (self.control.words(), self.control.slot(sequence));
        let mut matches = Vec::new();
        for taken in 0..8 {
            let patience = Duration::from_millis(if self.fine { 30_000 } else { 4 });
            let answered = || slot.answered.load(Ordering::Acquire) != taken || is_over();
            let end = Instant::now().checked_add(patience);
            let waited = words.to_client.wait(end, Some(Duration::from_millis(1)), answered);
            let state = slot.status.load(Ordering::Relaxed);
            let count = slot.found.load(Ordering::Relaxed) as usize;
            if self.fine {
                assert!(matches!(waited, Ok(true)) && !is_over(), "no answer to a good client");
                self.control.read_block(sequence, count, &mut matches);
            }
            if state != status::MORE {
                break;
            }
            let said = match self.flipper.is_none() && rng.one_in(16) {
                true => {
                    self.fine = false;
                    rng.edge()
                }
                false => taken + 1,
            };
            slot.taken.store(said, Ordering::Release);
            words.to_server.ring();
        }
        if self.fine {
            assert_eq!(slot.status.load(Ordering::Relaxed), status::DONE);
            assert_eq!(matches, expected, "a wrong answer to a good client");
            count(ends, "exact answer");
        }
    }

    /// Starts changing memory all the time: the words, or the records, or both.
    fn flip(&mut self, rng: &mut Rng) {
        if self.flipper.is_some() {
            return;
        }
        let mut places = Vec::new();
        let what = rng.below(4);
        if what != 0 {
            // All words, or those of the slots alone.
            let start = if what == 1 { 0 } else { size_of::<Words>() - SLOTS * 128 };
            places.push((Arc::clone(&self.words), start, size_of::<Words>()));
        }
        if what != 2 {
            let records = self.regions.iter().flatten();
            // Where the bytes and the offsets of most parts are.
            places.extend(records.map(|region| (Arc::clone(&region.mapping), 0, 1024)));
        }
        if !places.is_empty() {
            self.flipper = Some(Flipper::start(places, rng.next()));
        }
    }
}

/// A thread that writes to shared memory, whoever reads it, until this is dropped.
pub(super) struct Flipper {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flipper {
    /// Changes these places, each from one byte of a mapping up to another.
    pub(super) fn start(places: Vec<(Arc<Mapping>, usize, usize)>, seed: u64) -> Flipper {
        let end = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&end);
        let work = move || {
            let mut rng = Rng(seed);
            while !is_over.load(Ordering::Relaxed) {
                if rng.one_in(256) {
                    std::thread::yield_now();
                }
                let (mapping, start, behind) = &places[rng.below(places.len())];
                let at = start / 4 + rng.below((behind - start) / 4);
                assert!(at * 4 + 4 <= mapping.len(), "within the mapping");
                // SAFETY: in range, as was just asserted, and a multiple of four from a page's
                // start; the mapping is writable and lives as long as `places`.
                let word = unsafe { AtomicU32::from_ptr(mapping.as_ptr().cast::<u32>().add(at)) };
                // Mostly values that may pass a check before the next one does not.
                word.store(
                    match rng.below(4) {
                        0 => rng.edge(),
                        1 => word.load(Ordering::Relaxed) ^ 1 << rng.below(32),
                        _ => rng.below(300) as u32,
                    },
                    Ordering::Relaxed,
                );
            }
        };
        Flipper { end, thread: Some(named("hostile-flipper", work)) }
    }
}

impl Drop for Flipper {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}
