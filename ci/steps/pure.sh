# shellcheck shell=bash disable=SC2154
# Runs the README's test command where no C can be compiled.

# Proof that ci/without-c hides pkg-config: the native build fails and says so. PKG_CONFIG_PATH gets a
# value that no earlier build had, so that cargo runs the build script again.
PKG_CONFIG_PATH=$scratch \
    expect_status 101 ci/without-c cargo check --locked --features native
expect_text 'needs pkg-config, which was not found' "$scratch/err"
expect_text 'or build without the `native` feature' "$scratch/err"
expect_text 'cargo test' README.md
# The command that the README names, without real rules and logs: the step `native` searches those with
# all engines.
tests env -u DRAGNET_RULES -u DRAGNET_LOGS ci/without-c cargo test

# Runs each example, on an input in which it must find something.
example() {
    local text=$1 name=$2
    shift 2
    printf '+ cargo run --example %s\n' "$name $*"
    cargo run --locked --quiet --example "$name" "$@" < "$scratch/input" > "$scratch/out"
    expect_text "$text" "$scratch/out"
}
printf '%s\n' 'see TK-123456, ghp_0123 and 1111 2222 3333 4444' '-----BEGIN A KEY-----' 'AAAA' \
    '-----END A KEY-----' 'login from 192.0.2.1' > "$scratch/input"
example 'pattern 1: timeout after 30 ms' one_string
example 'pattern 1: 1111 and 2222' captures
example '2: pattern 0: version = ' lines -- Cargo.toml
example '46 bytes from line 2 on, at 48..94' stream
example 'see TK-123456, [REDACTED:token] and ****4444' redact
example '22 words, 10 numbers' threads
example 'line 5: login from 192.0.2.1' combinations
example 'line 1: ticket' rule_file -- examples/rules.txt
example 'pure' backend
example '2 patterns' tokio --package dragnet-placement
for file in examples/*.rs; do
    name=$(basename "$file" .rs)
    grep -qE "(^example '.*'|--example) $name\b" ci/steps/*.sh || die "no step runs the example $name"
done
