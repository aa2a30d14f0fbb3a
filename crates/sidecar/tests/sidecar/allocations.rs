//! Out of memory in the server, at the Nth allocation for many N: the server aborts, as Rust
//! programs do, and its client gets the right answer from the next server.
//!
//! `DRAGNET_ALLOCATIONS=every` tries every N up to the server's last allocation, which takes minutes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Command, Stdio, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dragnet::{Backend, BatchBuf, Matches, PatternSet, Report, Scan};
use dragnet_sidecar::{Limits, Server, Sidecar};

/// Names the variable with the number of the allocation that fails. Set in server processes only.
const FAILING_ALLOCATION: &str = "DRAGNET_TEST_ALLOCATION";

/// The number of allocations that still succeed before one fails. `u64::MAX`, as in the client, is
/// no limit.
static UNTIL_FAILURE: AtomicU64 = AtomicU64::new(u64::MAX);

/// The system's allocator, with one allocation that fails.
struct FailingAllocator;

/// Counts an allocation and returns whether it is the one that fails.
fn counts_down_to_failure() -> bool {
    UNTIL_FAILURE.load(Ordering::Relaxed) != u64::MAX
        && UNTIL_FAILURE.fetch_sub(1, Ordering::Relaxed) == 0
}

// SAFETY: a call is either forwarded unchanged to the system's allocator, or returns null, as an
// allocation may; deciding which neither allocates nor unwinds.
unsafe impl GlobalAlloc for FailingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if counts_down_to_failure() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller of `alloc` passes a layout whose size is not 0, as `System` demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if counts_down_to_failure() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller of `realloc` passes a block that this allocator got from `System`, its
        // layout, and a new size that is not 0.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller of `dealloc` passes a block that this allocator got from `System`, and
        // its layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: FailingAllocator = FailingAllocator;

/// Does nothing, unless [`server`] has started this program.
#[test]
fn serves_until_an_allocation_fails() {
    let Some(number) = std::env::var_os(FAILING_ALLOCATION) else { return };
    let number = number.to_str().and_then(|text| text.parse().ok()).expect("a number");
    let socket = stdin().as_fd().try_clone_to_owned().expect("standard input is a socket");
    UNTIL_FAILURE.store(number, Ordering::Relaxed);
    let served = Server::new(socket, Limits::default(), || exit(3)).and_then(Server::run);
    // Printing allocates, and must not fail.
    UNTIL_FAILURE.store(u64::MAX, Ordering::Relaxed);
    match served {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("dragnet tests: a server ended: {error}");
            exit(1);
        }
    }
}

/// The command that starts this program as a server whose allocation `number` fails.
fn server(number: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["allocations::serves_until_an_allocation_fails", "--exact", "--nocapture"]);
    command.env(FAILING_ALLOCATION, number.to_string()).stderr(Stdio::null());
    command
}

#[test]
fn a_server_without_memory_is_replaced() {
    let set = PatternSet::new([r"\bfoo[0-9]+", "q", "(?i)bar|baz", "x.*y"]).unwrap();
    let mut batch = BatchBuf::new();
    for record in ["a foo12 BAR", "", "x and y", "qqq", "nothing here"] {
        batch.push(record.as_bytes()).unwrap();
    }
    // Enough matches for several blocks.
    batch.push(&vec![b'q'; 9000]).unwrap();
    let batch = batch.as_batch();
    let mut expected = Matches::new();
    let engine = dragnet::pure::Engine::new(&set, Report::Spans);
    engine.scanner().scan(&batch, &mut expected).unwrap();

    let every = std::env::var_os("DRAGNET_ALLOCATIONS").is_some_and(|value| value == "every");
    // `number` is the allocation that fails. Without `every`, its steps grow by an eighth after the first
    // few. It ends beyond the last allocation of a server.
    let (mut number, mut runs, mut failed, mut survivals_in_a_row) = (0_u64, 0, 0, 0);
    loop {
        let started = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&started);
        let command = move || match counted.fetch_add(1, Ordering::SeqCst) {
            0 => server(number),
            // In the servers that replace the first one, no allocation fails.
            _ => server(u64::MAX),
        };
        let mut client = Sidecar::builder(&set, Report::Spans)
            .backend(Backend::Pure)
            .backoff(Duration::ZERO, Duration::ZERO)
            .spawn_with(command)
            .unwrap_or_else(|error| panic!("allocation {number}: {error}"));
        let mut matches = Matches::new();
        for _ in 0..2 {
            let scanned = client.scan(&batch, &mut matches);
            scanned.unwrap_or_else(|error| panic!("allocation {number}: {error}"));
            assert_eq!(matches, expected, "allocation {number}");
        }
        runs += 1;
        let is_replaced = started.load(Ordering::SeqCst) > 1;
        failed += u32::from(is_replaced);
        // A server can survive one failed allocation, but abort at a later one, so one survival is
        // not the end.
        survivals_in_a_row = if is_replaced { 0 } else { survivals_in_a_row + 1 };
        if number > 100_000 || every && survivals_in_a_row == 50 {
            assert!(!is_replaced, "every server fails");
            break;
        }
        number += if every { 1 } else { 1 + number / 8 };
    }
    println!("{runs} runs up to allocation {number}, in {failed} of them a server failed");
    assert!(failed > 16, "servers failed only {failed} times");
}
