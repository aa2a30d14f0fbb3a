//! Where libhs is, for the compiler and the linker.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{fail, too_old};
use super::{Linking, STATIC_VARIABLE, compile, target};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Static,
    Shared,
}

/// The library as the compiler and the linker are told of it.
pub(super) struct Library {
    pub(super) includes: Vec<PathBuf>,
    /// Folders of libraries.
    pub(super) paths: Vec<PathBuf>,
    /// What is linked: libhs, and below it what a static one does not bring along.
    pub(super) libs: Vec<(String, Kind)>,
}

impl Library {
    /// Tells cargo.
    pub(super) fn link(&self) {
        for path in &self.paths {
            println!("cargo::rustc-link-search=native={}", path.display());
        }
        for (name, kind) in &self.libs {
            let kind = match kind {
                Kind::Static => "static",
                Kind::Shared => "dylib",
            };
            println!("cargo::rustc-link-lib={kind}={name}");
        }
    }

    /// The file of a static library of it.
    pub(super) fn archive(&self, name: &str) -> Option<PathBuf> {
        self.paths.iter().find_map(|path| existing(path.join(format!("lib{name}.a"))))
    }

    /// Declares the headers that may have the version, if they are not among the system's, and looks
    /// at it. Where they do not tell, the shim's own check is left.
    pub(super) fn check_header(&self) {
        // Vectorscan 5.4.12 and later have it in a header of its own.
        for name in ["hs.h", "hs_version.h"] {
            let Some(header) = self.includes.iter().find_map(|path| existing(path.join(name)))
            else {
                continue;
            };
            println!("cargo::rerun-if-changed={}", header.display());
            let text = fs::read_to_string(&header).unwrap_or_default();
            let number = |name: &str| -> Option<u32> {
                text.lines()
                    .filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(name))
                    .find_map(|rest| rest.trim().parse().ok())
            };
            if let Some(major) = number("HS_MAJOR ") {
                let minor = number("HS_MINOR ").unwrap_or(0);
                if (major, minor) < (5, 4) {
                    too_old(&format!("{major}.{minor}"), &header.display());
                }
            }
        }
    }
}

/// Adds the C++ runtime that a static libhs needs; a shared one brings it along.
pub(super) fn cxx_runtime(library: &mut Library, linking: Linking) {
    // There it is a part of the system, which every machine has.
    if let "macos" | "ios" | "freebsd" | "openbsd" = target("OS").as_str() {
        library.libs.push(("c++".to_owned(), Kind::Shared));
        return;
    }
    let name = "stdc++".to_owned();
    if linking == Linking::Static {
        let Some(archive) = compile::file_of_compiler("libstdc++.a") else {
            fail(
                format!("{STATIC_VARIABLE} is 1, but the C compiler has no libstdc++.a"),
                "install g++ (Debian, Ubuntu) or libstdc++-static (Fedora)",
            )
        };
        library.paths.extend(archive.parent().map(Path::to_owned));
        library.libs.push((name, Kind::Static));
    } else {
        library.libs.push((name, Kind::Shared));
    }
}

pub(super) fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}
