# shellcheck shell=bash disable=SC2154
# Runs the tests that cross to C with AddressSanitizer and with valgrind. All other tests, and
# ThreadSanitizer, run once a week (slow.yml), and so does the test that is left out below: under
# valgrind its large patterns compile for minutes.

export DRAGNET_EXPECT="$DRAGNET_EXPECT native"
slow=what_libhs_reads_otherwise_has_the_same_answers
grep -q "^fn $slow()" tests/native.rs || die "tests/native.rs has no test $slow to leave out"
tests ci/asan --test native --test boundary -- --skip compile_fail::
tests ci/valgrind --test boundary -- --skip compile_fail::
DRAGNET_NATIVE_CASES=1 tests ci/valgrind --test native -- --skip "$slow"
