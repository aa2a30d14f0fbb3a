//! Build script: finds libhs and compiles `csrc/` for the feature `native`. Does nothing without
//! it.

#[cfg(feature = "native")]
#[path = "build/mod.rs"]
mod native;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "native")]
    native::build();
}
