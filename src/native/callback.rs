//! Where C calls back: blocks of matches, for whoever a handle stands for.
//!
//! C gets an integer, never a pointer. It stands for a sink on the stack of the thread that called
//! C, and is forgotten before that thread leaves it; whoever calls with it later is told to stop.

use std::ops::{ControlFlow, Range};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::thread::{self, ThreadId};

use super::contract::GO_ON;
use crate::Match;
use dragnet_boundary::{Handle, Handles, HandlesFull, PanicGuard, contain_panics};

/// What tells C to end the scan.
const STOP: i32 = !GO_ON;

/// Takes the matches of the records in a range: ordered by record, in no order within one.
pub(super) type OnBlock<'a> = dyn FnMut(Range<u32>, &mut [Match]) -> ControlFlow<()> + 'a;

/// All scans in progress that C calls back for.
static SCANS: Handles<Scan> = Handles::new();

/// A scan that C calls back for.
struct Scan {
    /// The thread that the scan runs on.
    thread: ThreadId,
    /// A [`Taker`] on that thread's stack. Null while it is used.
    taker: AtomicPtr<Taker<'static>>,
}

/// Who takes the blocks of a scan, and what keeps panics from C.
struct Taker<'a> {
    guard: &'a PanicGuard,
    on_block: &'a mut OnBlock<'a>,
}

/// Removes a handle when it is dropped.
struct Registered(Handle);

impl Drop for Registered {
    fn drop(&mut self) {
        SCANS.remove(self.0);
    }
}

/// Calls C by `call`, with an integer for which [`dragnet_on_block`] calls `on_block`, on this
/// thread and until this returns.
///
/// # Errors
///
/// If there are no handles left. C was not called.
///
/// # Panics
///
/// If `on_block` does, with the same panic, once C has returned.
pub(super) fn calling_back<'a, R>(
    on_block: &'a mut OnBlock<'a>,
    call: impl FnOnce(u64) -> R,
) -> Result<R, HandlesFull> {
    contain_panics(|guard| {
        let mut taker = Taker { guard, on_block };
        let scan =
            Scan { thread: thread::current().id(), taker: AtomicPtr::new((&raw mut taker).cast()) };
        // Gone before `taker` is, also if `call` panics.
        let registered = Registered(SCANS.insert(scan)?);
        Ok(call(registered.0.to_bits()))
    })
}

/// What C calls with the `count` matches of the records from `first` up to before `end`. Returns
/// whether to go on.
///
/// A call that comes when the handle stands for nothing any more, from another thread than the
/// scan's, or from within another call for the same scan does nothing, and is told to stop.
///
/// # Safety
///
/// If the handle stands for a scan, `matches` points to so many, which nothing else uses until this
/// returns.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn dragnet_on_block(
    handle: u64,
    first: u32,
    end: u32,
    matches: *mut Match,
    count: usize,
) -> i32 {
    let Some(scan) = SCANS.get(Handle::from_bits(handle)) else { return STOP };
    if scan.thread != thread::current().id() {
        return STOP;
    }
    let Some(mut taker) = NonNull::new(scan.taker.swap(null_mut(), Ordering::Relaxed)) else {
        return STOP;
    };
    // SAFETY: the taker lies in a frame of `calling_back`, which removes the handle before it is
    // left; this is the thread of that frame, which can't leave it meanwhile, and no other call has
    // the pointer, which is put back only behind the last use here. The longer lifetimes that it
    // was stored with are not relied on: nothing is kept of it.
    let Taker { guard, on_block } = unsafe { taker.as_mut() };
    let go_on = guard.run(STOP, || {
        // SAFETY: as the caller promises.
        let matches = unsafe { std::slice::from_raw_parts_mut(matches, count) };
        if on_block(first..end, matches).is_continue() { GO_ON } else { STOP }
    });
    scan.taker.store(taker.as_ptr(), Ordering::Relaxed);
    go_on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(handle: u64, matches: &mut [Match]) -> i32 {
        // SAFETY: the pointer and the length are those of a slice.
        unsafe { dragnet_on_block(handle, 3, 5, matches.as_mut_ptr(), matches.len()) }
    }

    #[test]
    fn a_call_reaches_its_scan_and_no_other_one() {
        let mut seen = [0, 0];
        let [first, second] = &mut seen;
        let mut count_first = |range, _: &mut [Match]| {
            assert_eq!(range, 3..5);
            *first += 1;
            ControlFlow::Continue(())
        };
        let mut count_second = |_, matches: &mut [Match]| {
            *second += matches.len();
            ControlFlow::Break(())
        };
        let outer = calling_back(&mut count_first, |outer| {
            assert_eq!(call(outer, &mut []), GO_ON);
            let inner = calling_back(&mut count_second, |inner| {
                assert_eq!(call(outer, &mut []), GO_ON);
                assert_eq!(call(inner, &mut [Match::default(); 2]), STOP);
                inner
            });
            assert_eq!(call(outer, &mut []), GO_ON);
            assert_eq!(call(inner.unwrap(), &mut []), STOP);
            outer
        });
        assert_eq!(call(outer.unwrap(), &mut []), STOP);
        assert_eq!(seen, [3, 2]);
    }

    #[test]
    fn a_late_call_does_nothing_also_when_others_have_the_place() {
        let mut old = Vec::new();
        for _ in 0..100 {
            let mut none = |_, _: &mut [Match]| ControlFlow::Continue(());
            old.push(calling_back(&mut none, |handle| handle).unwrap());
        }
        let mut reached = |_, _: &mut [Match]| panic!("reached by another handle");
        let handle = calling_back(&mut reached, |handle| {
            for &old in &old {
                assert_ne!(old, handle);
                assert_eq!(call(old, &mut []), STOP);
            }
            handle
        });
        for handle in old.into_iter().chain([handle.unwrap(), 0, u64::MAX]) {
            // Nothing is read where nothing is found.
            // SAFETY: the handle stands for nothing.
            let answer = unsafe { dragnet_on_block(handle, 0, 1, null_mut(), 1) };
            assert_eq!(answer, STOP);
        }
    }

    #[test]
    fn a_call_from_another_thread_or_from_within_one_does_nothing() {
        let mut handle_inside = 0;
        let handle_cell = std::cell::Cell::new(0);
        let mut calls = 0;
        let mut on_block = |_, _: &mut [Match]| {
            calls += 1;
            assert_eq!(call(handle_cell.get(), &mut []), STOP);
            ControlFlow::Continue(())
        };
        calling_back(&mut on_block, |handle| {
            handle_cell.set(handle);
            handle_inside = handle;
            let elsewhere = thread::spawn(move || call(handle, &mut [])).join().unwrap();
            assert_eq!(elsewhere, STOP);
            assert_eq!(call(handle, &mut []), GO_ON);
            assert_eq!(call(handle, &mut []), GO_ON);
        })
        .unwrap();
        assert_ne!(handle_inside, 0);
        assert_eq!(calls, 2);
    }

    #[test]
    fn a_panic_goes_on_behind_c_and_leaves_no_handle() {
        let mut kept = 0;
        let mut on_block = |_, _: &mut [Match]| std::panic::panic_any(7);
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            calling_back(&mut on_block, |handle| {
                kept = handle;
                assert_eq!(call(handle, &mut []), STOP);
                assert_eq!(call(handle, &mut []), STOP);
            })
        }));
        assert_eq!(panic.unwrap_err().downcast_ref::<i32>(), Some(&7));
        assert!(SCANS.get(Handle::from_bits(kept)).is_none());
    }
}
