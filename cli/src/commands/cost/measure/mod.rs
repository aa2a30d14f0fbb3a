//! Measures what it costs, on this machine, to have work done on the other side of a boundary.
//!
//! Each kind of boundary is a *rung*. The lowest rung is a plain Rust call; the others do the same work
//! across their boundary. So the time that a rung takes beyond the plain call is the cost of crossing
//! its boundary. The work is the FNV-1a hash of records of 64 bytes, about a tenth of a microsecond for
//! each record: roughly what a scanner takes for such a record.
//!
//! | Rung | In each call |
//! | --- | --- |
//! | `rust` | A Rust function does the work. It is called through a pointer, so it is not inlined. |
//! | `c` | A C function that does next to nothing (`labs`) is called, then the work is done with its result. |
//! | `c-guarded` | As `c`, in a closure behind a pointer, within [`catch_unwind`](std::panic::catch_unwind). |
//! | `c-mutex` | As `c`, with a mutex locked that no other thread uses. |
//! | `c-callback` | A C function that calls back once (`bsearch`) is called, and the callback does the work. |
//! | `handle` | A value is looked up by its handle in [`Handles`](dragnet_boundary::Handles), then the work is done. |
//! | `panic` | A panic is caught, then the work is done. The hook that prints panics does not run. |
//! | `owner` | An [`Owner`](dragnet_boundary::Owner) does the work. |
//! | `pool` | A [`Pool`](dragnet_boundary::Pool) of two threads does the work, one call at a time. |
//! | `unix-socket` | Another process receives the records in frames over the Unix socket of a sidecar, does the work and replies. |
//! | `shared-memory` | A [`Sidecar`](dragnet_sidecar::Sidecar) copies the records to shared memory, and its server does the work there. |
//!
//! The work is always done in Rust: in C, the compiler's code for the hash would differ, and the
//! difference would count as crossing. One thread makes all calls, each after the answer to the one
//! before.
//!
//! A call without records is the crossing alone. If a call takes less than ten microseconds, a sample
//! times several calls and takes their mean, and the percentiles are those of the samples; see
//! [`Percentiles::calls_per_sample`].

#[cfg(not(target_family = "wasm"))]
mod c;
#[cfg(target_os = "linux")]
mod frame_socket;
mod peer;
mod rungs;
mod rust;
#[cfg(target_os = "linux")]
mod sidecar;
mod stats;
mod threads;
mod work;

pub(crate) use peer::{Peer, serve};
pub(crate) use rungs::{Cost, Measurements, Options, Outcome, Rung, measure};
pub(crate) use stats::Percentiles;
pub(crate) use work::{BATCHES, Record};
