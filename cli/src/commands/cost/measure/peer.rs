//! The other process: this program, run again.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Peer;

/// After this long without an answer, the other process is not waited for any more.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// For how long it may go on once nobody needs it.
const GRACE: Duration = Duration::from_secs(1);

/// A process and the socket that it has as its standard input. It ends before this is gone.
pub(super) struct Process {
    child: Child,
    pub(super) socket: UnixStream,
}

impl Process {
    /// Starts one. What is to be shared with it becomes its standard output.
    pub(super) fn start(
        mut command: Command,
        kind: Peer,
        shared: Option<OwnedFd>,
    ) -> io::Result<Process> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(DEADLINE))?;
        socket.set_write_timeout(Some(DEADLINE))?;
        let child = command
            .arg(kind.name())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(shared.map_or_else(Stdio::null, Stdio::from))
            .spawn()?;
        Ok(Process { child, socket })
    }

    /// An error if the process has ended.
    #[cfg(target_os = "linux")]
    pub(super) fn check(&mut self) -> io::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let text = format!("the other process has ended: {status}");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It reads the end of the socket, and ends; if not, it is made to.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let start = Instant::now();
        while start.elapsed() < GRACE {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                // Somebody else has waited for it, or there is none.
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The socket that the other process has as its standard input.
pub(super) fn stream() -> io::Result<UnixStream> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// What the read of an answer comes to for those who wait for it.
pub(super) fn explain(error: io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "the other process does not answer",
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset => "the other process has ended",
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_is_an_error_and_not_a_hang() {
        // It ends at once, and answers nothing.
        let ends = || Command::new("true");
        assert!(super::super::socket::Socket::start(ends()).is_err());
        #[cfg(target_os = "linux")]
        for spin in [false, true] {
            let error = super::super::shared::Shared::start(ends(), spin).unwrap_err();
            assert_eq!(error.to_string(), "the other process has ended: exit status: 0");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_goes_on_is_ended() {
        let mut command = Command::new("sh");
        // It never ends by itself: the drop, which waits for it, has to kill it.
        command.args(["-c", "exec tail -f /dev/null"]);
        let process = Process::start(command, Peer::Socket, None).unwrap();
        let entry = std::path::PathBuf::from(format!("/proc/{}", process.child.id()));
        assert!(entry.exists());
        drop(process);
        assert!(!entry.exists());
    }

    #[test]
    fn errors_say_what_became_of_the_process() {
        for (kind, text) in [
            (io::ErrorKind::WouldBlock, "the other process does not answer"),
            (io::ErrorKind::BrokenPipe, "the other process has ended"),
        ] {
            let error = explain(kind.into());
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
        }
    }
}
