# shellcheck shell=bash disable=SC2154
# Runs the models of threads and processes (see ci/loom), and the example that wraps another C library.

tests ci/loom --locked
run ci/loom-faults --check
run cargo run --locked -p dragnet-example-sqlite
