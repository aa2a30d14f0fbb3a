//! A server in another process that is killed, stopped, starved or cut off, and what its client makes
//! of it.

#![cfg(target_os = "linux")]

mod alone;
mod ends;
mod faults;
mod limits;
mod stops;
mod work;

/// How much longer the tests are than usual, for a run by hand.
fn times() -> usize {
    std::env::var("DRAGNET_FAULTS").map_or(1, |times| times.parse().expect("a number"))
}

/// Runs the server of a sidecar, where this program was started as one; else does nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_other_process_serves() {
    dragnet_testkit::serve();
}
