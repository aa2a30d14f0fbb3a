//! libhs in the directory that `DRAGNET_LIBHS_DIR` names.

use std::path::Path;

use super::error::fail;
use super::library::{Library, LibraryKind, add_cxx_runtime, existing};
use super::{DIR_VARIABLE, LinkMode, STATIC_VARIABLE, target};

/// Finds libhs in the prefix `dir`, or fails the build.
pub(super) fn library(dir: &Path, mode: LinkMode) -> Library {
    let include = ["include/hs", "include"]
        .map(|sub| dir.join(sub))
        .into_iter()
        .find(|path| path.join("hs.h").is_file())
        .unwrap_or_else(|| {
            fail(
                format!("{DIR_VARIABLE}={} has no include/hs/hs.h", dir.display()),
                "set it to the prefix that libhs was installed to",
            )
        });
    let files = [
        ("libhs.so", LibraryKind::Shared),
        ("libhs.dylib", LibraryKind::Shared),
        ("hs.lib", LibraryKind::Shared),
        ("libhs.a", LibraryKind::Static),
    ];
    // On Debian, libraries are in a directory per architecture.
    let debian = format!("lib/{}-linux-gnu", target("ARCH"));
    let found = ["lib", "lib64", &debian].into_iter().find_map(|sub| {
        let is_wanted = |kind| match mode {
            LinkMode::Static => kind == LibraryKind::Static,
            LinkMode::Shared => kind == LibraryKind::Shared,
            LinkMode::Any => true,
        };
        files.into_iter().filter(|(_, kind)| is_wanted(*kind)).find_map(|(file, kind)| {
            let path = existing(dir.join(sub).join(file))?;
            // Only existing files are declared to cargo: for a missing one it would run this script
            // in every build.
            println!("cargo::rerun-if-changed={}", path.display());
            Some((dir.join(sub), kind))
        })
    });
    let Some((path, kind)) = found else {
        let (what, why) = match mode {
            LinkMode::Static => ("static libhs", format!(" ({STATIC_VARIABLE} is 1)")),
            LinkMode::Shared => ("shared libhs", format!(" ({STATIC_VARIABLE} is 0)")),
            LinkMode::Any => ("libhs", String::new()),
        };
        fail(
            format!("{DIR_VARIABLE}={} has no {what} in lib/ or lib64/{why}", dir.display()),
            "build one there",
        )
    };
    let mut library =
        Library { includes: vec![include], paths: vec![path], libs: vec![("hs".to_owned(), kind)] };
    if kind == LibraryKind::Static {
        add_cxx_runtime(&mut library, mode);
    }
    library
}
