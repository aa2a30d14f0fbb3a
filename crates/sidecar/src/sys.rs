//! All system calls of this crate, in one place, so that tests can make each of them fail.
//!
//! A call that a signal interrupts is repeated. The exceptions are calls with a timeout, which return
//! early: repeated with the same timeout, they could wait forever if signals kept arriving.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{AtFlags, FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, RecvMsg, SendAncillaryBuffer, SendFlags,
    Shutdown, SocketFlags, SocketType, UCred,
};
use rustix::thread::futex;

type Result<T> = std::result::Result<T, Errno>;

/// Makes a system call once, unless a test injects a fault.
fn once<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    #[cfg(test)]
    if let Some(errno) = super::fault_injection::next() {
        return Err(errno);
    }
    call()
}

/// Makes a system call, and repeats it if a signal interrupts it.
fn call<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    retry_on_intr(|| once(&mut call))
}

/// Starts a thread with the name of this crate.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // Lets a test make the start fail: the standard library makes the actual call.
    call(|| Ok(()))?;
    #[cfg(test)]
    let work = {
        let fault = super::fault_injection::for_next_thread();
        move || {
            if let Some(fault) = fault {
                fault.inject();
            }
            work();
        }
    };
    Builder::new().name("dragnet-sidecar".to_owned()).spawn(work)
}

/// Creates shared memory of `len` zero bytes. The pages are allocated now, so that an access does not
/// fail later for lack of memory.
pub(super) fn memory(len: usize) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = call(|| rustix::fs::memfd_create("dragnet", flags))?;
    if len > 0 {
        call(|| rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, len as u64))?;
    }
    Ok(fd)
}

/// Adds seals to shared memory.
pub(super) fn seal(fd: BorrowedFd<'_>, seals: SealFlags) -> io::Result<()> {
    Ok(call(|| rustix::fs::fcntl_add_seals(fd, seals))?)
}

/// The seals of shared memory. This also rejects files and devices, which have no seals.
///
/// # Errors
///
/// If the descriptor is not shared memory; or if it has huge pages, since the length of a mapping
/// would have to be a multiple of their size.
pub(super) fn seals(fd: BorrowedFd<'_>) -> io::Result<SealFlags> {
    // `HUGETLBFS_MAGIC` of linux/magic.h.
    const HUGETLBFS_MAGIC: u32 = 0x9584_58f6;
    if call(|| rustix::fs::fstatfs(fd))?.f_type as u32 == HUGETLBFS_MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has huge pages"));
    }
    Ok(call(|| rustix::fs::fcntl_get_seals(fd))?)
}

/// The length of a file, in bytes.
pub(super) fn length(fd: BorrowedFd<'_>) -> io::Result<u64> {
    let stat = call(|| rustix::fs::fstat(fd))?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// Maps the first `len` bytes of shared memory. `len` is not 0.
pub(super) fn map(fd: BorrowedFd<'_>, len: usize, writable: bool) -> io::Result<*mut u8> {
    let mut access = ProtFlags::READ;
    access.set(ProtFlags::WRITE, writable);
    let start = call(|| {
        // SAFETY: the system chooses an unused range of addresses, since no address is requested, so
        // the mapping does not replace memory that is in use.
        unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, access, MapFlags::SHARED, fd, 0) }
    })?;
    Ok(start.cast())
}

/// Unmaps memory.
///
/// # Safety
///
/// `start` and `len` are those of a mapping that [`map`] made, and nothing accesses it afterwards.
pub(super) unsafe fn unmap(start: *mut u8, len: usize) {
    // SAFETY: the caller promises that the range is a whole mapping that is no longer used. The call
    // fails only for arguments that are not a mapping.
    let _ = unsafe { rustix::mm::munmap(start.cast(), len) };
}

/// Both ends of a socket that preserves message boundaries.
pub(super) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    Ok(call(|| rustix::net::socketpair(family, SocketType::SEQPACKET, flags, None))?)
}

/// A socket that preserves message boundaries, not connected.
pub(super) fn socket() -> io::Result<OwnedFd> {
    let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    Ok(call(|| rustix::net::socket_with(family, SocketType::SEQPACKET, flags, None))?)
}

/// Limits how long [`connect`] blocks while the listener's queue is full. Without a limit it may block
/// forever. `time` is clamped to what the system accepts.
pub(super) fn set_send_timeout(socket: BorrowedFd<'_>, time: Duration) -> io::Result<()> {
    let time = time.clamp(Duration::from_millis(1), Duration::from_secs(1 << 20));
    let which = rustix::net::sockopt::Timeout::Send;
    Ok(call(|| rustix::net::sockopt::set_socket_timeout(socket, which, Some(time)))?)
}

