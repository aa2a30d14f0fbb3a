# shellcheck shell=bash disable=SC2154
# Builds the documentation of the pure and of the native build; a broken link is an error.

export RUSTDOCFLAGS='-D warnings'
run cargo doc --locked --no-deps --workspace
run cargo doc --locked --no-deps --workspace --features native
