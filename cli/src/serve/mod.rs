//! `dragnet serve`: the other process of sidecars.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod filter;
#[cfg(target_os = "linux")]
mod listen;
#[cfg(target_os = "linux")]
mod sandbox;

use crate::args::ServeArgs;
use crate::status::{Failure, Status};

cfg_if::cfg_if! {
    if #[cfg(target_os = "linux")] {
        use std::os::fd::AsFd;
        use std::process::exit;

        use dragnet_sidecar::{Limits, Server};

        /// Runs the command.
        pub(crate) fn run(args: &ServeArgs) -> Result<Status, Failure> {
            match &args.socket {
                Some(path) => listen::run(path, args),
                None => serve_one(args),
            }
        }

        /// Serves the client whose socket is standard input, until it is gone.
        fn serve_one(args: &ServeArgs) -> Result<Status, Failure> {
            let socket = std::io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| Failure::new(format!("standard input: {error}")))?;
            sandbox::give_up_files().map_err(Failure::new)?;
            let mut limits = Limits::default();
            limits.region = args.max_memory << 20;
            limits.patterns = args.max_patterns;
            // A scan that does not heed its flag is ended with the process.
            let server = Server::new(socket, limits, || exit(2))
                .map_err(|error| Failure::new(error.to_string()))?;
            // Now that all threads are there, and nothing has been read yet. The crate that makes the
            // filters knows these processors, and on others does not even build.
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
            filter::give_up_system_calls().map_err(Failure::new)?;
            server.run().map_err(|error| Failure::new(error.to_string()))?;
            Ok(Status::Found)
        }
    } else {
        /// Says that it can't be.
        pub(crate) fn run(_: &ServeArgs) -> Result<Status, Failure> {
            Err(Failure::new("serve needs Linux"))
        }
    }
}
