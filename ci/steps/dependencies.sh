# shellcheck shell=bash disable=SC2154
# Checks the licences, versions and sources of all dependencies against deny.toml, and, where there
# is a copy of the advisory database, that none has a known vulnerability.

run ci/deny
