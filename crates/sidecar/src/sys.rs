//! The system calls that are made here, in one place, so that a test can let any of them fail.
//!
//! Those that a signal can interrupt are made again, but for the ones that wait no longer than they
//! are told to: made again, they would wait as long once more, and never end if signals keep coming.

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

/// Makes a system call, unless a test lets it fail.
fn once<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    #[cfg(test)]
    if let Some(errno) = super::fault::next() {
        return Err(errno);
    }
    call()
}

/// The same, again if a signal interrupts it.
fn call<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    retry_on_intr(|| once(&mut call))
}

/// Starts a thread, of this module's name.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    call(|| Ok(()))?;
    #[cfg(test)]
    let work = {
        let plan = super::fault::for_next_thread();
        move || {
            if let Some(plan) = plan {
                plan.begin();
            }
            work();
        }
    };
    Builder::new().name("dragnet-sidecar".to_owned()).spawn(work)
}

/// New shared memory of this many bytes, which are zero. The pages are there: touching them later
/// can't fail for want of memory.
pub(super) fn memory(len: usize) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = call(|| rustix::fs::memfd_create("dragnet", flags))?;
    if len > 0 {
        call(|| rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, len as u64))?;
    }
    Ok(fd)
}

pub(super) fn seal(fd: BorrowedFd<'_>, seals: SealFlags) -> io::Result<()> {
    Ok(call(|| rustix::fs::fcntl_add_seals(fd, seals))?)
}

/// The seals of shared memory. Only memory has some, so this tells it from files and devices, too.
///
/// # Errors
///
/// If it is none, or if its pages are of another size, which mappings then have to be as well.
pub(super) fn seals(fd: BorrowedFd<'_>) -> io::Result<SealFlags> {
    const HUGETLBFS: u32 = 0x9584_58f6;
    if call(|| rustix::fs::fstatfs(fd))?.f_type as u32 == HUGETLBFS {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it has huge pages"));
    }
    Ok(call(|| rustix::fs::fcntl_get_seals(fd))?)
}

/// The length of a file, in bytes.
pub(super) fn length(fd: BorrowedFd<'_>) -> io::Result<u64> {
    let stat = call(|| rustix::fs::fstat(fd))?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// Maps the first `len` bytes of shared memory, which are not none.
pub(super) fn map(fd: BorrowedFd<'_>, len: usize, writable: bool) -> io::Result<*mut u8> {
    let mut access = ProtFlags::READ;
    access.set(ProtFlags::WRITE, writable);
    let start = call(|| {
        // SAFETY: at no fixed address, so that no memory which is in use is replaced.
        unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, access, MapFlags::SHARED, fd, 0) }
    })?;
    Ok(start.cast())
}

/// Unmaps what [`map`] mapped.
///
/// # Safety
///
/// Nothing uses the memory any more.
pub(super) unsafe fn unmap(start: *mut u8, len: usize) {
    // SAFETY: as the caller promises. It can only fail for arguments that are wrong.
    let _ = unsafe { rustix::mm::munmap(start.cast(), len) };
}

/// Two ends of a socket that keeps messages apart.
pub(super) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    Ok(call(|| rustix::net::socketpair(family, SocketType::SEQPACKET, flags, None))?)
}

pub(super) fn socket() -> io::Result<OwnedFd> {
    let (family, flags) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    Ok(call(|| rustix::net::socket_with(family, SocketType::SEQPACKET, flags, None))?)
}

/// Sets how long a connect may wait for the other side, where a full queue would make it wait for
/// ever. Clipped to what the system takes.
pub(super) fn limit_waiting(socket: BorrowedFd<'_>, time: Duration) -> io::Result<()> {
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

/// Opens what is there already.
pub(super) fn open(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(call(|| rustix::fs::open(path, flags, Mode::empty()))?)
}

/// Sets who may use what is at a name in a folder.
pub(super) fn allow(folder: &OwnedFd, name: &OsStr, mode: Mode) -> io::Result<()> {
    Ok(call(|| rustix::fs::chmodat(folder, name, mode, AtFlags::empty()))?)
}

/// Gives what is at a name in a folder another name too, which is not there yet.
pub(super) fn link(folder: &OwnedFd, old: &OsStr, new: &OsStr) -> io::Result<()> {
    Ok(call(|| rustix::fs::linkat(folder, old, folder, new, AtFlags::empty()))?)
}

/// Gives what is at a name in a folder another name, in place of what has it.
pub(super) fn rename(folder: &OwnedFd, old: &OsStr, new: &OsStr) -> io::Result<()> {
    Ok(call(|| rustix::fs::renameat(folder, old, folder, new))?)
}

pub(super) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    control: &mut SendAncillaryBuffer<'_, '_, '_>,
) -> io::Result<()> {
    let parts = [io::IoSlice::new(bytes)];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let sent = call(|| rustix::net::sendmsg(socket, &parts, control, flags))?;
    // A message goes as a whole or not at all, so this is for a kernel that is not Linux's.
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

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

/// Waits until one of `events` happens, or the other side is gone. Returns what happened, which is
/// nothing if the time is over or a signal came.
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

/// Ends a connection, for whoever uses it.
pub(super) fn shut_down(socket: impl AsFd) {
    // If it has ended already, that is what is wanted.
    let _ = rustix::net::shutdown(socket, Shutdown::Both);
}

pub(super) fn peer(socket: BorrowedFd<'_>) -> io::Result<UCred> {
    Ok(call(|| rustix::net::sockopt::socket_peercred(socket))?)
}

/// Sleeps while the word has this value, until it is woken or the time is over. May wake early.
pub(super) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(timespec);
    // Not private: the other side is another process.
    match once(|| futex::wait(word, futex::Flags::empty(), value, timeout.as_ref())) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Wakes all who sleep on the word.
pub(super) fn wake(word: &AtomicU32) {
    // It can only fail for arguments that are wrong.
    let _ = futex::wake(word, futex::Flags::empty(), i32::MAX as u32);
}

fn timespec(time: Duration) -> Timespec {
    // A time beyond the clock's range is as good as its end.
    Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i64::MAX as _, tv_nsec: 0 })
}
