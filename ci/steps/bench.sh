# shellcheck shell=bash disable=SC2154
# Builds all benchmarks, without running them. Those without libhs are a part of these, and the step
# `lint` checks that they compile without it.

run cargo bench --locked --benches --features native,arrow --no-run
