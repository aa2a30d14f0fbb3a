//! Contenders that call libhs directly, without dragnet, to measure what dragnet adds. libhs parses
//! the patterns itself, and calls back for each match.

use std::ffi::{CString, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;

use dragnet::Batch;

use super::contender::{Answers, Contender, Counting, WHOLE_CORPUS, timed};
use crate::support::rules::RuleSet;

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

/// A compiled database with its scratch space.
struct Library {
    database: *mut c_void,
    scratch: *mut c_void,
    /// The number of patterns that libhs does not compile.
    refused: usize,
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: `compile` got both pointers from libhs, and nothing else frees them.
        unsafe {
            hs_free_scratch(self.scratch);
            hs_free_database(self.database);
        }
    }
}

impl Library {
    /// Compiles the patterns that libhs supports: each error names one pattern, which is left out of
    /// the next attempt.
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
            // SAFETY: `expressions`, `flags` and `ids` have `patterns.len()` elements each and
            // outlive the call; the expressions are NUL-terminated.
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
                // SAFETY: `database` is valid, since the compilation succeeded.
                assert_eq!(unsafe { hs_alloc_scratch(database, &mut scratch) }, 0);
                let refused = set.patterns.len() - patterns.len();
                return Library { database, scratch, refused };
            }
            // SAFETY: a failed compilation sets `error` to a valid structure, which is read before
            // it is freed and freed once.
            let index = unsafe {
                let index = (*error).expression;
                hs_free_compile_error(error);
                index
            };
            let index = usize::try_from(index).expect("the error names a pattern");
            patterns.remove(index);
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
            // SAFETY: `context` is the `count` of the `hs_scan` call below, which is still running
            // and borrows it exclusively.
            unsafe { *context.cast::<u64>() += 1 };
            0
        }
        // SAFETY: `scratch` was allocated for `database`. No other call uses it at the same time:
        // the raw pointers make `Library` `!Sync`. `data` outlives the call, and `Corpus` leaves 64
        // readable bytes after it, in case libhs reads some of them.
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
        // SAFETY: `database` and `scratch` are valid until `self` is dropped.
        unsafe {
            hs_database_size(self.database, &mut database);
            hs_scratch_size(self.scratch, &mut scratch);
        }
        database + scratch
    }
}

/// Builds the `wanted` ones of the two ways to call libhs. Both use one database.
pub(crate) fn contenders(set: &RuleSet, wanted: &dyn Fn(&str) -> bool) -> Vec<Contender> {
    type Pass = fn(&Library, &Batch<'_>) -> u64;
    let per_record: Pass = |library, batch| {
        let mut count = 0;
        batch.iter().for_each(|record| library.scan(record, &mut count));
        count
    };
    // The whole buffer is one record, so each pattern is found at most once, and a match may span
    // several lines.
    let whole_buffer: Pass = |library, batch| {
        let mut count = 0;
        library.scan(batch.buffer(), &mut count);
        count
    };
    let mut passes = vec![
        ("hs_scan per record", per_record, Answers::Expected),
        ("hs_scan whole buffer", whole_buffer, Answers::Incomparable),
    ];
    passes.retain(|(name, ..)| wanted(name));
    if passes.is_empty() {
        return Vec::new();
    }
    let (library, build_seconds) = timed(|| Rc::new(Library::compile(set)));
    let make = |(name, scan, answers): (&str, Pass, Answers)| {
        let library = Rc::clone(&library);
        Contender {
            name: name.to_owned(),
            build_seconds,
            memory: Some(library.memory()),
            refused: library.refused,
            sample: WHOLE_CORPUS,
            in_summary: true,
            answers,
            search: Box::new(Counting::new(move |batch: &Batch<'_>| scan(&library, batch))),
        }
    };
    passes.into_iter().map(make).collect()
}
