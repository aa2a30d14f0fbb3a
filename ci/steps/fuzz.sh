# shellcheck shell=bash disable=SC2154
# Replays the fuzz corpora, then fuzzes for a minute.

DRAGNET_FUZZ_SECONDS=${DRAGNET_FUZZ_SECONDS:-60} run ci/fuzz
