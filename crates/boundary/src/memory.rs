//! Memory that C has allocated, as Rust values that free it through C when they are dropped.
//!
//! C's and Rust's allocators may differ, so memory must be freed by the side that allocated it. The
//! type parameter names the C function that does, so that a value can't be freed by another one; it
//! costs nothing at run time.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::Flat;

/// The C function that frees an object or a buffer.
///
/// ```
/// use std::ffi::c_void;
/// use std::ptr::NonNull;
/// use dragnet_boundary::{CBuffer, Release};
///
/// unsafe extern "C" {
///     fn calloc(count: usize, size: usize) -> *mut c_void;
///     fn free(pointer: *mut c_void);
/// }
///
/// /// Frees memory of C's `malloc` family.
/// enum Free {}
///
/// // SAFETY: `free` accepts every pointer of `malloc` and `calloc`, on any thread, and does not unwind.
/// unsafe impl<T> Release<T> for Free {
///     unsafe fn release(pointer: NonNull<T>) {
///         // SAFETY: the caller promises an allocated pointer that is not used afterwards.
///         unsafe { free(pointer.as_ptr().cast()) }
///     }
/// }
///
/// // SAFETY: `calloc` returns null or room for three numbers of 32 bits, all zero.
/// let mut numbers = unsafe { CBuffer::<u32, Free>::from_raw(calloc(3, 4).cast(), 3)? };
/// numbers[1] = 7;
/// assert_eq!(numbers, [0, 7, 0]);
/// # Ok::<(), dragnet_boundary::CMemoryError>(())
/// ```
///
/// # Safety
///
/// `release` must pass the pointer to the C function that frees it, and must not unwind.
pub unsafe trait Release<T> {
    /// Frees the object or buffer at `pointer`.
    ///
    /// # Safety
    ///
    /// The pointer must come from the allocating function that this type belongs to, must not have
    /// been freed, and must not be used afterwards.
    unsafe fn release(pointer: NonNull<T>);
}

/// Why a pointer from C was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CMemoryError {
    /// The pointer is null. Nothing was allocated, so nothing is freed.
    #[error("C returned a null pointer")]
    Null,
    /// The pointer is not aligned for values of its type. The buffer was freed.
    #[error("C returned a pointer that is not aligned")]
    Unaligned,
    /// The buffer is longer than `isize::MAX` bytes. It was freed.
    #[error("C returned a buffer that is too long")]
    TooLong,
}

/// One object allocated by C, and freed by C when this value is dropped.
///
/// It has the size of a pointer. It is neither `Send` nor `Sync`, because whether an object may be
/// used or freed on another thread depends on the library. Wrap it in a type of your own that
/// implements them, or give it to an [`Owner`](crate::Owner).
#[repr(transparent)]
pub struct COwned<T, F: Release<T>> {
    pointer: NonNull<T>,
    release: PhantomData<F>,
}

impl<T, F: Release<T>> COwned<T, F> {
    /// Takes ownership of an object.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    ///
    /// # Safety
    ///
    /// A pointer that is not null must point to an object that `F` can [release](Release::release)
    /// on this thread, and that nothing else releases.
    pub unsafe fn from_raw(pointer: *mut T) -> Result<COwned<T, F>, CMemoryError> {
        let pointer = NonNull::new(pointer).ok_or(CMemoryError::Null)?;
        Ok(COwned { pointer, release: PhantomData })
    }

    /// Returns the pointer, for the functions of its library. It is valid while `self` exists, and
    /// must not be released.
    pub fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }

    /// Gives up ownership and returns the pointer, for C functions that take ownership of it.
    pub fn into_raw(self) -> *mut T {
        let pointer = self.as_ptr();
        mem::forget(self);
        pointer
    }
}

impl<F: Release<c_char>> COwned<c_char, F> {
    /// Borrows the string. Each call scans for the final NUL.
    ///
    /// # Safety
    ///
    /// The string must end with a NUL, and nothing may write to it while it is borrowed.
    pub unsafe fn as_c_str(&self) -> &CStr {
        // SAFETY: the caller promises the NUL and that nothing writes, and `self` keeps the memory
        // allocated while it is borrowed.
        unsafe { CStr::from_ptr(self.as_ptr()) }
    }
}

impl<T, F: Release<T>> Drop for COwned<T, F> {
    fn drop(&mut self) {
        // SAFETY: the caller of `from_raw` promised that the pointer can be released once, and this
        // is the only place that releases it: `into_raw` forgets `self`.
        unsafe { F::release(self.pointer) };
    }
}

impl<T, F: Release<T>> fmt::Debug for COwned<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("COwned").field(&self.pointer).finish()
    }
}

/// A buffer of plain values allocated by C, and freed by C when this value is dropped. It
/// dereferences to a slice.
///
/// As [`COwned`], it is neither `Send` nor `Sync`.
pub struct CBuffer<T: Flat, F: Release<T>> {
    start: COwned<T, F>,
    len: usize,
}

impl<T: Flat, F: Release<T>> CBuffer<T, F> {
    /// Takes ownership of a buffer of `len` values, which may be 0.
    ///
    /// # Errors
    ///
    /// If the pointer is null, even for a `len` of 0, or not aligned, or the buffer is too long. A
    /// pointer that is not null is released.
    ///
    /// # Safety
    ///
    /// A pointer that is not null must be one that `F` can [release](Release::release) on this
    /// thread, and that nothing else releases. If it is aligned and the buffer is not too long, it
    /// must point to `len` initialized values. While the buffer exists, nothing else may write to
    /// them, or read them while Rust writes.
    pub unsafe fn from_raw(pointer: *mut T, len: usize) -> Result<CBuffer<T, F>, CMemoryError> {
        // SAFETY: the caller promises that `F` can release a pointer that is not null, and that
        // nothing else does.
        let start = unsafe { COwned::from_raw(pointer) }?;
        if !pointer.is_aligned() {
            return Err(CMemoryError::Unaligned);
        }
        match len.checked_mul(size_of::<T>()) {
            // The limit of `slice::from_raw_parts`.
            Some(bytes) if bytes <= isize::MAX as usize => Ok(CBuffer { start, len }),
            _ => Err(CMemoryError::TooLong),
        }
    }
}

impl<T: Flat, F: Release<T>> Deref for CBuffer<T, F> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the caller of `from_raw` promised `len` initialized values that nothing else
        // writes to; `from_raw` checked the alignment and the size in bytes; and `&self` excludes
        // `deref_mut`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Flat, F: Release<T>> DerefMut for CBuffer<T, F> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the caller of `from_raw` promised `len` initialized values that nothing else
        // reads or writes meanwhile; `from_raw` checked the alignment and the size in bytes; and
        // `&mut self` is the only borrow.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Flat + PartialEq, F: Release<T>, O: AsRef<[T]> + ?Sized> PartialEq<O> for CBuffer<T, F> {
    fn eq(&self, other: &O) -> bool {
        **self == *other.as_ref()
    }
}

impl<T: Flat + fmt::Debug, F: Release<T>> fmt::Debug for CBuffer<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
