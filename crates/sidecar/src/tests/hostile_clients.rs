//! A server whose clients violate the protocol in the messages that they send.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::SealFlags;

use super::super::frame::{self, FrameKind, Hello};
use super::super::layout::CONTROL_LEN;
use super::super::{ServeError, pattern_codec, sys};
use super::hostile_memory::HostileSession;
use super::malformed::{framed, memory, send_mutated, send_raw, wrong_descriptor};
use super::resources::{PANICS, Resources, exclusive, resident_kib};
use super::sessions::{self, Outcomes, count};
use super::{Rng, ServerThread, engine, patterns};
use dragnet::{Backend, Engine, Report};

#[test]
fn a_server_survives_hostile_clients() {
    let _exclusive = exclusive();
    let before = Resources::now();
    let memory = resident_kib();
    let engine = Arc::new(engine(&patterns(), Report::Spans));
    let outcomes = Arc::new(Outcomes::default());
    let seen = Arc::clone(&outcomes);
    sessions::run("hostile clients", move |seed| session(seed, &engine, &seen));
    before.assert_nothing_leaked("after hostile clients");
    let more = resident_kib().saturating_sub(memory);
    assert!(more < 300 << 10, "{more} KiB more than before");
    let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{outcomes:?}; {more} KiB more than before");
    for what in ["protocol", "refused", "system", "goodbye", "exact answer", "welcome"] {
        assert!(outcomes.contains_key(what), "no session had: {what}");
    }
}

/// Runs one client. Returns how many messages it sent.
fn session(seed: u64, engine: &Engine, outcomes: &Outcomes) -> u64 {
    let mut rng = Rng(seed);
    let (ours, theirs) = sys::socket_pair().expect("a socket");
    let silent = rng.one_in(64);
    let timeout = Duration::from_millis(if silent { 3 } else { 10_000 });
    let in_place = rng.one_in(2);
    let server = ServerThread::start_with(
        theirs,
        timeout,
        || (),
        move |server| match in_place {
            // SAFETY: a client of this test breaks the promise when it changes records during a scan.
            // This is deliberate: the test checks that such a client harms at most the process of its
            // server, as the documentation of `search_in_place` says. In the code that compilers have
            // generated so far, an access to changing records is a load that returns some byte.
            true => unsafe { server.search_in_place() },
            false => server,
        },
    );
    let mut sent = 0;
    let panics = PANICS.load(Ordering::SeqCst);
    let handshake = handshake(&mut rng, &ours, silent, &mut sent);
    let mut keep = None;
    if let Some((control, is_valid)) = handshake {
        // The system may have rejected an invalid message, so that there is no answer.
        let timeout = Duration::from_millis(if is_valid { 30_000 } else { 20 });
        let answer = frame::receive(&ours, Instant::now().checked_add(timeout));
        let welcome = matches!(&answer, Ok(answer) if answer.kind == FrameKind::Welcome);
        assert!(welcome || !is_valid, "DRAGNET_SEED={seed}: {answer:?} to a valid client");
        if let (true, Some(control)) = (welcome, control) {
            count(outcomes, "welcome");
            let mut session = HostileSession::new(ours.as_fd(), &control, engine, is_valid);
            session.run(&mut rng, &|| server.is_finished(), outcomes);
            sent += session.sent;
            keep = session.finish();
        }
    }
    if silent {
        // A server that waits for a message times out and ends the connection.
        let end = Instant::now() + Duration::from_millis(20);
        while !server.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    drop(ours);
    let result = server.join();
    drop(keep);
    assert_eq!(PANICS.load(Ordering::SeqCst), panics, "DRAGNET_SEED={seed}: panics");
    let end = match &result {
        Ok(()) => "goodbye",
        Err(ServeError::Protocol(_)) => "protocol",
        Err(ServeError::Refused(_)) => "refused",
        Err(ServeError::System { .. }) => "system",
        Err(ServeError::OtherUser(_)) => panic!("DRAGNET_SEED={seed}: {result:?}"),
    };
    count(outcomes, end);
    sent
}

/// Sends a first message, valid or not. Returns the control memory, if it is valid, and whether the
/// server must accept the client; `None` if nothing was sent.
fn handshake(
    rng: &mut Rng,
    socket: &OwnedFd,
    silent: bool,
    sent: &mut u64,
) -> Option<(Option<OwnedFd>, bool)> {
    let mut text = pattern_codec::encode(&patterns());
    let mut hello = Hello {
        patterns: patterns().len() as u32,
        report: frame::report_code(Report::Spans),
        backend: frame::backend_code(Backend::Pure),
        reserved: 0,
        bytes: text.len() as u64,
    };
    let fixed_len = SealFlags::SHRINK | SealFlags::GROW;
    let mut control = memory(CONTROL_LEN, fixed_len);
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
        5 => control = memory(CONTROL_LEN, [SealFlags::SHRINK, SealFlags::empty()][rng.below(2)]),
        6 => control = memory(rng.below(CONTROL_LEN), fixed_len),
        7 => control = memory(CONTROL_LEN, fixed_len | SealFlags::WRITE),
        8 => extra = (0..1 + rng.below(12)).map(|_| wrong_descriptor(rng)).collect(),
        9 => control = wrong_descriptor(rng),
        _ => {}
    }
    let pattern_memory = match kind {
        10 => wrong_descriptor(rng),
        11 => memory(text.len(), fixed_len),
        _ => {
            let file = File::from(memory(0, SealFlags::empty()));
            io::Write::write_all(&mut &file, &text).expect("there is memory");
            let file = OwnedFd::from(file);
            sys::seal(file.as_fd(), fixed_len | SealFlags::WRITE)
                .expect("new memory can be sealed");
            file
        }
    };
    let mut list = vec![control.as_fd(), pattern_memory.as_fd()];
    list.extend(extra.iter().map(AsFd::as_fd));
    let is_valid = if rng.one_in(6) {
        *sent += 1;
        send_mutated(rng, socket.as_fd(), FrameKind::Hello, bytemuck::bytes_of(&hello), &list);
        false
    } else {
        *sent += 1;
        send_raw(
            socket.as_fd(),
            &framed(FrameKind::Hello as u32, bytemuck::bytes_of(&hello)),
            &list,
        );
        kind == usize::MAX && !silent
    };
    let control = (kind == usize::MAX || kind < 5).then_some(control);
    Some((control, is_valid))
}
