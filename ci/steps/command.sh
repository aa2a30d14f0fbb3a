# shellcheck shell=bash disable=SC2154
# Runs the README's main command on a small tree, its exit statuses, and every example of the README.

expect_text 'cargo run --release -- scan examples/tree' README.md
run ci/check-sample-scan ci/without-c cargo run --release -- scan
expect_status 1 cargo run --release -- scan -e 'nothing like this' examples/tree
[ ! -s "$scratch/out" ] || die "a scan with status 1 printed matches"
expect_status 2 cargo run --release -- scan -e '(' examples/tree
expect_status 2 cargo run --release -- scan --backend native examples/tree
expect_text 'this build has no native backend' "$scratch/err"
run ci/readme-examples
