//! A libhs in a folder that the user names.

use std::path::Path;

use super::error::fail;
use super::library::{Kind, Library, cxx_runtime, existing};
use super::{DIR_VARIABLE, Linking, STATIC_VARIABLE, target};

/// The library under a prefix that the user names.
pub(super) fn library(dir: &Path, linking: Linking) -> Library {
    let include = ["include/hs", "include"]
        .map(|sub| dir.join(sub))
        .into_iter()
        .find(|path| path.join("hs.h").is_file())
        .unwrap_or_else(|| {
            fail(
                format!("{DIR_VARIABLE}={} has no include/hs/hs.h", dir.display()),
                "it must name the prefix that libhs was installed to",
            )
        });
    let files = [
        ("libhs.so", Kind::Shared),
        ("libhs.dylib", Kind::Shared),
        ("hs.lib", Kind::Shared),
        ("libhs.a", Kind::Static),
    ];
    // Debian keeps libraries in a folder for each architecture.
    let debian = format!("lib/{}-linux-gnu", target("ARCH"));
    let found = ["lib", "lib64", &debian].into_iter().find_map(|sub| {
        let wanted = |kind| match linking {
            Linking::Static => kind == Kind::Static,
            Linking::Shared => kind == Kind::Shared,
            Linking::AsFound => true,
        };
        files.into_iter().filter(|(_, kind)| wanted(*kind)).find_map(|(file, kind)| {
            // One that is missing is not declared: cargo would ask again in every build.
            let path = existing(dir.join(sub).join(file))?;
            println!("cargo::rerun-if-changed={}", path.display());
            Some((dir.join(sub), kind))
        })
    });
    let Some((path, kind)) = found else {
        let (what, why) = match linking {
            Linking::Static => ("static libhs", format!(" ({STATIC_VARIABLE} is 1)")),
            Linking::Shared => ("shared libhs", format!(" ({STATIC_VARIABLE} is 0)")),
            Linking::AsFound => ("libhs", String::new()),
        };
        fail(
            format!("{DIR_VARIABLE}={} has no {what} in lib/ or lib64/{why}", dir.display()),
            "build one there",
        )
    };
    let mut library =
        Library { includes: vec![include], paths: vec![path], libs: vec![("hs".to_owned(), kind)] };
    if kind == Kind::Static {
        cxx_runtime(&mut library, linking);
    }
    library
}
