//! Wraps the system's SQLite with `dragnet-boundary` alone.
//!
//! It shows what the crate does for a C library with real hazards:
//!
//! - A connection must not be used by two threads at a time, so an [`Owner`](dragnet_boundary::Owner)
//!   keeps it on a thread of its own.
//! - SQLite allocates connections, messages and database images, and must free them: [`COwned`] and
//!   [`CBuffer`] do that on drop.
//! - It calls back for each row, and the Rust code of a callback may panic: [`contain_panics`] resumes
//!   the panic after SQLite has returned.
//! - It keeps the context of its progress callback after the query has ended: [`Handles`] turn that
//!   context into an integer, which then finds nothing.
//! - A query may never end: the deadline of
//!   [`call_within`](dragnet_boundary::Owner::call_within) interrupts it.
//!
//! The functions and their rules are those of SQLite's C interface,
//! <https://www.sqlite.org/c3ref/intro.html>.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::time::Duration;

use dragnet_boundary::{
    Builder, CBuffer, COwned, CallError, CancelFlag, Handle, Handles, PanicGuard, Release,
    contain_panics,
};

/// SQLite's `sqlite3`, an opaque type.
#[repr(C)]
struct Connection([u8; 0]);
type Db = *mut Connection;
/// A string that ends with a NUL.
type Text = *const c_char;
type OnRow = extern "C" fn(*mut c_void, c_int, *const Text, *const Text) -> c_int;
type OnProgress = extern "C" fn(*mut c_void) -> c_int;

#[link(name = "sqlite3")]
unsafe extern "C" {
    fn sqlite3_open(name: Text, db: *mut Db) -> c_int;
    fn sqlite3_close(db: Db) -> c_int;
    fn sqlite3_exec(db: Db, sql: Text, f: OnRow, arg: *mut c_void, e: *mut *mut c_char) -> c_int;
    fn sqlite3_progress_handler(db: Db, steps: c_int, f: OnProgress, arg: *mut c_void);
    fn sqlite3_serialize(db: Db, schema: Text, size: *mut i64, flags: c_uint) -> *mut u8;
    fn sqlite3_free(memory: *mut c_void);
}

/// Frees connections.
enum Close {}

// SAFETY: `sqlite3_close` frees the connections of `sqlite3_open`, and C code does not unwind.
unsafe impl Release<Connection> for Close {
    unsafe fn release(pointer: NonNull<Connection>) {
        // SAFETY: the caller promises a connection of `sqlite3_open` that is not closed or used
        // afterwards.
        unsafe { sqlite3_close(pointer.as_ptr()) };
    }
}

/// Frees everything else that SQLite hands over: messages and database images.
enum Free {}

// SAFETY: `sqlite3_free` frees all memory of SQLite's allocator, and C code does not unwind.
unsafe impl<T> Release<T> for Free {
    unsafe fn release(pointer: NonNull<T>) {
        // SAFETY: the caller promises memory of SQLite's allocator that is not freed or used
        // afterwards.
        unsafe { sqlite3_free(pointer.as_ptr().cast()) }
    }
}

/// The flags of running queries. A connection keeps its progress handler, and with it the handle,
/// after a query has ended; the handle then finds no flag.
static CANCEL_FLAGS: Handles<CancelFlag> = Handles::new();

/// Called by SQLite while a query runs. A result other than 0 interrupts the query.
extern "C" fn on_progress(handle: *mut c_void) -> c_int {
    CANCEL_FLAGS.with(Handle::from_pointer(handle), CancelFlag::is_raised).unwrap_or(false).into()
}

/// The context of [`on_row`].
struct RowContext<'a> {
    guard: &'a PanicGuard,
    on_row: &'a mut dyn FnMut(&[String]),
}

/// Called by SQLite for each row. A result other than 0 aborts the query.
extern "C" fn on_row(
    context: *mut c_void,
    columns: c_int,
    texts: *const Text,
    _names: *const Text,
) -> c_int {
    // SAFETY: SQLite passes the context of `Database::query`, which nothing else uses while the
    // query runs, and an array with one text per column.
    let (context, texts) = unsafe {
        (
            &mut *context.cast::<RowContext<'_>>(),
            std::slice::from_raw_parts(texts, columns as usize),
        )
    };
    let text = |text: &Text| match text.is_null() {
        true => "NULL".to_owned(),
        // SAFETY: a text that is not null ends with a NUL, and is valid until this callback
        // returns.
        false => unsafe { CStr::from_ptr(*text) }.to_string_lossy().into_owned(),
    };
    context.guard.run(1, || {
        (context.on_row)(&texts.iter().map(text).collect::<Vec<_>>());
        0
    })
}

/// An in-memory database.
struct Database {
    connection: COwned<Connection, Close>,
}

