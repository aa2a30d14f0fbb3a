//! `csrc/`, and whether what it is compiled for links.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::error::{fail, install, packages};
use super::library::{Kind, Library};
use super::{env_of, out_dir, variable};

/// What is compiled of `csrc/`. Listed by name, so that nothing is compiled unseen.
const SOURCES: [&str; 1] = ["csrc/scan.c"];

/// Folders in which GCC and Clang look for libraries; what else they read `cc` declares.
const LINKER_VARIABLE: &str = "LIBRARY_PATH";

pub(super) fn declare_sources() {
    // The folder, with all that is in it, so that a new file or one that is gone is noticed.
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
        // The crate tells its kinds of errors apart in their text alone.
        Err(error) if error.to_string().starts_with("ToolNotFound") => fail(
            format!(
                "the `native` feature needs a C compiler for {}, which was not found",
                env_of("TARGET")
            ),
            install("gcc"),
        ),
        Err(_) => fail(
            "the C compiler failed on csrc/; what it said is above",
            format!("if it does not find hs.h, {}", packages()),
        ),
    }
}

/// A file that the C compiler has beside the libraries of its language.
pub(super) fn file_of_compiler(name: &str) -> Option<PathBuf> {
    let compiler = cc::Build::new().try_get_compiler().ok()?;
    let output = compiler.to_command().arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // It answers with the bare name if there is none.
    (path.is_absolute() && path.is_file()).then_some(path)
}

/// Links a program with the library, since a library that is missing although its description is
/// there must be an error of this build, not of whoever links with it later.
pub(super) fn check_link(library: &Library) {
    variable(LINKER_VARIABLE);
    let compiler = cc::Build::new().get_compiler();
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
        match library.archive(name).filter(|_| *kind == Kind::Static) {
            Some(archive) => command.arg(archive),
            None => command.arg(format!("-l{name}")),
        };
    }
    // Below a static C++ runtime; Rust links both by itself.
    command.args(["-lm", "-pthread"]);
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let mut last: Vec<&str> = text.lines().rev().take(3).collect();
            last.reverse();
            fail(format!("libhs is described but does not link: {}", last.join(" / ")), packages())
        }
        Err(error) => fail(format!("can't run the C compiler: {error}"), install("gcc")),
    }
}
