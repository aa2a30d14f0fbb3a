# shellcheck shell=bash disable=SC2154
# Runs the native backend with Debian's Vectorscan. Version 5.4.9 (Debian 12) loses matches on
# processors with AVX-512 and must be refused there, with the scan falling back to the pure engine.
# Everywhere else its self-test decides.

folder=$target/vectorscan-packages
expected=
# Downloads and unpacks the packages. apt warns that its sandbox user can't write to a folder of
# root's, which does no harm.
run ci/vectorscan "$folder" true
version=$(ci/vectorscan "$folder" pkg-config --modversion libhs)
if [ "$version" = 5.4.9 ] && grep -qw avx512bw /proc/cpuinfo; then
    expected=refused
fi
echo "Vectorscan $version: ${expected:-accepted or refused, as its self-test decides}"
# The build works against it, too.
run ci/vectorscan "$folder" cargo check --locked --features native

# Both libraries have the same soname, so a test that was built against one runs with the other,
# and nothing is built twice.
cargo test --locked --package dragnet --features native,arrow --test answers --no-run 2>&1 |
    tee "$scratch/built"
program=$(sed -n 's/.*Executable tests.answers.main.rs (\(.*\))$/\1/p' "$scratch/built")
[ -x "$program" ] || die 'cargo did not name the test program'
[ -z "$expected" ] || export DRAGNET_EXPECT_NATIVE=$expected
tests ci/vectorscan "$folder" "$program" contract::
unset DRAGNET_EXPECT_NATIVE

run cargo build --locked --release --features native
expect_status 0 ci/vectorscan "$folder" "$target/release/dragnet" scan --backend pure \
    examples/tree
cp "$scratch/out" "$scratch/pure"
expect_status 0 ci/vectorscan "$folder" "$target/release/dragnet" scan examples/tree
run diff "$scratch/pure" "$scratch/out"
cat "$scratch/err"
if [ "$expected" = refused ]; then
    expect_text "Vectorscan $version failed its self-test" "$scratch/err"
    expect_text 'falling back to the pure backend' "$scratch/err"
    expect_status 2 ci/vectorscan "$folder" "$target/release/dragnet" scan --backend native \
        examples/tree
    expect_text "Vectorscan $version failed its self-test" "$scratch/err"
fi
