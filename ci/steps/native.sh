# shellcheck shell=bash disable=SC2154
# Runs all tests with the native backend, which must accept the installed libhs.

DRAGNET_EXPECT="$DRAGNET_EXPECT native" DRAGNET_EXPECT_NATIVE=accepted \
    tests cargo test --locked --features native,arrow

# The example that needs a feature beyond those of the step `pure`.
cargo run --locked --quiet --features native,arrow --example columns > "$scratch/out"
expect_text '1 patterns: auth: [REDACTED:token]' "$scratch/out"
