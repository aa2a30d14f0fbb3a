//! A crossing to another process by memory that both have: the records are copied in, and read
//! where they are.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Instant;

use super::Peer;
use super::memory::{CLOSED, Memory, REPLY, REQUEST};
use super::peer::{DEADLINE, Process, explain};
use super::work::{Crossing, Record, work};

/// Another process, and memory that it shares with this one. They take turns, and each sleeps on
/// a futex while it waits for its own; see [`start`](Shared::start).
///
/// It is public for benchmarks, where a call for no records is a bare round trip.
pub(crate) struct Shared {
    process: Process,
    memory: Memory,
    spin: bool,
    failed: bool,
}

impl Shared {
    /// Starts the process: `command`, with the name of a [`Peer`] as one more argument, has to call
    /// [`serve`](super::serve) with that. With `spin`, both look for their turn for 100
    /// microseconds before they sleep.
    ///
    /// # Errors
    ///
    /// If there is no memory or process to be had, or it does not answer within ten seconds.
    pub(crate) fn start(command: Command, spin: bool) -> io::Result<Shared> {
        let (memory, file) = Memory::new()?;
        let kind = if spin { Peer::Spinning } else { Peer::Shared };
        let process = Process::start(command, kind, Some(file))?;
        let mut shared = Shared { process, memory, spin, failed: false };
        shared.call(&[])?;
        Ok(shared)
    }

    /// Has the other process do the work for these records, at most
    /// [`MAX_BATCH`](super::MAX_BATCH), and returns what it answers.
    ///
    /// # Errors
    ///
    /// If there are too many records, or the process ends or does not answer within ten seconds.
    /// After an error there are only errors.
    pub(crate) fn call(&mut self, records: &[Record]) -> io::Result<u64> {
        if self.failed {
            return Err(io::Error::other("a call before this one has failed"));
        }
        let answer = self.try_call(records);
        self.failed = answer.is_err();
        answer
    }

    fn try_call(&mut self, records: &[Record]) -> io::Result<u64> {
        self.memory.write(records)?;
        self.memory.pass(REQUEST)?;
        // Only looked at when it sleeps for long.
        let mut since = None;
        let process = &mut self.process;
        let turn = self.memory.wait(REQUEST, self.spin, || {
            process.check()?;
            if since.get_or_insert_with(Instant::now).elapsed() < DEADLINE {
                return Ok(());
            }
            Err(explain(io::ErrorKind::TimedOut.into()))
        })?;
        match turn {
            REPLY => Ok(self.memory.answer()),
            turn => Err(no_turn(turn)),
        }
    }
}

impl Crossing for Shared {
    fn cross(&mut self, _seed: u64, records: &[Record]) -> io::Result<u64> {
        self.call(records)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // If it can't be woken, it sees the end of the socket.
        let _ = self.memory.pass(CLOSED);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("spin", &self.spin).finish_non_exhaustive()
    }
}

/// The other side: answers until the client is gone.
pub(super) fn serve(stream: UnixStream, file: impl AsFd, spin: bool) -> io::Result<()> {
    let memory = Memory::open(file)?;
    stream.set_nonblocking(true)?;
    let mut is_gone = false;
    loop {
        let waited = memory.wait(REPLY, spin, || {
            is_gone = is_closed(&stream);
            if is_gone { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        });
        match waited {
            Ok(REQUEST) => {}
            Ok(CLOSED) => return Ok(()),
            Ok(turn) => return Err(no_turn(turn)),
            Err(_) if is_gone => return Ok(()),
            Err(error) => return Err(error),
        }
        // SAFETY: it is the turn of this process. The other side waits for its own in `try_call`,
        // or has failed and writes no more.
        let records = unsafe { memory.read() }?;
        memory.set_answer(work(0, records));
        memory.pass(REPLY)?;
    }
}

fn no_turn(turn: u32) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("there is no turn {turn}"))
}

/// Whether the other end of the socket is closed. Nothing is ever sent there.
fn is_closed(mut stream: &UnixStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_server_answers_until_the_client_closes_or_is_gone() {
        for (spin, closes) in [(false, true), (true, false)] {
            let (client, server) = UnixStream::pair().unwrap();
            let (mut memory, file) = Memory::new().unwrap();
            let server = thread::spawn(move || serve(server, file, spin));
            for records in [vec![], vec![[3; 64]], super::super::work::records()] {
                memory.write(&records).unwrap();
                memory.pass(REQUEST).unwrap();
                let turn = memory.wait(REQUEST, spin, || Ok(())).unwrap();
                assert_eq!((turn, memory.answer()), (REPLY, work(0, &records)));
            }
            if closes {
                memory.pass(CLOSED).unwrap();
            } else {
                drop(client);
            }
            server.join().unwrap().unwrap();
        }
    }

    #[test]
    fn the_server_refuses_a_turn_that_there_is_not() {
        let (_client, server) = UnixStream::pair().unwrap();
        let (memory, file) = Memory::new().unwrap();
        memory.pass(77).unwrap();
        let error = serve(server, file, false).unwrap_err();
        assert_eq!(error.to_string(), "there is no turn 77");
    }
}
