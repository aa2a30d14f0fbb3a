//! The C library that every program has, and an allocator of it that counts.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// What was allocated, by test: each runs on a thread of its own.
static ALLOCATED: Mutex<Option<HashMap<usize, std::thread::ThreadId>>> = Mutex::new(None);

fn allocated() -> MutexGuard<'static, Option<HashMap<usize, std::thread::ThreadId>>> {
    ALLOCATED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// C's `malloc`, which notes what it gives.
pub(crate) fn allocate(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let pointer = unsafe { malloc(size) };
    let owner = std::thread::current().id();
    assert!(allocated().get_or_insert_default().insert(pointer.addr(), owner).is_none());
    pointer
}

/// How many allocations of this thread were not freed.
pub(crate) fn alive() -> usize {
    let owner = std::thread::current().id();
    allocated().iter().flatten().filter(|(_, by)| **by == owner).count()
}

/// C's `free`, for what [`allocate`] gave and nothing else.
pub(crate) enum Counted {}

// SAFETY: `free` takes what `malloc` gave. That is all that is there to be released in a correct
// program; in another one the process ends, with a message.
unsafe impl<T> Release<T> for Counted {
    unsafe fn release(pointer: NonNull<T>) {
        if allocated().get_or_insert_default().remove(&pointer.addr().get()).is_none() {
            eprintln!("freed twice, or never allocated: {pointer:?}");
            std::process::abort();
        }
        // SAFETY: it was allocated and not freed before, as was just seen.
        unsafe { free(pointer.as_ptr().cast()) }
    }
}

/// C's `locale_t`.
#[cfg(target_os = "linux")]
#[repr(C)]
pub(crate) struct RawLocale {
    _hidden: [u8; 0],
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

// SAFETY: `freelocale` takes what `newlocale` gave.
#[cfg(target_os = "linux")]
unsafe impl Release<RawLocale> for FreeLocale {
    unsafe fn release(pointer: NonNull<RawLocale>) {
        // SAFETY: as the caller promises.
        unsafe { freelocale(pointer.as_ptr()) }
    }
}

/// A locale that the thread that makes it uses, as long as this is there.
#[cfg(target_os = "linux")]
pub(crate) struct Locale {
    locale: dragnet_boundary::COwned<RawLocale, FreeLocale>,
    before: *mut RawLocale,
}

#[cfg(target_os = "linux")]
impl Locale {
    pub(crate) fn new() -> Result<Locale, dragnet_boundary::CMemoryError> {
        const LC_ALL_MASK: c_int = 0x1fbf;
        // SAFETY: the name ends with a NUL; the locale that is made is used until it is dropped.
        unsafe {
            let locale = newlocale(LC_ALL_MASK, c"C.UTF-8".as_ptr(), std::ptr::null_mut());
            let locale = dragnet_boundary::COwned::from_raw(locale)?;
            let before = uselocale(locale.as_ptr());
            Ok(Locale { locale, before })
        }
    }

    pub(crate) fn address(&self) -> usize {
        self.locale.as_ptr().addr()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Locale {
    fn drop(&mut self) {
        // SAFETY: it was in use before, and so it is there; nothing uses the one that is freed.
        unsafe { uselocale(self.before) };
    }
}

/// The locale that this thread uses.
#[cfg(target_os = "linux")]
pub(crate) fn locale() -> usize {
    // SAFETY: null only asks.
    unsafe { uselocale(std::ptr::null_mut()) }.addr()
}
