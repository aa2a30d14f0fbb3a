//! Regions that a server may still read after its client has abandoned it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::super::control::ControlMemory;
use super::super::frame::{self, FrameKind, RegionNotice, Welcome};
use super::super::layout::CONTROL_LEN;
use super::super::memory::SharedMapping;
use super::super::sequence::Sequence;
use super::resources::{Resources, exclusive};
use super::{PATTERNS, ServerThread, patterns, sidecar, spawn_named};
use crate::Sidecar;
use dragnet::{BatchBuf, Matches, Report, Scan};

/// Accepts a client, receives the region of its first chunk, and never answers.
fn receive_region(socket: &OwnedFd) -> SharedMapping {
    let deadline = Instant::now().checked_add(Duration::from_secs(30));
    let hello = frame::receive(socket, deadline).expect("a first message");
    let control = SharedMapping::new(hello.descriptors[0].as_fd(), CONTROL_LEN, true);
    let control = ControlMemory::new(control.expect("there is memory"));
    let welcome = Welcome { backend: 2, patterns: PATTERNS, max_region_len: 1 << 20 };
    frame::send(socket, FrameKind::Welcome, bytemuck::bytes_of(&welcome), "", &[])
        .expect("a client");
    control.wait_for_chunk(Sequence::default(), || false).expect("a futex");
    let frame = frame::receive(socket, deadline).expect("a region");
    let (notice, _) = frame.body::<RegionNotice>(false).expect("a region");
    let mapping = SharedMapping::new(frame.descriptors[0].as_fd(), notice.len as usize, false);
    mapping.expect("there is memory")
}

fn contents(region: &SharedMapping) -> Vec<u8> {
    let mut bytes = Vec::new();
    region.load(0, region.len(), &mut bytes);
    bytes
}

#[test]
fn a_region_of_an_abandoned_server_stays_unchanged() {
    let _exclusive = exclusive();
    let before = Resources::now();
    let (is_first, (sender, regions)) = (AtomicBool::new(true), mpsc::channel());
    let server = Arc::new(std::sync::Mutex::new(None));
    let server_slot = Arc::clone(&server);
    let start = move |socket: OwnedFd| {
        if is_first.swap(false, Ordering::SeqCst) {
            let sender = sender.clone();
            drop(spawn_named("hostile-server", move || {
                let region = receive_region(&socket);
                let bytes = contents(&region);
                // The socket stays open, so only its deadline makes the client abandon this server.
                sender.send((region, bytes, socket)).expect("the test waits");
            }));
        } else {
            let server = ServerThread::start(socket, Duration::from_secs(10), || ());
            *server_slot.lock().unwrap() = Some(server);
        }
        Ok(())
    };
    let builder = Sidecar::builder(&patterns(), Report::Patterns)
        .deadline(Duration::from_secs(1))
        .max_in_flight(1);
    let mut client = sidecar(builder, start).expect("a server");
    let mut matches = Matches::new();
    for (text, found) in [("aab", 1), ("foo 123", 2), ("xy", 1), ("zzz", 0)] {
        let mut records = BatchBuf::new();
        records.push(text.as_bytes()).expect("it is small");
        client.scan(&records.as_batch(), &mut matches).expect("the second server answers");
        assert_eq!((matches.len(), client.restarts()), (found, 1), "{text}");
    }
    let (region, bytes, socket) = regions.recv().expect("the first server has a region");
    assert!(bytes.starts_with(b"aab") && contents(&region) == bytes, "the region was reused");
    drop((client, region, socket));
    let server = server.lock().unwrap().take().expect("the second server");
    server.join().expect("the client keeps to the protocol");
    before.assert_nothing_leaked("after an abandoned region");
}
