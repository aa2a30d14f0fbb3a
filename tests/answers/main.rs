//! Tests of every scanner: it finds the oracle's matches, keeps the promises of the API, and does
//! work that is linear in the data.
//!
//! All of them are one program, because linking a test program takes longer than running most of
//! its tests. Tests that replace the allocator are separate, in `tests/memory` and
//! `tests/native_memory.rs`, and so are those of the native engine alone, in `tests/native`. `cargo
//! test --test answers named::` runs one module.

#[cfg(feature = "arrow")]
mod columns;
mod combinations;
mod contract;
mod damaged;
mod docs;
mod files;
#[cfg(unix)]
mod guard_pages;
mod lazy_dfas;
mod linear;
mod logs;
mod named;
mod properties;
mod streams;
mod subsets;

/// Does nothing, unless a sidecar under test has started this program as its server.
#[cfg(target_os = "linux")]
#[test]
fn serves_sidecars_in_another_process() {
    dragnet_testkit::serve_if_asked();
}
