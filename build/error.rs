//! The one error that a build ends with.

use std::fmt::Display;
use std::process::exit;

use super::{DIR_VARIABLE, target};

/// Ends the build with an error in one line: what is wrong, and what to do about it.
pub(super) fn fail(what: impl Display, remedy: impl Display) -> ! {
    println!(
        "cargo::error={what}; {remedy}; or build without the `native` feature: the pure engine \
         needs no C"
    );
    // Cargo fails for the line above. For a status it would add all that was printed.
    exit(0)
}

pub(super) fn too_old(version: &str, place: &dyn Display) -> ! {
    fail(
        format!("libhs is {version} ({place}), but the `native` feature needs 5.4 or later"),
        packages(),
    )
}

/// What to install so that libhs is there, on the systems that have it.
pub(super) fn packages() -> String {
    let (debian, fedora) = match target("ARCH").as_str() {
        "x86_64" | "x86" => ("libhyperscan-dev", "hyperscan-devel or vectorscan-devel"),
        _ => ("libvectorscan-dev", "vectorscan-devel"),
    };
    format!(
        "install it (Debian, Ubuntu: {debian}; Fedora: {fedora}; Homebrew: vectorscan), set \
         PKG_CONFIG_PATH or {DIR_VARIABLE}, or build it with the feature `native-vendored`"
    )
}

pub(super) fn install(package: &str) -> String {
    format!("install {package} (a package of this name is on Debian, Ubuntu, Fedora, Homebrew)")
}
