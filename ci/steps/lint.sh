# shellcheck shell=bash disable=SC2154
# Runs clippy in each configuration of the library, and for other systems.

run cargo clippy --locked --workspace --all-targets -- -D warnings
run cargo clippy --locked --workspace --all-targets --features native,arrow -- -D warnings
run cargo check --locked --no-default-features
# DRAGNET_LIBHS_DIR names the installed libhs, so that Vectorscan is not built from its sources.
DRAGNET_LIBHS_DIR=/usr \
    run cargo clippy --locked --package dragnet --features native-vendored -- -D warnings

# Code for other systems and for 32-bit pointers. This needs their standard libraries, no linker.
command -v rustup > /dev/null || {
    echo 'NOT LINTED: other systems, because there is no rustup to install their standard libraries'
    exit 0
}
for other in x86_64-apple-darwin x86_64-pc-windows-msvc armv7-unknown-linux-gnueabihf; do
    run rustup target add "$other"
    run cargo clippy --locked --target "$other" --workspace --exclude dragnet-example-sqlite \
        --all-targets -- -D warnings
    rm -rf "${target:?}/$other"
done
