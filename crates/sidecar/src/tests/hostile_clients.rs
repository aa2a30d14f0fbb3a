//! A server whose client does not keep to the protocol.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::super::control::CONTROL;
use super::super::frame::{self, Hello, Kind};
use super::super::{ServeError, control, patterns, sys};
use super::requests::Session;
use super::{Held, PANICS, Rng, Served, engine, patterns, resident, sessions, turn};
use dragnet::{Backend, Engine, Report};

/// How often sessions ended in each way.
pub(super) type Ends = Mutex<BTreeMap<&'static str, u64>>;

pub(super) fn count(ends: &Ends, what: &'static str) {
    *ends.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
}

#[test]
fn a_server_survives_its_clients() {
    let _turn = turn();
    let before = Held::now();
    let memory = resident();
    let engine = Arc::new(engine(&patterns(), Report::Spans));
    let ends = Arc::new(Ends::default());
    let seen = Arc::clone(&ends);
    sessions("hostile clients", move |seed| session(seed, &engine, &seen));
    before.is_all("after hostile clients");
    let more = resident().saturating_sub(memory);
    assert!(more < 300 << 10, "{more} KiB more than before");
    let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{ends:?}; {more} KiB more than before");
    for what in ["protocol", "refused", "system", "goodbye", "exact answer", "welcome"] {
        assert!(ends.contains_key(what), "no session had: {what}");
    }
}

/// One client's life. Returns how many messages it sent.
fn session(seed: u64, engine: &Engine, ends: &Ends) -> u64 {
    let mut rng = Rng(seed);
    let (ours, theirs) = sys::socket_pair().expect("a socket");
    let silent = rng.one_in(64);
    let patience = Duration::from_millis(if silent { 3 } else { 10_000 });
    let served = Served::start(theirs, patience);
    let mut sent = 0;
    let panics = PANICS.load(Ordering::SeqCst);
    let fine = greet(&mut rng, &ours, silent, &mut sent);
    let mut keep = None;
    if let Some((control, fine)) = fine {
        // The system may not have taken what is no message, so that none will come.
        let due = Duration::from_millis(if fine { 30_000 } else { 20 });
        let answer = frame::receive(&ours, Instant::now().checked_add(due));
        let welcome = matches!(&answer, Ok(answer) if answer.kind == Kind::Welcome);
        assert!(welcome || !fine, "DRAGNET_SEED={seed}: {answer:?} to a good client");
        if let (true, Some(control)) = (welcome, control) {
            count(ends, "welcome");
            let mut parts = Session::new(ours.as_fd(), &control, engine, fine);
            parts.run(&mut rng, &|| served.thread.is_finished(), ends);
            sent += parts.sent;
            keep = parts.finish();
        }
    }
    if silent {
        // It is the server that ends it, or there is nothing that it waits for.
        let end = Instant::now() + Duration::from_millis(20);
        while !served.thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    drop(ours);
    let result = served.ended();
    drop(keep);
    assert_eq!(PANICS.load(Ordering::SeqCst), panics, "DRAGNET_SEED={seed}: panics");
    let end = match &result {
        Ok(()) => "goodbye",
        Err(ServeError::Protocol(_)) => "protocol",
        Err(ServeError::Refused(_)) => "refused",
        Err(ServeError::System { .. }) => "system",
        Err(ServeError::Stranger(_)) => panic!("DRAGNET_SEED={seed}: {result:?}"),
    };
    count(ends, end);
    sent
}

/// Begins a connection, well or not. Returns the control memory, if that is some, and whether the
/// server must take it; `None` if no answer is due.
fn greet(
    rng: &mut Rng,
    socket: &OwnedFd,
    silent: bool,
    sent: &mut u64,
) -> Option<(Option<OwnedFd>, bool)> {
    let mut text = patterns::encode(&patterns());
    let mut hello = Hello {
        patterns: patterns().len() as u32,
        report: control::report_number(Report::Spans),
        backend: control::backend_number(Backend::Pure),
        reserved: 0,
        bytes: text.len() as u64,
    };
    let fixed = SealFlags::SHRINK | SealFlags::GROW;
    let mut control = memory(CONTROL, fixed);
    let mut extra = Vec::new();
    if silent && rng.one_in(2) {
        return None;
    }
    let kind = if rng.one_in(3) { rng.below(12) } else { usize::MAX };
    match kind {
        0 => hello.patterns = rng.edge(),
        1 => hello.bytes = u64::from(rng.edge()) << (rng.below(2) * 32),
        2 => hello.report = rng.edge(),
        3 => hello.backend = rng.edge(),
        4 => {
            let at = rng.below(text.len());
            text[at] = rng.next() as u8;
        }
        5 => control = memory(CONTROL, [SealFlags::SHRINK, SealFlags::empty()][rng.below(2)]),
        6 => control = memory(rng.below(CONTROL), fixed),
        7 => control = memory(CONTROL, fixed | SealFlags::WRITE),
        8 => extra = (0..1 + rng.below(12)).map(|_| odd(rng)).collect(),
        9 => control = odd(rng),
        _ => {}
    }
    let pattern_memory = match kind {
        10 => odd(rng),
        11 => memory(text.len(), fixed),
        _ => {
            let file = File::from(memory(0, SealFlags::empty()));
            io::Write::write_all(&mut &file, &text).expect("there is memory");
            let file = OwnedFd::from(file);
            sys::seal(file.as_fd(), fixed | SealFlags::WRITE).expect("it is ours");
            file
        }
    };
    let mut list = vec![control.as_fd(), pattern_memory.as_fd()];
    list.extend(extra.iter().map(AsFd::as_fd));
    let fine = if rng.one_in(6) {
        *sent += 1;
        mutated(rng, socket.as_fd(), Kind::Hello, bytemuck::bytes_of(&hello), &list);
        false
    } else {
        *sent += 1;
        raw(socket.as_fd(), &framed(Kind::Hello as u32, bytemuck::bytes_of(&hello)), &list);
        kind == usize::MAX && !silent
    };
    let control = (kind == usize::MAX || kind < 5).then_some(control);
    Some((control, fine))
}

/// A message as it should be.
pub(super) fn framed(kind: u32, body: &[u8]) -> Vec<u8> {
    let head = [u32::from_le_bytes(*b"drgn"), frame::VERSION, kind, body.len() as u32];
    [bytemuck::cast_slice(&head), body].concat()
}

/// Sends bytes as they are. The server may be gone, and some messages the system does not take.
pub(super) fn raw(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)), "there is room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags);
}

