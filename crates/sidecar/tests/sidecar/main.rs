//! Servers in other processes that are killed, suspended or starved, and how their client recovers.

#![cfg(target_os = "linux")]

mod allocations;
mod early_ends;
mod leaks;
mod limits;
mod lost_servers;
mod own_process;
mod work;

/// A factor for the length of the tests: `DRAGNET_FAULTS`, or 1.
fn times() -> usize {
    std::env::var("DRAGNET_FAULTS").map_or(1, |times| times.parse().expect("a number"))
}

/// Not a test: serves a sidecar if this program was started as its server.
#[test]
fn serves_sidecars_in_another_process() {
    dragnet_testkit::serve_if_asked();
}
