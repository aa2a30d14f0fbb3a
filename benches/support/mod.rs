//! Rules, corpora and contenders of the benchmarks.

pub(crate) mod contender;
pub(crate) mod corpus;
#[cfg(feature = "native")]
pub(crate) mod hyperscan;
pub(crate) mod report;
pub(crate) mod rules;

pub(crate) use dragnet_testkit::Rng;

/// The number in an environment variable.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

pub(crate) const HEX: &[u8] = b"0123456789abcdef";
pub(crate) const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
