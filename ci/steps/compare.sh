# shellcheck shell=bash disable=SC2154
# Requires the same answers from both backends: on this tree, which has examples for every built-in
# rule, on the sources of all dependencies, and on real logs with real rules where there are any.

expect_equal() {
    expect_status 0 "$target/release/dragnet" compare --format json "$@"
    cat "$scratch/out"
    local text
    for text in '"equal":true' '"name":"pure"' '"name":"native"'; do
        expect_text "$text" "$scratch/out"
    done
    ! grep -q '"records":0,' "$scratch/out" || die "there were no records to compare on: $*"
}

run cargo build --locked --release --features native
expect_equal cli src tests
expect_equal "${CARGO_HOME:-$HOME/.cargo}/registry/src"
if [ -n "${DRAGNET_RULES:-}" ] && [ -n "${DRAGNET_LOGS:-}" ]; then
    expect_equal -r "$DRAGNET_RULES" "$DRAGNET_LOGS"
else
    echo 'NOT COMPARED: real rules and logs, because DRAGNET_RULES or DRAGNET_LOGS is not set'
fi
