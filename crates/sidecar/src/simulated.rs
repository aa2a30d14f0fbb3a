//! Stand-ins for shared memory and futexes, which `loom` can run; see `model`.

pub(super) mod futex;
pub(super) mod memory;
