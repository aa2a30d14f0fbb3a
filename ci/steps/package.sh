# shellcheck shell=bash disable=SC2154
# Builds the packages as they would be published, and tests them.

run ci/package
