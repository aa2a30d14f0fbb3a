# shellcheck shell=bash disable=SC2154
# Runs the tests that cross to C with AddressSanitizer and with valgrind. All other tests, and
# ThreadSanitizer, run once a week (slow.yml), and so does the test that is left out below: under
# valgrind its large patterns compile for minutes.

export DRAGNET_EXPECT="$DRAGNET_EXPECT native"
slow=patterns_that_libhs_defines_differently_agree
grep -rq "^fn $slow()" tests/native || die "tests/native has no test $slow to leave out"
tests ci/asan --test native --test boundary -- --skip compile_fail::
tests ci/valgrind --test boundary -- --skip compile_fail::
PROPTEST_CASES=1 tests ci/valgrind --test native -- --skip "$slow"
