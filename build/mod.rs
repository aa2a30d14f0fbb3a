//! The build of the `native` feature: which libhs, how it is linked, and `csrc/` with it.

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

/// Names a prefix with `include/` and `lib/`, in place of what pkg-config would find.
const DIR_VARIABLE: &str = "DRAGNET_LIBHS_DIR";
/// Set to 1, links libhs and the C++ runtime below it statically; to 0, as shared libraries.
const STATIC_VARIABLE: &str = "DRAGNET_LIBHS_STATIC";
/// Set to 1, turns warnings of the C compiler into errors.
const WERROR_VARIABLE: &str = "DRAGNET_CC_WERROR";

pub(super) fn build() {
    #[cfg(feature = "native-vendored")]
    if vendored::is_child() {
        return vendored::be_child();
    }
    compile::declare_sources();
    let werror = variable(WERROR_VARIABLE).as_deref() == Some("1");
    let linking = Linking::of_variable();
    let library = match variable(DIR_VARIABLE) {
        Some(dir) => directory::library(Path::new(&dir), linking),
        #[cfg(feature = "native-vendored")]
        None => vendored::library(linking),
        #[cfg(not(feature = "native-vendored"))]
        None => packaged::library(linking),
    };
    library.check_header();
    compile::compile(&library, werror);
    // Behind what calls it: a static library gives what was asked for before it.
    library.link();
    compile::check_link(&library);
}

/// How libhs is linked, with the C++ runtime that it needs.
#[derive(Clone, Copy, PartialEq)]
enum Linking {
    Static,
    Shared,
    /// Shared if there is a shared library.
    AsFound,
}

impl Linking {
    fn of_variable() -> Self {
        match variable(STATIC_VARIABLE).as_deref() {
            None => Self::AsFound,
            Some("1") => Self::Static,
            Some("0") => Self::Shared,
            Some(other) => error::fail(
                format!("{STATIC_VARIABLE} is {other}"),
                "set it to 1 for a static libhs or to 0 for a shared one, or unset it",
            ),
        }
    }
}

/// The value of a variable of ours, which is declared to cargo; `None` if unset or empty.
fn variable(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A part of the target, as cargo tells it.
fn target(part: &str) -> String {
    env_of(&format!("CARGO_CFG_TARGET_{part}"))
}

/// A variable that cargo sets for every build script.
fn env_of(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn out_dir() -> PathBuf {
    PathBuf::from(env_of("OUT_DIR"))
}
