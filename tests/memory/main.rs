//! Memory use, measured by an allocator that counts bytes: the memory that scans of batches and streams need
//! at most, what searching one string allocates, and whether sets, engines and scanners report their own memory
//! correctly.

mod blocks;
mod one_string;
mod reported;
mod streams;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The system's allocator, which also counts the allocated bytes.
struct CountingAllocator;

/// The number of bytes that are currently allocated.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The maximum of [`LIVE`] since a test last reset this, in bytes.
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The number of bytes that this thread has allocated so far. The threads of the test harness allocate at any
    /// time.
    static BY_THREAD: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded unchanged to the system's allocator, and counting neither
// allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        BY_THREAD.set(BY_THREAD.get() + layout.size());
        // SAFETY: the caller of `alloc` passes a layout whose size is not 0, as `System` demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller of `dealloc` passes a block that `alloc` got from `System`, with the
        // same layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Waits for and blocks the other tests, because their allocations would be counted too.
fn alone() -> impl Drop {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does nothing, unless a sidecar under test has started this program as its server.
#[cfg(target_os = "linux")]
#[test]
fn serves_sidecars_in_another_process() {
    dragnet_testkit::serve_if_asked();
}
