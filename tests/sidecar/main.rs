//! A server in another process that is killed, stopped, starved or cut off, and what its client makes
//! of it.

#![cfg(target_os = "linux")]

mod alone;
mod ends;
mod faults;
mod limits;
mod stops;
#[path = "../support/mod.rs"]
mod support;
mod work;

/// How much longer the tests are than usual, for a run by hand.
fn times() -> usize {
    std::env::var("DRAGNET_FAULTS").map_or(1, |times| times.parse().expect("a number"))
}
