//! `dragnet serve`: the server process of the library's sidecar.
//!
//! With `--socket`, [`listen`] accepts clients and starts one process for each, which is this
//! command with `--stdin` and the client's socket as standard input. That process drops its
//! privileges in two steps, and only then reads from the client:
//!
//! 1. [`sandbox`] gives up access to files and the network, while the process still has a single
//!    thread. Threads that start later inherit these restrictions.
//! 2. [`seccomp`] forbids most system calls. It runs after the server has started its threads,
//!    because starting a thread needs some of them.

#[cfg(target_os = "linux")]
mod listen;
#[cfg(target_os = "linux")]
mod sandbox;
// The processors that the `seccompiler` crate supports; on others it does not compile.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod seccomp;

mod args;

pub(crate) use self::args::ServeArgs;
use crate::status::{ExitStatus, Failure};

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        use std::os::fd::AsFd;
        use std::process::exit;

        use dragnet_sidecar::{Limits, Server};

        /// Runs `dragnet serve`.
        pub(crate) fn run(args: &ServeArgs) -> Result<ExitStatus, Failure> {
            match &args.socket {
                Some(path) => listen::run(path, args),
                None => serve_client(args),
            }
        }

        /// Serves the client whose socket is standard input, until it disconnects.
        fn serve_client(args: &ServeArgs) -> Result<ExitStatus, Failure> {
            let socket = std::io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| Failure::new(format!("standard input: {error}")))?;
            sandbox::restrict().map_err(Failure::new)?;
            let mut limits = Limits::default();
            limits.region_bytes = args.max_memory << 20;
            limits.patterns = args.max_patterns;
            // If a scan does not stop after its client disconnects, the only way to end it is to
            // end the process.
            let server = Server::new(socket, limits, || exit(2))
                .map_err(|error| Failure::new(error.to_string()))?;
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
            seccomp::restrict().map_err(Failure::new)?;
            // SAFETY: the client must not write to the records of a pending request, which this
            // process can't enforce. A client that does can only harm itself: this process serves
            // no other client, holds no data of others, and has given up files, network and most
            // system calls.
            let server = unsafe { server.search_in_place() };
            server.run().map_err(|error| Failure::new(error.to_string()))?;
            Ok(ExitStatus::Success)
        }
    } else {
        /// Fails: the sidecar uses Linux's sealed memory files and socket messages.
        pub(crate) fn run(_: &ServeArgs) -> Result<ExitStatus, Failure> {
            Err(Failure::new("serve requires Linux"))
        }
    }
}
