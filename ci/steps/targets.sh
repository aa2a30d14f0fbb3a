# shellcheck shell=bash disable=SC2154
# Runs a part of the tests on other targets, with few random cases, because most of it is emulated:
# another vector instruction set with another libhs (refused there if it is Debian 12's), the other
# byte order, 32-bit pointers, and a system without threads, files or processes. `ci/target --list`
# prints all cells, each of which runs all tests.

for cell in 'aarch64-unknown-linux-gnu native' 's390x-unknown-linux-gnu pure' \
    'i686-unknown-linux-gnu pure'; do
    # shellcheck disable=SC2086 # two words
    DRAGNET_TARGET_TESTS='--test answers' DRAGNET_TARGET_SKIP='named:: linear:: logs:: docs::' \
        PROPTEST_CASES=4 tests ci/target $cell
    # Each cell builds everything anew; three such builds would fill a small disk.
    rm -rf "${target:?}/${cell% *}" "${target:?}/built-std"
done
run ci/target wasm32-unknown-unknown
