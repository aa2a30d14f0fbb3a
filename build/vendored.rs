//! Vectorscan from the sources that a crate carries.
//!
//! The crate that builds it talks to cargo as if it were the build script, with warnings, and it
//! panics when it fails. So it runs in another process of this program, whose output is read. That one
//! starts this program once more in cmake's place, since the sources need a repair first.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use super::error::fail;
use super::library::{Kind, Library, cxx_runtime};
use super::{Linking, STATIC_VARIABLE, env_of, out_dir, variable};

/// Names the cmake to run, and so tells a process of this program that it is another one. It is
/// never set for cargo.
const CHILD_VARIABLE: &str = "DRAGNET_BUILD_IS_VENDORED_CHILD";
/// Precedes what the other process tells this one.
const INCLUDE: &str = "dragnet-include=";
const LIB: &str = "dragnet-lib=";

/// What cmake and compilers read, for the target or at all. `cc` declares those of C.
const VARIABLES: [&str; 7] = [
    "CMAKE_TOOLCHAIN_FILE",
    "CMAKE_GENERATOR",
    "CMAKE_PREFIX_PATH",
    "CC",
    "CFLAGS",
    "CXX",
    "CXXFLAGS",
];

/// A file of the sources, what is wrong in it, and what is right.
///
/// What skips to the next pair of bytes must leave the last byte to the automaton, whose state at the
/// end of a record decides about `\z`. 5.4.13 took that out: `d\z|[ab]b` is not found in a record of 16
/// `x` and a `d`.
const REPAIRS: [(&str, &str, &str); 1] =
    [("src/nfa/accel.c", "accel->dshufti.hi2, c, c_end);", "accel->dshufti.hi2, c, c_end - 1);")];

/// What the sources' own script reads for the target's tools that put code for several kinds of vectors
/// together.
const OBJECTS: [&str; 2] = ["NM", "OBJCOPY"];

/// What the build says when something is missing, and what has it.
const MISSING: [(&str, &str, &str); 5] = [
    ("is `cmake` not installed?", "cmake", "cmake"),
    ("CMake was unable to find a build program", "make", "make"),
    ("Ragel state machine compiler not found", "ragel", "ragel"),
    (
        " or later not found.  Either install",
        "the headers of Boost",
        "libboost-dev (Debian, Ubuntu), boost-devel (Fedora) or boost (Homebrew), or set BOOST_ROOT",
    ),
    (
        "No CMAKE_CXX_COMPILER could be found",
        "a C++ compiler",
        "g++ (Debian, Ubuntu) or gcc-c++ (Fedora)",
    ),
];

pub(super) fn is_child() -> bool {
    env::var_os(CHILD_VARIABLE).is_some()
}

pub(super) fn library(linking: Linking) -> Library {
    if linking == Linking::Shared {
        fail(
            format!(
                "{STATIC_VARIABLE} is 0, but the feature `native-vendored` builds a static libhs"
            ),
            "unset it",
        );
    }
    let cmake = of_target("CMAKE").unwrap_or_else(|| "cmake".to_owned());
    let mut read: Vec<_> = VARIABLES.map(of_target).to_vec();
    read.push(variable("BOOST_ROOT"));
    read.extend(OBJECTS.map(variable));
    read.push(Some(cmake.clone()));
    // What is told here, too.
    read.push(Some(format!("{REPAIRS:?} {}", is_for_many())));

    let log = out_dir().join("vectorscan.log");
    let text = match build_or_reuse(&log, &cmake, &format!("{read:?}\n")) {
        Ok(text) => text,
        Err(error) => fail(
            format!("can't build Vectorscan with its output in {}: {error}", log.display()),
            "is the disk full?",
        ),
    };
    let line = |head: &str| text.lines().rev().find_map(|line| line.strip_prefix(head));
    let (Some(include), Some(lib)) = (line(INCLUDE), line(LIB)) else {
        why_it_failed(&text, &log);
    };
    let mut library = Library {
        includes: vec![PathBuf::from(include).join("hs")],
        paths: vec![PathBuf::from(lib)],
        libs: vec![("hs".to_owned(), Kind::Static)],
    };
    cxx_runtime(&mut library, linking);
    library
}

/// The value of a variable that may be set for the target alone, by the rules of the cmake crate.
fn of_target(name: &str) -> Option<String> {
    let target = env_of("TARGET");
    let kind = if target == env_of("HOST") { "HOST" } else { "TARGET" };
    let names = [
        format!("{name}_{target}"),
        format!("{name}_{}", target.replace('-', "_")),
        format!("{kind}_{name}"),
        name.to_owned(),
    ];
    // All are declared, not those alone that come first.
    names.map(|name| variable(&name)).into_iter().flatten().next()
}

