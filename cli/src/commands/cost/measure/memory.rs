//! Memory that two processes share, and the turns that they take at it.

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::Timespec;
use rustix::fs::{self, MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{self, MapFlags, ProtFlags};
use rustix::thread::futex;

use super::work::{MAX_BATCH, Record};

/// Whose turn it is.
pub(super) const REPLY: u32 = 0;
pub(super) const REQUEST: u32 = 1;
/// There are no more turns.
pub(super) const CLOSED: u32 = 2;

/// Set beside the turn by who sleeps until it is another one.
const WAITING: u32 = 1 << 31;

/// How long one sleeps until it looks whether the other is still there.
const SLICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// For how long one looks at the turn before it sleeps, if it does so.
pub(super) const SPIN: Duration = Duration::from_micros(100);

/// What is at the begin of the memory.
#[repr(C)]
struct Header {
    turn: AtomicU32,
    count: AtomicU32,
    answer: AtomicU64,
}

/// Where the records are.
const RECORDS: usize = 4096;

const LEN: usize = RECORDS + MAX_BATCH * size_of::<Record>();

const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

/// Such memory in this process.
pub(super) struct Memory {
    start: NonNull<u8>,
}

// SAFETY: it is memory of the process, not of a thread.
unsafe impl Send for Memory {}

impl Memory {
    /// New memory, and its descriptor for the other process.
    pub(super) fn new() -> io::Result<(Memory, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = fs::memfd_create("dragnet-cost", flags)?;
        fs::ftruncate(&file, LEN as u64)?;
        fs::fcntl_add_seals(&file, SEALS | SealFlags::SEAL)?;
        Ok((Memory::map(&file)?, file))
    }

    /// The memory of another process, by its descriptor.
    pub(super) fn open(file: impl AsFd) -> io::Result<Memory> {
        // If it could get shorter, reading it could end this process.
        let sealed = fs::fcntl_get_seals(&file)?.contains(SEALS);
        if !sealed || fs::fstat(&file)?.st_size != LEN as i64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not what is shared"));
        }
        Memory::map(file)
    }

    fn map(file: impl AsFd) -> io::Result<Memory> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: it is mapped where there is nothing yet, and the file is that long and stays so.
        let start = unsafe { mm::mmap(ptr::null_mut(), LEN, access, MapFlags::SHARED, file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        Ok(Memory { start })
    }

    fn header(&self) -> &Header {
        // SAFETY: the begin of a mapping is aligned for it, and it is all atomic, so that anyone
        // may write to it.
        unsafe { self.start.cast().as_ref() }
    }

    /// Puts records there. Only who has the turn may.
    pub(super) fn write(&mut self, records: &[Record]) -> io::Result<()> {
        if records.len() > MAX_BATCH {
            let text = format!("{} records are too many", records.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        // SAFETY: there is room for so many, in memory that no slice is borrowed from.
        unsafe {
            let start = self.start.add(RECORDS).cast::<Record>().as_ptr();
            ptr::copy_nonoverlapping(records.as_ptr(), start, records.len());
        }
        self.header().count.store(records.len() as u32, Ordering::Relaxed);
        Ok(())
    }

    /// The records that are there.
    ///
    /// # Safety
    ///
    /// It is the turn of this process, and the other one, which is the same program, does not
    /// write until it is its own.
    pub(super) unsafe fn read(&self) -> io::Result<&[Record]> {
        // Looked at once, so that what is checked is what is used.
        let count = self.header().count.load(Ordering::Relaxed) as usize;
        if count > MAX_BATCH {
            let text = format!("{count} records are too many");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        // SAFETY: there are so many, of bytes that are all valid, and the caller promises that
        // nobody writes to them.
        unsafe { Ok(std::slice::from_raw_parts(self.start.add(RECORDS).cast().as_ptr(), count)) }
    }

    pub(super) fn set_answer(&self, answer: u64) {
        self.header().answer.store(answer, Ordering::Relaxed);
    }

    pub(super) fn answer(&self) -> u64 {
        self.header().answer.load(Ordering::Relaxed)
    }

    /// Gives the turn to the other process, and wakes it if it sleeps.
    pub(super) fn pass(&self, turn: u32) -> io::Result<()> {
        let word = &self.header().turn;
        if word.swap(turn, Ordering::AcqRel) & WAITING != 0 {
            futex::wake(word, futex::Flags::empty(), 1)?;
        }
        Ok(())
    }

    /// Waits until it is not this turn any more, and returns which it is. Every tenth of a second
    /// asks `check` whether to go on.
    pub(super) fn wait(
        &self,
        turn: u32,
        spin: bool,
        mut check: impl FnMut() -> io::Result<()>,
    ) -> io::Result<u32> {
        let word = &self.header().turn;
        let current = || word.load(Ordering::Acquire) & !WAITING;
        if spin {
            let start = Instant::now();
            while current() == turn && start.elapsed() < SPIN {
                (0..32).for_each(|_| std::hint::spin_loop());
            }
        }
        while current() == turn {
            let marked = word.fetch_or(WAITING, Ordering::AcqRel);
            if marked & !WAITING != turn {
                // It has changed in between; the mark does no harm but for a wake-up too many.
                break;
            }
            match futex::wait(word, futex::Flags::empty(), turn | WAITING, Some(&SLICE)) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::TIMEDOUT) => check()?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(current())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it was mapped at this length, and what is borrowed from it is gone.
        let unmapped = unsafe { mm::munmap(self.start.as_ptr().cast::<c_void>(), LEN) };
        debug_assert!(unmapped.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_the_other_reads() {
        let (mut ours, file) = Memory::new().unwrap();
        let theirs = Memory::open(&file).unwrap();
        for records in [vec![], vec![[1; 64], [2; 64]], super::super::work::records()] {
            ours.write(&records).unwrap();
            // SAFETY: nobody writes.
            assert_eq!(unsafe { theirs.read() }.unwrap(), records);
        }
        theirs.set_answer(u64::MAX);
        assert_eq!(ours.answer(), u64::MAX);
    }

    #[test]
    fn more_records_than_there_is_room_for_are_refused() {
        let (mut ours, file) = Memory::new().unwrap();
        let error = ours.write(&vec![[0; 64]; MAX_BATCH + 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        ours.header().count.store(u32::MAX, Ordering::Relaxed);
        // SAFETY: nobody writes.
        let error = unsafe { Memory::open(&file).unwrap().read().unwrap_err().kind() };
        assert_eq!(error, io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_file_that_could_get_shorter_is_not_mapped() {
        let file = fs::memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
        let file = file.unwrap();
        fs::ftruncate(&file, LEN as u64).unwrap();
        assert!(Memory::open(&file).is_err());
        fs::fcntl_add_seals(&file, SEALS).unwrap();
        assert!(Memory::open(&file).is_ok());

        let short = fs::memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
        let short = short.unwrap();
        fs::fcntl_add_seals(&short, SEALS).unwrap();
        assert!(Memory::open(&short).is_err());
    }

    #[test]
    fn who_waits_for_a_turn_that_does_not_come_is_asked_whether_to_go_on() {
        let (ours, _file) = Memory::new().unwrap();
        for spin in [false, true] {
            let mut asked = 0;
            let waited = ours.wait(REPLY, spin, || {
                asked += 1;
                if asked < 3 { Ok(()) } else { Err(io::Error::other("enough")) }
            });
            assert_eq!((waited.unwrap_err().to_string().as_str(), asked), ("enough", 3));
        }
    }
}