pub(super) fn connect(
    socket: BorrowedFd<'_>,
    address: &rustix::net::SocketAddrUnix,
) -> io::Result<()> {
    Ok(call(|| rustix::net::connect(socket, address))?)
}

pub(super) fn bind(
    socket: BorrowedFd<'_>,
    address: &rustix::net::SocketAddrUnix,
) -> io::Result<()> {
    Ok(call(|| rustix::net::bind(socket, address))?)
}

pub(super) fn listen(socket: BorrowedFd<'_>, waiting: i32) -> io::Result<()> {
    Ok(call(|| rustix::net::listen(socket, waiting))?)
}

pub(super) fn accept(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    Ok(call(|| rustix::net::accept_with(socket, SocketFlags::CLOEXEC))?)
}

/// Opens an existing file or directory.
pub(super) fn open(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(call(|| rustix::fs::open(path, flags, Mode::empty()))?)
}

/// Sets the permissions of a file in a directory.
pub(super) fn set_mode(directory: &OwnedFd, name: &OsStr, mode: Mode) -> io::Result<()> {
    Ok(call(|| rustix::fs::chmodat(directory, name, mode, AtFlags::empty()))?)
}

/// Creates a second name for a file in a directory. Fails if the name exists.
pub(super) fn link(directory: &OwnedFd, old: &OsStr, new: &OsStr) -> io::Result<()> {
    Ok(call(|| rustix::fs::linkat(directory, old, directory, new, AtFlags::empty()))?)
}

/// Renames a file in a directory, and replaces the file that has the new name.
pub(super) fn rename(directory: &OwnedFd, old: &OsStr, new: &OsStr) -> io::Result<()> {
    Ok(call(|| rustix::fs::renameat(directory, old, directory, new))?)
}

/// Sends one message. Does not block.
pub(super) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    control: &mut SendAncillaryBuffer<'_, '_, '_>,
) -> io::Result<()> {
    let parts = [io::IoSlice::new(bytes)];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let sent = call(|| rustix::net::sendmsg(socket, &parts, control, flags))?;
    // Linux sends a message completely or not at all.
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Receives one message. Does not block.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    control: &mut RecvAncillaryBuffer<'_>,
) -> io::Result<RecvMsg> {
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    Ok(call(|| {
        rustix::net::recvmsg(socket, &mut [io::IoSliceMut::new(&mut *bytes)], control, flags)
    })?)
}

/// Waits until one of `events` happens or the peer closes the socket. Returns the events that happened:
/// none if the timeout passed or a signal interrupted the wait.
pub(super) fn poll(
    socket: BorrowedFd<'_>,
    events: PollFlags,
    timeout: Option<Duration>,
) -> io::Result<PollFlags> {
    let timeout = timeout.map(timespec);
    let mut list = [PollFd::from_borrowed_fd(socket, events)];
    match once(|| rustix::event::poll(&mut list, timeout.as_ref())) {
        Err(Errno::INTR) => Ok(PollFlags::empty()),
        polled => polled.map(|_| list[0].revents()).map_err(io::Error::from),
    }
}

/// Ends a connection, for all threads and processes that use the socket.
pub(super) fn shut_down(socket: impl AsFd) {
    // Fails if the connection has ended already.
    let _ = rustix::net::shutdown(socket, Shutdown::Both);
}

/// The process at the other end of a socket.
pub(super) fn peer(socket: BorrowedFd<'_>) -> io::Result<UCred> {
    Ok(call(|| rustix::net::sockopt::socket_peercred(socket))?)
}

/// Sleeps until [`wake`] is called or the timeout passes. Returns at once if the value of the word is not
/// `value`. May return early.
pub(super) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(timespec);
    // Not a private futex: the other side is another process.
    match once(|| futex::wait(word, futex::Flags::empty(), value, timeout.as_ref())) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Wakes all threads that sleep on the word.
pub(super) fn wake(word: &AtomicU32) {
    // Fails only for invalid arguments.
    let _ = futex::wake(word, futex::Flags::empty(), i32::MAX as u32);
}

fn timespec(time: Duration) -> Timespec {
    // A time beyond the range of the clock is replaced by its maximum.
    Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i64::MAX as _, tv_nsec: 0 })
}
