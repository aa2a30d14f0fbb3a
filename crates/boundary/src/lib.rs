//! Building blocks for wrapping any C library.
//!
//! Each part can be used without the others:
//!
//! | The C library … | This crate has |
//! | --- | --- |
//! | keeps state per thread, or must not be used by two threads at a time | [`Owner`]: one thread makes the value, owns it and runs all calls |
//! | gains nothing from more than N threads | [`Pool`]: N owners on one queue |
//! | may hang | deadlines: [`call_within`](Owner::call_within) raises a [`CancelFlag`] when the time is over, and abandons the thread if the call still does not return |
//! | keeps a pointer and calls back with it, perhaps too late | [`Handles`]: integers in place of pointers, which find their own value or nothing |
//! | calls back into Rust code that may panic | [`contain_panics`]: the panic is caught, and resumed after C has returned |
//! | allocates memory that it must free itself | [`COwned`] and [`CBuffer`]: freed by the matching C function on drop |
//! | shares structs with Rust | [`Flat`]: plain data only, with [`assert_layout!`](assert_layout) on its layout |
//!
//! The threads are those of the standard library; no async runtime is needed, though a [`Pending`]
//! call is a future. On targets without threads, such as plain WebAssembly, starting an [`Owner`]
//! fails with [`StartError::Spawn`]; the other parts work everywhere.

#![deny(unsafe_code)]

mod builder;
mod cancel;
mod deadline_timer;
mod error;
mod flat;
mod guard;
mod handles;
// Frees memory through C, and reads buffers that C wrote.
#[allow(unsafe_code)]
mod memory;
#[cfg(all(loom, test))]
mod model;
mod owner;
mod pending;
mod queue;
mod reply;
// Shared with `dragnet-placement`, whose queues are built from the same locks. Not part of the API.
#[doc(hidden)]
pub mod sync;
mod task;
mod worker_set;
mod workers;

pub use builder::{Abandoned, Builder, OnDrop, OnPanic};
pub use cancel::CancelFlag;
pub use error::{CallError, MakeError, StartError};
pub use flat::Flat;
pub use guard::{PanicGuard, contain_panics};
pub use handles::{Handle, Handles, HandlesFull};
pub use memory::{CBuffer, CMemoryError, COwned, Release};
pub use owner::{Owner, Pool};
pub use pending::Pending;

/// Derives the traits that make a type [`Flat`], and casts slices of such types to bytes and back.
pub use bytemuck;

/// Tests the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