/// Sends a message with something wrong in it.
pub(super) fn mutated(
    rng: &mut Rng,
    socket: BorrowedFd<'_>,
    kind: Kind,
    body: &[u8],
    descriptors: &[BorrowedFd<'_>],
) {
    let mut bytes = framed(kind as u32, body);
    let mut count = descriptors.len();
    match rng.below(9) {
        0 => bytes = Vec::new(),
        1 => bytes = rng.bytes(3000),
        2 => bytes.truncate(rng.below(bytes.len())),
        3 => bytes.extend(rng.bytes(64)),
        4 => bytes.resize(2000 + rng.below(100_000), 0),
        5 => {
            // A word of the head, or of the body.
            let at = rng.below(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&rng.edge().to_le_bytes());
        }
        6 => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        7 => bytes = framed(rng.below(8) as u32, body),
        _ => count = rng.below(count + 1),
    }
    raw(socket, &bytes, &descriptors[..count]);
}

/// New memory, without pages.
pub(super) fn memory(len: usize, seals: SealFlags) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = rustix::fs::memfd_create("dragnet-hostile", flags).expect("memory");
    rustix::fs::ftruncate(&memory, len as u64).expect("memory");
    sys::seal(memory.as_fd(), seals).expect("it is ours");
    memory
}

/// A descriptor of something that is not what it should be.
pub(super) fn odd(rng: &mut Rng) -> OwnedFd {
    let open = |path: &str| OwnedFd::from(File::open(path).expect("it is there"));
    match rng.below(10) {
        0 => open("/dev/null"),
        1 => open("/dev/zero"),
        2 => open("/proc/self/exe"),
        3 => open("/"),
        4 => std::io::pipe().expect("a pipe").0.into(),
        5 => sys::socket().expect("a socket"),
        6 => memory(1 << 16, SealFlags::empty()),
        7 => memory(0, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE),
        8 => memory(1 + rng.below(4096), SealFlags::SHRINK),
        _ => {
            // Pages of another size, whose mappings end elsewhere, if the system has some.
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
            match rustix::fs::memfd_create("dragnet-hostile", flags) {
                Ok(memory) => {
                    let _ = rustix::fs::ftruncate(&memory, 2 << 20);
                    let all = SealFlags::SHRINK | SealFlags::GROW;
                    let _ = rustix::fs::fcntl_add_seals(&memory, all);
                    memory
                }
                Err(_) => open("/dev/null"),
            }
        }
    }
}
