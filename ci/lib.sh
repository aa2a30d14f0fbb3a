# shellcheck shell=bash
# Functions shared by .ci/run, its steps and the other scripts in ci/. This file is sourced, never
# run; whoever sources it has set `-euo pipefail` and stands in the top folder of the repository.

# Prints an error and ends the script, or the step when called from one.
die() {
    echo "$0: $*" >&2
    exit 1
}

# Prints a command and runs it.
run() {
    printf '+ %s\n' "$*"
    "$@"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The packages with code of their own and tests of it, as arguments of cargo.
# shellcheck disable=SC2034
library_packages=(--package dragnet --package dragnet-boundary --package dragnet-placement
    --package dragnet-sidecar)

# Creates the folder `$scratch`, which is removed when the script ends.
make_scratch() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
}

# Removes what earlier steps have built if the disk is nearly full: first what no later step uses.
make_room() {
    local gib=$((1 << 20)) # df counts KiB
    local separate=("$target"/{asan,fuzz,loom,tests,vectorscan} {fuzz,python,integrations/datafusion}/target)
    free() { df --output=avail -k . | tail -n 1; }
    [ "$(free)" -ge $((8 * gib)) ] || rm -rf "${separate[@]}"
    [ "$(free)" -ge $((6 * gib)) ] || rm -rf "${target:?}"/{debug,release}
    echo "$(($(free) / gib)) GiB of disk are free"
}

# The target triple that the compiler runs on and builds for by default.
host_triple() {
    rustc --version --verbose | sed -n 's/^host: //p'
}

# Fails unless a text occurs in a file.
expect_text() {
    grep -qF -- "$1" "$2" || {
        cat "$2" >&2
        die "$2 does not contain: $1"
    }
}

# Runs a command that must exit with the given status. Its standard output and standard error are
# kept in $scratch/out and $scratch/err.
expect_status() {
    local wanted=$1 status=0
    shift
    printf '+ %s   (status %s)\n' "$*" "$wanted"
    "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null || status=$?
    [ "$status" -eq "$wanted" ] || {
        cat "$scratch/out" "$scratch/err" >&2
        die "exited with status $status instead of $wanted: $*"
    }
}

# Runs a test command and appends its output to $scratch/tests, from which .ci/run sums up the
# results at the end.
tests() {
    printf '+ %s\n' "$*"
    "$@" 2>&1 | tee -a "$scratch/tests"
}

# Fails unless the toolchain has the runtime of AddressSanitizer for a target.
require_asan_runtime() {
    ls "$(rustc --print sysroot)/lib/rustlib/$1/lib"/librustc*_rt.asan.a > /dev/null ||
        die "the toolchain has no AddressSanitizer runtime for $1"
}

# Prints the reports that a checker (first argument) left in a folder (second argument) and fails
# if there are any. Reports are files and not output, because a sidecar's client recovers when its
# server process dies, so that a test can pass although the server was stopped by a report.
fail_on_reports() {
    local checker=$1 folder=$2 count
    count=$(find "$folder" -type f -size +0 | wc -l)
    [ "$count" -gt 0 ] || return 0
    find "$folder" -type f -size +0 -exec cat {} + >&2
    die "$checker wrote $count reports"
}
