//! libhs from the system's packages, found by pkg-config.

use std::path::PathBuf;

use super::error::{fail, fail_too_old, install, install_libhs};
use super::library::{Library, LibraryKind, add_cxx_runtime, existing};
use super::{DIR_VARIABLE, LinkMode, STATIC_VARIABLE, cargo_variable, target};

/// Finds libhs for the target, or fails the build. This function prints no `rerun-if-env-changed`:
/// the crate `pkg_config` does so for the variables that it reads.
pub(super) fn library(mode: LinkMode) -> Library {
    if target("FAMILY").split(',').any(|family| family == "wasm") || target("ENDIAN") == "big" {
        fail(
            format!(
                "there is no libhs for {}: Hyperscan and Vectorscan support only little-endian \
                 processors, and not WebAssembly",
                cargo_variable("TARGET")
            ),
            format!("set {DIR_VARIABLE} if you have a port of it"),
        );
    }
    let found =
        match pkg_config::Config::new().cargo_metadata(false).atleast_version("5.4").probe("libhs")
        {
            Ok(found) => found,
            Err(error) => fail_to_find(error),
        };
    if mode != LinkMode::Static {
        return Library {
            includes: found.include_paths,
            paths: found.link_paths,
            libs: found.libs.into_iter().map(|name| (name, LibraryKind::Shared)).collect(),
        };
    }

    // pkg-config omits directories that linkers search by default, but libhs.a may be in one of
    // them.
    let mut paths = found.link_paths;
    if let Ok(libdir) = pkg_config::get_variable("libhs", "libdir") {
        let sysroot = cargo_variable("PKG_CONFIG_SYSROOT_DIR");
        paths.push(PathBuf::from(format!("{sysroot}{libdir}")));
        paths.push(PathBuf::from(libdir));
    }
    let Some((path, archive)) =
        paths.iter().find_map(|path| Some((path.clone(), existing(path.join("libhs.a"))?)))
    else {
        let searched: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        fail(
            format!("{STATIC_VARIABLE} is 1, but there is no libhs.a in {}", searched.join(", ")),
            format!(
                "install a static libhs there, set {DIR_VARIABLE} to the prefix of one, build it \
                 with the feature `native-vendored`, or unset {STATIC_VARIABLE}"
            ),
        )
    };
    println!("cargo::rerun-if-changed={}", archive.display());
    let mut library = Library {
        includes: found.include_paths,
        paths: vec![path],
        libs: vec![("hs".to_owned(), LibraryKind::Static)],
    };
    add_cxx_runtime(&mut library, mode);
    library
}

/// Fails the build with the reason why pkg-config did not find libhs.
fn fail_to_find(error: pkg_config::Error) -> ! {
    match error {
        pkg_config::Error::Command { .. } => fail(
            "the `native` feature needs pkg-config, which was not found",
            install("pkg-config"),
        ),
        pkg_config::Error::CrossCompilation => fail(
            format!(
                "the `native` feature needs a sysroot with libhs for {}, and none is set",
                cargo_variable("TARGET")
            ),
            format!(
                "set PKG_CONFIG_SYSROOT_DIR to it and PKG_CONFIG_PATH to its pkgconfig directory, \
                 or {DIR_VARIABLE} to a prefix with libhs for the target"
            ),
        ),
        pkg_config::Error::EnvNoPkgConfig(name) => fail(
            format!("pkg-config may not search for libhs, since {name} is set"),
            format!("unset it, or set {DIR_VARIABLE}"),
        ),
        _ => {}
    }
    // Without a required version, this distinguishes an old library from a missing one.
    match pkg_config::Config::new().cargo_metadata(false).probe("libhs") {
        Ok(old) => fail_too_old(&old.version, &"pkg-config"),
        Err(_) => fail(
            "the `native` feature needs libhs (Hyperscan or Vectorscan 5.4 or later), which \
             pkg-config does not find",
            install_libhs(),
        ),
    }
}
