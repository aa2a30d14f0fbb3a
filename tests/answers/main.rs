//! What every scanner must do: the same matches as the oracle, the contract around them, and no
//! more work than linear.
//!
//! One program for all of it: each test program is linked with everything that it tests, which takes
//! longer than most of its tests. Tests that replace the allocator are apart, in `tests/memory` and
//! `tests/native_memory.rs`, and so are those of the native engine alone, in `tests/native`.
//! `cargo test --test answers named::` runs one module.

mod contract;
mod docs;
#[cfg(unix)]
mod guard_pages;
mod lazy_dfas;
mod linear;
mod logs;
mod named;
mod properties;

/// Does nothing, unless a sidecar under test has started this program as its server.
#[cfg(target_os = "linux")]
#[test]
fn serves_sidecars_in_another_process() {
    dragnet_testkit::serve_if_asked();
}
