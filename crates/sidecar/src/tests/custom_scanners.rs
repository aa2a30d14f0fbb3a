//! [`Server::run_with`]: servers that run the caller's scanners instead of an engine of dragnet.

use std::ops::ControlFlow;
use std::time::Duration;

use super::super::sys;
use super::super::transport::{FrameSocket, MAX_BODY_LEN};
use super::{patterns, sidecar, spawn_named};
use crate::{Limits, Server, Sidecar, SidecarError};
use dragnet::{Backend, Batch, BatchBuf, Match, Matches, Report, Scan, ScanError, StopFlag};

/// Reports one match per record, of the pattern whose number is the record's first byte modulo 5.
/// Panics if that byte is `!`.
struct FirstByte;

impl Scan for FirstByte {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        out.clear();
        let mut found = Vec::new();
        for (number, record) in batch.iter().enumerate() {
            assert!(!record.starts_with(b"!"), "a record that panics");
            found.push(Match::new(number as u32, u32::from(record[0] % 5), 0..record.len() as u32));
        }
        out.extend_from_slice(&found);
        Ok(())
    }

    fn set_stop(&mut self, _: StopFlag) {}
}

fn start(builder: crate::SidecarBuilder) -> Result<Sidecar, SidecarError> {
    sidecar(builder, |socket| {
        drop(spawn_named("hostile-server", move || {
            let server = Server::new(socket, Limits::default(), || ()).expect("a client");
            let served = server.run_with(|set, report, backend, _| {
                assert_eq!((set.len(), report), (5, Report::Spans));
                match backend {
                    Backend::Native => Err("no native scanner here".to_owned()),
                    _ => Ok(Box::new(FirstByte)),
                }
            });
            let is_expected = matches!(served, Ok(()) | Err(crate::ServeError::Refused(_)));
            assert!(is_expected, "{served:?}");
        }));
        Ok(())
    })
}

#[test]
fn a_server_runs_scanners_of_its_caller() {
    let _exclusive = super::resources::exclusive();
    let builder = Sidecar::builder(&patterns(), Report::Spans).chunk_bytes(100);
    let mut client = start(builder.clone()).expect("a server");
    assert_eq!(client.backend(), Some(Backend::Pure));
    let mut records = BatchBuf::new();
    for number in 0..1000_u32 {
        records.push(number.to_string().as_bytes()).unwrap();
    }
    let (mut expected, mut found) = (Matches::new(), Matches::new());
    FirstByte.scan(&records.as_batch(), &mut expected).unwrap();
    client.scan(&records.as_batch(), &mut found).unwrap();
    assert_eq!(found.as_slice(), expected.as_slice());

    let mut panics = BatchBuf::new();
    panics.push(b"!").unwrap();
    let flow = client.scan_with(&panics.as_batch(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(flow, Err(ScanError::Panicked { message }) if message.contains("panics")));
    client.scan(&records.as_batch(), &mut found).unwrap();
    assert_eq!((found.as_slice(), client.restarts()), (expected.as_slice(), 0));

    match start(builder.backend(Backend::Native)) {
        Err(SidecarError::Refused(reason)) => assert_eq!(reason, "no native scanner here"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_arrive_unchanged_over_a_bare_socket() {
    let _exclusive = super::resources::exclusive();
    let (client, server) = sys::socket_pair().unwrap();
    let (client, server) = (FrameSocket::new(client), FrameSocket::new(server));
    let echo = spawn_named("hostile-server", move || {
        while let Some(body) = server.receive(Duration::from_secs(30)).expect("a frame") {
            server.send(&body).expect("a client");
        }
    });
    for len in [0, 1, 64, MAX_BODY_LEN] {
        let body = vec![7; len];
        client.send(&body).unwrap();
        assert_eq!(client.receive(Duration::from_secs(30)).unwrap(), Some(body));
    }
    let error = client.receive(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    drop(client);
    echo.join().unwrap();
}
