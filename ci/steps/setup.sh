# shellcheck shell=bash disable=SC2154
# Installs what the other steps use, and downloads the dependencies.

command -v cargo > /dev/null || die "cargo was not found; install Rust from https://rustup.rs"
run cargo --version
if ! cargo fmt --version > /dev/null 2>&1 || ! cargo clippy --version > /dev/null 2>&1; then
    command -v rustup > /dev/null || die "rustfmt or clippy is missing, and there is no rustup to install it"
    run rustup component add rustfmt clippy
fi

# SQLite is the library that examples/sqlite wraps. A test connects with Python as another user.
run ci/install libsqlite3-dev python3
# The step vectorscan downloads packages without installing them, which takes apt's package lists.
apt-cache show libvectorscan-dev > /dev/null 2>&1 || run as_root apt-get update -q
echo "libhs $(pkg-config --modversion libhs)"
run cargo fetch --locked
