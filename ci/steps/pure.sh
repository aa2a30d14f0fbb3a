# shellcheck shell=bash disable=SC2154
# Runs the README's test command where no C can be compiled.

# Proof that ci/without-c hides pkg-config: the native build fails and says so. PKG_CONFIG_PATH gets a
# value that no earlier build had, so that cargo runs the build script again.
PKG_CONFIG_PATH=$scratch \
    expect_status 101 ci/without-c cargo check --locked --features native
expect_text 'needs pkg-config, which was not found' "$scratch/err"
expect_text 'or build without the `native` feature' "$scratch/err"
expect_text 'cargo test' README.md
# The command that the README names, without real rules and logs: the step `native` searches those with
# all engines.
tests env -u DRAGNET_RULES -u DRAGNET_LOGS ci/without-c cargo test
