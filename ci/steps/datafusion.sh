# shellcheck shell=bash disable=SC2154
# Builds and tests the functions for DataFusion, copies a log with them, and runs a query in a cluster of
# Ballista that loses an executor. Takes 4 minutes on two cores, and 8 with other work beside it; most of
# the time DataFusion builds.

cd integrations/datafusion || exit
run cargo fmt --check
# Debug information of DataFusion would take gigabytes.
export CARGO_PROFILE_DEV_DEBUG=0
# clippy as the compiler of this package alone: `cargo clippy` would compile all dependencies again.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__
run cargo build --locked --quiet --all-targets
tests cargo test --locked --quiet

printf 'a@b.example said "hi"\n\nlast' > "$scratch/app.log"
run cargo run --locked --quiet --example redact -- "$scratch/app.log" "$scratch/app.parquet"
run cargo run --locked --quiet --example redact -- "$scratch/app.parquet" "$scratch/app.json"
printf '{"line":"%s","hidden":0}\n' '[REDACTED:email] said \"hi\"' '' last | run diff - "$scratch/app.json"

run cargo run --locked --quiet --example ballista
