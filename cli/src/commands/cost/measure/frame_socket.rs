//! A crossing to another process over a Unix socket: the frames of a sidecar, without its shared memory.
//!
//! A batch is sent in one or more frames. Each frame starts with a number: how many records of the batch
//! are still to come in later frames. After the frame with the number 0, the server replies with the hash
//! of all records.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use dragnet_sidecar::transport::{FrameSocket, MAX_BODY_LEN};

use super::peer::Peer;
use super::work::{Crossing, EMPTY_HASH, Record, hash};

/// How long the other process may take to reply.
const DEADLINE: Duration = Duration::from_secs(10);

/// The length of the number at the start of a frame, in bytes.
const PREFIX_LEN: usize = size_of::<u64>();

/// Maximum number of records in a frame.
const MAX_FRAME_RECORDS: usize = (MAX_BODY_LEN - PREFIX_LEN) / size_of::<Record>();

/// The client's side.
pub(super) struct SocketCrossing {
    socket: FrameSocket,
    frame: Vec<u8>,
}

impl SocketCrossing {
    /// Starts the other process, which runs `program`, and checks that it replies.
    pub(super) fn start(program: &Path) -> io::Result<SocketCrossing> {
        let socket = FrameSocket::spawn(Peer::FrameSocket.command(program))?;
        let mut crossing = SocketCrossing { socket, frame: Vec::new() };
        crossing.cross(0, &[])?;
        Ok(crossing)
    }

    fn send(&mut self, records: &[Record], remaining: usize) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&(remaining as u64).to_ne_bytes());
        self.frame.extend_from_slice(records.as_flattened());
        self.socket.send(&self.frame)
    }

    fn exchange(&mut self, records: &[Record]) -> io::Result<u64> {
        let mut remaining = records.len();
        if records.is_empty() {
            self.send(&[], 0)?;
        }
        for frame in records.chunks(MAX_FRAME_RECORDS) {
            remaining -= frame.len();
            self.send(frame, remaining)?;
        }
        match self.socket.receive(DEADLINE)? {
            Some(reply) => Ok(u64::from_ne_bytes(prefix(&reply)?)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Crossing for SocketCrossing {
    fn cross(&mut self, _seed: u64, records: &[Record]) -> io::Result<u64> {
        self.exchange(records).map_err(explain)
    }
}

/// Replaces the system's message of an error that the other process causes.
fn explain(error: io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::TimedOut => "the other process does not answer",
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset => "the other process has ended",
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

/// The other side: replies until the client closes the socket.
pub(super) fn serve(socket: OwnedFd) -> io::Result<()> {
    let socket = FrameSocket::new(socket);
    let mut answer = EMPTY_HASH;
    // A time that the clock can't represent is no limit.
    while let Some(frame) = socket.receive(Duration::MAX)? {
        let remaining = u64::from_ne_bytes(prefix(&frame)?);
        answer = hash(answer, &frame[PREFIX_LEN..]);
        if remaining == 0 {
            socket.send(&answer.to_ne_bytes())?;
            answer = EMPTY_HASH;
        }
    }
    Ok(())
}

fn prefix(frame: &[u8]) -> io::Result<[u8; PREFIX_LEN]> {
    frame.first_chunk().copied().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the frame has no number at its start")
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::commands::cost::measure::work::{records, work};

    fn socket_pair() -> (OwnedFd, OwnedFd) {
        let (flags, kind) = (SocketFlags::CLOEXEC, SocketType::SEQPACKET);
        socketpair(AddressFamily::UNIX, kind, flags, None).unwrap()
    }

    #[test]
    fn server_replies_until_the_client_disconnects() {
        let (client, server) = socket_pair();
        let server = thread::spawn(|| serve(server));
        let mut crossing = SocketCrossing { socket: FrameSocket::new(client), frame: Vec::new() };
        let all = records();
        for count in [0, 1, MAX_FRAME_RECORDS, MAX_FRAME_RECORDS + 1, all.len()] {
            let records = &all[..count];
            assert_eq!(crossing.cross(0, records).unwrap(), work(0, records), "{count}");
        }
        drop(crossing);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn frame_without_a_number_is_an_error() {
        let (client, server) = socket_pair();
        FrameSocket::new(client).send(b"short").unwrap();
        assert_eq!(serve(server).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn process_that_exits_is_an_error() {
        let error = SocketCrossing::start(Path::new("true")).err().unwrap();
        assert_eq!(error.to_string(), "the other process has ended");
    }
}
