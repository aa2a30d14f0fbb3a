//! The C functions, as they are: the shim of `csrc/scan.c` and what else of libhs is called.
//!
//! The functions of libhs have not changed since version 5.0. The layouts and widths that are
//! assumed here are asserted in `csrc/scan.c`, where libhs's own header is at hand.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::marker::{PhantomData, PhantomPinned};

use crate::Match;

/// Compiled patterns; immutable once compiled.
#[repr(C)]
pub(super) struct HsDatabase {
    opaque: [u8; 0],
    not_ours: PhantomData<(*mut u8, PhantomPinned)>,
}

/// Working memory of one scan at a time.
#[repr(C)]
pub(super) struct HsScratch {
    opaque: [u8; 0],
    not_ours: PhantomData<(*mut u8, PhantomPinned)>,
}

/// Why patterns did not compile.
#[repr(C)]
pub(super) struct HsCompileError {
    /// Text that ends with a NUL.
    pub(super) message: *mut c_char,
    /// The position of the expression in the list, negative if none is at fault.
    pub(super) expression: c_int,
}

unsafe extern "C" {
    pub(super) fn hs_version() -> *const c_char;

    pub(super) fn hs_valid_platform() -> c_int;

    pub(super) fn hs_compile_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        database: *mut *mut HsDatabase,
        error: *mut *mut HsCompileError,
    ) -> c_int;

    pub(super) fn hs_free_compile_error(error: *mut HsCompileError) -> c_int;

    pub(super) fn hs_free_database(database: *mut HsDatabase) -> c_int;

    pub(super) fn hs_database_size(database: *const HsDatabase, size: *mut usize) -> c_int;

    pub(super) fn hs_alloc_scratch(
        database: *const HsDatabase,
        scratch: *mut *mut HsScratch,
    ) -> c_int;

    pub(super) fn hs_free_scratch(scratch: *mut HsScratch) -> c_int;

    /// See `csrc/scan.c`, which says what each argument is and what is returned.
    pub(super) fn dragnet_hs_scan(
        databases: *const *const HsDatabase,
        database_count: usize,
        scratch: *mut HsScratch,
        buffer: *const u8,
        offsets: *const u32,
        terminator: u32,
        base: u32,
        next: *mut u32,
        end: u32,
        stop: *const u8,
        matches: *mut Match,
        capacity: usize,
        count: *mut usize,
    ) -> c_int;

    /// As [`dragnet_hs_scan`], with a call of
    /// [`dragnet_on_block`](super::callback::dragnet_on_block) for each block of matches.
    pub(super) fn dragnet_hs_scan_blocks(
        databases: *const *const HsDatabase,
        database_count: usize,
        scratch: *mut HsScratch,
        buffer: *const u8,
        offsets: *const u32,
        terminator: u32,
        base: u32,
        next: *mut u32,
        end: u32,
        stop: *const u8,
        matches: *mut Match,
        capacity: usize,
        most: usize,
        handle: u64,
    ) -> c_int;
}
