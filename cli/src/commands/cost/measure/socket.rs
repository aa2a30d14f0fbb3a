//! A crossing to another process by a Unix socket: the records there, the answer back.

use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

use super::Peer;
use super::peer::{Process, explain};
use super::work::{Crossing, MAX_BATCH, Record, work};

/// The client's side.
pub(super) struct Socket(Process);

impl Socket {
    pub(super) fn start(command: Command) -> io::Result<Socket> {
        let mut socket = Socket(Process::start(command, Peer::Socket, None)?);
        // It answers, or it is not what it should be.
        socket.cross(0, &[])?;
        Ok(socket)
    }
}

impl Crossing for Socket {
    fn cross(&mut self, _seed: u64, records: &[Record]) -> io::Result<u64> {
        let stream = &mut self.0.socket;
        let count = (records.len() as u64).to_ne_bytes();
        let mut answer = [0; 8];
        write_both(stream, &count, records.as_flattened())
            .and_then(|()| stream.read_exact(&mut answer))
            .map_err(explain)?;
        Ok(u64::from_ne_bytes(answer))
    }
}

/// Writes both, in one system call if the socket takes that much.
fn write_both(stream: &mut UnixStream, first: &[u8], second: &[u8]) -> io::Result<()> {
    let mut slices = [IoSlice::new(first), IoSlice::new(second)];
    let mut slices = &mut slices[..];
    while slices.iter().any(|slice| !slice.is_empty()) {
        match stream.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The other side: answers until the client is gone.
pub(super) fn serve(mut stream: UnixStream) -> io::Result<()> {
    let mut records: Vec<Record> = vec![[0; 64]; MAX_BATCH];
    loop {
        let mut count = [0; 8];
        match stream.read_exact(&mut count) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let count = u64::from_ne_bytes(count);
        let batch = usize::try_from(count).ok().and_then(|count| records.get_mut(..count));
        let Some(batch) = batch else {
            let text = format!("{count} records are too many");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        };
        stream.read_exact(batch.as_flattened_mut())?;
        stream.write_all(&work(0, batch).to_ne_bytes())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_server_answers_until_the_client_is_gone() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let server = thread::spawn(|| serve(server));
        for records in [vec![], vec![[3; 64]], super::super::work::records()] {
            let count = (records.len() as u64).to_ne_bytes();
            write_both(&mut client, &count, records.as_flattened()).unwrap();
            let mut answer = [0; 8];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(u64::from_ne_bytes(answer), work(0, &records));
        }
        drop(client);
        server.join().unwrap().unwrap();
    }

    #[test]
    fn the_server_refuses_more_records_than_a_batch_has() {
        for count in [MAX_BATCH as u64 + 1, u64::MAX] {
            let (mut client, server) = UnixStream::pair().unwrap();
            client.write_all(&count.to_ne_bytes()).unwrap();
            let error = serve(server).unwrap_err();
            assert_eq!(error.to_string(), format!("{count} records are too many"));
        }
    }
}
