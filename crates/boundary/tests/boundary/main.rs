//! The boundary layer from outside: threads that own what is not to be shared, deadlines, and
//! what crosses to C and back, with the C library that every program has.

mod c;
mod callbacks;
mod deadlines;
mod memory;
mod owner;
mod pool;
mod support;
