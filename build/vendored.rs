//! Vectorscan, built from the sources that the crate `vectorscan-src` carries.
//!
//! That crate is written to be called from the build script of a `-sys` crate: it prints directives
//! and warnings for cargo, and panics when something is missing. So the build script starts itself
//! again as a child process, calls the crate there and reads the child's output. The sources must
//! be copied and patched before cmake configures them, so the child makes the crate start the build
//! script a third time, in place of cmake:
//!
//! ```text
//! build script -> child: vectorscan_src::Build -> cmake wrapper -> cmake
//! ```
//!
//! [`CHILD_VARIABLE`] marks the second and third process; the third has arguments, the second has
//! none. A build takes minutes, so its result is reused until one of its inputs changes.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use super::error::fail;
use super::library::{Library, LibraryKind, add_cxx_runtime};
use super::{LinkMode, STATIC_VARIABLE, cargo_variable, out_dir, variable};

/// Set to the path of cmake in the child processes, and never by cargo.
const CHILD_VARIABLE: &str = "DRAGNET_BUILD_IS_VENDORED_CHILD";
/// Prefixes of the lines that the child prints for its parent.
const INCLUDE_PREFIX: &str = "dragnet-include=";
const LIB_PREFIX: &str = "dragnet-lib=";

/// Environment variables that cmake and the compilers read. Each can also be set for one target, as
/// in [`target_variable`].
const TOOLCHAIN_VARIABLES: [&str; 7] = [
    "CMAKE_TOOLCHAIN_FILE",
    "CMAKE_GENERATOR",
    "CMAKE_PREFIX_PATH",
    "CC",
    "CFLAGS",
    "CXX",
    "CXXFLAGS",
];

/// Environment variables that name the binutils tools. Vectorscan's `cmake/build_wrapper.sh` uses
/// the tools to combine code for several instruction sets in one library.
const OBJECT_TOOLS: [&str; 2] = ["NM", "OBJCOPY"];

/// A bug fix for one source file, applied by text replacement.
#[derive(Debug)]
struct Patch {
    file: &'static str,
    /// Must occur exactly once in the file.
    old: &'static str,
    new: &'static str,
}

/// The double-byte shufti loop, which skips to the next pair of bytes that can leave the
/// automaton's current state, must not skip the record's last byte: the state after it decides
/// whether `\z` matches. Version 5.4.13 skips it, and so does not find `d\z|[ab]b` in a record of
/// 16 `x` and a `d`.
const PATCHES: [Patch; 1] = [Patch {
    file: "src/nfa/accel.c",
    old: "accel->dshufti.hi2, c, c_end);",
    new: "accel->dshufti.hi2, c, c_end - 1);",
}];

/// Software that the build needs, and the text in the build's output that shows that it is missing.
struct Prerequisite {
    message: &'static str,
    name: &'static str,
    package: &'static str,
}

const PREREQUISITES: [Prerequisite; 5] = [
    Prerequisite { message: "is `cmake` not installed?", name: "cmake", package: "cmake" },
    Prerequisite {
        message: "CMake was unable to find a build program",
        name: "make",
        package: "make",
    },
    Prerequisite {
        message: "Ragel state machine compiler not found",
        name: "ragel",
        package: "ragel",
    },
    Prerequisite {
        message: " or later not found.  Either install",
        name: "the headers of Boost",
        package: "libboost-dev (Debian, Ubuntu), boost-devel (Fedora) or boost (Homebrew), or set \
                  BOOST_ROOT",
    },
    Prerequisite {
        message: "No CMAKE_CXX_COMPILER could be found",
        name: "a C++ compiler",
        package: "g++ (Debian, Ubuntu) or gcc-c++ (Fedora)",
    },
];

/// Builds Vectorscan, or reuses the last build, or fails the build of the crate.
pub(super) fn library(mode: LinkMode) -> Library {
    if mode == LinkMode::Shared {
        fail(
            format!(
                "{STATIC_VARIABLE} is 0, but the feature `native-vendored` builds a static libhs"
            ),
            "unset it",
        );
    }
    let cmake = target_variable("CMAKE").unwrap_or_else(|| "cmake".to_owned());
    // Everything that changes the result of the build and can change without changing OUT_DIR.
    let mut inputs: Vec<_> = TOOLCHAIN_VARIABLES.map(target_variable).to_vec();
    inputs.push(variable("BOOST_ROOT"));
    inputs.extend(OBJECT_TOOLS.map(variable));
    inputs.push(Some(cmake.clone()));
    inputs.push(Some(format!("{PATCHES:?} {}", has_fat_runtime())));

    let log = out_dir().join("vectorscan.log");
    let output = match build_or_reuse(&log, &cmake, &format!("{inputs:?}\n")) {
        Ok(output) => output,
        Err(error) => fail(
            format!("can't build Vectorscan with its output in {}: {error}", log.display()),
            "is the disk full?",
        ),
    };
    let line = |prefix: &str| output.lines().rev().find_map(|line| line.strip_prefix(prefix));
    let (Some(include), Some(lib)) = (line(INCLUDE_PREFIX), line(LIB_PREFIX)) else {
        fail_to_build(&output, &log);
    };
    let mut library = Library {
        includes: vec![PathBuf::from(include).join("hs")],
        paths: vec![PathBuf::from(lib)],
        libs: vec![("hs".to_owned(), LibraryKind::Static)],
    };
    add_cxx_runtime(&mut library, mode);
    library
}

