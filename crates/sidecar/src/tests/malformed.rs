//! Malformed messages and wrong descriptors.

use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::super::frame::{self, FrameKind};
use super::super::sys;
use super::Rng;

/// A message with a valid header.
pub(super) fn framed(kind: u32, body: &[u8]) -> Vec<u8> {
    let head = [u32::from_le_bytes(*b"drgn"), frame::VERSION, kind, body.len() as u32];
    [bytemuck::cast_slice(&head), body].concat()
}

/// Sends bytes as a message, without checks. Fails silently: the server may be gone, and the system
/// rejects some messages.
pub(super) fn send_raw(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)), "there is room");
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let _ = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags);
}

/// Sends a message after damaging it.
pub(super) fn send_mutated(
    rng: &mut Rng,
    socket: BorrowedFd<'_>,
    kind: FrameKind,
    body: &[u8],
    descriptors: &[BorrowedFd<'_>],
) {
    let mut bytes = framed(kind as u32, body);
    let mut count = descriptors.len();
    match rng.below(9) {
        0 => bytes = Vec::new(),
        1 => bytes = rng.bytes(3000),
        2 => bytes.truncate(rng.below(bytes.len())),
        3 => bytes.extend(rng.bytes(64)),
        4 => bytes.resize(2000 + rng.below(100_000), 0),
        5 => {
            // A word of the header or of the body.
            let at = rng.below(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&rng.edge().to_le_bytes());
        }
        6 => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        7 => bytes = framed(rng.below(8) as u32, body),
        _ => count = rng.below(count + 1),
    }
    send_raw(socket, &bytes, &descriptors[..count]);
}

/// Shared memory whose pages are not allocated.
pub(super) fn memory(len: usize, seals: SealFlags) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = rustix::fs::memfd_create("dragnet-hostile", flags).expect("the memory is created");
    rustix::fs::ftruncate(&memory, len as u64).expect("the length is set");
    sys::seal(memory.as_fd(), seals).expect("new memory can be sealed");
    memory
}

/// A descriptor that no message should carry.
pub(super) fn wrong_descriptor(rng: &mut Rng) -> OwnedFd {
    let open = |path: &str| OwnedFd::from(File::open(path).expect("the file exists"));
    match rng.below(10) {
        0 => open("/dev/null"),
        1 => open("/dev/zero"),
        2 => open("/proc/self/exe"),
        3 => open("/"),
        4 => std::io::pipe().expect("a pipe").0.into(),
        5 => sys::socket().expect("a socket"),
        6 => memory(1 << 16, SealFlags::empty()),
        7 => memory(0, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE),
        8 => memory(1 + rng.below(4096), SealFlags::SHRINK),
        _ => {
            // Huge pages, if the system has some: their mappings are multiples of another page
            // size.
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
            match rustix::fs::memfd_create("dragnet-hostile", flags) {
                Ok(memory) => {
                    let _ = rustix::fs::ftruncate(&memory, 2 << 20);
                    let all = SealFlags::SHRINK | SealFlags::GROW;
                    let _ = rustix::fs::fcntl_add_seals(&memory, all);
                    memory
                }
                Err(_) => open("/dev/null"),
            }
        }
    }
}
