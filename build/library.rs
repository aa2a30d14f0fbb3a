//! The libhs that was found: its headers and libraries, the check of its version, and linking.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{fail, fail_too_old};
use super::{LinkMode, STATIC_VARIABLE, compile, target};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum LibraryKind {
    Static,
    Shared,
}

/// libhs, and the libraries that a static libhs depends on.
pub(super) struct Library {
    /// Directories of headers.
    pub(super) includes: Vec<PathBuf>,
    /// Directories of libraries.
    pub(super) paths: Vec<PathBuf>,
    /// Names of libraries, in the order in which they are linked: libhs first.
    pub(super) libs: Vec<(String, LibraryKind)>,
}

impl Library {
    /// Makes cargo link the library.
    pub(super) fn link(&self) {
        for path in &self.paths {
            println!("cargo::rustc-link-search=native={}", path.display());
        }
        for (name, kind) in &self.libs {
            let kind = match kind {
                LibraryKind::Static => "static",
                LibraryKind::Shared => "dylib",
            };
            println!("cargo::rustc-link-lib={kind}={name}");
        }
    }

    /// Returns the file of the static library `name`.
    pub(super) fn archive(&self, name: &str) -> Option<PathBuf> {
        self.paths.iter().find_map(|path| existing(path.join(format!("lib{name}.a"))))
    }

    /// Fails the build if libhs's headers say that it is too old, and declares these headers.
    ///
    /// Headers in the compiler's default directories are not found here, because pkg-config does
    /// not name those directories. For them `csrc/scan.c` checks the version.
    pub(super) fn check_version(&self) {
        // Since 5.4.12 Vectorscan has the version in a header of its own.
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
                    fail_too_old(&format!("{major}.{minor}"), &header.display());
                }
            }
        }
    }
}

/// Adds the C++ runtime to a static libhs. A shared libhs is linked to its runtime already.
pub(super) fn add_cxx_runtime(library: &mut Library, mode: LinkMode) {
    // On these systems the runtime is part of the system, and only shared.
    if let "macos" | "ios" | "freebsd" | "openbsd" = target("OS").as_str() {
        library.libs.push(("c++".to_owned(), LibraryKind::Shared));
        return;
    }
    let name = "stdc++".to_owned();
    if mode == LinkMode::Static {
        let Some(archive) = compile::compiler_file("libstdc++.a") else {
            fail(
                format!("{STATIC_VARIABLE} is 1, but the C compiler has no libstdc++.a"),
                "install g++ (Debian, Ubuntu) or libstdc++-static (Fedora)",
            )
        };
        library.paths.extend(archive.parent().map(Path::to_owned));
        library.libs.push((name, LibraryKind::Static));
    } else {
        library.libs.push((name, LibraryKind::Shared));
    }
}

/// Returns `path` if it is a file.
pub(super) fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}
