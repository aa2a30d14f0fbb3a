//! The build of the feature `native`: finds libhs, compiles `csrc/` and links both.
//!
//! libhs comes from one of three places: the directory that `DRAGNET_LIBHS_DIR` names
//! ([`directory`]), the sources that a crate carries (`vendored`, with the feature
//! `native-vendored`), or the system's packages (`packaged`). Whatever is missing or unsuitable
//! ends the build with one error that says what to do about it ([`error`]), never with a linker
//! error, which a user of the crate could not interpret.
//!
//! Every variable and file that is read is declared to cargo, with `cargo::rerun-if-env-changed` or
//! `cargo::rerun-if-changed`, so that the script runs again exactly when one of them changes.
//! `ci/rebuilds` verifies that.

use std::env;
use std::path::{Path, PathBuf};

mod compile;
mod directory;
mod error;
mod library;
#[cfg(not(feature = "native-vendored"))]
mod packaged;
#[cfg(feature = "native-vendored")]
mod vendored;

/// Names the prefix of an installed libhs, with `include/` and `lib/` in it. Takes precedence over
/// the system's packages and the vendored sources.
const DIR_VARIABLE: &str = "DRAGNET_LIBHS_DIR";
/// With the value 1, libhs and its C++ runtime are linked statically; with 0, as shared libraries.
const STATIC_VARIABLE: &str = "DRAGNET_LIBHS_STATIC";
/// With the value 1, warnings of the C compiler are errors.
const WERROR_VARIABLE: &str = "DRAGNET_CC_WERROR";

pub(super) fn build() {
    #[cfg(feature = "native-vendored")]
    if vendored::is_child() {
        return vendored::run_child();
    }
    compile::declare_sources();
    let werror = variable(WERROR_VARIABLE).as_deref() == Some("1");
    let mode = LinkMode::from_variable();
    let library = match variable(DIR_VARIABLE) {
        Some(dir) => directory::library(Path::new(&dir), mode),
        #[cfg(feature = "native-vendored")]
        None => vendored::library(mode),
        #[cfg(not(feature = "native-vendored"))]
        None => packaged::library(mode),
    };
    library.check_version();
    compile::compile(&library, werror);
    // After `csrc/`, which calls libhs: linkers take from a static library only the symbols that
    // the libraries before it left undefined.
    library.link();
    compile::check_link(&library);
}

/// How the user wants libhs and its C++ runtime to be linked.
#[derive(Clone, Copy, PartialEq)]
enum LinkMode {
    Static,
    Shared,
    /// Shared if a shared library is found, else static.
    Any,
}

impl LinkMode {
    fn from_variable() -> Self {
        match variable(STATIC_VARIABLE).as_deref() {
            None => Self::Any,
            Some("1") => Self::Static,
            Some("0") => Self::Shared,
            Some(other) => error::fail(
                format!("{STATIC_VARIABLE} is {other}"),
                "set it to 1 for a static libhs or to 0 for a shared one, or unset it",
            ),
        }
    }
}

/// Returns the value of a variable and declares it to cargo. `None` if it is unset or empty.
fn variable(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns a property of the target, such as `ARCH`. Empty if cargo does not set it.
fn target(property: &str) -> String {
    cargo_variable(&format!("CARGO_CFG_TARGET_{property}"))
}

/// Returns a variable without declaring it to cargo: one that cargo sets itself, or that is
/// declared where it is read first. Empty if it is unset.
fn cargo_variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn out_dir() -> PathBuf {
    PathBuf::from(cargo_variable("OUT_DIR"))
}
