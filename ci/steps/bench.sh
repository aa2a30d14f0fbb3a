# shellcheck shell=bash disable=SC2154
# Builds all benchmarks without running them, in the profile of the tests, so that their dependencies
# are not built again. The benchmarks without libhs are a part of these, and the step `lint` checks that
# they compile without it.

run cargo bench --locked --profile dev --benches --features native,arrow --no-run
