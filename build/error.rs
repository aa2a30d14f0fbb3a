//! Errors of the build, each with what to do about it.

use std::fmt::Display;
use std::process::exit;

use super::{DIR_VARIABLE, target};

/// Ends the build with a one-line error: what is wrong, and the remedy, as an instruction.
pub(super) fn fail(what: impl Display, remedy: impl Display) -> ! {
    println!(
        "cargo::error={what}; {remedy}; or build without the `native` feature: the pure engine \
         needs no C"
    );
    // Cargo fails because of the line above. With another status it would also print all output of
    // this script.
    exit(0)
}

/// Ends the build because the libhs found in `place` is too old.
pub(super) fn fail_too_old(version: &str, place: &dyn Display) -> ! {
    fail(
        format!("libhs is {version} ({place}), but the `native` feature needs 5.4 or later"),
        install_libhs(),
    )
}

/// Returns the remedy for a missing libhs: the names of its packages for the target, and the
/// alternatives to a package.
pub(super) fn install_libhs() -> String {
    let (debian, fedora) = match target("ARCH").as_str() {
        "x86_64" | "x86" => ("libhyperscan-dev", "hyperscan-devel or vectorscan-devel"),
        _ => ("libvectorscan-dev", "vectorscan-devel"),
    };
    format!(
        "install it (Debian, Ubuntu: {debian}; Fedora: {fedora}; Homebrew: vectorscan), set \
         PKG_CONFIG_PATH or {DIR_VARIABLE}, or build it with the feature `native-vendored`"
    )
}

/// Returns the remedy for a missing tool whose package has the same name on all systems.
pub(super) fn install(package: &str) -> String {
    format!("install {package} (Debian, Ubuntu, Fedora and Homebrew have a package of this name)")
}
