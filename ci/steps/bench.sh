# shellcheck shell=bash disable=SC2154
# Builds all benchmarks, without running them.

run cargo bench --locked --benches --no-run
run cargo bench --locked --benches --features native --no-run
