//! Compiles `csrc/`, and checks that libhs links.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::error::{fail, install, install_libhs};
use super::library::{Library, LibraryKind};
use super::{cargo_variable, out_dir, variable};

/// The C sources, listed by name so that no stray file is compiled.
const SOURCES: [&str; 1] = ["csrc/scan.c"];

/// Lists the directories that GCC and Clang search for libraries. This script has to declare it to
/// cargo; the crate `cc` declares the other variables that the compiler reads.
const LINKER_VARIABLE: &str = "LIBRARY_PATH";

pub(super) fn declare_sources() {
    // The whole directory, so that cargo notices new and deleted files as well.
    println!("cargo::rerun-if-changed=csrc");
}

pub(super) fn compile(library: &Library, warnings_are_errors: bool) {
    let mut build = cc::Build::new();
    build
        .files(SOURCES)
        .includes(&library.includes)
        .std("c11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(warnings_are_errors);
    match build.try_compile("dragnet_hs") {
        Ok(()) => {}
        // The kind of an error of `cc` is private, but is part of its message.
        Err(error) if error.to_string().starts_with("ToolNotFound") => fail(
            format!(
                "the `native` feature needs a C compiler for {}, which was not found",
                cargo_variable("TARGET")
            ),
            install("gcc"),
        ),
        Err(_) => fail(
            "the C compiler failed on csrc/, with the messages above",
            format!("if it does not find hs.h, {}", install_libhs()),
        ),
    }
}

/// Returns a file that is installed with the C compiler, such as `libstdc++.a`.
pub(super) fn compiler_file(name: &str) -> Option<PathBuf> {
    let compiler = cc::Build::new().try_get_compiler().ok()?;
    let output = compiler.to_command().arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // The compiler prints the bare name if it has no such file.
    (path.is_absolute() && path.is_file()).then_some(path)
}

/// Fails the build if a program does not link with the library.
///
/// A libhs can have headers and a pkg-config file and lack the library itself. Without this check
/// the build would succeed, and the error would come from the linker of a dependent crate.
pub(super) fn check_link(library: &Library) {
    // Read by the compiler below, so only declared to cargo here.
    variable(LINKER_VARIABLE);
    let compiler = cc::Build::new().get_compiler();
    // MSVC takes other options, and the native engine is not tested with it.
    if compiler.is_like_msvc() {
        return;
    }
    let source = out_dir().join("link.c");
    let program = "#include <hs.h>\nint main(void) { return hs_version() == 0; }\n";
    if let Err(error) = fs::write(&source, program) {
        fail(format!("can't write {}: {error}", source.display()), "is the disk full?");
    }
    let mut command: Command = compiler.to_command();
    for path in &library.includes {
        command.arg("-I").arg(path);
    }
    command.arg(&source).arg("-o").arg(out_dir().join("link"));
    for path in &library.paths {
        command.arg("-L").arg(path);
    }
    for (name, kind) in &library.libs {
        match library.archive(name).filter(|_| *kind == LibraryKind::Static) {
            Some(archive) => command.arg(archive),
            None => command.arg(format!("-l{name}")),
        };
    }
    // A static C++ runtime depends on both. Rust links them in any case.
    command.args(["-lm", "-pthread"]);
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let mut last: Vec<&str> = text.lines().rev().take(3).collect();
            last.reverse();
            fail(
                format!("libhs was found, but does not link: {}", last.join(" / ")),
                install_libhs(),
            )
        }
        Err(error) => fail(format!("can't run the C compiler: {error}"), install("gcc")),
    }
}
