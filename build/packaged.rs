//! A libhs that pkg-config knows.

use std::path::PathBuf;

use super::error::{fail, install, packages, too_old};
use super::library::{Kind, Library, cxx_runtime, existing};
use super::{DIR_VARIABLE, Linking, STATIC_VARIABLE, env_of, target};

/// The library that pkg-config knows, for the target; it declares the variables it reads.
pub(super) fn library(linking: Linking) -> Library {
    if target("FAMILY").split(',').any(|family| family == "wasm") || target("ENDIAN") == "big" {
        fail(
            format!(
                "there is no libhs for {}: Hyperscan and Vectorscan are made for little-endian \
                 processors, and not for WebAssembly",
                env_of("TARGET")
            ),
            format!("set {DIR_VARIABLE} if you have one nevertheless"),
        );
    }
    let found =
        match pkg_config::Config::new().cargo_metadata(false).atleast_version("5.4").probe("libhs")
        {
            Ok(found) => found,
            Err(error) => not_found(error),
        };
    if linking != Linking::Static {
        return Library {
            includes: found.include_paths,
            paths: found.link_paths,
            libs: found.libs.into_iter().map(|name| (name, Kind::Shared)).collect(),
        };
    }

    // pkg-config does not tell folders in which linkers look by themselves.
    let mut paths = found.link_paths;
    if let Ok(folder) = pkg_config::get_variable("libhs", "libdir") {
        let sysroot = env_of("PKG_CONFIG_SYSROOT_DIR");
        paths.push(PathBuf::from(format!("{sysroot}{folder}")));
        paths.push(PathBuf::from(folder));
    }
    let Some((folder, archive)) =
        paths.iter().find_map(|path| Some((path.clone(), existing(path.join("libhs.a"))?)))
    else {
        let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        fail(
            format!("{STATIC_VARIABLE} is 1, but there is no libhs.a in {}", places.join(", ")),
            format!(
                "install a static libhs there, set {DIR_VARIABLE} to where there is one, build it \
                 with the feature `native-vendored`, or unset {STATIC_VARIABLE}"
            ),
        )
    };
    println!("cargo::rerun-if-changed={}", archive.display());
    let mut library = Library {
        includes: found.include_paths,
        paths: vec![folder],
        libs: vec![("hs".to_owned(), Kind::Static)],
    };
    cxx_runtime(&mut library, linking);
    library
}

/// Says why pkg-config does not find the library.
fn not_found(error: pkg_config::Error) -> ! {
    match error {
        pkg_config::Error::Command { .. } => fail(
            "the `native` feature needs pkg-config, which was not found",
            install("pkg-config"),
        ),
        pkg_config::Error::CrossCompilation => fail(
            format!("libhs for {} is looked for in a sysroot, and none is set", env_of("TARGET")),
            format!(
                "set PKG_CONFIG_SYSROOT_DIR to it and PKG_CONFIG_PATH to its pkgconfig folder, or \
                 {DIR_VARIABLE} to a prefix with libhs for the target"
            ),
        ),
        pkg_config::Error::EnvNoPkgConfig(name) => fail(
            format!("pkg-config may not look for libhs, since {name} is set"),
            format!("unset it, or set {DIR_VARIABLE}"),
        ),
        _ => {}
    }
    // The same question without a version tells a missing library from an old one.
    match pkg_config::Config::new().cargo_metadata(false).probe("libhs") {
        Ok(old) => too_old(&old.version, &"pkg-config"),
        Err(_) => fail(
            "the `native` feature needs libhs (Hyperscan or Vectorscan 5.4 or later), which \
             pkg-config does not find",
            packages(),
        ),
    }
}
