//! Maps the shared memory that a client sends, once it is known to be safe to access.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::SealFlags;

use super::memory::SharedMapping;
use super::serve_error::{ServeError, protocol, system};
use super::sys;

/// Maps the first `len` bytes of a client's memory, which must have at least these seals.
///
/// The seal against shrinking prevents SIGBUS: without it, the client could truncate the memory
/// while the server accesses it, and so kill the server.
pub(super) fn map(
    descriptor: &OwnedFd,
    len: u64,
    seals: SealFlags,
    writable: bool,
) -> Result<SharedMapping, ServeError> {
    let descriptor = descriptor.as_fd();
    let present = match sys::seals(descriptor) {
        Ok(present) => present,
        Err(error) => return protocol(format!("a descriptor is not shared memory: {error}")),
    };
    if !present.contains(seals) {
        return protocol("shared memory is not sealed");
    }
    let real_len = sys::length(descriptor).map_err(system("the length of shared memory"))?;
    match usize::try_from(len) {
        Ok(mapped) if len > 0 && len <= real_len => {
            SharedMapping::new(descriptor, mapped, writable)
                .map_err(system("mapping shared memory"))
        }
        _ => protocol(format!("{len} bytes announced for {real_len} bytes of shared memory")),
    }
}
