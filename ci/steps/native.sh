# shellcheck shell=bash disable=SC2154
# Runs all tests with the native backend, which must accept the installed libhs.

DRAGNET_EXPECT="$DRAGNET_EXPECT native" DRAGNET_EXPECT_NATIVE=accepted \
    tests cargo test --locked --features native,arrow