/// Builds in another process and returns what was said; or what was said when it was built with the
/// same variables, since this program runs again for much that does not change libhs.
fn build_or_reuse(log: &Path, cmake: &str, read: &str) -> io::Result<String> {
    let stamp = out_dir().join("vectorscan.built");
    if let Some(text) =
        fs::read_to_string(&stamp).ok().and_then(|text| Some(text.strip_prefix(read)?.to_owned()))
    {
        return Ok(text);
    }
    let text = build_in_child(log, cmake)?;
    if text.lines().any(|line| line.starts_with(LIB)) {
        fs::write(stamp, format!("{read}{text}"))?;
    }
    Ok(text)
}

fn build_in_child(log: &Path, cmake: &str) -> io::Result<String> {
    let out = File::create(log)?;
    let this = env::current_exe()?;
    Command::new(&this)
        .env(CHILD_VARIABLE, cmake)
        .env(format!("CMAKE_{}", env_of("TARGET")), &this)
        .stdout(out.try_clone()?)
        .stderr(out)
        .status()?;
    // That it failed shows in what it did not say.
    Ok(String::from_utf8_lossy(&fs::read(log)?).into_owned())
}

/// What the other processes do: the one that builds, and cmake with its arguments.
pub(super) fn be_child() {
    if env::args_os().len() > 1 {
        return be_cmake(env::args_os().skip(1).collect());
    }
    let built = vectorscan_src::Build::new().build();
    println!("{INCLUDE}{}", built.include_dir.display());
    println!("{LIB}{}", built.lib_dir.display());
}

fn be_cmake(mut args: Vec<OsString>) {
    if Path::new(&args[0]).join("CMakeLists.txt").is_file() {
        match repaired(Path::new(&args[0])) {
            Ok(source) => args[0] = source.into(),
            Err(error) => {
                eprintln!("the sources can't be copied and repaired: {error}");
                exit(1)
            }
        }
        // On x86, code for processors without SSE4.2 would need one more library, SIMDe.
        args.push("-DNO_SIMDE_IN_FAT=ON".into());
        if !is_for_many() {
            args.push("-DFAT_RUNTIME=OFF".into());
        }
    }
    match Command::new(env_of(CHILD_VARIABLE)).args(args).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}; is `cmake` not installed?");
            exit(1)
        }
    }
}

/// Whether there is code for more than one kind of vectors. The sources have that for two processors,
/// and put it together with objcopy, of which the host's does not know the objects of others.
fn is_for_many() -> bool {
    let (target, host) = (env_of("TARGET"), env_of("HOST"));
    let processor = |triple: &str| triple.split('-').next().unwrap_or_default().to_owned();
    let knows_objects = processor(&target) == processor(&host) && host.contains("-linux-")
        || OBJECTS.iter().all(|name| env::var_os(name).is_some());
    matches!(processor(&target).as_str(), "x86_64" | "aarch64")
        && target.contains("-linux-")
        && knows_objects
}

/// A copy of the sources with [`REPAIRS`] made, in which the script that compiles can be run: the
/// crate has it without that permission.
fn repaired(source: &Path) -> io::Result<PathBuf> {
    let copy = out_dir().join("source");
    let (repairs, mark) = (format!("{REPAIRS:?}"), "repairs");
    // Newer files would be compiled again, so a copy stays that is as it would be made now.
    if fs::read_to_string(copy.join(mark)).ok().as_deref() != Some(&repairs) {
        let part = out_dir().join("source.part");
        for old in [&part, &copy] {
            let _ = fs::remove_dir_all(old);
        }
        copy_tree(source, &part)?;
        for (name, wrong, right) in REPAIRS {
            let file = part.join(name);
            let text = fs::read_to_string(&file)?;
            if text.matches(wrong).count() != 1 {
                return Err(io::Error::other(format!("{name} is not the one that is repaired")));
            }
            fs::write(file, text.replacen(wrong, right, 1))?;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let script = part.join("cmake/build_wrapper.sh");
            fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
        }
        fs::write(part.join(mark), repairs)?;
        fs::rename(part, &copy)?;
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

fn why_it_failed(text: &str, log: &Path) -> ! {
    // It remembers what it did not find. That there may be none is no fault.
    let _ = fs::remove_file(out_dir().join("build/CMakeCache.txt"));
    for (sign, name, package) in MISSING {
        if text.contains(sign) {
            fail(
                format!("missing for the feature `native-vendored`: {name}"),
                format!("install {package}"),
            );
        }
    }
    fail(
        format!("Vectorscan does not build; what was said is in {}", log.display()),
        "use a libhs that is built already, with the feature `native` alone",
    )
}
