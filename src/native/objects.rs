//! Objects that libhs allocates, as Rust types whose `Drop` frees them.
//!
//! Each type owns exactly one object. libhs allocates and frees with an allocator of its own, so
//! no memory is freed by the side that did not allocate it.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::ptr::{NonNull, null, null_mut};

use super::layout::{HS_FLAG_SINGLEMATCH, HS_MODE_BLOCK};
use super::raw;

/// An expression in libhs's syntax, and the number of its pattern, by which libhs reports matches.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) pattern: u32,
    pub(super) text: CString,
}

/// Expressions compiled for scanning whole records, with one match per record and expression.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Database(NonNull<raw::HsDatabase>);

// SAFETY: libhs keeps no state per thread in a database and allows any thread to free it.
unsafe impl Send for Database {}
// SAFETY: libhs does not write to a database once it is compiled, and allows any number of threads
// to scan with it at the same time, each with a scratch of its own.
unsafe impl Sync for Database {}

impl Database {
    /// Compiles the expressions for the processor of this machine.
    pub(super) fn compile(expressions: &[Expression]) -> Result<Database, CompileError> {
        let texts: Vec<*const c_char> = expressions.iter().map(|e| e.text.as_ptr()).collect();
        let flags = vec![HS_FLAG_SINGLEMATCH; expressions.len()];
        let ids: Vec<c_uint> = expressions.iter().map(|e| e.pattern).collect();
        let mut database = null_mut();
        let mut error = null_mut();
        // SAFETY: the three arrays have the length that the call states, which a `c_uint` holds
        // since a pattern set has fewer than 2^31 patterns. The texts end with a NUL and outlive
        // the call. A null platform stands for this machine. libhs sets both out pointers.
        let code = unsafe {
            raw::hs_compile_multi(
                texts.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                expressions.len() as c_uint,
                HS_MODE_BLOCK,
                null(),
                &mut database,
                &mut error,
            )
        };
        match (NonNull::new(database), NonNull::new(error)) {
            (Some(database), None) if code == 0 => Ok(Database(database)),
            (_, error) => Err(CompileError { error, code }),
        }
    }

    /// The size in bytes, or 0 if libhs returns an error.
    pub(super) fn size(&self) -> usize {
        let mut size = 0;
        // SAFETY: `self` owns the database, so it is not freed yet; `size` is borrowed mutably.
        let code = unsafe { raw::hs_database_size(self.0.as_ptr(), &mut size) };
        if code == 0 { size } else { 0 }
    }

    /// The array of `databases.len()` pointers that C reads, valid as long as the borrow.
    pub(super) fn as_pointers(databases: &[Database]) -> *const *const raw::HsDatabase {
        // `Database` is a transparent wrapper of a pointer, so both arrays have one layout.
        databases.as_ptr().cast()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: `hs_compile_multi` allocated the database, `self` is its only owner, and every
        // scan with it borrows `self`.
        unsafe { raw::hs_free_database(self.0.as_ptr()) };
    }
}

/// Why expressions did not compile.
#[derive(Debug)]
pub(super) struct CompileError {
    /// The error object of libhs; `None` if it could not be allocated.
    error: Option<NonNull<raw::HsCompileError>>,
    code: c_int,
}

impl CompileError {
    /// The message of libhs, or its error code if there is no message.
    pub(super) fn message(&self) -> String {
        // SAFETY: `self` owns the error, so it is not freed yet, and nothing writes to it.
        let message = self.error.map(|error| unsafe { (*error.as_ptr()).message });
        match message {
            Some(message) if !message.is_null() => {
                // SAFETY: libhs ends its messages with a NUL and frees them with the error, which
                // `self` owns.
                unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
            }
            _ => format!("error {}", self.code),
        }
    }

    /// The index of the expression at fault, or `None` if no single one is.
    pub(super) fn expression(&self) -> Option<usize> {
        let error = self.error?;
        // SAFETY: `self` owns the error, so it is not freed yet, and nothing writes to it.
        let expression = unsafe { (*error.as_ptr()).expression };
        usize::try_from(expression).ok()
    }
}

impl Drop for CompileError {
    fn drop(&mut self) {
        if let Some(error) = self.error {
            // SAFETY: `hs_compile_multi` allocated the error, and `self` is its only owner:
            // `message` returns a copy.
            unsafe { raw::hs_free_compile_error(error.as_ptr()) };
        }
    }
}

/// The working memory of one scan at a time. `None` if there are no databases to scan with.
#[derive(Debug)]
pub(super) struct Scratch(Option<NonNull<raw::HsScratch>>);

// SAFETY: libhs keeps no state per thread in a scratch and allows any thread to use or free it,
// one at a time. It is not `Sync`, because libhs writes to it during a scan.
unsafe impl Send for Scratch {}

impl Scratch {
    /// Allocates a scratch that is large enough for each of `databases`.
    ///
    /// # Errors
    ///
    /// The error code of libhs, usually for lack of memory.
    pub(super) fn new(databases: &[Database]) -> Result<Scratch, c_int> {
        let mut scratch = Scratch(None);
        for database in databases {
            let mut pointer = scratch.as_ptr();
            // SAFETY: the database is borrowed, so it is not freed yet. The pointer is null or a
            // scratch that only `scratch` owns; libhs may free it and replace it by a larger one.
            let code = unsafe { raw::hs_alloc_scratch(database.0.as_ptr(), &mut pointer) };
            // Stored before the code is checked: a call that fails leaves the old scratch in place,
            // or null if it has freed it.
            scratch.0 = NonNull::new(pointer);
            if code != 0 {
                return Err(code);
            }
        }
        Ok(scratch)
    }

    /// The pointer to pass to libhs; null if there are no databases.
    pub(super) fn as_ptr(&mut self) -> *mut raw::HsScratch {
        self.0.map_or(null_mut(), NonNull::as_ptr)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(scratch) = self.0 {
            // SAFETY: `hs_alloc_scratch` allocated the scratch, `self` is its only owner, and every
            // scan with it borrows `self`.
            unsafe { raw::hs_free_scratch(scratch.as_ptr()) };
        }
    }
}

/// The version of the libhs that is loaded, such as `5.4.0 2021-01-26`.
pub(super) fn version() -> String {
    // SAFETY: libhs returns a pointer to a constant text that ends with a NUL.
    unsafe { CStr::from_ptr(raw::hs_version()) }.to_string_lossy().into_owned()
}

/// Whether the libhs that is loaded supports this processor.
pub(super) fn valid_platform() -> bool {
    // SAFETY: the function has no arguments and only executes the processor's CPUID instruction or
    // its equivalent.
    unsafe { raw::hs_valid_platform() == 0 }
}
