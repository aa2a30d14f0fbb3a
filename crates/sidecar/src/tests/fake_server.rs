//! A server that lies to its client, or says nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::super::control::{CONTROL, Control, RESULTS, SLOTS, Slot, Words, status};
use super::super::frame::{self, Kind, Region, Welcome};
use super::super::memory::Mapping;
use super::super::request::{Records, Request};
use super::super::sys;
use super::hostile_clients::{framed, mutated, odd, raw};
use super::requests::Flipper;
use super::{PATTERNS, Rng, found};
use dragnet::{Engine, Match, StopFlag};

/// What a fake server and the test share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    /// No lies from here on.
    pub(super) honest: AtomicBool,
    /// Whether there was a lie that keeps to the rules, so that nobody can tell.
    pub(super) believable: AtomicBool,
    pub(super) sent: AtomicU64,
    /// The client's flag, which may be raised at any moment.
    pub(super) stop: std::sync::Mutex<StopFlag>,
}

/// Whether a connection goes on after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Goes,
    Stays,
}

pub(super) struct Fake {
    socket: OwnedFd,
    shared: Arc<Shared>,
    rng: Rng,
}

impl Fake {
    pub(super) fn new(socket: OwnedFd, shared: Arc<Shared>, seed: u64) -> Fake {
        Fake { socket, shared, rng: Rng(seed) }
    }

    /// Whether to lie now.
    fn lies(&mut self, times: usize) -> bool {
        self.rng.one_in(times) && !self.shared.honest.load(Ordering::SeqCst)
    }

