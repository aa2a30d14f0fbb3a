//! What the benchmarks share: rule sets and corpora.

pub(crate) mod corpus;
pub(crate) mod rules;

pub(crate) use dragnet_testkit::Rng;

/// The number in an environment variable, or `default` if it is unset or not a number.
pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

pub(crate) const HEX: &[u8] = b"0123456789abcdef";
pub(crate) const ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
