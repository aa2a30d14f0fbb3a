//! What libhs allocates, as Rust values whose drop gives it back to libhs.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::ptr::{NonNull, null, null_mut};

use super::contract::{HS_FLAG_SINGLEMATCH, HS_MODE_BLOCK};
use super::raw;

/// An expression in libhs's syntax and the number that its matches are reported with.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) number: u32,
    pub(super) text: CString,
}

/// Expressions compiled for scanning whole records, each reported once per record.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Database(NonNull<raw::HsDatabase>);

// SAFETY: a database is not tied to a thread; libhs allows to free it on any.
unsafe impl Send for Database {}
// SAFETY: libhs does not write to a database once it is compiled, and allows any number of
// threads to scan with one, each with a scratch of its own.
unsafe impl Sync for Database {}

impl Database {
    /// Compiles the expressions for this machine's processor.
    pub(super) fn compile(expressions: &[Expression]) -> Result<Database, CompileError> {
        let texts: Vec<*const c_char> = expressions.iter().map(|e| e.text.as_ptr()).collect();
        let flags = vec![HS_FLAG_SINGLEMATCH; expressions.len()];
        let numbers: Vec<c_uint> = expressions.iter().map(|e| e.number).collect();
        let mut database = null_mut();
        let mut error = null_mut();
        // SAFETY: the three arrays have as many elements as the call is told (a set has fewer
        // than 2^31 patterns), the texts end with a NUL and outlive the call, and a null
        // platform means this machine.
        let code = unsafe {
            raw::hs_compile_multi(
                texts.as_ptr(),
                flags.as_ptr(),
                numbers.as_ptr(),
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

    /// How much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let mut size = 0;
        // SAFETY: the database is valid as long as `self` is.
        let code = unsafe { raw::hs_database_size(self.0.as_ptr(), &mut size) };
        if code == 0 { size } else { 0 }
    }

    /// `databases` as the list of pointers that C reads.
    pub(super) fn as_pointers(databases: &[Database]) -> *const *const raw::HsDatabase {
        // A `Database` is a pointer and nothing else.
        databases.as_ptr().cast()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: it came from libhs, which is given it back once, here.
        unsafe { raw::hs_free_database(self.0.as_ptr()) };
    }
}

/// Why expressions did not compile.
#[derive(Debug)]
pub(super) struct CompileError {
    error: Option<NonNull<raw::HsCompileError>>,
    code: c_int,
}

impl CompileError {
    /// What libhs says.
    pub(super) fn message(&self) -> String {
        // SAFETY: the error is valid until it is dropped, and nothing writes to it.
        let message = self.error.map(|error| unsafe { (*error.as_ptr()).message });
        match message {
            Some(message) if !message.is_null() => {
                // SAFETY: a message of libhs ends with a NUL and lives as long as the error.
                unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
            }
            _ => format!("error {}", self.code),
        }
    }

    /// The position of the expression at fault, if it is the fault of one.
    pub(super) fn expression(&self) -> Option<usize> {
        let error = self.error?;
        // SAFETY: as in `message`.
        let expression = unsafe { (*error.as_ptr()).expression };
        usize::try_from(expression).ok()
    }
}

impl Drop for CompileError {
    fn drop(&mut self) {
        if let Some(error) = self.error {
            // SAFETY: it came from libhs, which is given it back once, here.
            unsafe { raw::hs_free_compile_error(error.as_ptr()) };
        }
    }
}

/// The working memory that scanning with some databases needs. Used by one scan at a time.
#[derive(Debug)]
pub(super) struct Scratch(Option<NonNull<raw::HsScratch>>);

// SAFETY: a scratch is not tied to a thread. It is not `Sync`: libhs writes to it.
unsafe impl Send for Scratch {}

impl Scratch {
    /// A scratch for scanning with any of `databases`, or libhs's error code.
    pub(super) fn new(databases: &[Database]) -> Result<Scratch, c_int> {
        let mut scratch = Scratch(None);
        for database in databases {
            let mut pointer = scratch.as_ptr();
            // SAFETY: the database is valid, and the pointer is null or a scratch of libhs, which
            // it replaces by one that is large enough for both.
            let code = unsafe { raw::hs_alloc_scratch(database.0.as_ptr(), &mut pointer) };
            // Taken over before the code is looked at: after a failure libhs leaves the old
            // scratch, or null if it has freed it.
            scratch.0 = NonNull::new(pointer);
            if code != 0 {
                return Err(code);
            }
        }
        Ok(scratch)
    }

    pub(super) fn as_ptr(&mut self) -> *mut raw::HsScratch {
        self.0.map_or(null_mut(), NonNull::as_ptr)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(scratch) = self.0 {
            // SAFETY: it came from libhs, which is given it back once, here; no scan is running,
            // since a scan borrows it.
            unsafe { raw::hs_free_scratch(scratch.as_ptr()) };
        }
    }
}

/// The version text of the libhs that runs, such as `5.4.0 2021-01-26`.
pub(super) fn version() -> String {
    // SAFETY: libhs returns a constant text that ends with a NUL.
    unsafe { CStr::from_ptr(raw::hs_version()) }.to_string_lossy().into_owned()
}

/// Whether the libhs that runs supports this processor.
pub(super) fn valid_platform() -> bool {
    // SAFETY: it takes no arguments and only asks the processor.
    unsafe { raw::hs_valid_platform() == 0 }
}
