//! Tests of the crate from outside: owners and pools, deadlines, callbacks and memory of C. They
//! call the C standard library, which every target links already.

mod callbacks;
mod compile_fail;
mod deadlines;
mod libc;
mod memory;
mod owner;
mod pool;
mod support;
