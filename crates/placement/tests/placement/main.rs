//! Owners, pools and shadows through their public interface.

mod coalescing;
mod deadlines;
mod errors;
mod probe;
mod queue_limits;
mod shadow;
mod shutdown;
