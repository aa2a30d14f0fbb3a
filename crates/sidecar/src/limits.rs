//! How much a server takes from a client.

/// What a client may ask of a [`Server`](super::Server). More is refused, with the number that was
/// asked for and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many patterns there may be; a million by default.
    pub patterns: u32,
    /// How long all patterns may be, in bytes; 64 MiB by default.
    pub pattern_bytes: u64,
    /// How large all patterns may be together, in the units of
    /// [`PatternSetBuilder::set_size_limit`](dragnet::PatternSetBuilder::set_size_limit); 100 million
    /// by default.
    pub set_size: u64,
    /// How long one piece of shared memory may be, in bytes; 1 GiB by default. A piece holds the
    /// records of one part of a batch and their offsets, so a record may be a little shorter. There
    /// are 8 pieces.
    pub region: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            patterns: 1_000_000,
            pattern_bytes: 64 << 20,
            set_size: 100_000_000,
            region: 1 << 30,
        }
    }
}
