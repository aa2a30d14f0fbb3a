//! Functions of the C standard library: sorting with callbacks, an allocator that counts, and
//! locales as an example of state that C keeps per thread.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use dragnet_boundary::Release;

pub(crate) type Compare = extern "C" fn(*const c_void, *const c_void) -> c_int;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
    pub(crate) fn qsort(base: *mut c_void, count: usize, size: usize, compare: Compare);
    #[cfg(target_pointer_width = "64")]
    pub(crate) fn bsearch(
        key: *const c_void,
        base: *const c_void,
        count: usize,
        size: usize,
        compare: Compare,
    ) -> *const c_void;
}

/// The addresses of [`allocate`] that are not freed, each with the thread that allocated it. Tests
/// run on a thread each, so a test sees its own allocations alone.
static ALLOCATED: Mutex<Option<HashMap<usize, ThreadId>>> = Mutex::new(None);

fn allocated() -> MutexGuard<'static, Option<HashMap<usize, ThreadId>>> {
    ALLOCATED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls C's `malloc` and records the allocation.
pub(crate) fn allocate(size: usize) -> *mut c_void {
    // SAFETY: `malloc` accepts every size.
    let pointer = unsafe { malloc(size) };
    let thread = thread::current().id();
    assert!(allocated().get_or_insert_default().insert(pointer.addr(), thread).is_none());
    pointer
}

/// Returns the number of allocations of this thread that are not freed.
pub(crate) fn alive() -> usize {
    let thread = thread::current().id();
    allocated().iter().flatten().filter(|(_, by)| **by == thread).count()
}

/// Frees memory of [`allocate`] with C's `free`. Aborts the process on a double free.
pub(crate) enum CountedFree {}

// SAFETY: `free` accepts every pointer of `malloc`, which `allocate` calls, and does not unwind;
// nor does the check before it, which aborts.
unsafe impl<T> Release<T> for CountedFree {
    unsafe fn release(pointer: NonNull<T>) {
        if allocated().get_or_insert_default().remove(&pointer.addr().get()).is_none() {
            eprintln!("freed twice, or never allocated: {pointer:?}");
            std::process::abort();
        }
        // SAFETY: the map had the pointer, so `malloc` returned it and it was not freed since.
        unsafe { free(pointer.as_ptr().cast()) }
    }
}

/// The object that C's `locale_t` points to.
#[cfg(target_os = "linux")]
#[repr(C)]
pub(crate) struct RawLocale {
    _opaque: [u8; 0],
}

#[cfg(target_os = "linux")]
unsafe extern "C" {
    fn newlocale(
        mask: c_int,
        name: *const std::ffi::c_char,
        base: *mut RawLocale,
    ) -> *mut RawLocale;
    fn uselocale(locale: *mut RawLocale) -> *mut RawLocale;
    fn freelocale(locale: *mut RawLocale);
}

#[cfg(target_os = "linux")]
enum FreeLocale {}

// SAFETY: `freelocale` frees the objects of `newlocale`, and does not unwind.
#[cfg(target_os = "linux")]
unsafe impl Release<RawLocale> for FreeLocale {
    unsafe fn release(pointer: NonNull<RawLocale>) {
        // SAFETY: the caller promises an object of `newlocale` that is not freed or used
        // afterwards.
        unsafe { freelocale(pointer.as_ptr()) }
    }
}

/// A locale that the thread that makes it uses until this value is dropped.
#[cfg(target_os = "linux")]
pub(crate) struct Locale {
    locale: dragnet_boundary::COwned<RawLocale, FreeLocale>,
    previous: *mut RawLocale,
}

#[cfg(target_os = "linux")]
impl Locale {
    pub(crate) fn new() -> Result<Locale, dragnet_boundary::CMemoryError> {
        const LC_ALL_MASK: c_int = 0x1fbf;
        // SAFETY: the name ends with a NUL, and a null base asks for a new object. `COwned` keeps
        // the object until `drop` has made the thread use another one.
        unsafe {
            let locale = newlocale(LC_ALL_MASK, c"C.UTF-8".as_ptr(), std::ptr::null_mut());
            let locale = dragnet_boundary::COwned::from_raw(locale)?;
            let previous = uselocale(locale.as_ptr());
            Ok(Locale { locale, previous })
        }
    }

    pub(crate) fn address(&self) -> usize {
        self.locale.as_ptr().addr()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Locale {
    fn drop(&mut self) {
        // SAFETY: `uselocale` returned the previous locale, which is the global one in these tests
        // and is never freed.
        unsafe { uselocale(self.previous) };
    }
}

/// Returns the address of the locale that this thread uses.
#[cfg(target_os = "linux")]
pub(crate) fn current_locale() -> usize {
    // SAFETY: with a null pointer `uselocale` changes nothing and returns the current locale.
    unsafe { uselocale(std::ptr::null_mut()) }.addr()
}
