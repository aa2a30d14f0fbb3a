//! What it costs to have work done on the other side of a boundary, on this machine.
//!
//! The same work is done by a plain Rust call, which is the lowest rung of a [`Ladder`], and
//! behind each kind of boundary, so that what a rung takes more is what the crossing takes. The
//! work is the FNV-1a hash of records of 64 bytes, about a tenth of a microsecond for each: what a
//! scanner takes for such a record, give or take.
//!
//! | rung | what happens in each call |
//! | --- | --- |
//! | `rust` | A Rust function does the work; it is called through a pointer, so that it is not inlined. |
//! | `c` | A function of the C library that does next to nothing (`labs`) is called, then the work is done with what it returned. |
//! | `c-guarded` | The same, in a closure behind a pointer, within [`catch_unwind`](std::panic::catch_unwind). |
//! | `c-mutex` | The same as `c`, with a mutex held that nobody else wants. |
//! | `c-callback` | A function of the C library that calls back once (`bsearch`) is called, and the callback does the work. |
//! | `handle` | A value is found by its handle in [`Handles`](dragnet_boundary::Handles), then the work is done. |
//! | `panic` | A panic is caught, then the work is done. The hook that prints panics does not run. |
//! | `owner` | An [`Owner`](dragnet_boundary::Owner) does the work. |
//! | `pool` | A [`Pool`](dragnet_boundary::Pool) of two does the work, one call at a time. |
//! | `unix-socket` | Another process gets the records through a Unix socket, does the work and answers. |
//! | `shared-memory` | The records are copied to memory that another process shares, which does the work there. Each sleeps on a futex while it waits. |
//! | `shared-memory-spin` | The same, but each looks at the memory for 100 microseconds before it sleeps: the fastest where both have a processor of their own, and the slowest where they share one. |
//!
//! The work is never done by C, which would do it as fast as Rust or in another way; the question
//! is what it takes to get there. All calls are made by one thread, each once the one before
//! has answered.
//!
//! A call for no records is the crossing alone. Calls of less than ten microseconds are timed
//! many at once, so percentiles are those of such groups; [`Percentiles::calls`] tells.

#[cfg(not(target_family = "wasm"))]
mod c;
mod ladder;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod peer;
mod rust;
#[cfg(target_os = "linux")]
mod shared;
#[cfg(unix)]
mod socket;
mod stats;
mod threads;
mod work;

use std::io;

pub(crate) use ladder::{Cost, Ladder, Options, Outcome, Rung, measure};
#[cfg(target_os = "linux")]
pub(crate) use stats::Percentiles;
pub(crate) use work::{MAX_BATCH, Record};

/// The sizes of batches that are measured, in records.
pub(crate) const BATCHES: [usize; 5] = [1, 10, 100, 1_000, MAX_BATCH];

/// What the other process of a rung is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// That of the Unix socket, which is its standard input.
    Socket,
    /// That of the shared memory, which is its standard output. Its standard input is a socket
    /// whose end tells that it is not needed any more.
    Shared,
    /// The same, which spins before it sleeps.
    Spinning,
}

impl Peer {
    const ALL: [Peer; 3] = [Peer::Socket, Peer::Shared, Peer::Spinning];

    /// Its name, as it is given to the program that is run again.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Socket => "socket",
            Peer::Shared => "shared",
            Peer::Spinning => "spinning",
        }
    }

    /// The one of this name, if there is one.
    pub(crate) fn from_name(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }
}

/// Is the other process of a rung, until the one that started it has no more use for it or is
/// gone. It uses the standard input and output of this process, as [`Peer`] tells.
///
/// # Errors
///
/// If those are not what they should be, what comes from there makes no sense, or this system has
/// no such thing.
pub(crate) fn serve(peer: Peer) -> io::Result<()> {
    match peer {
        #[cfg(unix)]
        Peer::Socket => socket::serve(peer::stream()?),
        #[cfg(target_os = "linux")]
        Peer::Shared | Peer::Spinning => {
            shared::serve(peer::stream()?, io::stdout(), peer == Peer::Spinning)
        }
        #[cfg(not(target_os = "linux"))]
        _ => {
            let text = format!("there is no {} here", peer.name());
            Err(io::Error::new(io::ErrorKind::Unsupported, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn peers_are_found_by_their_names() {
        for peer in Peer::ALL {
            assert_eq!(Peer::from_name(peer.name()), Some(peer));
        }
        assert_eq!(Peer::from_name("nobody"), None);
    }
}
