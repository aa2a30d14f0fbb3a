# shellcheck shell=bash disable=SC2154
# Checks the formatting of all Rust code, the fuzz targets included.

run cargo fmt --all --check
run cargo fmt --manifest-path fuzz/Cargo.toml --check
