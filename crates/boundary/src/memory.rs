//! What C allocated, as Rust values whose drop gives it back to C.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::Flat;

/// How C takes back what it allocated.
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
/// /// What C's `malloc` and its like gave.
/// enum Free {}
///
/// // SAFETY: `free` takes what they gave, on any thread.
/// unsafe impl<T> Release<T> for Free {
///     unsafe fn release(pointer: NonNull<T>) {
///         // SAFETY: the caller promises that it is allocated and not used any more.
///         unsafe { free(pointer.as_ptr().cast()) }
///     }
/// }
///
/// // SAFETY: three numbers of 32 bits, all zero.
/// let mut numbers = unsafe { CBuffer::<u32, Free>::from_raw(calloc(3, 4).cast(), 3)? };
/// numbers[1] = 7;
/// assert_eq!(numbers, [0, 7, 0]);
/// # Ok::<(), dragnet_boundary::CMemoryError>(())
/// ```
///
/// # Safety
///
/// `release` gives the memory back to the allocator that it is from, and does not unwind.
pub unsafe trait Release<T> {
    /// Gives back what `pointer` points to.
    ///
    /// # Safety
    ///
    /// It was allocated by the C library that this is for, with the function that this is for, was
    /// not given back yet, and is not used afterwards.
    unsafe fn release(pointer: NonNull<T>);
}

/// Why a pointer of C can't be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CMemoryError {
    /// It is null. Nothing was allocated, so nothing is given back.
    #[error("C returned a null pointer")]
    Null,
    /// It is not aligned for values of its type. They were given back.
    #[error("C returned a pointer that is not aligned")]
    Unaligned,
    /// The buffer is longer than any can be. It was given back.
    #[error("C returned a buffer that is too long")]
    TooLong,
}

/// One object that C allocated and takes back when this is dropped.
///
/// It takes the space of a pointer. It is neither `Send` nor `Sync`: whether an object may be used
/// or freed on another thread, only its library knows. Put it in a type of your own and say so
/// there, or give it to an [`Owner`](super::Owner).
#[repr(transparent)]
pub struct COwned<T, F: Release<T>> {
    pointer: NonNull<T>,
    release: PhantomData<F>,
}

impl<T, F: Release<T>> COwned<T, F> {
    /// Takes over an object.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    ///
    /// # Safety
    ///
    /// If it is not null, it points to an object that `F` may [release](Release::release), once,
    /// on this thread, and that nothing else releases.
    pub unsafe fn from_raw(pointer: *mut T) -> Result<COwned<T, F>, CMemoryError> {
        let pointer = NonNull::new(pointer).ok_or(CMemoryError::Null)?;
        Ok(COwned { pointer, release: PhantomData })
    }

    /// The object, for functions of its library. Valid as long as `self` is, and to be released by
    /// nobody else.
    pub fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }

    /// Gives the object out of Rust's hands, for functions of C that take it over.
    pub fn into_raw(self) -> *mut T {
        let pointer = self.as_ptr();
        mem::forget(self);
        pointer
    }
}

impl<F: Release<c_char>> COwned<c_char, F> {
    /// The text that this is. Its length is counted each time.
    ///
    /// # Safety
    ///
    /// It ends with a NUL, and nothing writes to it as long as the text is borrowed.
    pub unsafe fn as_c_str(&self) -> &CStr {
        // SAFETY: the caller promises the NUL, and `self` keeps the memory.
        unsafe { CStr::from_ptr(self.as_ptr()) }
    }
}

impl<T, F: Release<T>> Drop for COwned<T, F> {
    fn drop(&mut self) {
        // SAFETY: `from_raw` was promised that it may be released once, which is here.
        unsafe { F::release(self.pointer) };
    }
}

impl<T, F: Release<T>> fmt::Debug for COwned<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("COwned").field(&self.pointer).finish()
    }
}

/// A buffer of plain values that C allocated and takes back when this is dropped: a slice that
/// Rust's allocator knows nothing of.
///
/// As [`COwned`], it stays on its thread.
pub struct CBuffer<T: Flat, F: Release<T>> {
    start: COwned<T, F>,
    len: usize,
}

impl<T: Flat, F: Release<T>> CBuffer<T, F> {
    /// Takes over a buffer of so many values, perhaps none.
    ///
    /// # Errors
    ///
    /// If the pointer is null, even for no values, or it can't be that of so many values. C is
    /// given back what is not null.
    ///
    /// # Safety
    ///
    /// If the pointer is not null, `F` may [release](Release::release) it, once, on this thread,
    /// and nothing else does. If it is aligned, it points to `len` initialized values, which
    /// nothing else writes to as long as this is there, nor reads while Rust writes to them.
    pub unsafe fn from_raw(pointer: *mut T, len: usize) -> Result<CBuffer<T, F>, CMemoryError> {
        // SAFETY: the caller promises that it may be released.
        let start = unsafe { COwned::from_raw(pointer) }?;
        if !pointer.is_aligned() {
            return Err(CMemoryError::Unaligned);
        }
        match len.checked_mul(size_of::<T>()) {
            // No slice may have more bytes.
            Some(bytes) if bytes <= isize::MAX as usize => Ok(CBuffer { start, len }),
            _ => Err(CMemoryError::TooLong),
        }
    }
}

impl<T: Flat, F: Release<T>> Deref for CBuffer<T, F> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `from_raw` was promised so many initialized values, and has checked the
        // alignment and the size; whoever has `&mut self` is not there now.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Flat, F: Release<T>> DerefMut for CBuffer<T, F> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; and `self` is borrowed by nobody else.
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
