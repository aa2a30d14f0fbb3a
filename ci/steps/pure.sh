# shellcheck shell=bash disable=SC2154
# Runs the README's test command where no C can be compiled.

# Proof that ci/without-c hides pkg-config: the native build fails and says so. Cargo only repeats
# that question for a variable with a new value, here a path that no earlier build had.
PKG_CONFIG_PATH=$scratch \
    expect_status 101 ci/without-c cargo check --locked --features native
expect_text 'needs pkg-config, which was not found' "$scratch/err"
expect_text 'or build without the `native` feature' "$scratch/err"
expect_text 'cargo test' README.md
# As a newcomer runs it. The native step searches the real rules and logs, with all engines.
tests env -u DRAGNET_RULES -u DRAGNET_LOGS ci/without-c cargo test
