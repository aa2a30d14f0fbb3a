# shellcheck shell=bash disable=SC2154
# Checks what the build script promises: when it runs again, which errors it prints, and how it
# links libhs.

run ci/rebuilds
run ci/build-errors
run ci/static
