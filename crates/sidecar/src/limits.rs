//! Limits on what a server accepts from a client.

/// Limits on the requests of a [`Server`](super::Server)'s client. A request that exceeds a limit is
/// refused with an error that names the limit and the requested number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of patterns; a million by default.
    pub patterns: u32,
    /// The maximum size of the encoded patterns, in bytes; 64 MiB by default.
    pub pattern_bytes: u64,
    /// The largest pattern set, in the units of
    /// [`PatternSetBuilder::set_size_limit`](dragnet::PatternSetBuilder::set_size_limit); 100 million
    /// by default.
    pub set_size: u64,
    /// The longest region of shared memory, in bytes; 1 GiB by default. A region holds the records of
    /// one chunk of a batch and their offsets, so the longest record is a little shorter. A client may
    /// have 8 regions.
    pub region_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            patterns: 1_000_000,
            pattern_bytes: 64 << 20,
            set_size: 100_000_000,
            region_bytes: 1 << 30,
        }
    }
}
