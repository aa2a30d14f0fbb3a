# shellcheck shell=bash disable=SC2154
# Runs the tests that cross to C with AddressSanitizer and with valgrind. All other tests, and
# ThreadSanitizer, run once a week (slow.yml), and so does the test that is left out below: under
# valgrind its large patterns compile for minutes.

export DRAGNET_EXPECT="$DRAGNET_EXPECT native"
tests ci/asan --test native --test boundary
tests ci/valgrind --test boundary
DRAGNET_NATIVE_CASES=1 tests ci/valgrind --test native -- \
    --skip what_libhs_reads_otherwise_has_the_same_answers