/// Returns the value of an environment variable. A value for the target, such as `CC_` with the
/// target's name, takes precedence, as in the crates `cmake` and `cc`.
fn target_variable(name: &str) -> Option<String> {
    let target = cargo_variable("TARGET");
    let kind = if target == cargo_variable("HOST") { "HOST" } else { "TARGET" };
    let names = [
        format!("{name}_{target}"),
        format!("{name}_{}", target.replace('-', "_")),
        format!("{kind}_{name}"),
        name.to_owned(),
    ];
    // `map` before `next`: `variable` also declares the variable to cargo, and all four must be.
    names.map(|name| variable(&name)).into_iter().flatten().next()
}

/// Returns the output of a build with these inputs. Cargo runs this script for many changes that do
/// not affect libhs, so the inputs and the output of the last successful build are kept in a file.
fn build_or_reuse(log: &Path, cmake: &str, inputs: &str) -> io::Result<String> {
    let stamp = out_dir().join("vectorscan.built");
    if let Some(output) =
        fs::read_to_string(&stamp).ok().and_then(|text| Some(text.strip_prefix(inputs)?.to_owned()))
    {
        return Ok(output);
    }
    let output = build_in_child(log, cmake)?;
    if output.lines().any(|line| line.starts_with(LIB_PREFIX)) {
        fs::write(stamp, format!("{inputs}{output}"))?;
    }
    Ok(output)
}

fn build_in_child(log: &Path, cmake: &str) -> io::Result<String> {
    let out = File::create(log)?;
    let this = env::current_exe()?;
    // The exit status is not needed: a child that fails does not print the `LIB_PREFIX` line.
    Command::new(&this)
        .env(CHILD_VARIABLE, cmake)
        .env(format!("CMAKE_{}", cargo_variable("TARGET")), &this)
        .stdout(out.try_clone()?)
        .stderr(out)
        .status()?;
    Ok(String::from_utf8_lossy(&fs::read(log)?).into_owned())
}

/// Whether this process is one of the child processes.
pub(super) fn is_child() -> bool {
    env::var_os(CHILD_VARIABLE).is_some()
}

/// The main function of both child processes: the one that calls `vectorscan_src`, and the one that
/// replaces cmake.
pub(super) fn run_child() {
    if env::args_os().len() > 1 {
        return run_cmake(env::args_os().skip(1).collect());
    }
    let built = vectorscan_src::Build::new().build();
    println!("{INCLUDE_PREFIX}{}", built.include_dir.display());
    println!("{LIB_PREFIX}{}", built.lib_dir.display());
}

fn run_cmake(mut args: Vec<OsString>) {
    // cmake is called first to configure, with the source directory as its first argument, then to
    // build.
    if Path::new(&args[0]).join("CMakeLists.txt").is_file() {
        match patched_copy(Path::new(&args[0])) {
            Ok(source) => args[0] = source.into(),
            Err(error) => {
                eprintln!("can't copy and patch the sources: {error}");
                exit(1)
            }
        }
        // On x86, code for processors without SSE4.2 would require another library, SIMDe.
        args.push("-DNO_SIMDE_IN_FAT=ON".into());
        if !has_fat_runtime() {
            args.push("-DFAT_RUNTIME=OFF".into());
        }
    }
    match Command::new(cargo_variable(CHILD_VARIABLE)).args(args).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}; is `cmake` not installed?");
            exit(1)
        }
    }
}

/// Whether to build code for several instruction sets, one of which is chosen at run time.
///
/// Vectorscan supports that on Linux for x86-64 and AArch64. It combines the code with objcopy, and
/// the host's objcopy may not support the object files of another processor.
fn has_fat_runtime() -> bool {
    let (target, host) = (cargo_variable("TARGET"), cargo_variable("HOST"));
    let processor = |triple: &str| triple.split('-').next().unwrap_or_default().to_owned();
    let has_object_tools = processor(&target) == processor(&host) && host.contains("-linux-")
        || OBJECT_TOOLS.iter().all(|name| env::var_os(name).is_some());
    matches!(processor(&target).as_str(), "x86_64" | "aarch64")
        && target.contains("-linux-")
        && has_object_tools
}

/// Returns a copy of the sources with [`PATCHES`] applied. Makes the script that compiles them
/// executable, because the crate's package does not preserve permissions.
fn patched_copy(source: &Path) -> io::Result<PathBuf> {
    let copy = out_dir().join("source");
    let (patches, stamp) = (format!("{PATCHES:?}"), "patches");
    // A copy with the same patches is kept: with newer files, make would compile everything again.
    if fs::read_to_string(copy.join(stamp)).ok().as_deref() != Some(&patches) {
        // The copy gets its name when it is complete, so that an interrupted one is never used.
        let partial = out_dir().join("source.part");
        for old in [&partial, &copy] {
            let _ = fs::remove_dir_all(old);
        }
        copy_tree(source, &partial)?;
        for Patch { file, old, new } in PATCHES {
            let path = partial.join(file);
            let text = fs::read_to_string(&path)?;
            if text.matches(old).count() != 1 {
                return Err(io::Error::other(format!("{file} is not the version to patch")));
            }
            fs::write(path, text.replacen(old, new, 1))?;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let script = partial.join("cmake/build_wrapper.sh");
            fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(partial.join(stamp), patches)?;
        fs::rename(partial, &copy)?;
    }
    Ok(copy)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Fails the build of the crate with the reason why Vectorscan did not build.
fn fail_to_build(output: &str, log: &Path) -> ! {
    // cmake caches which tools are missing, and would not search for them again after they were
    // installed. The file does not exist if cmake did not run.
    let _ = fs::remove_file(out_dir().join("build/CMakeCache.txt"));
    for Prerequisite { message, name, package } in PREREQUISITES {
        if output.contains(message) {
            fail(
                format!("missing for the feature `native-vendored`: {name}"),
                format!("install {package}"),
            );
        }
    }
    fail(
        format!("Vectorscan does not build; its output is in {}", log.display()),
        "use an installed libhs, with the feature `native` alone",
    )
}
