//! What it takes to live with a C library, whichever it is.
//!
//! Nothing here knows of scanning; each part can be used without the others.
//!
//! | what C does | what is here |
//! | --- | --- |
//! | It keeps state for each thread, or is not to be used by two at a time. | [`Owner`]: one thread makes the value, owns it and runs all calls. |
//! | It gains nothing from more than so many threads. | [`Pool`]: as many owners behind one queue. |
//! | It hangs. | Deadlines on calls: [`call_within`](Owner::call_within). The call is told to stop by a [`CancelFlag`], and its thread is given up if it does not. |
//! | It keeps a pointer and calls back with it, perhaps too late. | [`Handles`]: integers in place of pointers, which never find anything but their value. |
//! | It calls back, and Rust panics. | [`contain_panics`]: the panic waits until C has returned. |
//! | It allocates what it must free. | [`COwned`] and [`CBuffer`]: given back by their drop. |
//! | It reads and writes what Rust means by other bytes. | [`Flat`]: plain data only, with [`assert_layout!`](assert_layout) on its layout. |
//!
//! The threads are those of the standard library, and no runtime is needed. Where there are none,
//! as on plain WebAssembly, an [`Owner`] can't be [started](StartError::Spawn); the other parts
//! work everywhere.

mod builder;
mod cancel;
mod crew;
mod error;
mod flat;
mod guard;
mod handles;
mod memory;
#[cfg(all(loom, test))]
mod model;
mod owner;
mod pending;
mod queue;
mod reply;
mod roster;
#[doc(hidden)]
pub mod sync;
mod task;
mod watch;

pub use builder::{Builder, GivenUp, OnDrop, OnPanic};
pub use cancel::CancelFlag;
pub use error::{CallError, MakeError, StartError};
pub use flat::Flat;
pub use guard::{PanicGuard, contain_panics};
pub use handles::{Handle, Handles, HandlesFull};
pub use memory::{CBuffer, CMemoryError, COwned, Release};
pub use owner::{Owner, Pool};
pub use pending::Pending;

/// Derives what makes a type [`Flat`], and casts slices of such types to bytes and back.
pub use bytemuck;