    fn sends(&self) {
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn run(mut self) {
        // It says how far it came, which nobody needs to know.
        let _ = self.greet();
    }

    /// Says nothing until the client has enough.
    fn keep_silent(&self) {
        while !self.is_left() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn is_left(&self) -> bool {
        let over = PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR;
        sys::poll(self.socket.as_fd(), PollFlags::RDHUP, Some(Duration::ZERO))
            .is_ok_and(|events| events.intersects(over))
    }

    /// The first message and its answer. `None` if that was all.
    fn greet(&mut self) -> Option<()> {
        if self.lies(40) {
            return None;
        }
        let deadline = Instant::now().checked_add(Duration::from_secs(30));
        let hello = frame::receive(&self.socket, deadline).ok()?;
        let [control, _] = <[OwnedFd; 2]>::try_from(hello.descriptors).ok()?;
        let map = || Mapping::new(control.as_fd(), CONTROL, true).ok();
        let (control, raw_control) = (Control::new(map()?), Arc::new(map()?));
        let mut welcome = Welcome { backend: 2, patterns: PATTERNS, region: 1 << 20 };
        self.sends();
        if self.lies(8) {
            let text = self.rng.bytes(40);
            let body = [bytemuck::bytes_of(&welcome), &text].concat();
            let descriptors = [odd(&mut self.rng), odd(&mut self.rng), odd(&mut self.rng)];
            let list = descriptors.each_ref().map(AsFd::as_fd);
            match self.rng.below(9) {
                0 => welcome.backend = self.rng.edge(),
                1 => welcome.patterns = self.rng.edge(),
                2 => welcome.region = u64::from(self.rng.edge()) << (self.rng.below(2) * 32),
                3 if self.rng.one_in(4) => {
                    self.keep_silent();
                    return None;
                }
                4 => raw(self.socket.as_fd(), &framed(Kind::Refused as u32, &text), &[]),
                5 => raw(self.socket.as_fd(), &framed(Kind::Fault as u32, &text), &[]),
                6 => return None,
                _ => mutated(&mut self.rng, self.socket.as_fd(), Kind::Welcome, &body, &list),
            }
        }
        let text = if self.lies(8) { self.rng.bytes(40) } else { Vec::new() };
        let body = [bytemuck::bytes_of(&welcome), &text].concat();
        raw(self.socket.as_fd(), &framed(Kind::Welcome as u32, &body), &[]);
        self.serve(&control, &raw_control)
    }

    /// Answers parts, until the client is gone.
    fn serve(&mut self, control: &Control, again: &Arc<Mapping>) -> Option<()> {
        let words = control.words();
        let mut regions: [Option<(u32, Mapping)>; SLOTS] = [const { None }; SLOTS];
        let mut flipper = None;
        let mut next = 0_u32;
        loop {
            let submitted = || words.submitted.0.load(Ordering::Acquire) != next;
            let nap = Some(Duration::from_millis(1));
            while !submitted() {
                if self.is_left() {
                    return None;
                }
                let end = Instant::now().checked_add(Duration::from_millis(1));
                words.to_server.wait(end, nap, submitted).ok()?;
            }
            if self.lies(60) {
                let stop = self.shared.stop.lock().ok()?;
                stop.raise();
            }
            if flipper.is_some() && self.shared.honest.load(Ordering::SeqCst) {
                // What was changed stays changed.
                return None;
            }
            if self.lies(400) && flipper.is_none() {
                self.shared.believable.store(true, Ordering::SeqCst);
                let start = if self.rng.one_in(2) { 0 } else { size_of::<Words>() };
                let behind = size_of::<Words>() + 4096;
                let place = (Arc::clone(again), start, behind);
                flipper = Some(Flipper::start(vec![place], self.rng.next()));
            }
            let request = Request::read(control.slot(next));
            while regions
                .get(request.region as usize)?
                .as_ref()
                .is_none_or(|region| region.0 != request.generation)
            {
                let deadline = Instant::now().checked_add(Duration::from_secs(1));
                let frame = frame::receive(&self.socket, deadline).ok()?;
                let (tell, _) = frame.body::<Region>(false).ok()?;
                let mapping = Mapping::new(frame.descriptors[0].as_fd(), tell.len as usize, false);
                *regions.get_mut(tell.number as usize)? = Some((tell.generation, mapping.ok()?));
            }
            let (_, mapping) = regions[request.region as usize].as_ref()?;
            let mut offsets = Vec::new();
            let records = Records::of(&request, mapping, &mut offsets).ok()?;
            let batch = records.batch().ok()?;
            let matches = found(&self.shared.engine, &batch);
            if self.answer(control, next, matches)? == End::Goes {
                return None;
            }
            next = next.wrapping_add(1);
        }
    }

    /// Answers a part, well or not.
    fn answer(&mut self, control: &Control, sequence: u32, matches: Vec<Match>) -> Option<End> {
        let lie = if self.lies(4) { self.rng.below(20) } else { usize::MAX };
        let slot = control.slot(sequence);
        let mut blocks: Vec<Vec<Match>> = matches.chunks(RESULTS).map(<[Match]>::to_vec).collect();
        if blocks.is_empty() {
            blocks.push(Vec::new());
        }
        let last = blocks.len() - 1;
        match lie {
            0 => return Some(End::Goes),
            1 if self.rng.one_in(8) => {
                self.keep_silent();
                return Some(End::Goes);
            }
            2 => {
                let text = self.rng.bytes(3000);
                raw(self.socket.as_fd(), &framed(Kind::Fault as u32, &text), &[]);
                let text = if self.rng.one_in(2) { status::FAILED } else { status::PANICKED };
                let code = if self.rng.one_in(2) { 0 } else { self.rng.edge() };
                self.publish(control, slot, 1, text, 0, code);
                return Some(End::Stays);
            }
            3 => {
                mutated(&mut self.rng, self.socket.as_fd(), Kind::Fault, b"text", &[]);
            }
            // Whatever was found, with nothing said that is known.
            4 => {
                let (state, count) = (self.rng.edge(), blocks[last].len() as u32);
                // It may be `DONE`, without a block.
                self.shared.believable.fetch_or(state == status::DONE, Ordering::SeqCst);
                self.publish(control, slot, 1, state, count, 0);
                return Some(End::Stays);
            }
            5 => {
                let said = self.rng.edge().max(2);
                self.publish(control, slot, said, status::DONE, 0, 0);
                return Some(End::Stays);
            }
            6 => {
                let count = (RESULTS as u32).saturating_add(1 + self.rng.edge() / 2);
                self.publish(control, slot, 1, status::DONE, count, 0);
                return Some(End::Stays);
            }
            7 => {
                // The same block once more, or none, for ever.
                let block = blocks[0].clone();
                control.write_block(sequence, &block);
                for count in 1..8 {
                    self.publish(control, slot, count, status::MORE, block.len() as u32, 0);
                    self.wait_taken(control, slot, count);
                }
                return Some(End::Goes);
            }
            8 => {
                let found = self.rng.next() as u32 % 2;
                self.publish(control, slot, 1, status::STOPPED, found, 0);
                return Some(End::Stays);
            }
            9..=14 if !matches.is_empty() => self.change(lie, &mut blocks[0]),
            15 => {
                // One match less, or none: who could know.
                blocks[0].pop();
                self.shared.believable.fetch_or(!matches.is_empty(), Ordering::SeqCst);
            }
            _ => {}
        }
        for (number, block) in blocks.iter().enumerate() {
            control.write_block(sequence, block);
            let state = if number == last { status::DONE } else { status::MORE };
            // An honest server has none of these.
            let state = if block.is_empty() { status::DONE } else { state };
            let count = number as u32 + 1;
            self.publish(control, slot, count, state, block.len() as u32, 0);
            if state == status::MORE {
                self.wait_taken(control, slot, count);
            }
            if lie == 16 {
                return Some(End::Goes);
            }
        }
        Some(End::Stays)
    }

    /// Makes one of the matches what none can be.
    fn change(&mut self, lie: usize, block: &mut Vec<Match>) {
        let at = self.rng.below(block.len());
        let m = block[at];
        let (record, pattern) = (m.record() as u32, m.pattern() as u32);
        let (start, end) = (m.start() as u32, m.end() as u32);
        match lie {
            9 => block[at] = Match::new(u32::MAX - self.rng.next() as u32 % 9, pattern, start..end),
            10 => block[at] = Match::new(record, PATTERNS + self.rng.edge() / 2, start..end),
            11 => block[at] = Match::new(record, pattern, end + 1..end),
            12 => block[at] = Match::new(record, pattern, start..u32::MAX - 9),
            13 => block.insert(at, m),
            // Overlaps the one before it.
            _ => block.insert(at + 1, Match::new(record, pattern, start..end + 1)),
        }
    }

    fn wait_taken(&self, control: &Control, slot: &Slot, count: u32) {
        let taken = || slot.taken.load(Ordering::Acquire) == count || self.is_left();
        let end = Instant::now().checked_add(Duration::from_secs(1));
        let _ = control.words().to_server.wait(end, Some(Duration::from_millis(1)), taken);
    }

    fn publish(
        &self,
        control: &Control,
        slot: &Slot,
        answered: u32,
        s: u32,
        found: u32,
        code: u32,
    ) {
        self.sends();
        slot.status.store(s, Ordering::Relaxed);
        slot.found.store(found, Ordering::Relaxed);
        slot.code.store(code, Ordering::Relaxed);
        slot.answered.store(answered, Ordering::Release);
        control.words().to_client.ring();
    }
}
