//! libhs as people call it: its own pattern syntax, one `hs_scan` for each record, a callback for
//! each match. Not part of the library; only a contender to measure it by.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::time::Instant;

use dragnet::Batch;

use super::contender::Contender;
use super::rules::RuleSet;

type OnMatch = unsafe extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;

#[repr(C)]
struct CompileError {
    message: *const c_char,
    expression: c_int,
}

unsafe extern "C" {
    fn hs_compile_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        db: *mut *mut c_void,
        error: *mut *mut CompileError,
    ) -> c_int;
    fn hs_free_compile_error(error: *mut CompileError) -> c_int;
    fn hs_free_database(db: *mut c_void) -> c_int;
    fn hs_alloc_scratch(db: *const c_void, scratch: *mut *mut c_void) -> c_int;
    fn hs_free_scratch(scratch: *mut c_void) -> c_int;
    fn hs_database_size(db: *const c_void, size: *mut usize) -> c_int;
    fn hs_scratch_size(scratch: *const c_void, size: *mut usize) -> c_int;
    fn hs_scan(
        db: *const c_void,
        data: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut c_void,
        on_event: OnMatch,
        context: *mut c_void,
    ) -> c_int;
}

const HS_FLAG_SINGLEMATCH: c_uint = 8;
const HS_MODE_BLOCK: c_uint = 1;

struct Library {
    database: *mut c_void,
    scratch: *mut c_void,
    refused: usize,
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: both were made by the library, and are freed once.
        unsafe {
            hs_free_scratch(self.scratch);
            hs_free_database(self.database);
        }
    }
}

impl Library {
    fn compile(set: &RuleSet) -> Library {
        let mut patterns: Vec<(u32, CString)> = (0..)
            .zip(set.patterns.iter().map(|p| CString::new(p.as_str()).expect("no NUL")))
            .collect();
        loop {
            let expressions: Vec<_> = patterns.iter().map(|(_, p)| p.as_ptr()).collect();
            let ids: Vec<_> = patterns.iter().map(|(id, _)| *id).collect();
            let flags = vec![HS_FLAG_SINGLEMATCH; patterns.len()];
            let mut database = null_mut();
            let mut error: *mut CompileError = null_mut();
            // SAFETY: the arrays have as many elements as the call is told, and outlive it.
            let code = unsafe {
                hs_compile_multi(
                    expressions.as_ptr(),
                    flags.as_ptr(),
                    ids.as_ptr(),
                    patterns.len() as c_uint,
                    HS_MODE_BLOCK,
                    null(),
                    &mut database,
                    &mut error,
                )
            };
            if code == 0 {
                let mut scratch = null_mut();
                // SAFETY: the database was just made.
                assert_eq!(unsafe { hs_alloc_scratch(database, &mut scratch) }, 0);
                let refused = set.patterns.len() - patterns.len();
                return Library { database, scratch, refused };
            }
            // SAFETY: a failed compilation returns an error, which is freed once.
            let culprit = unsafe {
                let culprit = (*error).expression;
                hs_free_compile_error(error);
                culprit
            };
            let culprit = usize::try_from(culprit).expect("one pattern is to blame");
            patterns.remove(culprit);
        }
    }

    fn scan(&self, data: &[u8], count: &mut u64) {
        unsafe extern "C" fn on_match(
            _: c_uint,
            _: c_ulonglong,
            _: c_ulonglong,
            _: c_uint,
            context: *mut c_void,
        ) -> c_int {
            // SAFETY: the context is the counter of the call below, which is still running.
            unsafe { *context.cast::<u64>() += 1 };
            0
        }
        // SAFETY: the data outlives the call; the corpora are padded behind their last line.
        let code = unsafe {
            hs_scan(
                self.database,
                data.as_ptr().cast(),
                data.len() as c_uint,
                0,
                self.scratch,
                on_match,
                (count as *mut u64).cast(),
            )
        };
        assert_eq!(code, 0);
    }

    fn memory(&self) -> usize {
        let (mut database, mut scratch) = (0, 0);
        // SAFETY: both live as long as `self`.
        unsafe {
            hs_database_size(self.database, &mut database);
            hs_scratch_size(self.scratch, &mut scratch);
        }
        database + scratch
    }
}

/// The two ways to call the library, on one database; those of them that are `wanted`.
pub(crate) fn contenders(set: &RuleSet, wanted: &dyn Fn(&str) -> bool) -> Vec<Contender> {
    type Pass = fn(&Library, &Batch<'_>) -> u64;
    let per_record: Pass = |library, batch| {
        let mut count = 0;
        batch.iter().for_each(|record| library.scan(record, &mut count));
        count
    };
    // Not the same answers: one record is all, so each pattern is found once at most, and
    // matches may lie across lines.
    let whole_buffer: Pass = |library, batch| {
        let mut count = 0;
        library.scan(batch.buffer(), &mut count);
        count
    };
    let mut passes =
        vec![("hs_scan per record", per_record), ("hs_scan whole buffer", whole_buffer)];
    passes.retain(|(name, _)| wanted(name));
    if passes.is_empty() {
        return Vec::new();
    }
    let start = Instant::now();
    let library = Rc::new(Library::compile(set));
    let build_seconds = start.elapsed().as_secs_f64();
    let make = |(name, scan): (&'static str, Pass)| {
        let library = Rc::clone(&library);
        Contender {
            name,
            build_seconds,
            memory: Some(library.memory()),
            working_memory: None,
            refused: library.refused,
            enough: usize::MAX,
            scan: Box::new(move |batch| scan(&library, batch)),
        }
    };
    passes.into_iter().map(make).collect()
}
