# shellcheck shell=bash disable=SC2154
# Builds the documentation of the default build and of that with all features; a broken link is an error.

export RUSTDOCFLAGS='-D warnings'
run cargo doc --locked --no-deps --workspace
run cargo doc --locked --no-deps --workspace --features native,arrow
