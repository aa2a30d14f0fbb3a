//! A server in another process that is killed, stopped, starved or cut off, and what its client makes
//! of it.

#![cfg(target_os = "linux")]

mod allocations;
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

/// Does nothing, unless a sidecar under test has started this program as its server.
#[test]
fn serves_sidecars_in_another_process() {
    dragnet_testkit::serve_if_asked();
}
