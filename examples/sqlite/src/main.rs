//! The system's SQLite, wrapped with nothing but `dragnet::boundary`: a thread owns a connection
//! that must not be shared; callbacks may panic; what SQLite allocates is given back to it; and a
//! query that never ends is stopped by its deadline.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::time::Duration;

use dragnet_boundary::{
    Builder, CBuffer, COwned, CallError, CancelFlag, Handle, Handles, PanicGuard, Release,
    contain_panics,
};

#[repr(C)]
struct Connection([u8; 0]);
type Db = *mut Connection;
type Text = *const c_char;
type OnRow = extern "C" fn(*mut c_void, c_int, *const Text, *const Text) -> c_int;
type Done = Result<(), String>;
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

enum Close {}
// SAFETY: this is how SQLite frees a connection.
unsafe impl Release<Connection> for Close {
    unsafe fn release(pointer: NonNull<Connection>) {
        // SAFETY: as the caller promises.
        unsafe { sqlite3_close(pointer.as_ptr()) };
    }
}

enum Free {}
// SAFETY: this is how SQLite frees all else that it gives away.
unsafe impl<T> Release<T> for Free {
    unsafe fn release(pointer: NonNull<T>) {
        // SAFETY: as the caller promises.
        unsafe { sqlite3_free(pointer.as_ptr().cast()) }
    }
}

/// The flags of queries that run. SQLite keeps a handler, and so the handle, when they have ended.
static STOPS: Handles<CancelFlag> = Handles::new();

extern "C" fn on_progress(handle: *mut c_void) -> c_int {
    STOPS.with(Handle::from_pointer(handle), CancelFlag::is_raised).unwrap_or(false).into()
}

/// What the callback for rows gets to know.
struct Rows<'a>(&'a PanicGuard, &'a mut dyn FnMut(&[String]));

extern "C" fn on_row(rows: *mut c_void, count: c_int, texts: *const Text, _: *const Text) -> c_int {
    // SAFETY: it is what `query` passes, and there are as many texts as columns.
    let (rows, texts) = unsafe {
        (&mut *rows.cast::<Rows<'_>>(), std::slice::from_raw_parts(texts, count as usize))
    };
    let text = |text: &Text| match text.is_null() {
        true => "NULL".to_owned(),
        // SAFETY: it ends with a NUL and lives as long as this callback.
        false => unsafe { CStr::from_ptr(*text) }.to_string_lossy().into_owned(),
    };
    rows.0.run(1, || {
        (rows.1)(&texts.iter().map(text).collect::<Vec<_>>());
        0
    })
}

struct Database(COwned<Connection, Close>);

impl Database {
    fn open() -> Result<Database, String> {
        let mut db = ptr::null_mut();
        // SAFETY: the name ends with a NUL; the connection is ours to close, also after an error.
        let (code, db) =
            unsafe { (sqlite3_open(c":memory:".as_ptr(), &mut db), COwned::from_raw(db)) };
        let db = db.map_err(|error| error.to_string())?;
        if code == 0 { Ok(Database(db)) } else { Err(format!("SQLite's error {code}")) }
    }

    /// Runs a query and gives each row to a function, which may panic.
    fn query(&self, sql: &str, stop: &CancelFlag, mut each: impl FnMut(&[String])) -> Done {
        let sql = CString::new(sql).map_err(|error| error.to_string())?;
        let handle = STOPS.insert(stop.clone()).map_err(|error| error.to_string())?;
        contain_panics(|guard| {
            let mut rows = Rows(guard, &mut each);
            let (arg, db, mut error) = (ptr::from_mut(&mut rows), self.0.as_ptr(), ptr::null_mut());
            // SAFETY: the connection is used by this thread only, the text ends with a NUL, and
            // the callbacks get what they expect.
            let code = unsafe {
                sqlite3_progress_handler(db, 1000, on_progress, handle.to_pointer());
                sqlite3_exec(db, sql.as_ptr(), on_row, arg.cast(), &mut error)
            };
            STOPS.remove(handle);
            // SAFETY: the message, if there is one, is ours to free, and ends with a NUL.
            let message = unsafe {
                COwned::<c_char, Free>::from_raw(error)
                    .map(|text| text.as_c_str().to_string_lossy().into_owned())
            };
            if code == 0 { Ok(()) } else { Err(message.unwrap_or_else(|_| code.to_string())) }
        })
    }

    /// The whole database as the bytes of its file, in memory of SQLite.
    fn image(&self) -> Result<CBuffer<u8, Free>, String> {
        let mut size = 0;
        // SAFETY: the buffer is ours to free and has the size that is told.
        let image = unsafe {
            let start = sqlite3_serialize(self.0.as_ptr(), c"main".as_ptr(), &mut size, 0);
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
    run("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'one'), (2, NULL)", &mut |_| {})??;
    let mut rows = Vec::new();
    run("SELECT * FROM t", &mut |row| rows.push(row.join(" ")))??;
    assert_eq!(rows, ["1 one", "2 NULL"]);
    assert_eq!(run("SELECT * FROM u", &mut |_| {})?, Err("no such table: u".to_owned()));
    let start = owner.call(|db| db.image().map(|image| image[..15].to_vec()))??;
    assert_eq!(start, b"SQLite format 3");

    let panics = || run("SELECT * FROM t", &mut |row| panic!("at row {}", row[0]));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("at row 1"));

    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n";
    let timeout = Duration::from_millis(100);
    let late = owner.call_within(timeout, |db, stop| db.query(endless, stop, |_| {}));
    assert!(matches!(late, Err(CallError::TimedOut)));

    // The connection is still there, with its rows: the query has stopped when it was told to.
    run("SELECT count(*) FROM t", &mut |row| println!("{} rows", row[0]))??;
    assert_eq!(owner.abandoned(), 0);
    Ok(())
}
