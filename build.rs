//! Finds and compiles what the `native` feature needs; does nothing without it.

#[cfg(feature = "native")]
#[path = "build/mod.rs"]
mod native;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "native")]
    native::build();
}