impl Database {
    fn open() -> Result<Database, String> {
        let mut db = ptr::null_mut();
        // SAFETY: the name ends with a NUL. `sqlite3_open` stores null or a connection, which the
        // caller must close even after an error.
        let (code, connection) =
            unsafe { (sqlite3_open(c":memory:".as_ptr(), &mut db), COwned::from_raw(db)) };
        let connection = connection.map_err(|error| error.to_string())?;
        if code == 0 {
            Ok(Database { connection })
        } else {
            Err(format!("SQLite returned the error code {code}"))
        }
    }

    /// Runs a query and passes each row to `each`, whose panic is resumed after SQLite has
    /// returned. Raising `cancel` interrupts the query.
    ///
    /// Returns SQLite's message if the query fails or is interrupted.
    fn query(
        &self,
        sql: &str,
        cancel: &CancelFlag,
        mut each: impl FnMut(&[String]),
    ) -> Result<(), String> {
        /// Number of virtual machine instructions between two polls of the flag: enough that the
        /// polls cost little, and few enough that no caller notices the delay. Not measured.
        const POLL_INTERVAL: c_int = 1000;

        let sql = CString::new(sql).map_err(|error| error.to_string())?;
        let handle = CANCEL_FLAGS.insert(cancel.clone()).map_err(|error| error.to_string())?;
        contain_panics(|guard| {
            let mut context = RowContext { guard, on_row: &mut each };
            let (db, mut error) = (self.connection.as_ptr(), ptr::null_mut());
            // SAFETY: the connection is open and used by this thread only, because `COwned` is
            // neither `Send` nor `Sync`. The text ends with a NUL. `on_progress` expects a handle,
            // and `on_row` a `RowContext`, which outlives the query.
            let code = unsafe {
                sqlite3_progress_handler(db, POLL_INTERVAL, on_progress, handle.to_pointer());
                let context = ptr::from_mut(&mut context).cast();
                sqlite3_exec(db, sql.as_ptr(), on_row, context, &mut error)
            };
            CANCEL_FLAGS.remove(handle);
            // SAFETY: SQLite stores null or a message that ends with a NUL, which the caller must
            // free.
            let message = unsafe {
                COwned::<c_char, Free>::from_raw(error)
                    .map(|text| text.as_c_str().to_string_lossy().into_owned())
            };
            if code == 0 { Ok(()) } else { Err(message.unwrap_or_else(|_| code.to_string())) }
        })
    }

    /// Returns the content of the database's file, in memory of SQLite.
    fn image(&self) -> Result<CBuffer<u8, Free>, String> {
        let mut size = 0;
        // SAFETY: `sqlite3_serialize` returns null or a buffer of `size` bytes, which the caller
        // must free.
        let image = unsafe {
            let start = sqlite3_serialize(self.connection.as_ptr(), c"main".as_ptr(), &mut size, 0);
            CBuffer::from_raw(start, usize::try_from(size).unwrap_or(0))
        };
        image.map_err(|error| error.to_string())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let owner = Builder::new("sqlite").grace(Duration::from_secs(60)).owner(Database::open)?;
    let run = |sql: &str, each: &mut (dyn FnMut(&[String]) + Send)| {
        owner.call(|db| db.query(sql, &CancelFlag::new(), each))
    };

    // The outer result is the call's, the inner one the query's.
    run("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'one'), (2, NULL)", &mut |_| {})??;
    let mut rows = Vec::new();
    run("SELECT * FROM t", &mut |row| rows.push(row.join(" ")))??;
    assert_eq!(rows, ["1 one", "2 NULL"]);
    assert_eq!(run("SELECT * FROM u", &mut |_| {})?, Err("no such table: u".to_owned()));

    // The image is freed on the owner's thread, since a `CBuffer` can't leave it; a copy can.
    let start = owner.call(|db| db.image().map(|image| image[..15].to_vec()))??;
    assert_eq!(start, b"SQLite format 3");

    // A panic in the callback for rows reaches the caller. It is expected, so it is not printed.
    panic::set_hook(Box::new(|_| {}));
    let panics = || run("SELECT * FROM t", &mut |row| panic!("at row {}", row[0]));
    let payload = panic::catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("at row 1"));
    let _ = panic::take_hook();

    // A query without end is interrupted at its deadline.
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n";
    let timeout = Duration::from_millis(100);
    let late = owner.call_within(timeout, |db, cancel| db.query(endless, cancel, |_| {}));
    assert!(matches!(late, Err(CallError::TimedOut)));

    // The interrupted query returned within the grace period, so the owner still has its thread,
    // its connection and the rows.
    run("SELECT count(*) FROM t", &mut |row| println!("{} rows", row[0]))??;
    assert_eq!(owner.abandoned(), 0);
    Ok(())
}
